//===- vprog_encoding.cc - Vector programs between kernels and bytes ------===//
#include "acc/runtime/vprog_encoding.h"
#include "acc/runtime/isa.h"
#include "acc/runtime/status_macros.h"

namespace accel::rt {

static_assert(kVOps == isa::kVecOpCount && kVSteps == isa::kVecStepLimit &&
              kVReduces == isa::kReduceInfo.count && kVTypes == isa::kVecTypeInfo.count);

std::vector<uint8_t> EncodeVProg(const VProg &v) {
  isa::VectorProgram p;
  for (const VInput &i : v.ins)
    p.ins.push_back({.reg = i.reg, .type = uint8_t(i.type)});
  for (const VOutput &o : v.outs)
    p.outs.push_back({.reg = o.reg,
                      .phase = uint8_t(o.scan ? isa::Phase::Scan : isa::Phase(o.post)),
                      .type = uint8_t(o.type)});
  for (const VReduction &r : v.reductions)
    p.reductions.push_back({.src = r.src,
                            .dst = r.dst,
                            .kind = uint8_t(r.kind),
                            .order = uint8_t(r.lanes),
                            .type = uint8_t(r.type)});
  auto steps = [](const std::vector<VStep> &from, std::vector<isa::ProgramStep> &to) {
    for (const VStep &s : from)
      to.push_back({.op = uint8_t(s.op),
                    .dst = s.dst,
                    .a = s.a,
                    .b = s.b,
                    .c = s.c,
                    .type = uint8_t(s.type),
                    .imm = s.imm});
  };
  steps(v.body, p.body);
  steps(v.post, p.post);
  return isa::EncodeProgram(p);
}

absl::StatusOr<VProg> DecodeVProg(absl::Span<const uint8_t> bytes) {
  absl::StatusOr<isa::VectorProgram> p = isa::DecodeProgram(bytes);
  ACC_RETURN_IF_ERROR(p.status());
  ACC_RETURN_IF_ERROR(isa::VerifyProgram(*p));
  VProg v;
  for (const isa::ProgramInput &i : p->ins)
    v.ins.push_back({i.reg, VType(i.type)});
  for (const isa::ProgramOutput &o : p->outs)
    v.outs.push_back({o.reg, o.phase == uint8_t(isa::Phase::Post), VType(o.type),
                      o.phase == uint8_t(isa::Phase::Scan)});
  for (const isa::ProgramReduction &r : p->reductions)
    v.reductions.push_back({r.src, r.dst, VReduce(r.kind), r.order != 0, VType(r.type)});
  auto steps = [](const std::vector<isa::ProgramStep> &from, std::vector<VStep> &to) {
    for (const isa::ProgramStep &s : from)
      to.push_back({VOp(s.op), s.dst, s.a, s.b, s.c, VType(s.type), s.imm});
  };
  steps(p->body, v.body);
  steps(p->post, v.post);
  return v;
}

} // namespace accel::rt
