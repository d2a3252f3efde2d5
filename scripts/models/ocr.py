"""The three PP-OCRv4 models, with their real weights, out of the package rapidocr-onnxruntime."""

import shutil
from pathlib import Path

from cache import package_folder, recipe

FILES = {
    "ocr-det": "ch_PP-OCRv4_det_infer.onnx",
    "ocr-cls": "ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "ocr-rec": "ch_PP-OCRv4_rec_infer.onnx",
}

for _name, _file in FILES.items():

    @recipe(_name, __file__)
    def _copy(to: Path, file=_file):
        shutil.copyfile(package_folder("rapidocr_onnxruntime") / "models" / file, to)
