"""What the demo prints: colours, tables and a live status on a terminal, plain text elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from reader import TOLERANCE, Line, Program
from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 120  # columns, where there is no terminal to ask
LABEL, COLUMN = 18, 14  # columns of the programs' table: names of the rows, a program


def moved(dram: dict) -> int:
    """DRAM bytes read and written."""
    return dram["read_bytes"] + dram["write_bytes"]


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
        """A column for each program, as many side by side as the window holds."""
        beside = max(1, (self.console.width - LABEL) // COLUMN)
        for first in range(0, len(programs), beside):
            part = programs[first:first + beside]
            table = Table(box=box.SIMPLE_HEAD, title="Programs, one run each" if first == 0 else None,
                          title_justify="left", padding=(0, 1))
            table.add_column("", no_wrap=True, style="dim")
            for program in part:
                table.add_column(program.name.replace(" ", "\n", 1), justify="right", no_wrap=True, style="cyan")
            for label, cells in self._rows(part):
                table.add_row(label, *cells)
            self.console.print(table)

    def _rows(self, programs: list[Program]) -> Iterator[tuple[str, list[Text | str]]]:
        yield "nodes", [str(p.nodes) for p in programs]
        simulated = [p.stats for p in programs]
        if all(simulated):
            yield "MACs", [f"{s['macs'] / 1e6:,.1f} M" for s in simulated]
            yield "DRAM bytes read", [f"{s['dram']['read_bytes']:,}" for s in simulated]
            yield "and written", [f"{s['dram']['write_bytes']:,}" for s in simulated]
            yield "predicted", [self._predicted(s["dram"]) for s in simulated]
            yield "compulsory", [f"{s['dram']['compulsory_bytes']:,}" for s in simulated]
            yield "ratio", [f"{moved(s['dram']) / max(1, s['dram']['compulsory_bytes']):.2f}" for s in simulated]
            yield "peak SRAM", [f"{s['sram']['peak_bytes'] / 1024:,.0f} KiB" for s in simulated]
            yield "instructions", [f"{s['instructions']:,}" for s in simulated]
            yield "code", [f"{s['code_bytes'] / 1024:,.1f} KiB" for s in simulated]
        yield "host time", [f"{p.seconds / max(1, p.runs) * 1e3:,.0f} ms" for p in programs]
        yield "runs", [str(p.runs) for p in programs]
        yield "against ORT", [Text(f"{p.worst_error:.1e}", "bold red" if p.failures else
                                   "yellow" if p.plain_runs else "green")
                              for p in programs]

    @staticmethod
    def _predicted(dram: dict) -> Text:
        exact = moved(dram) == dram["predicted_bytes"]
        return Text(f"{'=' if exact else '≠'}{dram['predicted_bytes']:,}", "green" if exact else "bold red")

    def verdict(self, programs: list[Program], misread: list[str]) -> bool:
        failures = [f for p in programs for f in p.failures]
        runs = sum(p.runs for p in programs)
        for failure in [*failures, *(f"{name}: the text is not the expected one" for name in misread)]:
            self.console.print(Text.assemble(("FAIL  ", "bold red"), failure))
        if failures or misread:
            return False
        plain = sum(p.plain_runs for p in programs)
        close = f"every output of {runs} runs is within {TOLERANCE:g} of ONNX Runtime's, relative to its range"
        if plain:
            noise = max(p.worst_noise for p in programs)
            close += (f"; {plain} of them of what it computes without graph optimisations, from which it differs there "
                      f"by up to {noise:.1e}")
        self.console.print(Text.assemble(("PASS  ", "bold green"), close))
        if any(p.stats for p in programs):
            self.console.print(
                Text.assemble(("PASS  ", "bold green"), "every DRAM byte counted was predicted by the compiler")
            )
        return True
