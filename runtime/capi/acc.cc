//===- acc.cc - C interface of the runtime --------------------------------===//
//
// No exception leaves a function: what the standard library throws (only
// std::bad_alloc can happen) becomes a status.
//
//===----------------------------------------------------------------------===//
#include "acc/runtime/acc.h"
#include "absl/strings/str_cat.h"
#include "acc/runtime/simulator.h"
#include <cstddef>
#include <cstring>
#include <exception>
#include <string>

using accel::rt::IoInfo;
using accel::rt::Program;
using accel::rt::SimOptions;
using accel::rt::Simulator;

struct acc_status {
  int code;
  std::string message;
};
struct acc_program {
  Program program;
};
struct acc_session {
  std::atomic<bool> cancel{false};
  Program program;
  Simulator simulator;
  std::string stats;

  acc_session(const Program &p, SimOptions options)
      : program(p), simulator(p, WithCancel(options, &cancel)) {}

private:
  static SimOptions WithCancel(SimOptions options, std::atomic<bool> *flag) {
    options.cancel = flag;
    return options;
  }
};

namespace {

acc_status *Make(const absl::Status &s) {
  if (s.ok())
    return nullptr;
  return new acc_status{int(s.code()), std::string(s.message())};
}

template <typename Fn> acc_status *Guard(Fn fn) {
  try {
    return Make(fn());
  } catch (const std::exception &e) {
    return Make(absl::ResourceExhaustedError(e.what()));
  }
}

absl::Status Null(const char *what) {
  return absl::InvalidArgumentError(absl::StrCat(what, " is NULL"));
}

absl::Status Give(absl::StatusOr<Program> program, acc_program **out) {
  if (!program.ok())
    return program.status();
  *out = new acc_program{*std::move(program)};
  return absl::OkStatus();
}

int Describe(const std::vector<IoInfo> &list, size_t index, acc_tensor_info *out) {
  if (index >= list.size() || !out)
    return 0;
  const IoInfo &io = list[index];
  *out = {io.name.c_str(), io.dtype, io.dims.size(), io.dims.data(), size_t(io.bytes)};
  return 1;
}

} // namespace

extern "C" {

int acc_status_code(const acc_status *s) { return s ? s->code : 0; }
const char *acc_status_message(const acc_status *s) { return s ? s->message.c_str() : ""; }
void acc_status_free(acc_status *s) { delete s; }
int acc_version(void) { return 1000; }

acc_status *acc_program_load(const char *path, acc_program **out) {
  return Guard([&]() -> absl::Status {
    if (!path || !out)
      return Null(path ? "out" : "path");
    return Give(Program::Load(path), out);
  });
}

acc_status *acc_program_load_memory(const void *bytes, size_t size, const char *folder,
                                    acc_program **out) {
  return Guard([&]() -> absl::Status {
    if ((!bytes && size) || !out)
      return Null(out ? "bytes" : "out");
    return Give(
        Program::FromBytes({static_cast<const uint8_t *>(bytes), size}, folder ? folder : ""), out);
  });
}

void acc_program_free(acc_program *p) { delete p; }

size_t acc_program_input_count(const acc_program *p) {
  return p ? p->program.data().inputs.size() : 0;
}
size_t acc_program_output_count(const acc_program *p) {
  return p ? p->program.data().outputs.size() : 0;
}
int acc_program_input(const acc_program *p, size_t index, acc_tensor_info *out) {
  return p ? Describe(p->program.data().inputs, index, out) : 0;
}
int acc_program_output(const acc_program *p, size_t index, acc_tensor_info *out) {
  return p ? Describe(p->program.data().outputs, index, out) : 0;
}

acc_status *acc_session_create(const acc_program *p, const acc_options *given, acc_session **out) {
  return Guard([&]() -> absl::Status {
    if (!p || !out)
      return Null(p ? "out" : "program");
    acc_options options = {};
    if (given) {
      if (given->struct_size < offsetof(acc_options, threads) || given->struct_size > 4096)
        return absl::InvalidArgumentError("options.struct_size is not set");
      std::memcpy(&options, given, std::min(given->struct_size, sizeof(options)));
    }
    if (options.threads < 0 || options.threads > 1024 || options.max_instructions < 0)
      return absl::InvalidArgumentError(absl::StrCat(
          "options.threads is ", options.threads, ", max_instructions ", options.max_instructions));
    SimOptions sim;
    sim.threads = options.threads ? options.threads : 1;
    sim.sanitize = options.sanitize != 0;
    sim.maxInstructions = options.max_instructions;
    *out = new acc_session(p->program, sim);
    return absl::OkStatus();
  });
}

void acc_session_free(acc_session *s) { delete s; }

acc_status *acc_session_set_input(acc_session *s, const char *name, const void *data,
                                  size_t bytes) {
  return Guard([&]() -> absl::Status {
    if (!s || !name || (!data && bytes))
      return Null(!s ? "session" : !name ? "name" : "data");
    return s->simulator.SetInput(name, {static_cast<const uint8_t *>(data), bytes});
  });
}

acc_status *acc_session_set_input_shaped(acc_session *s, const char *name, const void *data,
                                         size_t bytes, const int64_t *dims, size_t rank) {
  return Guard([&]() -> absl::Status {
    if (!s || !name || (!data && bytes) || (!dims && rank))
      return Null(!s ? "session" : !name ? "name" : !data && bytes ? "data" : "dims");
    return s->simulator.SetInput(name, {static_cast<const uint8_t *>(data), bytes}, {dims, rank});
  });
}

acc_status *acc_session_get_output_dims(const acc_session *s, const char *name, int64_t *dims,
                                        size_t rank) {
  return Guard([&]() -> absl::Status {
    if (!s || !name || (!dims && rank))
      return Null(!s ? "session" : !name ? "name" : "dims");
    absl::StatusOr<std::vector<int64_t>> have = s->simulator.OutputDims(name);
    if (!have.ok())
      return have.status();
    if (have->size() != rank)
      return absl::InvalidArgumentError(
          absl::StrCat("output \"", name, "\" has ", have->size(), " dimensions, not ", rank));
    std::copy(have->begin(), have->end(), dims);
    return absl::OkStatus();
  });
}

acc_status *acc_session_run(acc_session *s) {
  return Guard([&]() -> absl::Status {
    if (!s)
      return Null("session");
    absl::Status status = s->simulator.Run();
    s->cancel = false;
    return status;
  });
}

void acc_session_cancel(acc_session *s) {
  if (s)
    s->cancel = true;
}

acc_status *acc_session_get_output(const acc_session *s, const char *name, void *data,
                                   size_t bytes) {
  return Guard([&]() -> absl::Status {
    if (!s || !name || (!data && bytes))
      return Null(!s ? "session" : !name ? "name" : "data");
    absl::StatusOr<absl::Span<const uint8_t>> output = s->simulator.Output(name);
    if (!output.ok())
      return output.status();
    if (output->size() != bytes)
      return absl::InvalidArgumentError(
          absl::StrCat("output \"", name, "\" has ", output->size(), " bytes, the buffer ", bytes));
    if (bytes)
      std::memcpy(data, output->data(), bytes);
    return absl::OkStatus();
  });
}

const char *acc_session_stats_json(acc_session *s) {
  if (!s)
    return "{}";
  try {
    s->stats = s->simulator.stats().Json(s->program.data());
  } catch (const std::exception &) {
    s->stats = "{}";
  }
  return s->stats.c_str();
}

} // extern "C"
