//===- simulator.cc - Programs and runs -----------------------------------===//
#include "acc/runtime/simulator.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "acc/runtime/status_macros.h"
#include "machine.h"
#include <cstring>
#include <map>

namespace accel::rt {

absl::StatusOr<Program> Program::FromArtifact(Artifact artifact) {
  auto decoded = std::make_shared<DecodedProgram>();
  std::string name = artifact.path.empty() ? "artifact in memory" : artifact.path;
  decoded->artifact = std::move(artifact);
  auto check = [&]() -> absl::Status {
    ACC_RETURN_IF_ERROR(DecodeProgram(*decoded));
    ACC_RETURN_IF_ERROR(Ledger::CheckTensors(decoded->data()));
    return AnalyseRanges(*decoded);
  };
  if (absl::Status s = check(); !s.ok())
    return absl::Status(s.code(), absl::StrCat(name, ": ", s.message()));
  Program p;
  p.decoded_ = std::move(decoded);
  return p;
}

absl::StatusOr<Program> Program::Load(const std::string &path) {
  absl::StatusOr<Artifact> a = OpenArtifact(path);
  ACC_RETURN_IF_ERROR(a.status());
  return FromArtifact(*std::move(a));
}

absl::StatusOr<Program> Program::FromBytes(absl::Span<const uint8_t> bytes,
                                           const std::string &folder) {
  absl::StatusOr<Artifact> a = ReadArtifact(bytes, folder);
  ACC_RETURN_IF_ERROR(a.status());
  return FromArtifact(*std::move(a));
}

const ArtifactData &Program::data() const { return decoded_->artifact.data; }
const Artifact &Program::artifact() const { return decoded_->artifact; }
const VerifyReport &Program::report() const { return decoded_->report; }

struct Simulator::Impl {
  std::shared_ptr<const DecodedProgram> program;
  absl::Status created;
  std::unique_ptr<Machine> machine;
  std::vector<bool> given;
  std::vector<std::vector<int64_t>> inputDims;
  mutable std::map<std::string, std::vector<uint8_t>> packed; // outputs of less than their room
  bool finished = false;
  bool timingOnly = false;
  Stats stats;
};

Simulator::Simulator(const Program &program, const SimOptions &options)
    : impl_(std::make_unique<Impl>()) {
  impl_->program = program.share();
  impl_->timingOnly = options.timingOnly;
  impl_->given.resize(program.data().inputs.size());
  for (const IoInfo &io : program.data().inputs)
    impl_->inputDims.push_back(io.dims);
  absl::StatusOr<std::unique_ptr<Machine>> machine = Machine::Create(impl_->program, options);
  impl_->created = machine.status();
  if (machine.ok())
    impl_->machine = *std::move(machine);
}
Simulator::~Simulator() = default;
Simulator::Simulator(Simulator &&) noexcept = default;

namespace {

std::string Names(const std::vector<IoInfo> &list) {
  return absl::StrJoin(list, ", ", [](std::string *out, const IoInfo &io) {
    absl::StrAppend(out, "\"", io.name, "\"");
  });
}

const IoInfo *FindIo(const std::vector<IoInfo> &list, std::string_view name) {
  for (const IoInfo &io : list)
    if (io.name == name)
      return &io;
  return nullptr;
}

} // namespace

absl::Status Simulator::SetInput(std::string_view name, absl::Span<const uint8_t> bytes,
                                 absl::Span<const int64_t> dims) {
  ACC_RETURN_IF_ERROR(impl_->created);
  if (impl_->timingOnly)
    return absl::FailedPreconditionError("timing without data takes no inputs");
  const ArtifactData &data = impl_->program->data();
  const IoInfo *io = FindIo(data.inputs, name);
  std::string quoted = absl::StrCat("\"", absl::string_view(name.data(), name.size()), "\"");
  if (!io)
    return absl::NotFoundError(
        absl::StrCat("the model has no input ", quoted, "; its inputs are ", Names(data.inputs)));
  if (dims.empty() && io->isDynamic())
    return absl::InvalidArgumentError(
        absl::StrCat("input ", quoted, " has sizes that a run decides: its shape must be given"));
  if (dims.empty())
    dims = io->dims;
  ACC_RETURN_IF_ERROR(CheckShape("input", *io, dims));
  if (int64_t(bytes.size()) != BytesOf(*io, dims))
    return absl::InvalidArgumentError(absl::StrCat("input ", quoted, " has ", bytes.size(),
                                                   " bytes, must have ", BytesOf(*io, dims)));
  uint8_t *to = impl_->machine->region(io->region) + io->offset;
  ForEachPiece(*io, dims, [&](int64_t at, int64_t packed, int64_t count) {
    std::memcpy(to + at, bytes.data() + packed, size_t(count));
  });
  const size_t number = size_t(io - data.inputs.data());
  impl_->given[number] = true;
  impl_->inputDims[number].assign(dims.begin(), dims.end());
  return absl::OkStatus();
}

absl::Status Simulator::Run() {
  ACC_RETURN_IF_ERROR(impl_->created);
  impl_->finished = false;
  const ArtifactData &data = impl_->program->data();
  for (size_t i = 0; i < data.inputs.size() && !impl_->timingOnly; ++i)
    if (!impl_->given[i])
      return absl::FailedPreconditionError(
          absl::StrCat("input \"", data.inputs[i].name, "\" was not given"));
  impl_->packed.clear();
  ACC_RETURN_IF_ERROR(impl_->machine->Run(impl_->inputDims, impl_->stats));
  impl_->finished = !impl_->timingOnly;
  return absl::OkStatus();
}

absl::StatusOr<absl::Span<const uint8_t>> Simulator::Output(std::string_view name) const {
  ACC_RETURN_IF_ERROR(impl_->created);
  const ArtifactData &data = impl_->program->data();
  const IoInfo *io = FindIo(data.outputs, name);
  if (!io)
    return absl::NotFoundError(absl::StrCat("the model has no output \"",
                                            absl::string_view(name.data(), name.size()),
                                            "\"; its outputs are ", Names(data.outputs)));
  if (!impl_->finished)
    return absl::FailedPreconditionError("outputs are there after a successful run");
  const uint8_t *from = impl_->machine->region(io->region) + io->offset;
  if (!io->isDynamic())
    return absl::Span<const uint8_t>(from, size_t(io->bytes));
  const std::vector<int64_t> &dims = impl_->machine->outputDims(size_t(io - data.outputs.data()));
  std::vector<uint8_t> &bytes = impl_->packed[io->name];
  bytes.resize(size_t(BytesOf(*io, dims)));
  ForEachPiece(*io, dims, [&](int64_t at, int64_t packed, int64_t count) {
    std::memcpy(bytes.data() + packed, from + at, size_t(count));
  });
  return absl::Span<const uint8_t>(bytes);
}

absl::StatusOr<std::vector<int64_t>> Simulator::OutputDims(std::string_view name) const {
  ACC_RETURN_IF_ERROR(Output(name).status());
  const ArtifactData &data = impl_->program->data();
  return impl_->machine->outputDims(size_t(FindIo(data.outputs, name) - data.outputs.data()));
}

const Stats &Simulator::stats() const { return impl_->stats; }

} // namespace accel::rt
