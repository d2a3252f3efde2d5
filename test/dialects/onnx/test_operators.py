"""The dialect has every operator of ai.onnx that the onnx package knows, the deprecated ones too."""

import os
import re
import subprocess
from pathlib import Path

import onnx.defs

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"


def test_every_operator_is_there():
    names = sorted({schema.name for schema in onnx.defs.get_all_schemas_with_history() if schema.domain == ""})
    assert len(names) > 190
    text = "\n// -----\n".join(f'"onnx.{name}"() : () -> ()' for name in [*names, "Frobnicate"])
    done = subprocess.run([BIN / "acc-opt", "-split-input-file", "-"], input=text, text=True, capture_output=True, timeout=60)
    # They lack operands and attributes here, so most are wrong, but only one is unknown.
    assert re.findall("unregistered operation 'onnx[.](.*?)'", done.stderr) == ["Frobnicate"]
