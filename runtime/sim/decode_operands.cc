//===- decode_operands.cc - Descriptors and what engines take -------------===//
#include "acc/runtime/status_macros.h"
#include "routine_decoder.h"
#include "vprog_binding.h"
#include <algorithm>

namespace accel::rt {

void WalkedSize(const EngineCode &code, int index, const int64_t size[kDims], int64_t out[kDims]) {
  std::copy(size, size + kDims, out);
  auto once = [&](std::initializer_list<int> dims) {
    for (int d : dims)
      out[d] = 1;
  };
  switch (code.op) {
  case Op::Mxu:
    if (index == 0)
      once({3, 4, 5});
    else if (index == 1)
      once({2});
    else {
      once({0, 1, 3, 4});
      out[5] = size[3] * size[4] * size[5];
    }
    break;
  case Op::MxuDw:
    if (index == 0)
      once({3, 4, 5});
    else if (index == 2)
      once({0, 1, 5});
    break;
  case Op::DmaGather:
  case Op::DmaScatter:
    if (index == 2)
      once({1, 2, 3, 4, 5});
    else if (index == (code.op == Op::DmaGather ? 1 : 0))
      out[0] = std::max<int64_t>(code.limit(), 1);
    break;
  case Op::VecSort:
    if (index == 4)
      once({5});
    if (index > 1)
      break;
    if (code.flags & 2) {
      once({4});
      out[5] *= 2;
    }
    if (code.limit())
      out[5] = std::min(out[5], code.limit());
    break;
  case Op::VecCompact:
    if (index > 1)
      break;
    once({0, 1, 2, 3, 4, 5});
    if (index == 0)
      out[5] = std::max<int64_t>(code.limit(), 1);
    break;
  case Op::VecScatter:
    if (index == 0)
      out[0] = std::max<int64_t>(code.limit(), 1);
    else if (index == 2)
      once({1, 2, 3, 4, 5});
    break;
  case Op::VecRandom:
    if (index == 1)
      once({0, 1, 2, 3, 4, 5});
    break;
  default:
    if (code.postOuts >> index & 1)
      for (int d = 0; d < kDims; ++d)
        if (code.reduceMask >> d & 1)
          out[d] = 1;
    break;
  }
}

absl::Status RoutineDecoder::Operation(const isa::OpDesc &d, EngineCode &code) {
  int64_t points = 1;
  for (int i = 0; i < kDims; ++i) {
    code.size[i] = d.size[i];
    code.sizeReg[i] = d.sizeReg[i];
    code.dynamicSize |= d.sizeReg[i] != 0;
    if (d.size[i] && points > kMaxPoints / d.size[i])
      return Bad("more than 2^33 iteration points");
    points *= std::max<int64_t>(d.size[i], 1);
  }
  code.streams = d.streams;
  code.flags = d.flags;
  code.initReg = d.initReg;
  code.reduceMask = d.reduceMask;
  code.zaReg = d.zaReg;
  code.zbReg = d.zbReg;
  code.za = d.za;
  code.zb = d.zb;
  code.fillBits = d.fillBits64 ? d.fillBits64 : d.fillBits;
  return absl::OkStatus();
}

absl::Status RoutineDecoder::Stream(int index, const isa::Stream &stream, EngineCode &code) {
  const isa::StreamDesc &s = stream.desc;
  StreamCode &out = code.stream[index];
  out.space = Space(s.space);
  out.region = s.region;
  out.k.type = KType(s.dtype);
  if (KTypeBytes(out.k.type) == 0)
    return Bad("stream ", index, ": element type ", int(s.dtype), " cannot be walked by bytes");
  if (out.space == Space::Acc && out.k.type != KType::F32 && out.k.type != KType::I32)
    return Bad("stream ", index, ": accumulators hold f32 or i32");
  if (out.space == Space::Dram) {
    if (!p_.region[s.region])
      return Bad("stream ", index, ": there is no DRAM region ", int(s.region));
    if (code.dram >= 0)
      return Bad("two streams in DRAM");
    code.dram = int8_t(index);
  }
  for (uint8_t r : s.baseReg)
    if (r)
      out.baseReg[out.baseRegs++] = r;
  if (s.base < -kMaxAddress || s.base > kMaxAddress)
    return Bad("stream ", index, ": base ", s.base);
  out.k.base = s.base;
  out.isStatic = out.baseRegs == 0;
  if (out.isStatic && out.space != Space::Dram && s.base % KTypeBytes(out.k.type))
    return Bad("stream ", index, ": address ", s.base, " is not a multiple of the element's ",
               KTypeBytes(out.k.type), " bytes");
  int64_t walked[kDims];
  WalkedSize(code, index, code.size, walked);
  for (int d = 0; d < kDims; ++d) {
    int64_t steps = std::max<int64_t>(std::max(walked[d], code.size[d]) - 1, 1);
    if (s.stride[d] > kMaxAddress / steps || s.stride[d] < -kMaxAddress / steps)
      return Bad("stream ", index, ": stride ", s.stride[d], " of dimension ", d);
    if (out.space != Space::Dram && walked[d] > 1 && s.stride[d] % KTypeBytes(out.k.type))
      return Bad("stream ", index, ": stride ", s.stride[d], " of dimension ", d,
                 " is not a multiple of the element's ", KTypeBytes(out.k.type), " bytes");
    out.k.stride[d] = s.stride[d];
  }
  return stream.window ? Window(index, *stream.window, code, out) : absl::OkStatus();
}

absl::Status RoutineDecoder::Window(int index, const isa::WindowDesc &w, const EngineCode &code,
                                    StreamCode &out) {
  out.k.windowed = true;
  out.k.padBits = w.padBits;
  for (int i = 0; i < 2; ++i) {
    const isa::WindowCoord &c = w.coord[i];
    WindowCoord &k = out.k.coord[i];
    if (c.mod > (1u << 31))
      return Bad("stream ", index, ": window modulus ", c.mod);
    for (auto [dim, mul] : {std::pair(c.dimA, c.mulA), std::pair(c.dimB, c.mulB)})
      if (dim < kDims &&
          std::abs(int64_t(mul)) > kMaxPosition / std::max<int64_t>(code.size[dim] - 1, 1))
        return Bad("stream ", index, ": window multiplier ", mul);
    if (out.space != Space::Dram && c.stride % KTypeBytes(out.k.type))
      return Bad("stream ", index, ": window stride ", c.stride,
                 " is not a multiple of the element's ", KTypeBytes(out.k.type), " bytes");
    k.start = c.start;
    k.dimA = c.dimA;
    k.dimB = c.dimB;
    k.mulA = c.mulA;
    k.mulB = c.mulB;
    k.bound = c.bound;
    k.mod = c.mod;
    k.stride = c.stride;
    k.div = std::max<int64_t>(w.div[i], 1);
    k.exact = w.flags[i] & 1;
    out.startReg[i] = c.startReg;
    out.orgReg[i] = c.orgReg;
    out.boundReg[i] = w.flags[i] >> 1;
    if (out.boundReg[i] && c.bound == isa::kUnchecked)
      return Bad("stream ", index, ": a bound from a register without a greatest value");
    out.isStatic &= !c.startReg && !c.orgReg && !out.boundReg[i];
  }
  return absl::OkStatus();
}

absl::Status RoutineDecoder::Writes(EngineCode &code, int index) {
  StreamCode &s = code.stream[index];
  s.write = true;
  if (s.space == Space::Dram && IsReadOnly(p_.region[s.region]->kind))
    return Bad("write to region ", int(s.region), ", which is read-only (",
               RegionKindName(p_.region[s.region]->kind), ")");
  return absl::OkStatus();
}

absl::Status RoutineDecoder::CheckDma(const InstrCode &in, EngineCode &code) {
  bool fill = code.flags & 1;
  int streams = fill ? 1 : in.op == Op::Dma ? 2 : 3;
  if (code.streams != streams)
    return Bad("DMA with ", int(code.streams), " streams instead of ", streams);
  ACC_RETURN_IF_ERROR(Writes(code, 0));
  Space dst = code.stream[0].space, src = fill ? Space::Sram : code.stream[1].space;
  bool good = in.engine == kSt ? src == Space::Sram && dst != Space::Acc
                               : dst == Space::Sram && src != Space::Acc;
  if (streams == 3) {
    if (code.stream[2].k.windowed)
      return Bad("an index list with a window");
    KType t = code.stream[2].k.type;
    good &= code.stream[2].space == Space::Sram && (t == KType::I32 || t == KType::I64);
    for (int d = 1; d < kDims; ++d) // the list runs over dim 0 only
      good &= code.stream[2].k.stride[d] == 0;
  }
  if (!good)
    return Bad(EngineName(in.engine), " cannot move between these memories");
  if (code.dram >= 0 && in.reason == Reason::None)
    return Bad("DRAM traffic without a reason");
  return absl::OkStatus();
}

absl::Status RoutineDecoder::CheckMxu(const InstrCode &in, EngineCode &code) {
  if (code.flags > 2)
    return Bad("MXU flags ", int(code.flags));
  if ((code.flags != 2) && code.initReg)
    return Bad("MXU init register without its flag");
  ACC_RETURN_IF_ERROR(Writes(code, 0));
  if (code.stream[0].space != Space::Acc || code.stream[1].space != Space::Sram ||
      code.stream[2].space != Space::Sram)
    return Bad("MXU streams must be ACC, SRAM, SRAM");
  KType acc;
  if (!MxuTypes(code.stream[1].k.type, code.stream[2].k.type, acc) || acc != code.stream[0].k.type)
    return Bad("MXU cannot multiply element types ", int(code.stream[1].k.type), " and ",
               int(code.stream[2].k.type), " into ", int(code.stream[0].k.type));
  if (code.stream[0].k.windowed || code.stream[2].k.windowed)
    return Bad("only the A stream of MXU may have a window");
  for (int d = 3; d < kDims; ++d)
    if (code.stream[0].k.stride[d]) // it moves with m0, m1 and n (or c)
      return Bad("the C stream of MXU moves with a reduced dimension");
  if (in.op == Op::MxuDw && (code.size[5] != 1 || code.sizeReg[5]))
    return Bad("MXU_DW with a sixth dimension");
  return absl::OkStatus();
}

absl::Status RoutineDecoder::CheckVec(uint16_t vprog, EngineCode &code) {
  if (vprog >= p_.vprogs.size())
    return Bad("vector program ", vprog, " of ", p_.vprogs.size());
  vprogs_.insert(vprog);
  if (!(code.flags & 1) && code.initReg)
    return Bad("VEC init register without its flag");
  code.vprog = p_.vprogs[vprog].get();
  code.programRegs = ScalarsOf(*code.vprog);
  VProgShape shape = ShapeOf(*code.vprog);
  if (shape.outs + shape.ins != code.streams)
    return Bad("VEC with ", int(code.streams), " streams, its program has ", shape.outs,
               " outputs and ", shape.ins, " inputs");
  if (shape.reductions == 0 && (code.reduceMask || (code.flags & 1)))
    return Bad("VEC reduces dimensions, its program has no reduction");
  code.outs = uint8_t(shape.outs);
  for (int i = 0; i < code.streams; ++i) {
    if (code.stream[i].space == Space::Dram)
      return Bad("VEC stream ", i, " in DRAM");
    if (i >= shape.outs)
      continue;
    ACC_RETURN_IF_ERROR(Writes(code, i));
    if (!shape.outPost[i])
      continue;
    code.postOuts |= uint8_t(1u << i);
    const KStream &k = code.stream[i].k;
    for (int d = 0; d < kDims; ++d) {
      bool moves = k.stride[d] != 0;
      for (const WindowCoord &w : k.coord)
        moves |= k.windowed && (w.dimA == d || w.dimB == d);
      if ((code.reduceMask >> d & 1) && moves)
        return Bad("VEC output ", i, " moves with the reduced dimension ", d);
    }
  }
  return absl::OkStatus();
}

} // namespace accel::rt
