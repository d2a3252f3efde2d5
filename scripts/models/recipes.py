"""Importing this module registers the recipe of every model that can be made here."""

import importlib.util

import integer
import light  # noqa: F401
import matmuls  # noqa: F401
import ocr  # noqa: F401
import quantise

if importlib.util.find_spec("torch"):  # scripts/setup --models
    import convnets  # noqa: F401
    import llama  # noqa: F401
    import transformers  # noqa: F401
    import vision  # noqa: F401

quantise.register()
integer.register()
