"""Other schedulers on the same networks and machines: their own code, from PyPI, really run.

Each lives in an environment of its own in the cache folder, made on first use with the versions below. A measurement
that fails is a record with the reason, as it is for acc.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import cache
import onnx
from models_under_test import reason
from ours import Refused, call
from results import Results
from workloads import MACHINES, Machine, Workload

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = cache.ROOT.parent / "peers"
PINNED = {
    "vela": ("python3", "ethos-u-vela==5.2.0"),
    "tflite": ("python3", "tensorflow-cpu==2.21.0", "onnx==1.22.0", "onnxruntime==1.27.0"),
    "zigzag": ("python3", "zigzag-dse==3.9.1", "six==1.17.0"),
}
SECONDS = 1800  # a peer's wall clock for one network


def environment(name: str) -> Path:
    """The bin folder of an environment, which is made if it is missing or pinned otherwise."""
    python, *packages = PINNED[name]
    folder = ENVIRONMENTS / name
    stamp = folder / "pinned.txt"
    wanted = "\n".join(PINNED[name]) + "\n"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"  installing {', '.join(packages)}", file=sys.stderr, flush=True)
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "-q", *packages], check=True)
        stamp.write_text(wanted)
    return folder / "bin"


def float_network(workload: Workload) -> Path:
    """The network before it was quantised."""
    return cache.ensure(workload.model.file.removesuffix("-int8"))


def bound(workload: Workload, to: Path) -> Path:
    """The float network with sizes instead of symbols, batch normalisation folded, and every shape inferred."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    model = onnx.load(float_network(workload))
    for value in model.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_value = workload.model.dims[dim.dim_param]
    for value in model.graph.output:
        for dim in value.type.tensor_type.shape.dim:
            dim.Clear()
    onnx.save(model, to.with_suffix(".sizes.onnx"))
    quant_pre_process(to.with_suffix(".sizes.onnx"), to, skip_symbolic_shape=True)
    return to


def figure(acc: Path, machine: Machine, key: str) -> int:
    """A figure of the machine, as acc has it."""
    shown, _ = call([acc, "targets", machine.target, *machine.flags()[2:]])
    return int(next(line.split()[1] for line in shown.splitlines() if line.split()[:1] == [key]))


# -- Vela --

# Its machine is the Ethos-U65; the networks are those that tflite_from_onnx.py can write.
VELA_NETWORKS = ("mobilenetv1", "mobilenetv2", "resnet50", "efficientnet", "unet")
CORES = {"regor": (), "legacy": ("--debug-force-legacy-core",)}


def tflite(workload: Workload, scratch: Path) -> Path:
    to = scratch / f"{workload.name}.tflite"
    if not to.exists():
        dims = workload.model.dims
        call([environment("tflite") / "python", HERE / "tflite_from_onnx.py", float_network(workload), to,
              dims["height"], dims["width"]], SECONDS)
    return to


def vela(acc: Path, workload: Workload, machine: Machine, scratch: Path) -> dict:
    if machine.target != "u65-256" or not workload.name.startswith(VELA_NETWORKS):
        raise NotMeant
    network = tflite(workload, scratch)
    results = {}
    refusals = []
    for core, options in CORES.items():
        out = scratch / f"vela-{core}"
        try:
            _, seconds = call([environment("vela") / "vela", network, "--accelerator-config", "ethos-u65-256", "--config",
                               "Arm/vela.ini", "--system-config", "Ethos_U65_High_End", "--memory-mode", "Dedicated_Sram",
                               "--arena-cache-size", figure(acc, machine, "sram.bytes"), "--optimise", "Performance",
                               "--output-dir", out, *options], SECONDS)
        except Refused as error:
            refusals.append(f"{core}: {reason(error)}")
            continue
        (summary,) = out.glob("*_summary_*.csv")
        row = list(csv.DictReader(summary.open()))[-1]
        total, weights = float(row["dram_total_bytes"]), float(row["dram_weight_read_bytes"])
        # Vela compresses weights without loss, acc does not: what it would read if they were as they are.
        inflation = float(row["total_original_weights"]) / float(row["total_npu_encoded_weights"])
        results[core] = {
            "bytes": total,
            "raw": total + weights * (inflation - 1),
            "user_seconds": seconds,
            "sram_used": float(row["sram_memory_used"]) * 1024,
            "weights": float(row["total_npu_encoded_weights"]),
        }
        summary.unlink()
    if not results:
        raise Refused("; ".join(refusals))
    best = min(results, key=lambda core: results[core]["bytes"])
    others = [f"{core} {r['bytes'] / 1e6:.2f} MB" for core, r in results.items() if core != best]
    return results[best] | {"remark": f"core {best}" + (f" ({', '.join(others)})" if others else "")
                            + f"; weights compressed to {results[best]['weights'] / 1e6:.2f} MB"}


# -- ZigZag --

# What the script has machine and mapping for; two to eight minutes of CPU each.
ZIGZAG_NETWORKS = ("mobilenetv1-224", "mobilenetv2-224", "resnet50-224")


def zigzag(acc: Path, workload: Workload, machine: Machine, scratch: Path) -> dict:
    if machine.target != "u65-256" or not workload.name.startswith(ZIGZAG_NETWORKS):
        raise NotMeant
    network, out = scratch / f"{workload.name}.onnx", scratch / "zigzag.json"
    if not network.exists():
        bound(workload, network)
    accumulators = figure(acc, machine, "acc.bytes")
    _, seconds = call([environment("zigzag") / "python", HERE / "zigzag_bytes.py", network,
                       figure(acc, machine, "sram.bytes"), accumulators, out], SECONDS)
    return {"bytes": json.loads(out.read_text())["bytes"], "user_seconds": seconds,
            "remark": "no biases, scales, additions and pooling counted; those of acc are"}


class NotMeant(Exception):
    """The peer has no such machine, or its front end no such network."""


PEERS: dict[str, Callable[[Path, Workload, Machine, Path], dict]] = {"vela": vela, "zigzag": zigzag}


def measure(peer: str, acc: Path, workloads: list[Workload], machines: dict[str, Machine], results: Results,
            scratch: Path) -> None:
    for workload in workloads:
        for name in (n for n in MACHINES if n in machines and n in workload.machines):
            start = time.monotonic()
            try:
                record = PEERS[peer](acc, workload, machines[name], scratch)
                said = f"{record['bytes'] / 1e6:10.3f} MB, {record['user_seconds']:5.1f} s, {record.get('remark', '')}"
            except NotMeant:
                continue
            except Refused as error:
                record = {"refused": reason(error)}
                said = record["refused"]
            except subprocess.TimeoutExpired:
                record = {"refused": f"no result within {SECONDS} s"}
                said = record["refused"]
            results.put(peer, workload.name, name, record | {"date": time.strftime("%Y-%m-%d")})
            print(f"  {peer:7} {workload.name:26} {name:16} {said}  ({time.monotonic() - start:.0f} s)", file=sys.stderr,
                  flush=True)
