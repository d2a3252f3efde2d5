"""DRAM bytes of a network as ZigZag schedules it. Runs in the environment `zigzag`.

    python zigzag_bytes.py NET.onnx SRAM-BYTES ACCUMULATOR-BYTES OUT.json

The machine is acc's u65-256: 256 MAC/cycle as 8 output channels by 8 input channels by 2x2 pixels, accumulators of 32 bits,
one scratchpad for everything, DRAM behind it. ZigZag minimises energy; here only DRAM accesses cost any, so that it
minimises what is compared. Layers may leave their results in the scratchpad for the next one (exploit_data_locality).
It counts convolutions and matrix products: no biases, no additions, no pooling.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path

import yaml
from zigzag.api import get_hardware_performance_zigzag

BYTE = 8
DRAM_PORT = BYTE  # bits an access: no rounding up to bursts, as payload bytes are counted


def memory(size_bytes: int, cost: float, operands: list[str], served: list[str], port_bits: tuple[int, int]) -> dict:
    """One memory with a port for reading and one for writing."""
    narrow, wide = port_bits
    ports = {
        "read": [f"{op}, {way}" for op in operands for way in (("tl", "th") if op == "O" else ("tl",))],
        "write": [f"{op}, {way}" for op in operands for way in (("fh", "fl") if op == "O" else ("fh",))],
    }
    return {
        "size": size_bytes * BYTE, "r_cost": cost, "w_cost": cost, "area": 0, "latency": 1, "operands": operands,
        "ports": [{"name": f"{kind[0]}_port_1", "type": kind, "bandwidth_min": narrow, "bandwidth_max": wide,
                   "allocation": allocation} for kind, allocation in ports.items()],
        "served_dimensions": served,
    }


def machine(sram: int, accumulators: int) -> dict:
    every = ["D1", "D2", "D3", "D4"]
    return {
        "name": "u65_256",
        "memories": {
            "weight_register": memory(1, 0.0, ["I2"], ["D3", "D4"], (BYTE, BYTE)),
            "accumulators": memory(accumulators, 0.0, ["O"], every, (BYTE, 1 << 16)),
            "scratchpad": memory(sram, 1e-6, ["I1", "I2", "O"], every, (BYTE, 1 << 16)),
            "dram": memory(1 << 33, 1.0, ["I1", "I2", "O"], every, (DRAM_PORT, DRAM_PORT)),
        },
        "operational_array": {"unit_energy": 0.0, "unit_area": 1, "dimensions": every, "sizes": [8, 8, 2, 2]},
    }


MAPPING = [{
    "name": "default",
    "spatial_mapping": {"D1": ["K, 8"], "D2": ["C, 8"], "D3": ["OX, 2"], "D4": ["OY, 2"]},
    "memory_operand_links": {"O": "O", "W": "I2", "I": "I1"},
}]


def main(network: str, sram: int, accumulators: int, out: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hardware, mapping = Path(folder) / "machine.yaml", Path(folder) / "mapping.yaml"
        hardware.write_text(yaml.safe_dump(machine(sram, accumulators), sort_keys=False))
        mapping.write_text(yaml.safe_dump(MAPPING, sort_keys=False))
        logging.disable(logging.INFO)
        energy, _, results = get_hardware_performance_zigzag(
            network, str(hardware), str(mapping), opt="energy", dump_folder=folder, exploit_data_locality=True,
            loma_show_progress_bar=False)
        layers = {str(evaluation.layer): evaluation.energy_total for evaluation, _ in results[0][1]}
    # A byte of DRAM costs 1 and everything else next to nothing.
    Path(out).write_text(json.dumps({"bytes": int(energy), "layers": {name: int(e) for name, e in layers.items()}}, indent=1))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
