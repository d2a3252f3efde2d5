"""What the demo prints: colours, tables and a live status on a terminal, plain text elsewhere."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from reader import TOLERANCE, Line, Program
from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 150  # columns, where there is no terminal to ask


class Report:
    def __init__(self):
        self.console = Console(highlight=False)
        self.live = self.console.is_terminal
        if not self.live:
            self.console = Console(highlight=False, width=PLAIN_WIDTH, color_system=None)

    def status(self, text: str):
        """A context that shows what is being done; silent where there is no terminal."""
        return self.console.status(text) if self.live else nullcontext()

    def title(self, engine: str, target: str | None) -> None:
        where = f"{engine}, target {target}" if target else engine
        self.console.print(Text.assemble(("Reading pictures", "bold"), f" with {where}"), end="\n\n")

    def picture(self, file: Path, size: tuple[int, int], lines: list[Line], expected: list[str] | None) -> None:
        said = Text()
        for index, line in enumerate(lines):
            wrong = expected is not None and (index >= len(expected) or expected[index] != line.text)
            said.append("\n" if index else "")
            said.append(line.text, "bold red" if wrong else "bold")
            said.append(f"  {line.confidence:4.0%}", "dim")
            said.append("  turned" if line.turned else "", "dim yellow")
        left = Text.assemble((file.name, "cyan"), (f"\n{size[1]} x {size[0]}", "dim"))
        if expected is not None:
            right = [line.text for line in lines] == expected
            left.append("\n")
            left.append("as expected" if right else "NOT as expected", "green" if right else "bold red")
        row = Table.grid(padding=(0, 2))
        row.add_column(width=20)
        row.add_column()
        row.add_row(left, said if lines else Text("no text found", "dim"))
        if self.live:
            self.console.print(Panel(row, box=box.ROUNDED, border_style="dim"))
        else:
            self.console.print(row, end="\n\n")

    def programs(self, programs: list[Program]) -> None:
        simulated = any(p.stats for p in programs)
        style = box.SIMPLE_HEAD if self.live else box.ASCII2
        table = Table(box=style, title="Programs, one run each", title_justify="left")
        table.add_column("network", no_wrap=True, style="cyan")
        columns = ["nodes"]
        if simulated:
            columns += ["MACs", "DRAM read", "written", "predicted", "compulsory", "ratio"]
            columns += ["peak SRAM", "instr.", "code"]
        for column in [*columns, "host time", "runs", "vs ORT"]:
            table.add_column(column, justify="right", no_wrap=True)
        for program in programs:
            table.add_row(*self._cells(program, simulated))
        self.console.print(table)

    def _cells(self, p: Program, simulated: bool) -> list[Text | str]:
        cells: list[Text | str] = [p.name, str(p.nodes)]
        if simulated and p.stats:
            s, dram = p.stats, p.stats["dram"]
            moved = dram["read_bytes"] + dram["write_bytes"]
            exact = moved == dram["predicted_bytes"]
            ratio = moved / max(1, dram["compulsory_bytes"])
            cells += [
                f"{s['macs'] / 1e6:,.1f} M",
                f"{dram['read_bytes']:,}",
                f"{dram['write_bytes']:,}",
                Text(f"= {dram['predicted_bytes']:,}" if exact else f"≠ {dram['predicted_bytes']:,}",
                     "green" if exact else "bold red"),
                f"{dram['compulsory_bytes']:,}",
                f"{ratio:.2f}",
                f"{s['sram']['peak_bytes'] / 1024:,.0f} KiB",
                f"{s['instructions']:,}",
                f"{s['code_bytes'] / 1024:,.1f} KiB",
            ]
        elif simulated:
            cells += ["-"] * 9
        good = p.worst_error <= TOLERANCE
        error = Text(f"{p.worst_error:.1e}", "green" if good else "bold red")
        return [*cells, f"{p.seconds / max(1, p.runs) * 1e3:,.0f} ms", str(p.runs), error]

    def verdict(self, programs: list[Program], misread: list[str]) -> bool:
        failures = [f for p in programs for f in p.failures]
        runs = sum(p.runs for p in programs)
        for failure in [*failures, *(f"{name}: the text is not the expected one" for name in misread)]:
            self.console.print(Text.assemble(("FAIL  ", "bold red"), failure))
        if failures or misread:
            return False
        worst = max((p.worst_error for p in programs), default=0.0)
        self.console.print(
            Text.assemble(
                ("PASS  ", "bold green"),
                f"every output of {runs} runs agrees with ONNX Runtime: "
                f"largest difference {worst:.1e} of the range, limit {TOLERANCE:g}",
            )
        )
        if any(p.stats for p in programs):
            self.console.print(
                Text.assemble(("PASS  ", "bold green"), "every DRAM byte counted was predicted by the compiler")
            )
        return True
