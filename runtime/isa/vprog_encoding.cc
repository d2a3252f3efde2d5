//===- vprog_encoding.cc - Vector programs as bytes -----------------------===//
#include "acc/runtime/vprog_encoding.h"
#include <cstring>

namespace accel::rt {

std::vector<uint8_t> EncodeVProg(const VProg &v) {
  std::vector<uint8_t> e(16);
  e[0] = uint8_t(v.ins.size());
  e[1] = uint8_t(v.outs.size());
  e[2] = uint8_t(v.reductions.size());
  e[3] = uint8_t(v.body.size());
  e[4] = uint8_t(v.post.size());
  for (const VInput &i : v.ins)
    e.insert(e.end(), {i.reg, uint8_t(i.type), 0, 0});
  for (const VOutput &o : v.outs)
    e.insert(e.end(), {o.reg, uint8_t(o.post), uint8_t(o.type), 0});
  for (const VReduction &r : v.reductions)
    e.insert(e.end(), {r.src, r.dst, uint8_t(r.kind), uint8_t(r.lanes), uint8_t(r.type), 0, 0, 0});
  e.resize((e.size() + 15) / 16 * 16);
  for (const auto *list : {&v.body, &v.post})
    for (const VStep &s : *list) {
      uint8_t step[16] = {uint8_t(s.op), s.dst, s.a, s.b, s.c, uint8_t(s.type)};
      std::memcpy(step + 8, &s.imm, 8);
      e.insert(e.end(), step, step + 16);
    }
  return e;
}

absl::StatusOr<VProg> DecodeVProg(absl::Span<const uint8_t> bytes) {
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
  return v;
}

} // namespace accel::rt
