"""The tables of docs/benchmarks.md, and which of the aims hold."""

from __future__ import annotations

from dataclasses import dataclass

from results import Results
from workloads import MACHINES, WORKLOADS, Workload

MIB, KIB = 1 << 20, 1 << 10
PEERS = {"vela": "Vela 5.2", "zigzag": "ZigZag 3.9"}


def kib(machine: str) -> int:
    size = machine.split()[1]
    return int(size[:-3]) * (1024 if size.endswith("MiB") else 1)


@dataclass
class Verdict:
    aim: str
    holds: bool
    detail: str = ""

    def __str__(self) -> str:
        return f"  {'holds ' if self.holds else 'MISSED'}  {self.aim}{': ' + self.detail if self.detail else ''}"


# bytes / C at 224x224, by network and SRAM; on every machine of that size.
AIMS = {
    ("mobilenetv1-224-int8", "128KiB"): 1.05,
    ("mobilenetv2-224-int8", "128KiB"): 1.05,
    ("resnet50-224-int8", "128KiB"): 1.40,
    ("mobilenetv1-224-int8", "384KiB"): 1.05,
    ("mobilenetv2-224-int8", "384KiB"): 1.05,
    ("resnet50-224-int8", "384KiB"): 1.12,
    ("mobilenetv1-224-int8", "2MiB"): 1.01,
    ("mobilenetv2-224-int8", "2MiB"): 1.01,
    ("resnet50-224-int8", "2MiB"): 1.01,
}
SECONDS = {"default": 10.0, "fast": 1.0}
FAST_BYTES = 1.10


def good(record: dict | None) -> bool:
    return record is not None and "refused" not in record


def measured(results: Results, workload: Workload, scheduler: str = "acc") -> dict[str, dict]:
    """By machine, in ascending size."""
    records = {name: results.get(scheduler, workload.name, name) for name in MACHINES if name in workload.machines}
    return {name: record for name, record in records.items() if good(record)}


def few(items: list[str], count: int = 4) -> str:
    return ", ".join(items[:count]) + (f" and {len(items) - count} more" if len(items) > count else "")


def judge(results: Results) -> list[Verdict]:
    verdicts = []
    for (name, size), limit in AIMS.items():
        for machine in MACHINES:
            record = results.get("acc", name, machine)
            if machine.endswith(f" {size}") and good(record):
                ratio = record["bytes"] / record["compulsory"]
                verdicts.append(Verdict(f"{name} on {machine}: bytes / C <= {limit}", ratio <= limit, f"{ratio:.3f}"))
    wrong, grown, slow, slow_fast, fat_fast, refused, beaten, beaten_raw, fast_measured = [], [], [], [], [], [], [], [], 0
    peers_seen = 0
    for workload in WORKLOADS:
        mine = measured(results, workload)
        refused += [f"{workload.name} on {m}" for m in workload.machines
                    if (r := results.get("acc", workload.name, m)) and "refused" in r]
        for target in {m.split()[0] for m in mine}:
            sizes = [m for m in mine if m.split()[0] == target]
            grown += [f"{workload.name} {target} {small.split()[1]} to {large.split()[1]}"
                      for small, large in zip(sizes, sizes[1:]) if mine[large]["bytes"] > mine[small]["bytes"]]
        for machine, record in mine.items():
            name = f"{workload.name} on {machine}"
            if record["counted"] and not (record["right"] and record["same_bits"]):
                wrong.append(name)
            if record["user_seconds"] > SECONDS["default"]:
                slow.append(f"{name} {record['user_seconds']:.1f}")
            if fast := record.get("fast"):
                fast_measured += 1
                if fast["user_seconds"] > SECONDS["fast"]:
                    slow_fast.append(f"{name} {fast['user_seconds']:.2f}")
                if fast["bytes"] > FAST_BYTES * record["bytes"]:
                    fat_fast.append(f"{name} {fast['bytes'] / record['bytes']:.2f}")
            for peer, title in PEERS.items():
                theirs = results.get(peer, workload.name, machine)
                if good(theirs):
                    peers_seen += 1
                    if record["bytes"] > theirs["bytes"]:
                        beaten.append(f"{title} {name} {theirs['bytes'] / 1e6:.2f} MB against {record['bytes'] / 1e6:.2f}")
                    if record["bytes"] > theirs.get("raw", theirs["bytes"]):
                        beaten_raw.append(f"{title} {name} {theirs.get('raw', theirs['bytes']) / 1e6:.2f} MB against "
                                          f"{record['bytes'] / 1e6:.2f}")
    verdicts += [
        Verdict("every workload compiles", not refused, few(refused)),
        Verdict("results agree with ONNX Runtime, with the same bits on every machine", not wrong, few(wrong)),
        Verdict("bytes never grow when SRAM grows", not grown, few(grown)),
        Verdict("compile at default effort <= 10 s of user CPU", not slow, few(slow)),
    ]
    if fast_measured:
        verdicts += [
            Verdict("compile at effort fast <= 1 s of user CPU", not slow_fast, few(slow_fast)),
            Verdict("effort fast: <= 10 % more bytes", not fat_fast, few(fat_fast)),
        ]
    if peers_seen:
        verdicts.append(Verdict(f"never more bytes than a peer ({peers_seen} comparisons)", not beaten, few(beaten, 8)))
        verdicts.append(Verdict("the same with Vela's weights as acc has them, not compressed", not beaten_raw,
                                few(beaten_raw, 8)))
    return verdicts


def cell(record: dict | None, what: str) -> str:
    if record is None:
        return ""
    if "refused" in record:
        return "refused"
    return f"{record[what] / 1e6:.2f}"


def own_table(results: Results) -> list[str]:
    rows = [
        "| workload | machine | MB | C, MB | bound, MB | / C | / bound | weights and ends, MB | spilled, MB | again, MB | s | fast: s | fast: / default |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for workload in WORKLOADS:
        for machine in MACHINES:
            record = results.get("acc", workload.name, machine) if machine in workload.machines else None
            if record is None:
                continue
            if "refused" in record:
                rows.append(f"| {workload.name} | {machine} | {record['refused']} |" + " |" * 10)
                continue
            why = record["reasons"]
            once = why.get("compulsory-load", 0) + why.get("compulsory-store", 0)
            spilled = sum(count for reason, count in why.items() if reason.startswith("spill"))
            other = record["bytes"] - once - spilled
            fast, bound = record.get("fast"), record["bound"]
            rows.append("| " + " | ".join([
                workload.name, machine, f"{record['bytes'] / 1e6:.3f}" + ("" if record["counted"] else " (predicted)"),
                f"{record['compulsory'] / 1e6:.3f}", f"{bound / 1e6:.3f}" if bound else "",
                f"{record['bytes'] / record['compulsory']:.3f}", f"{record['bytes'] / bound:.3f}" if bound else "",
                f"{once / 1e6:.2f}", f"{spilled / 1e6:.2f}", f"{other / 1e6:.2f}", f"{record['user_seconds']:.2f}",
                f"{fast['user_seconds']:.2f}" if fast else "", f"{fast['bytes'] / record['bytes']:.3f}" if fast else "",
            ]) + " |")
    return rows


def peer_table(results: Results) -> list[str]:
    rows = [
        "| workload | machine | peer | peer, MB | weights raw, MB | acc, MB | peer / acc | raw / acc | peer's user s | remarks |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for workload in WORKLOADS:
        for machine in MACHINES:
            mine = results.get("acc", workload.name, machine)
            for peer, title in PEERS.items():
                theirs = results.get(peer, workload.name, machine)
                if theirs is None:
                    continue
                cells = [workload.name, machine, title]
                if "refused" in theirs:
                    cells += [""] * 6 + [theirs["refused"]]
                else:
                    counted, raw = theirs["bytes"], theirs.get("raw")
                    cells += [f"{counted / 1e6:.3f}", f"{raw / 1e6:.3f}" if raw else ""]
                    cells += [f"{mine['bytes'] / 1e6:.3f}", f"{counted / mine['bytes']:.2f}",
                              f"{raw / mine['bytes']:.2f}" if raw else ""] if good(mine) else [""] * 3
                    cells += [f"{theirs['user_seconds']:.1f}", theirs.get("remark", "")]
                rows.append(f"| {' | '.join(cells)} |")
    return rows if len(rows) > 2 else []


def tables(results: Results) -> tuple[str, list[str]]:
    verdicts = judge(results)
    lines = [
        "## Traffic against the least possible and against other schedulers",
        "",
        "Made by `.venv/bin/python benchmarks/traffic`. Payload bytes of DRAM counted by the simulator, which are those that "
        "the compiler predicted; only predicted where a simulation takes more than a minute. C: every weight, input and output "
        "once. Time is user CPU of the whole compile. int8 networks have int8 inputs and outputs, weights of one scale a "
        "channel, all operators quantised that ONNX Runtime's static quantiser quantises (in transformers: the products).",
        "",
        "Aims:",
        "",
        *(f"- {'holds' if v.holds else '**missed**'}: {v.aim}{' (' + v.detail + ')' if v.detail else ''}" for v in verdicts),
        "",
        *own_table(results),
    ]
    if peers := peer_table(results):
        lines += [
            "", "### Other schedulers on the same networks and machines", "",
            "Vela 5.2 (`--optimise Performance`, the better of its two cores, its own Ethos-U65 High-End system with the same "
            "SRAM) takes the same network as tflite, made from the same ONNX file. It compresses weights without loss, acc "
            "does not: the second column is what it would move with raw weights. ZigZag 3.9 takes the same network before "
            "quantisation and counts it as int8 on the same memories; partial sums have 16 bits.", "", *peers]
    return "\n".join(lines), [str(v) for v in verdicts]
