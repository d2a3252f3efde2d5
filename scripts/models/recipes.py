"""Importing this module registers the recipe of every model."""

import convnets  # noqa: F401
import light  # noqa: F401
import ocr  # noqa: F401
import transformers  # noqa: F401
