//===- DumpCommand.cpp - acc dump -----------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Commands.h"
#include "Console.h"
#include "TensorFiles.h"

#include "acc/runtime/isa.h"
#include "acc/runtime/simulator.h"

#include <array>
#include <cstdio>
#include <memory>

using namespace accel;
namespace isa = rt::isa;

static void dumpSummary(const std::string &path, const rt::Artifact &artifact) {
  const rt::ArtifactData &data = artifact.data;
  std::printf("artifact   %s, made by %s for %s, ISA version %u\n", path.c_str(),
              data.producer.c_str(), data.target.name.c_str(), data.isaVersion);
  std::printf("code       %lld bytes, %zu routines, %zu vector programs\n",
              (long long)artifact.codeBytes, data.routines.size(), data.vprogs.size());
  std::printf("work       %lld MACs, %zu nodes\n", (long long)data.macs, data.nodes.size());
  std::printf("compulsory %lld bytes\n", (long long)data.compulsoryBytes);
  std::printf("bound      %lld bytes\n", (long long)data.boundBytes);
  std::printf("peak SRAM  %lld of %lld bytes\n", (long long)data.sramPeak,
              (long long)data.target.sramBytes);
  auto list = [](const char *what, const std::vector<rt::IoInfo> &all) {
    for (const rt::IoInfo &io : all) {
      std::printf("%-10s %s %s[", what, io.name.c_str(), tool::onnxTypeName(io.dtype));
      for (size_t d = 0; d < io.dims.size(); ++d) {
        std::printf("%s", d ? ", " : "");
        if (d < io.ranges.size() && io.ranges[d].reg)
          std::printf("%s r%d in %lld..", io.ranges[d].name.c_str(), int(io.ranges[d].reg),
                      (long long)io.ranges[d].min);
        std::printf("%lld", (long long)io.dims[d]);
      }
      std::printf("]\n");
    }
  };
  list("input", data.inputs);
  list("output", data.outputs);
}

static void dumpRegions(const rt::ArtifactData &data) {
  std::printf("\nDRAM regions\n");
  for (const rt::RegionInfo &region : data.regions)
    std::printf("  %u  %-10s %14lld bytes\n", region.id, rt::RegionKindName(region.kind),
                (long long)region.bytes);
}

static void dumpRoutines(const rt::ArtifactData &data) {
  std::printf("\nroutines, with the registers that they receive\n");
  for (size_t r = 0; r < data.routines.size(); ++r) {
    const rt::RoutineInfo &routine = data.routines[r];
    std::printf("  %2zu  %-20s %6zu instructions, %6zu bytes of descriptors", r,
                routine.name.c_str(), routine.code.size() / isa::kInstrBytes, routine.slots.size());
    const char *before = "  ";
    for (const rt::RegisterRange &range : data.registers)
      if (range.routine == r) {
        if (range.min == range.max)
          std::printf("%sr%d = %lld", before, int(range.reg), (long long)range.min);
        else
          std::printf("%sr%d in %lld..%lld step %lld", before, int(range.reg), (long long)range.min,
                      (long long)range.max, (long long)range.step);
        before = ", ";
      }
    std::printf("\n");
  }
}

/// Bytes that a prediction says, if no counter of a run enters into it.
static long long constantBytes(const rt::PredictionInfo &prediction) {
  long long bytes = 0;
  for (const auto &term : prediction.terms)
    bytes += term.counters.empty() ? term.coef : 0;
  return bytes;
}

static void dumpPredictions(const rt::ArtifactData &data) {
  std::array<std::array<long long, 2>, rt::kReasons> sums{};
  for (const rt::PredictionInfo &p : data.predictions)
    sums[int(p.reason)][p.write] += constantBytes(p);
  std::printf("\npredicted DRAM bytes by reason\n");
  for (int reason = 0; reason < rt::kReasons; ++reason)
    for (int write = 0; write < 2; ++write)
      if (long long bytes = sums[reason][write])
        std::printf("  %-6s %14lld  %s\n", write ? "writes" : "reads", bytes,
                    rt::ReasonName(rt::Reason(reason)));
  std::printf("\npredicted DRAM bytes by tensor and reason\n");
  for (const rt::PredictionInfo &p : data.predictions) {
    const rt::TensorInfo &tensor = data.tensors[p.tensor];
    std::printf("  %-6s %14lld  %-18s %s", p.write ? "writes" : "reads", constantBytes(p),
                rt::ReasonName(p.reason), tensor.name.c_str());
    if (tensor.node < data.nodes.size() && data.nodes[tensor.node].name != tensor.name)
      std::printf("  (of %s)", data.nodes[tensor.node].name.c_str());
    bool counted = false;
    for (const auto &term : p.terms)
      counted |= !term.counters.empty();
    std::printf("%s\n", counted ? "  + what loops and branches count" : "");
  }
}

/// Instructions of a routine, a line each; those of main with their nodes.
static void dumpCode(const rt::ArtifactData &data, size_t index) {
  const rt::RoutineInfo &routine = data.routines[index];
  std::printf("\nroutine %zu %s\n", index, routine.name.c_str());
  int depth = 0;
  size_t count = routine.code.size() / isa::kInstrBytes;
  for (size_t pc = 0; pc < count; ++pc) {
    isa::Instr instr = isa::DecodeInstr(routine.code.data() + pc * isa::kInstrBytes);
    auto opcode = isa::Opcode(instr.opcode());
    depth -= opcode == isa::Opcode::End && depth > 0;
    std::string text;
    const isa::InstrInfo *info = isa::FindInstr(instr.opcode());
    if (!instr.isControl && info && info->hasDescriptor()) {
      absl::StatusOr<isa::Descriptor> d = isa::DecodeDescriptor(routine.slots, instr.engine.desc);
      text = isa::Disassemble(instr, d.ok() ? &*d : nullptr);
    } else {
      text = isa::Disassemble(instr);
    }
    std::printf("  %5zu  %*s%s", pc, 2 * depth, "", text.c_str());
    if (index == 0 && pc < routine.nodeOfPc.size() && routine.nodeOfPc[pc] < data.nodes.size())
      std::printf("   ; %s", data.nodes[routine.nodeOfPc[pc]].name.c_str());
    std::printf("\n");
    depth +=
        opcode == isa::Opcode::Loop || opcode == isa::Opcode::While || opcode == isa::Opcode::If;
  }
}

static void dumpVectorPrograms(const rt::ArtifactData &data) {
  for (size_t v = 0; v < data.vprogs.size(); ++v) {
    absl::StatusOr<isa::VectorProgram> program = isa::DecodeProgram(data.vprogs[v]);
    if (!program.ok())
      continue; // the structure check accepts it, the verifier would not
    std::printf("\nvector program %zu: %zu inputs, %zu outputs, %zu reductions\n", v,
                program->ins.size(), program->outs.size(), program->reductions.size());
    for (const isa::ProgramStep &step : program->body)
      std::printf("         %s\n", isa::Disassemble(step).c_str());
    if (!program->post.empty())
      std::printf("       after the reduction\n");
    for (const isa::ProgramStep &step : program->post)
      std::printf("         %s\n", isa::Disassemble(step).c_str());
  }
}

static int dumpArtifact(const std::string &path, bool code) {
  absl::StatusOr<rt::Artifact> artifact = rt::OpenArtifact(path);
  if (!artifact.ok())
    return tool::Console(false).fail(std::string(artifact.status().message()));
  dumpSummary(path, *artifact);
  dumpRegions(artifact->data);
  dumpRoutines(artifact->data);
  dumpPredictions(artifact->data);
  if (code) {
    for (size_t r = 0; r < artifact->data.routines.size(); ++r)
      dumpCode(artifact->data, r);
    dumpVectorPrograms(artifact->data);
  }
  return tool::kGood;
}

void tool::addDump(CLI::App &app, std::function<int()> &run) {
  CLI::App *command = app.add_subcommand("dump", "Shows what an artifact contains");
  auto path = std::make_shared<std::string>();
  auto code = std::make_shared<bool>(false);
  command->add_option("artifact", *path, "artifact of acc compile")->required();
  command->add_flag("--code", *code, "also every instruction and vector program");
  command->footer("Examples:\n"
                  "  acc dump net.acc               regions, routines, predicted bytes\n"
                  "  acc dump net.acc --code | less  with the instructions\n"
                  "  acc-translate --artifact-to-isa net.acc   the same as MLIR, to be edited");
  command->callback(
      [path, code, &run] { run = [path, code] { return dumpArtifact(*path, *code); }; });
}
