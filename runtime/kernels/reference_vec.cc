//===- reference_vec.cc - Vector engine, element by element ---------------===//
//
// Independent of strips, merging and SIMD. The elementary functions are the
// one thing it shares with the engine (EvalStep on one element): their values
// are checked against double precision by math_test.cc.
//
//===----------------------------------------------------------------------===//
#include "number_formats.h"
#include "reference.h"
#include "stream_walk.h"
#include "vec_compiled.h"
#include <array>

namespace accel::rt::reference {
namespace {

struct Value {
  uint64_t bits = 0;
  float F() const { return std::bit_cast<float>(uint32_t(bits)); }
  double D() const { return std::bit_cast<double>(bits); }
  int32_t I() const { return int32_t(bits); }
  int64_t L() const { return int64_t(bits); }
  static Value Of(float v) { return {std::bit_cast<uint32_t>(v)}; }
  static Value Of(double v) { return {std::bit_cast<uint64_t>(v)}; }
  static Value Of(int32_t v) { return {uint32_t(v)}; }
  static Value Of(int64_t v) { return {uint64_t(v)}; }
};
using Registers = std::array<Value, kVRegs>;

Value LoadValue(const KStream &s, VType type, const int64_t *idx) {
  int64_t offset;
  if (!PointOffset(s, idx, offset)) {
    if (type == VType::F64)
      return Value::Of(double(std::bit_cast<float>(s.padBits)));
    if (type == VType::I64)
      return Value::Of(int64_t(int32_t(s.padBits)));
    return {s.padBits};
  }
  const uint64_t bits = LoadBits(s.mem + offset, KTypeBytes(s.type));
  switch (type) {
  case VType::F32:
    return {ConvertBits(s.type, KType::F32, bits)};
  case VType::F64:
    return {ConvertBits(s.type, KType::F64, bits)};
  case VType::I32:
    return Value::Of(IsFloat(s.type) ? int32_t(ConvertBits(s.type, KType::I32, bits))
                                     : int32_t(DecodeInt(s.type, bits)));
  case VType::I64:
    return Value::Of(IsFloat(s.type) ? int64_t(ConvertBits(s.type, KType::I64, bits))
                                     : DecodeInt(s.type, bits));
  }
  return {};
}

void StoreValue(const KStream &s, VType type, Value v, const int64_t *idx) {
  int64_t offset;
  if (!PointOffset(s, idx, offset))
    return;
  uint64_t bits = 0;
  switch (type) {
  case VType::F32:
    bits = ConvertBits(KType::F32, s.type, Value::Of(CanonicalF32(v.F())).bits);
    break;
  case VType::F64:
    bits = ConvertBits(KType::F64, s.type, Value::Of(CanonicalF64(v.D())).bits);
    break;
  default: {
    int64_t i = type == VType::I32 ? v.I() : v.L();
    if (s.type == KType::Bool)
      bits = i != 0;
    else
      bits = IsFloat(s.type) ? ConvertBits(KType::I64, s.type, uint64_t(i)) : uint64_t(i);
  }
  }
  StoreBits(s.mem + offset, bits, KTypeBytes(s.type));
}

template <class T> T FloatMax(T a, T b) {
  if (a != a || b != b)
    return std::numeric_limits<T>::quiet_NaN();
  if (a == 0 && b == 0)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
template <class T> T FloatMin(T a, T b) { return -FloatMax(-a, -b); }

template <class T> Value FloatStep(const VStep &s, T a, T b, T c) {
  switch (s.op) {
  case VOp::Add:
    return Value::Of(a + b);
  case VOp::Sub:
    return Value::Of(a - b);
  case VOp::Mul:
    return Value::Of(a * b);
  case VOp::Div:
    return Value::Of(a / b);
  case VOp::Max:
    return Value::Of(FloatMax(a, b));
  case VOp::Min:
    return Value::Of(FloatMin(a, b));
  case VOp::Fma:
    return Value::Of(std::fma(a, b, c));
  case VOp::Neg:
    return Value::Of(-a);
  case VOp::Abs:
    return Value::Of(std::fabs(a));
  case VOp::Sqrt:
    return Value::Of(std::sqrt(a));
  case VOp::Rsqrt:
    return Value::Of(T(1) / std::sqrt(a));
  case VOp::Recip:
    return Value::Of(T(1) / a);
  case VOp::Floor:
    return Value::Of(std::floor(a));
  case VOp::Ceil:
    return Value::Of(std::ceil(a));
  case VOp::Rne:
    return Value::Of(std::nearbyint(a));
  case VOp::Trunc:
    return Value::Of(std::trunc(a));
  case VOp::Sign:
    return Value::Of(a != a ? a : T((a > 0) - (a < 0)));
  case VOp::FMod:
    return Value::Of(std::fmod(a, b));
  case VOp::Mod: {
    T r = std::fmod(a, b);
    return Value::Of(r != 0 && (r < 0) != (b < 0) ? r + b : r);
  }
  case VOp::CmpEq:
    return Value::Of(int32_t(a == b));
  case VOp::CmpNe:
    return Value::Of(int32_t(a != b));
  case VOp::CmpLt:
    return Value::Of(int32_t(a < b));
  case VOp::CmpLe:
    return Value::Of(int32_t(a <= b));
  case VOp::CmpGt:
    return Value::Of(int32_t(a > b));
  case VOp::CmpGe:
    return Value::Of(int32_t(a >= b));
  case VOp::IsNan:
    return Value::Of(int32_t(a != a));
  case VOp::IsInf:
    return Value::Of(int32_t(std::isinf(a)));
  default: {
    T r;
    EvalStep(s, &a, &b, &c, &r, 1);
    return Value::Of(r);
  }
  }
}

template <class T> Value IntStep(const VStep &s, T a, T b, T c) {
  using U = std::make_unsigned_t<T>;
  const bool inside = b >= 0 && b < T(sizeof(T) * 8);
  switch (s.op) {
  case VOp::Add:
    return Value::Of(T(U(a) + U(b)));
  case VOp::Sub:
    return Value::Of(T(U(a) - U(b)));
  case VOp::Mul:
    return Value::Of(T(U(a) * U(b)));
  case VOp::Fma:
    return Value::Of(T(U(a) * U(b) + U(c)));
  case VOp::Div:
    return Value::Of(b == 0 ? T(0) : b == -1 ? T(U(0) - U(a)) : T(a / b));
  case VOp::Mod:
    return Value::Of(b == 0 || b == -1 ? T(0) : T(FloorMod(a, b)));
  case VOp::FMod:
    return Value::Of(b == 0 || b == -1 ? T(0) : T(a % b));
  case VOp::Max:
    return Value::Of(a > b ? a : b);
  case VOp::Min:
    return Value::Of(a < b ? a : b);
  case VOp::Neg:
    return Value::Of(T(U(0) - U(a)));
  case VOp::Abs:
    return Value::Of(a < 0 ? T(U(0) - U(a)) : a);
  case VOp::Sign:
    return Value::Of(T((a > 0) - (a < 0)));
  case VOp::And:
    return Value::Of(T(a & b));
  case VOp::Or:
    return Value::Of(T(a | b));
  case VOp::Xor:
    return Value::Of(T(a ^ b));
  case VOp::Not:
    return Value::Of(T(~a));
  case VOp::Shl:
    return Value::Of(inside ? T(U(a) << b) : T(0));
  case VOp::Shr:
    return Value::Of(inside ? T(U(a) >> b) : T(0));
  case VOp::Sar:
    return Value::Of(inside ? T(a >> b) : T(a < 0 ? -1 : 0));
  case VOp::CmpEq:
    return Value::Of(int32_t(a == b));
  case VOp::CmpNe:
    return Value::Of(int32_t(a != b));
  case VOp::CmpLt:
    return Value::Of(int32_t(a < b));
  case VOp::CmpLe:
    return Value::Of(int32_t(a <= b));
  case VOp::CmpGt:
    return Value::Of(int32_t(a > b));
  case VOp::CmpGe:
    return Value::Of(int32_t(a >= b));
  default: {
    T r;
    EvalStep(s, &a, &b, &c, &r, 1);
    return Value::Of(r);
  }
  }
}

Value ConvertValue(VType from, VType to, Value v) {
  constexpr KType kOf[] = {KType::F32, KType::I32, KType::I64, KType::F64};
  if (from == VType::I64 && to == VType::I32)
    return Value::Of(int32_t(v.L()));
  if (from == VType::I32 && to == VType::I64)
    return Value::Of(int64_t(v.I()));
  Value r{from == to ? v.bits : ConvertBits(kOf[int(from)], kOf[int(to)], v.bits)};
  return VTypeBytes(to) == 4 ? Value{uint32_t(r.bits)} : r;
}

void RunSteps(const std::vector<VStep> &steps, Registers &r, const int64_t *idx,
              const int64_t *scalars = nullptr) {
  for (const VStep &s : steps) {
    const Value a = r[s.a & 15], b = r[s.b & 15], c = r[s.c & 15];
    Value &dst = r[s.dst];
    auto number = [&](auto v) {
      switch (s.type) {
      case VType::F32:
        return Value::Of(float(v));
      case VType::F64:
        return Value::Of(double(v));
      case VType::I32:
        return Value::Of(int32_t(v));
      default:
        return Value::Of(int64_t(v));
      }
    };
    const bool isInt = s.type == VType::I32 || s.type == VType::I64;
    switch (s.op) {
    case VOp::Imm:
      dst = isInt ? number(int64_t(s.imm)) : number(std::bit_cast<double>(s.imm));
      continue;
    case VOp::Iota:
      dst = number(idx[s.a]);
      continue;
    case VOp::Reg:
      dst = number(scalars[s.a]);
      continue;
    case VOp::Mov:
      dst = a;
      continue;
    case VOp::Select:
      dst = a.I() ? b : c;
      continue;
    case VOp::Cvt:
      dst = ConvertValue(VType(s.b), s.type, a);
      continue;
    default:
      break;
    }
    switch (s.type) {
    case VType::F32:
      dst = FloatStep(s, a.F(), b.F(), c.F());
      break;
    case VType::F64:
      dst = FloatStep(s, a.D(), b.D(), c.D());
      break;
    case VType::I32:
      dst = IntStep(s, a.I(), b.I(), c.I());
      break;
    case VType::I64:
      dst = IntStep(s, a.L(), b.L(), c.L());
      break;
    }
  }
}

Value Combine(VReduce kind, VType type, Value a, Value b) {
  VStep s;
  s.type = type;
  s.op = kind == VReduce::Sum    ? VOp::Add
         : kind == VReduce::Prod ? VOp::Mul
         : kind == VReduce::Max  ? VOp::Max
                                 : VOp::Min;
  s.a = 0, s.b = 1, s.dst = 2;
  Registers r;
  r[0] = a, r[1] = b;
  RunSteps({s}, r, nullptr);
  return r[2];
}

Value IdentityOf(VReduce kind, VType type) {
  auto of = [&](auto zero) {
    using T = decltype(zero);
    using L = std::numeric_limits<T>;
    const T top = L::has_infinity ? L::infinity() : L::max();
    const T low = L::has_infinity ? -L::infinity() : L::lowest();
    return Value::Of(kind == VReduce::Sum    ? T(0)
                     : kind == VReduce::Prod ? T(1)
                     : kind == VReduce::Max  ? low
                                             : top);
  };
  switch (type) {
  case VType::F32:
    return of(0.0f);
  case VType::F64:
    return of(0.0);
  case VType::I32:
    return of(int32_t(0));
  default:
    return of(int64_t(0));
  }
}

struct Reduction {
  VReduction spec;
  std::array<Value, kReduceLanes> partial;
  int64_t running = 0;
  Value best;

  void Add(Value v) {
    if (spec.kind >= VReduce::ArgMax) {
      VStep s;
      s.type = spec.type;
      s.op = spec.kind == VReduce::ArgMax       ? VOp::CmpGt
             : spec.kind == VReduce::ArgMin     ? VOp::CmpLt
             : spec.kind == VReduce::ArgMaxLast ? VOp::CmpGe
                                                : VOp::CmpLe;
      s.a = 0, s.b = 1, s.dst = 2;
      Registers r;
      r[0] = v, r[1] = best;
      RunSteps({s}, r, nullptr);
      if (running == 0 || r[2].I()) {
        best = v;
        partial[0] = Value{uint64_t(running)};
      }
      ++running;
      return;
    }
    Value &p = partial[spec.lanes ? size_t(running++ % kReduceLanes) : 0];
    p = Combine(spec.kind, spec.type, p, v);
  }
  Value Result() {
    if (spec.lanes)
      for (size_t w = kReduceLanes / 2; w; w /= 2)
        for (size_t i = 0; i < w; ++i)
          partial[i] = Combine(spec.kind, spec.type, partial[i], partial[i + w]);
    return partial[0];
  }
};

/// Row-major over the dims selected by mask; the others of idx stay.
template <typename Fn>
void ForEachMasked(const int64_t *size, uint8_t mask, int64_t *idx, Fn &&fn) {
  for (int d = 0; d < kDims; ++d)
    if (mask >> d & 1)
      idx[d] = 0;
  for (int d = 0; d >= 0;) {
    fn();
    for (d = kDims - 1; d >= 0; --d) {
      if (!(mask >> d & 1))
        continue;
      if (++idx[d] < size[d])
        break;
      idx[d] = 0;
    }
  }
}

} // namespace

void Vec(const VecOp &op, const CompiledVProg &compiled) {
  const VProg &prog = SourceOf(compiled);
  for (int64_t n : op.size)
    if (n <= 0)
      return;
  int64_t idx[kDims] = {};
  ForEachMasked(op.size, uint8_t(~op.reduceMask) & 63, idx, [&] {
    Registers first{}, r{};
    std::vector<Reduction> sums;
    for (const VReduction &spec : prog.reductions) {
      Reduction red{spec};
      red.partial.fill(spec.kind >= VReduce::ArgMax ? Value{} : IdentityOf(spec.kind, spec.type));
      if (op.resume && !spec.lanes)
        for (size_t o = 0; o < prog.outs.size(); ++o)
          if (prog.outs[o].post && prog.outs[o].reg == spec.dst)
            red.partial[0] = LoadValue(op.out[o], spec.type, idx);
      sums.push_back(red);
    }
    bool isFirst = true;
    ForEachMasked(op.size, op.reduceMask, idx, [&] {
      for (size_t i = 0; i < prog.ins.size(); ++i)
        r[prog.ins[i].reg] = LoadValue(op.in[i], prog.ins[i].type, idx);
      if (isFirst)
        first = r;
      isFirst = false;
      RunSteps(prog.body, r, idx, op.scalars);
      for (Reduction &red : sums)
        red.Add(r[red.spec.src]);
      for (size_t o = 0; o < prog.outs.size(); ++o)
        if (prog.outs[o].scan) {
          for (const Reduction &red : sums)
            if (red.spec.dst == prog.outs[o].reg)
              StoreValue(op.out[o], prog.outs[o].type, red.partial[0], idx);
        } else if (!prog.outs[o].post) {
          StoreValue(op.out[o], prog.outs[o].type, r[prog.outs[o].reg], idx);
        }
    });
    for (Reduction &red : sums)
      first[red.spec.dst] = red.Result();
    for (int d = 0; d < kDims; ++d)
      if (op.reduceMask >> d & 1)
        idx[d] = 0;
    RunSteps(prog.post, first, idx, op.scalars);
    for (size_t o = 0; o < prog.outs.size(); ++o)
      if (prog.outs[o].post)
        StoreValue(op.out[o], prog.outs[o].type, first[prog.outs[o].reg], idx);
  });
}

} // namespace accel::rt::reference
