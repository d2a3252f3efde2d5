//===- decode.cc - Decodes instructions and checks their fields -----------===//
//
// After this pass: opcodes and fields are defined values, unused bits are
// zero, control is properly nested, calls do not recurse, every semaphore has
// one signalling and one waiting engine, routines fit in instruction memory,
// strides and bounds are small enough that address arithmetic cannot overflow.
//
//===----------------------------------------------------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "decoded.h"
#include "routine_decoder.h"
#include "vprog_binding.h"
#include <algorithm>

namespace accel::rt {

const char *EngineName(int engine) {
  static const char *const names[kEngines] = {"CTRL", "LD0", "LD1", "ST", "MXU", "VEC"};
  return engine >= 0 && engine < kEngines ? names[engine] : "?";
}

std::string PlaceName(const ArtifactData &data, uint32_t routine, uint32_t pc) {
  if (routine == 0)
    return absl::StrCat("main pc ", pc);
  return absl::StrCat("routine ", routine, " \"", data.routines[routine].name, "\" pc ", pc);
}

namespace {

/// Calls go at most 8 deep, which forbids recursion.
absl::Status CheckCalls(const DecodedProgram &p) {
  size_t count = p.routines.size();
  std::vector<int> depth(count, -1); // calls below; -2: being visited
  // Depth-first without recursion on the host's stack.
  struct Visit {
    uint32_t routine;
    size_t next;
    int deepest;
  };
  std::vector<std::vector<uint32_t>> callees(count);
  for (size_t r = 0; r < count; ++r) {
    for (const InstrCode &in : p.routines[r].instrs)
      if (in.op == Op::Call)
        callees[r].push_back(in.aux);
    std::sort(callees[r].begin(), callees[r].end());
    callees[r].erase(std::unique(callees[r].begin(), callees[r].end()), callees[r].end());
  }
  for (uint32_t root = 0; root < count; ++root) {
    if (depth[root] >= 0)
      continue;
    std::vector<Visit> stack = {{root, 0, 0}};
    depth[root] = -2;
    while (!stack.empty()) {
      Visit &v = stack.back();
      if (v.next == callees[v.routine].size()) {
        depth[v.routine] = v.deepest;
        int below = v.deepest + 1;
        stack.pop_back();
        if (!stack.empty())
          stack.back().deepest = std::max(stack.back().deepest, below);
        continue;
      }
      uint32_t callee = callees[v.routine][v.next++];
      if (depth[callee] == -2)
        return absl::InvalidArgumentError(absl::StrCat("program refused: routine ", callee, " \"",
                                                       p.data().routines[callee].name,
                                                       "\" calls itself"));
      if (depth[callee] >= 0) {
        v.deepest = std::max(v.deepest, depth[callee] + 1);
      } else {
        depth[callee] = -2;
        stack.push_back({callee, 0, 0});
      }
    }
  }
  if (depth[0] > kMaxNesting)
    return absl::InvalidArgumentError(absl::StrCat("program refused: calls go ", depth[0],
                                                   " deep, the machine allows ", kMaxNesting));
  return absl::OkStatus();
}

} // namespace

absl::Status DecodeProgram(DecodedProgram &p) {
  const ArtifactData &data = p.data();
  std::fill(std::begin(p.signaller), std::end(p.signaller), int8_t(-1));
  std::fill(std::begin(p.waiter), std::end(p.waiter), int8_t(-1));
  for (const RegionInfo &r : data.regions) {
    p.region[r.id] = &r;
    p.regionBytes[r.id] = r.bytes;
  }
  for (size_t i = 0; i < data.vprogs.size(); ++i) {
    absl::StatusOr<std::shared_ptr<const CompiledVProg>> v = BindVProg(data.vprogs[i]);
    if (!v.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("program refused: vector program ", i, ": ", v.status().message()));
    p.vprogs.push_back(*std::move(v));
  }
  p.routines.resize(data.routines.size());
  for (const RegisterRange &r : data.registers)
    p.routines[r.routine].entry.push_back(r);
  // Main receives sizes of inputs.
  bool received[kRegisters] = {};
  for (const IoInfo &io : data.inputs)
    for (size_t d = 0; d < io.ranges.size(); ++d)
      if (uint8_t reg = io.ranges[d].reg; reg && !received[reg]) {
        received[reg] = true;
        p.routines[0].entry.push_back({0, reg, io.ranges[d].min, io.dims[d], 1});
      }
  for (uint32_t i = 0; i < p.routines.size(); ++i) {
    ACC_RETURN_IF_ERROR(RoutineDecoder(p, i).Run());
    if (i > 0 && p.routines[i].bytes > data.target.imemBytes)
      return absl::InvalidArgumentError(absl::StrCat(
          "program refused: routine ", i, " \"", data.routines[i].name, "\" has ",
          p.routines[i].bytes, " bytes of code, instruction memory ", data.target.imemBytes));
  }
  for (int s = 1; s < kSemaphores; ++s)
    if (p.waiter[s] >= 0 && p.signaller[s] < 0)
      return absl::InvalidArgumentError(absl::StrCat("program refused: ", EngineName(p.waiter[s]),
                                                     " waits for semaphore ", s,
                                                     ", which nothing signals"));
  for (size_t i = 0; i < data.counters.size(); ++i) {
    const CounterInfo &c = data.counters[i];
    if (c.kind == CounterKind::InputDim)
      continue;
    InstrCode &in = p.routines[c.routine].instrs[c.pc];
    if (in.counter != kNone ||
        (c.kind == CounterKind::Trips && in.op != Op::Loop && in.op != Op::While))
      return absl::InvalidArgumentError(absl::StrCat("program refused: counter ", i, " at ",
                                                     PlaceName(data, c.routine, c.pc),
                                                     " is doubled or counts no loop"));
    in.counter = uint32_t(i);
  }
  return CheckCalls(p);
}

} // namespace accel::rt
