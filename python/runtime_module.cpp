//===- runtime_module.cpp - acc._runtime: programs and their execution ----===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The thin half of the Python package: bytes in, bytes and statistics out. What
// they mean in numpy is acc/executable.py's business.
//
//===----------------------------------------------------------------------===//

#include "acc/runtime/simulator.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <future>

namespace nb = nanobind;
using namespace accel::rt;

namespace {

using Bytes = nb::ndarray<const uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// Python's exception for a status: a wrong input is a ValueError, a file that
/// is not there a FileNotFoundError, what goes wrong in a run a RuntimeError.
[[noreturn]] void raise(const absl::Status &status) {
  std::string text(status.message());
  if (status.code() == absl::StatusCode::kNotFound) {
    PyErr_SetString(PyExc_FileNotFoundError, text.c_str());
    throw nb::python_error();
  }
  if (absl::IsInvalidArgument(status))
    throw nb::value_error(text.c_str());
  throw std::runtime_error(text);
}

void check(const absl::Status &status) {
  if (!status.ok())
    raise(status);
}

/// (name, ISA code of the element type, shape) of each graph input or output.
nb::list signature(const std::vector<IoInfo> &values) {
  nb::list list;
  for (const IoInfo &value : values)
    list.append(nb::make_tuple(value.name, int(value.dtype), value.dims));
  return list;
}

/// Runs beside the interpreter and looks at its signals ten times a second, so
/// that Ctrl-C ends a long simulation.
absl::Status runInterruptibly(Simulator &simulator, std::atomic<bool> &cancel) {
  std::future<absl::Status> done =
      std::async(std::launch::async, [&simulator] { return simulator.Run(); });
  for (;;) {
    {
      nb::gil_scoped_release release;
      if (done.wait_for(std::chrono::milliseconds(100)) == std::future_status::ready)
        break;
    }
    if (PyErr_CheckSignals() != 0) {
      cancel = true;
      nb::gil_scoped_release release;
      done.wait();
      break;
    }
  }
  absl::Status status = done.get();
  if (PyErr_Occurred())
    throw nb::python_error();
  return status;
}

nb::tuple run(const Program &program, nb::dict inputs, int threads, bool sanitize,
              int64_t maxInstructions) {
  std::atomic<bool> cancel{false};
  SimOptions options;
  options.threads = threads;
  options.sanitize = sanitize;
  options.maxInstructions = maxInstructions;
  options.cancel = &cancel;
  Simulator simulator(program, options);

  for (auto [key, value] : inputs) {
    auto pair = nb::cast<nb::tuple>(value);
    auto bytes = nb::cast<Bytes>(pair[0]);
    auto dims = nb::cast<std::vector<int64_t>>(pair[1]);
    check(simulator.SetInput(nb::cast<std::string>(key), {bytes.data(), bytes.size()}, dims));
  }
  check(runInterruptibly(simulator, cancel));

  nb::dict outputs;
  for (const IoInfo &output : program.data().outputs) {
    absl::StatusOr<absl::Span<const uint8_t>> view = simulator.Output(output.name);
    check(view.status());
    auto copy = std::make_unique<uint8_t[]>(view->size());
    std::copy(view->begin(), view->end(), copy.get());
    uint8_t *bytes = copy.release();
    nb::capsule owner(bytes, [](void *p) noexcept { delete[] static_cast<uint8_t *>(p); });
    absl::StatusOr<std::vector<int64_t>> dims = simulator.OutputDims(output.name);
    check(dims.status());
    outputs[output.name.c_str()] = nb::make_tuple(
        nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>(bytes, {view->size()}, owner), *dims);
  }
  return nb::make_tuple(outputs, simulator.stats().Json(program.data()));
}

} // namespace

NB_MODULE(_runtime, m) {
  m.doc() = "Programs of the simulated accelerator and their execution, in bytes.";
  nb::class_<Program>(m, "Program", "A verified program: nothing else can be executed.")
      .def_static(
          "load",
          [](const std::string &path) {
            absl::StatusOr<Program> program = Program::Load(path);
            check(program.status());
            return *std::move(program);
          },
          nb::arg("path"), "Maps an artifact and verifies it.")
      .def_prop_ro(
          "inputs", [](const Program &p) { return signature(p.data().inputs); },
          nb::for_getter(nb::sig("def inputs(self, /) -> list[tuple[str, int, list[int]]]")),
          "(name, element type code, shape) of each graph input")
      .def_prop_ro(
          "outputs", [](const Program &p) { return signature(p.data().outputs); },
          nb::for_getter(nb::sig("def outputs(self, /) -> list[tuple[str, int, list[int]]]")),
          "(name, element type code, shape) of each graph output")
      .def_prop_ro(
          "target", [](const Program &p) { return p.data().target.name; },
          "name of the machine that the program was compiled for")
      .def(
          "run", &run, nb::arg("inputs"), nb::arg("threads") = 1, nb::arg("sanitize") = false,
          nb::arg("max_instructions") = 0,
          nb::sig(
              "def run(self, inputs: dict[str, tuple[numpy.ndarray, list[int]]], threads: int = 1, "
              "sanitize: bool = False, max_instructions: int = 0) "
              "-> tuple[dict[str, tuple[numpy.ndarray, list[int]]], str]"),
          "inputs: name -> (bytes, shape). Returns (name -> (bytes, shape), statistics JSON).");
}
