//===- vprog_binding.cc - Vector programs as the verifier sees them -------===//
#include "vprog_binding.h"
#include "acc/runtime/status_macros.h"
#include "acc/runtime/vprog_encoding.h"

namespace accel::rt {

absl::StatusOr<std::shared_ptr<const CompiledVProg>> BindVProg(const std::vector<uint8_t> &bytes) {
  absl::StatusOr<VProg> v = DecodeVProg(bytes);
  ACC_RETURN_IF_ERROR(v.status());
  return CompileVProg(*v);
}

VProgShape ShapeOf(const CompiledVProg &prog) {
  const VProg &v = SourceOf(prog);
  VProgShape shape;
  shape.outs = int(v.outs.size());
  shape.ins = int(v.ins.size());
  shape.reductions = int(v.reductions.size());
  for (size_t i = 0; i < v.outs.size(); ++i)
    shape.outPost[i] = v.outs[i].post;
  return shape;
}

std::vector<uint8_t> ScalarsOf(const CompiledVProg &prog) {
  std::vector<uint8_t> regs;
  for (const auto *steps : {&SourceOf(prog).body, &SourceOf(prog).post})
    for (const VStep &s : *steps)
      if (s.op == VOp::Reg)
        regs.push_back(s.a);
  return regs;
}

} // namespace accel::rt
