//===- vector_programs.cc - Vector programs: codec and checks -------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/isa.h"
#include "acc/runtime/status_macros.h"

namespace accel::rt::isa {
namespace {

constexpr size_t kHeadBytes = 16;

/// Bytes before the steps.
size_t Front(size_t ins, size_t outs, size_t reductions) {
  size_t bytes = kHeadBytes + 4 * (ins + outs) + 8 * reductions;
  return (bytes + kStepBytes - 1) / kStepBytes * kStepBytes;
}

absl::Status VerifySteps(const std::vector<ProgramStep> &steps, const char *part) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const ProgramStep &s = steps[i];
    auto bad = [&](auto... what) {
      return absl::InvalidArgumentError(absl::StrCat(part, " step ", i, ": ", what...));
    };
    if (absl::Status v = Verify(s); !v.ok())
      return bad(v.message());
    if (s.op >= kVecOpCount)
      return bad("ProgramStep.op is no defined value: ", int(s.op));
    const StepInfo &info = Steps()[s.op];
    bool isInt = s.type == uint8_t(VecType::I32) || s.type == uint8_t(VecType::I64);
    if (!(isInt ? info.ints : info.floats))
      return bad(info.name, " has no type ", EnumName(kVecTypeInfo, s.type));
    const uint8_t operand[] = {s.a, s.b, s.c};
    for (int o = 0; o < 3; ++o) {
      bool isUsed = o < info.operands ||
                    (o == 0 && (info.op == VecOp::Iota || info.op == VecOp::Reg)) ||
                    (o == 1 && info.op == VecOp::Cvt);
      if (!isUsed && operand[o])
        return bad(info.name, " does not use operand ", o, ", it must be 0: ", int(operand[o]));
      if (o < info.operands && operand[o] >= kVecRegisterCount)
        return bad("operand ", o, " is no register: ", int(operand[o]));
    }
    if (info.op != VecOp::Imm && s.imm)
      return bad(info.name, " does not use imm, it must be 0: ", s.imm);
    if (info.op == VecOp::Iota && s.a >= kDimCount)
      return bad("iota of dimension ", int(s.a));
    if (info.op == VecOp::Reg && s.a >= kRegisterCount)
      return bad("reg names register ", int(s.a), ", registers end at ", kRegisterCount - 1);
    if (info.op == VecOp::Cvt && !EnumName(kVecTypeInfo, s.b))
      return bad("cvt from no type: ", int(s.b));
  }
  return absl::OkStatus();
}

} // namespace

std::vector<uint8_t> EncodeProgram(const VectorProgram &p) {
  ProgramHead head;
  head.ins = uint8_t(p.ins.size());
  head.outs = uint8_t(p.outs.size());
  head.reductions = uint8_t(p.reductions.size());
  head.body = uint8_t(p.body.size());
  head.post = uint8_t(p.post.size());
  size_t front = Front(p.ins.size(), p.outs.size(), p.reductions.size());
  std::vector<uint8_t> bytes(front + kStepBytes * (p.body.size() + p.post.size()));
  Encode(head, bytes.data());
  uint8_t *at = bytes.data() + kHeadBytes;
  auto put = [&](const auto &list) {
    for (const auto &item : list) {
      Encode(item, at);
      at += LayoutOf(&item).bytes;
    }
  };
  put(p.ins);
  put(p.outs);
  put(p.reductions);
  at = bytes.data() + front;
  put(p.body);
  put(p.post);
  return bytes;
}

absl::StatusOr<VectorProgram> DecodeProgram(absl::Span<const uint8_t> bytes) {
  if (bytes.size() < kHeadBytes)
    return absl::InvalidArgumentError("a vector program has at least 16 bytes");
  ProgramHead head;
  Decode(bytes.data(), head);
  ACC_RETURN_IF_ERROR(Verify(head));
  size_t front = Front(head.ins, head.outs, head.reductions);
  if (bytes.size() != front + size_t(kStepBytes) * (head.body + head.post))
    return absl::InvalidArgumentError(absl::StrCat("a vector program of ", bytes.size(),
                                                   " bytes, its counts say ",
                                                   front + kStepBytes * (head.body + head.post)));
  VectorProgram p;
  const uint8_t *at = bytes.data() + kHeadBytes;
  auto take = [&](auto &list, size_t count) {
    list.resize(count);
    for (auto &item : list) {
      Decode(at, item);
      at += LayoutOf(&item).bytes;
    }
  };
  take(p.ins, head.ins);
  take(p.outs, head.outs);
  take(p.reductions, head.reductions);
  for (; at < bytes.data() + front; ++at)
    if (*at)
      return absl::InvalidArgumentError("padding before the steps is not zero");
  take(p.body, head.body);
  take(p.post, head.post);
  return p;
}

absl::Status VerifyProgram(const VectorProgram &p) {
  if (p.ins.size() > size_t(kVecInputLimit) || p.outs.size() > size_t(kVecOutputLimit) ||
      p.outs.empty() || p.reductions.size() > size_t(kVecReductionLimit) ||
      p.body.size() > size_t(kVecStepLimit) || p.post.size() > size_t(kVecStepLimit))
    return absl::InvalidArgumentError("too many inputs, outputs, reductions or steps");
  for (const ProgramInput &in : p.ins)
    ACC_RETURN_IF_ERROR(Verify(in));
  for (const ProgramOutput &out : p.outs)
    ACC_RETURN_IF_ERROR(Verify(out));
  for (const ProgramReduction &r : p.reductions) {
    ACC_RETURN_IF_ERROR(Verify(r));
    if (r.order == uint8_t(Order::Lanes) && r.kind >= uint8_t(Reduce::ArgMax))
      return absl::InvalidArgumentError("arg reductions are sequential");
  }
  for (const ProgramOutput &out : p.outs) {
    if (out.phase != uint8_t(Phase::Scan))
      continue;
    bool found = false;
    for (const ProgramReduction &r : p.reductions)
      found |= r.dst == out.reg && r.type == out.type && r.kind < uint8_t(Reduce::ArgMax) &&
               r.order == uint8_t(Order::Sequential);
    if (!found)
      return absl::InvalidArgumentError(
          absl::StrCat("an output of phase scan stores register ", int(out.reg),
                       ", which no sequential reduction of its type gives"));
  }
  ACC_RETURN_IF_ERROR(VerifySteps(p.body, "body"));
  return VerifySteps(p.post, "post");
}

} // namespace accel::rt::isa
