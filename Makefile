# Each command does all of its own set-up; programs land in build/bin.
#   make demo [PICTURE=FILE]   read text from pictures on the simulated accelerator
#   make test                  build, run every test, end with "N passed, N failed"
#   make similarity            which sentences mean the same, with all-MiniLM-L6-v2
# Others: build, bench, bench-traffic, docs, format, clean.
BUILD ?= build
PICTURE ?=
SHELL := /bin/bash

.PHONY: demo similarity test build bench bench-traffic docs format clean setup setup-models configure
.DEFAULT_GOAL := build

setup:
	@scripts/setup
setup-models:
	@scripts/setup --models

build: setup
	@scripts/build $(BUILD)

demo: build
	@.venv/bin/python examples/ocr/demo.py $(if $(PICTURE),"$(PICTURE)")

similarity: setup-models
	@scripts/build $(BUILD)
	@.venv/bin/python examples/similarity/similarity.py

test: setup-models
	@scripts/build $(BUILD)
	@scripts/test --build $(BUILD)

bench-traffic: setup-models
	@scripts/build $(BUILD)
	@.venv/bin/python benchmarks/traffic

bench: setup-models
	@scripts/build $(BUILD)
	@.venv/bin/python benchmarks/bench.py

docs: build
	@scripts/generate-docs $(BUILD)

format:
	@scripts/check-style --fix

clean:
	rm -rf $(BUILD)
