"""lit: every .mlir and .test file of this folder is a test by its RUN lines.

    .venv/bin/lit build/test -v                 all
    .venv/bin/lit build/test -v --filter tile   some
"""

import os
import sys

import lit.formats

config.name = "acc"
# lit of PyPI has no external shell any more: its own, on every machine.
config.test_format = lit.formats.ShTest(False)
config.suffixes = [".mlir", ".test"]
config.test_source_root = os.path.join(config.acc_source_dir, "test")
config.test_exec_root = os.path.join(config.acc_binary_dir, "test")
config.excludes = ["Inputs"]

config.environment["PATH"] = os.pathsep.join(
    [config.acc_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")])
config.environment["FILECHECK_OPTS"] = "--dump-input=fail"

config.substitutions.append(("%root", config.acc_source_dir))
config.substitutions.append(("%targets", os.path.join(config.acc_source_dir, "targets")))
config.substitutions.append(("%python", sys.executable))
