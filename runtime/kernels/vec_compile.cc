//===- vec_compile.cc - Checking and preparing vector programs ------------===//
#include "absl/strings/str_cat.h"
#include "vec_compiled.h"
#include <bit>
#include <cmath>
#include <cstring>

namespace accel::rt {
namespace {

struct OpInfo {
  const char *name;
  int operands;
  bool floats, ints;
};
constexpr OpInfo kOps[kVOps] = {
    {"imm", 0, true, true},   {"mov", 1, true, true},      {"iota", 0, true, true},
    {"add", 2, true, true},   {"sub", 2, true, true},      {"mul", 2, true, true},
    {"div", 2, true, true},   {"min", 2, true, true},      {"max", 2, true, true},
    {"fma", 3, true, true},   {"neg", 1, true, true},      {"abs", 1, true, true},
    {"sqrt", 1, true, false}, {"rsqrt", 1, true, false},   {"recip", 1, true, false},
    {"exp", 1, true, false},  {"log", 1, true, false},     {"tanh", 1, true, false},
    {"erf", 1, true, false},  {"sigmoid", 1, true, false}, {"floor", 1, true, false},
    {"ceil", 1, true, false}, {"rne", 1, true, false},     {"trunc", 1, true, false},
    {"sign", 1, true, true},  {"pow", 2, true, true},      {"sin", 1, true, false},
    {"cos", 1, true, false},  {"atan", 1, true, false},    {"mod", 2, true, true},
    {"fmod", 2, true, true},  {"cmpeq", 2, true, true},    {"cmpne", 2, true, true},
    {"cmplt", 2, true, true}, {"cmple", 2, true, true},    {"cmpgt", 2, true, true},
    {"cmpge", 2, true, true}, {"select", 3, true, true},   {"and", 2, false, true},
    {"or", 2, false, true},   {"xor", 2, false, true},     {"not", 1, false, true},
    {"shl", 2, false, true},  {"shr", 2, false, true},     {"sar", 2, false, true},
    {"cvt", 1, true, true},   {"isnan", 1, true, false},   {"isinf", 1, true, false},
    {"reg", 0, true, true},
};

bool IsInt(VType t) { return t == VType::I32 || t == VType::I64; }

absl::Status CheckSteps(const std::vector<VStep> &steps, const char *part) {
  auto bad = [&](size_t i, auto... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("vector program: ", part, " step ", i, ": ", what...));
  };
  if (steps.size() > kVSteps)
    return absl::InvalidArgumentError(
        absl::StrCat("vector program: ", steps.size(), " ", part, " steps, at most ", kVSteps));
  for (size_t i = 0; i < steps.size(); ++i) {
    const VStep &s = steps[i];
    if (int(s.op) >= kVOps)
      return bad(i, "unknown op ", int(s.op));
    if (int(s.type) >= kVTypes)
      return bad(i, "unknown type ", int(s.type));
    if (!VOpHasType(s.op, s.type))
      return bad(i, VOpName(s.op), " has no type ", int(s.type));
    const int n = VOpOperands(s.op);
    if (s.dst >= kVRegs || (n > 0 && s.a >= kVRegs) || (n > 1 && s.b >= kVRegs) ||
        (n > 2 && s.c >= kVRegs))
      return bad(i, "register beyond ", kVRegs - 1);
    if (s.op == VOp::Iota && s.a >= kDims)
      return bad(i, "iota of dimension ", int(s.a));
    if (s.op == VOp::Reg && s.a >= 64)
      return bad(i, "no scalar register ", int(s.a));
    if (s.op == VOp::Cvt && s.b >= kVTypes)
      return bad(i, "cvt from unknown type ", int(s.b));
  }
  return absl::OkStatus();
}

/// Moves immediates that nothing else overwrites out of the loop and marks
/// Min and Max against them.
void Hoist(const VProg &prog, const std::vector<VStep> &from, const int *writes,
           std::vector<VStep> &constants, std::vector<VStep> &to) {
  const VStep *constantOf[kVRegs] = {};
  for (const VStep &s : from) {
    if (s.op == VOp::Imm && writes[s.dst] == 1) {
      constants.push_back(s);
      constants.back().a = constants.back().b = constants.back().c = 0;
      constantOf[s.dst] = &s;
      continue;
    }
    to.push_back(s);
    VStep &t = to.back();
    if (VOpOperands(s.op) < 3)
      t.c = 0;
    if (VOpOperands(s.op) < 2 && s.op != VOp::Cvt)
      t.b = 0;
    if (VOpOperands(s.op) < 1 && s.op != VOp::Iota && s.op != VOp::Reg)
      t.a = 0;
    if ((s.op != VOp::Max && s.op != VOp::Min) || IsInt(s.type))
      continue;
    if (constantOf[s.a] && !constantOf[s.b])
      std::swap(t.a, t.b);
    const VStep *k = constantOf[t.b];
    if (!k || k->type != s.type)
      continue;
    double v = std::bit_cast<double>(k->imm);
    if (s.type == VType::F32)
      v = float(v);
    const bool minusZero = v == 0 && std::signbit(v);
    if (v != v || (s.op == VOp::Min && minusZero))
      continue;
    t.c = s.op == VOp::Max && v == 0 && !minusZero ? 2 : 1;
  }
}

/// Registers that are read before they are written.
uint32_t ExposedReads(const std::vector<VStep> &steps) {
  uint32_t reads = 0, written = 0;
  for (const VStep &s : steps) {
    reads |= StepReads(s) & ~written;
    written |= 1u << s.dst;
  }
  return reads;
}

/// Cuts body and post into pieces and drops constants that only chains use.
void CutPieces(CompiledVProg &c) {
  float values[kVRegs];
  const float *constantOf[kVRegs] = {};
  for (const VStep &s : c.constants)
    if (s.type == VType::F32) {
      values[s.dst] = float(std::bit_cast<double>(s.imm));
      constantOf[s.dst] = &values[s.dst];
    }
  // What may be read later, by post, the next strip, a reduction or an output.
  uint32_t live = ExposedReads(c.body) | ExposedReads(c.post);
  for (const VOutput &out : c.source.outs)
    live |= 1u << out.reg;
  for (const VReduction &r : c.source.reductions)
    live |= 1u << r.src;
  c.bodyPieces = CutChains(c.body, constantOf, live);
  c.postPieces = CutChains(c.post, constantOf, live);

  uint32_t used = 0;
  for (const VOutput &out : c.source.outs)
    used |= 1u << out.reg;
  for (const VReduction &r : c.source.reductions)
    used |= 1u << r.src;
  for (const auto &[steps, pieces] :
       {std::pair(&c.body, &c.bodyPieces), std::pair(&c.post, &c.postPieces)})
    for (const VPiece &piece : *pieces)
      for (int64_t i = piece.begin; i < piece.begin + piece.count; ++i)
        used |= StepReads((*steps)[size_t(i)]);
  std::erase_if(c.constants, [&](const VStep &s) { return !(used >> s.dst & 1); });
}

} // namespace

int VOpOperands(VOp op) { return kOps[int(op)].operands; }
const char *VOpName(VOp op) { return int(op) < kVOps ? kOps[int(op)].name : "?"; }
bool VOpHasType(VOp op, VType type) {
  return IsInt(type) ? kOps[int(op)].ints : kOps[int(op)].floats;
}
const VProg &SourceOf(const CompiledVProg &prog) { return prog.source; }

absl::StatusOr<std::shared_ptr<const CompiledVProg>> CompileVProg(const VProg &prog) {
  auto bad = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("vector program: ", what...));
  };
  if (prog.ins.size() > kVIns || prog.outs.size() > kVOuts || prog.outs.empty() ||
      prog.reductions.size() > kVReductions)
    return bad(prog.ins.size(), " inputs, ", prog.outs.size(), " outputs, ", prog.reductions.size(),
               " reductions; at most 4, 2, 2 and at least one output");
  if (auto s = CheckSteps(prog.body, "body"); !s.ok())
    return s;
  if (auto s = CheckSteps(prog.post, "post"); !s.ok())
    return s;
  for (const VInput &in : prog.ins)
    if (in.reg >= kVRegs || int(in.type) >= kVTypes)
      return bad("input register ", int(in.reg), " of type ", int(in.type));
  for (const VOutput &out : prog.outs)
    if (out.reg >= kVRegs || int(out.type) >= kVTypes)
      return bad("output register ", int(out.reg), " of type ", int(out.type));
  for (const VReduction &r : prog.reductions)
    if (r.src >= kVRegs || r.dst >= kVRegs || int(r.type) >= kVTypes || int(r.kind) >= kVReduces ||
        (r.lanes && r.kind >= VReduce::ArgMax))
      return bad("reduction of register ", int(r.src), " to ", int(r.dst), ", kind ", int(r.kind));
  for (const VOutput &out : prog.outs) {
    bool isGiven = !out.scan;
    for (const VReduction &r : prog.reductions)
      isGiven |= r.dst == out.reg && r.type == out.type && !r.lanes && r.kind < VReduce::ArgMax;
    if (!isGiven || (out.scan && out.post))
      return bad("no sequential reduction gives the scanned register ", int(out.reg));
  }
  if (prog.reductions.size() == 2 && prog.reductions[0].dst == prog.reductions[1].dst)
    return bad("both reductions write register ", int(prog.reductions[0].dst));

  auto c = std::make_shared<CompiledVProg>();
  c->source = prog;
  int writes[kVRegs] = {};
  for (const auto *steps : {&prog.body, &prog.post})
    for (const VStep &s : *steps) {
      ++writes[s.dst];
      c->writtenRegs |= uint16_t(1u << s.dst);
      if (s.op == VOp::Iota)
        c->usesIota[s.a] = true;
    }
  for (const VInput &in : prog.ins)
    ++writes[in.reg];
  for (const VReduction &r : prog.reductions)
    ++writes[r.dst];
  Hoist(prog, prog.body, writes, c->constants, c->body);
  // A constant of the body is not one of post's.
  std::vector<VStep> unused;
  Hoist(prog, prog.post, writes, c->constants, c->post);

  uint32_t reads = ExposedReads(prog.post), written = 0;
  for (const VStep &s : prog.post)
    written |= 1u << s.dst;
  for (const VOutput &out : prog.outs) {
    if (out.post)
      reads |= (1u << out.reg) & ~written;
    else
      c->bodyNeeded = true;
  }
  c->bodyNeeded |= !prog.reductions.empty();
  c->usedByPost = uint16_t(reads);
  CutPieces(*c);
  return std::shared_ptr<const CompiledVProg>(std::move(c));
}

void EvalStep(const VStep &step, const void *a, const void *b, const void *c, void *dst,
              int64_t count) {
  alignas(64) uint8_t buffers[4][kStrip * 8];
  VStep s = step;
  s.a = 0, s.c = 2, s.dst = 3;
  if (s.op != VOp::Cvt)
    s.b = 1;
  const int operands = VOpOperands(s.op);
  if (operands < 3)
    s.c = 0; // Min and Max read c as a mark
  const int64_t bytes = VTypeBytes(s.type);
  const int64_t first = s.op == VOp::Select ? 4
                        : s.op == VOp::Cvt  ? VTypeBytes(VType(step.b))
                                            : bytes;
  const bool flag =
      (s.op >= VOp::CmpEq && s.op <= VOp::CmpGe) || s.op == VOp::IsNan || s.op == VOp::IsInf;
  const int64_t result = flag ? 4 : bytes;
  VRegs regs = {};
  for (int i = 0; i < 4; ++i)
    regs[i] = buffers[i];
  std::memset(buffers, 0, sizeof(buffers));
  const void *in[3] = {a, b, c};
  const int64_t width[3] = {first, bytes, bytes};
  for (int64_t at = 0; at < count; at += kStrip) {
    const int64_t n = count - at < kStrip ? count - at : kStrip;
    for (int i = 0; i < operands; ++i)
      std::memcpy(buffers[i], static_cast<const uint8_t *>(in[i]) + at * width[i],
                  size_t(n * width[i]));
    RunSteps(&s, 1, regs, n);
    std::memcpy(static_cast<uint8_t *>(dst) + at * result, buffers[3], size_t(n * result));
  }
}

} // namespace accel::rt
