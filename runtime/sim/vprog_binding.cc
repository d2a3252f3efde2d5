//===- vprog_binding.cc - Vector programs as the verifier sees them -------===//
//
// Encoding: 16 bytes {ins, outs, reductions, body steps, post steps, 0…}, then
// 4 bytes an input {register, type, 0, 0}, output {register, phase, type, 0}
// and 8 bytes a reduction {source, destination, kind, order, type, 0, 0, 0},
// padded to 16, then 16 bytes a step.
//
//===----------------------------------------------------------------------===//
#include "vprog_binding.h"
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "acc/runtime/vprog.h"
#include <cstring>

namespace accel::rt {

absl::StatusOr<std::shared_ptr<const CompiledVProg>> BindVProg(const std::vector<uint8_t> &bytes) {
  auto bad = [](const char *what) { return absl::InvalidArgumentError(what); };
  if (bytes.size() < 16)
    return bad("it has less than 16 bytes");
  const uint8_t *p = bytes.data();
  size_t ins = p[0], outs = p[1], reductions = p[2], body = p[3], post = p[4];
  for (int i = 5; i < 16; ++i)
    if (p[i])
      return bad("reserved bytes are not zero");
  if (ins > kVIns || outs > kVOuts || reductions > kVReductions || body > kVSteps || post > kVSteps)
    return bad("too many inputs, outputs, reductions or steps");
  size_t head = (16 + 4 * (ins + outs) + 8 * reductions + 15) / 16 * 16;
  if (bytes.size() != head + 16 * (body + post))
    return bad("its size does not match its counts");
  VProg v;
  p += 16;
  for (size_t i = 0; i < ins; ++i, p += 4) {
    if (p[1] >= kVTypes || p[2] || p[3])
      return bad("unknown input type");
    v.ins.push_back({p[0], VType(p[1])});
  }
  for (size_t i = 0; i < outs; ++i, p += 4) {
    if (p[1] > 1 || p[2] >= kVTypes || p[3])
      return bad("unknown output phase or type");
    v.outs.push_back({p[0], p[1] != 0, VType(p[2])});
  }
  for (size_t i = 0; i < reductions; ++i, p += 8) {
    if (p[2] >= kVReduces || p[3] > 1 || p[4] >= kVTypes || p[5] || p[6] || p[7])
      return bad("unknown reduction kind, order or type");
    v.reductions.push_back({p[0], p[1], VReduce(p[2]), p[3] != 0, VType(p[4])});
  }
  p = bytes.data() + head;
  for (size_t i = 0; i < body + post; ++i, p += 16) {
    if (p[0] >= kVOps || p[5] >= kVTypes || p[6] || p[7])
      return bad("unknown step or type");
    VStep s;
    s.op = VOp(p[0]);
    s.dst = p[1];
    s.a = p[2];
    s.b = p[3];
    s.c = p[4];
    s.type = VType(p[5]);
    std::memcpy(&s.imm, p + 8, 8);
    (i < body ? v.body : v.post).push_back(s);
  }
  return CompileVProg(v);
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

} // namespace accel::rt
