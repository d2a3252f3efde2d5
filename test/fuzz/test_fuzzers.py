"""A fixed slice of each fuzzer of the compiler: the same inputs on every machine."""

import os
import subprocess
from pathlib import Path

import pytest
from bad_models import good_bytes
from onnx_suite import suite

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ACC_BUILD", ROOT / "build")) / "bin"
SEEDS = ("if", "loop11", "scan9_sum", "scan_sum", "sequence_map_add_2_sequences", "conv_with_strides_padding", "reshape_negative_dim",
         "quantizelinear_int4", "optional_get_element_sequence", "slice", "constant", "gemm_all_attributes", "adagrad",
         "sparse_to_dense_matmul", "softmax_axis_1", "split_variable_parts_2d_opset18", "resize_upsample_scales_nearest")


@pytest.mark.skipif(not (BIN / "acc_onnx_fuzzer").exists(), reason="another compiler than clang")
def test_onnx_fuzzer(tmp_path: Path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    models = {model.name.split("test_")[-1]: model.path for model in suite() if model.path.stat().st_size < 4096}
    for name in SEEDS:
        if name in models:
            (corpus / name).write_bytes(models[name].read_bytes())
    assert len(list(corpus.iterdir())) > 10
    (corpus / "good").write_bytes(good_bytes())
    done = subprocess.run([BIN / "acc_onnx_fuzzer", "-runs=8000", "-seed=1", "-max_len=4096", "-timeout=20", "-rss_limit_mb=3000",
                           f"-artifact_prefix={tmp_path}/", corpus], text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
