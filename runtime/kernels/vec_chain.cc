//===- vec_chain.cc - Runs of steps that hand a value on in registers -----===//
#include "vec_chain.h"
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vec_chain.cc"
#include "hwy/foreach_target.h"
// Target-dependent from here.
#include "hwy/highway.h"
#include "math-inl.h"
#include "minmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace accel::rt {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

/// Vectors in flight: they hide the latency of a step and share its dispatch.
constexpr int kBlock = 4;

template <int N, class F> HWY_INLINE void Each(VF (&value)[N], F f) {
#pragma unroll
  for (int v = 0; v < N; ++v)
    value[v] = f(value[v], v);
}

/// N vectors from element i on.
template <int N> HWY_INLINE void Block(const VChain &chain, void *const *regs, int64_t i) {
  const DF d;
  constexpr int64_t kLanes = int64_t(hn::MaxLanes(DF()));
  const float *from = static_cast<const float *>(regs[chain.first]) + i;
  VF value[N];
#pragma unroll
  for (int v = 0; v < N; ++v)
    value[v] = hn::LoadU(d, from + v * kLanes);
  for (const ChainStep &s : chain.steps) {
    const bool held = s.x.reg < 0;
    const float *x = held ? s.x.constant : static_cast<const float *>(regs[s.x.reg]) + i;
    const int64_t next = held ? 0 : kLanes;
    const auto X = [&](int v) HWY_ATTR { return hn::LoadU(d, x + v * next); };
    const auto Y = [&](int v) HWY_ATTR {
      return hn::LoadU(d, s.y.reg < 0 ? s.y.constant
                                      : static_cast<const float *>(regs[s.y.reg]) + i + v * kLanes);
    };
    switch (s.op) {
    case ChainOp::Add:
      Each(value, [&](VF a, int v) HWY_ATTR { return hn::Add(a, X(v)); });
      break;
    case ChainOp::Sub:
      Each(value, [&](VF a, int v) HWY_ATTR { return hn::Sub(a, X(v)); });
      break;
    case ChainOp::SubFrom:
      Each(value, [&](VF a, int v) HWY_ATTR { return hn::Sub(X(v), a); });
      break;
    case ChainOp::Mul:
      Each(value, [&](VF a, int v) HWY_ATTR { return hn::Mul(a, X(v)); });
      break;
    case ChainOp::Square:
      Each(value, [&](VF a, int) HWY_ATTR { return hn::Mul(a, a); });
      break;
    case ChainOp::Div:
      Each(value, [&](VF a, int v) HWY_ATTR { return hn::Div(a, X(v)); });
      break;
    case ChainOp::DivInto:
      Each(value, [&](VF a, int v) HWY_ATTR { return hn::Div(X(v), a); });
      break;
    case ChainOp::Max:
      Each(value, [&](VF a, int v) HWY_ATTR { return FloatMax(d, a, X(v)); });
      break;
    case ChainOp::MaxConst:
      Each(value, [&](VF a, int v) HWY_ATTR {
        const VF k = X(v);
        return hn::IfThenElse(hn::Gt(k, a), k, a);
      });
      break;
    case ChainOp::MaxZero:
      Each(value, [&](VF a, int v) HWY_ATTR {
        const VF k = X(v);
        return hn::Add(hn::IfThenElse(hn::Gt(k, a), k, a), k);
      });
      break;
    case ChainOp::Min:
      Each(value, [&](VF a, int v) HWY_ATTR { return FloatMin(d, a, X(v)); });
      break;
    case ChainOp::MinConst:
      Each(value, [&](VF a, int v) HWY_ATTR {
        const VF k = X(v);
        return hn::IfThenElse(hn::Lt(k, a), k, a);
      });
      break;
    case ChainOp::MulAdd:
      Each(value, [&](VF a, int v) HWY_ATTR { return Fma(a, X(v), Y(v)); });
      break;
    case ChainOp::AddProduct:
      Each(value, [&](VF a, int v) HWY_ATTR { return Fma(X(v), Y(v), a); });
      break;
    case ChainOp::Neg:
      Each(value, [&](VF a, int) HWY_ATTR { return hn::Neg(a); });
      break;
    case ChainOp::Abs:
      Each(value, [&](VF a, int) HWY_ATTR { return hn::Abs(a); });
      break;
    case ChainOp::Sqrt:
      Each(value, [&](VF a, int) HWY_ATTR { return hn::Sqrt(a); });
      break;
    case ChainOp::Rsqrt:
      Each(value, [&](VF a, int) HWY_ATTR { return hn::Div(K(1.0f), hn::Sqrt(a)); });
      break;
    case ChainOp::Recip:
      Each(value, [&](VF a, int) HWY_ATTR { return hn::Div(K(1.0f), a); });
      break;
    case ChainOp::Exp:
      Each(value, [&](VF a, int) HWY_ATTR { return Exp(a); });
      break;
    case ChainOp::Log:
      Each(value, [&](VF a, int) HWY_ATTR { return Log(a); });
      break;
    case ChainOp::Tanh:
      Each(value, [&](VF a, int) HWY_ATTR { return Tanh(a); });
      break;
    case ChainOp::Erf:
      Each(value, [&](VF a, int) HWY_ATTR { return Erf(a); });
      break;
    case ChainOp::Sigmoid:
      Each(value, [&](VF a, int) HWY_ATTR { return Sigmoid(a); });
      break;
    }
    if (s.save >= 0) {
      float *to = static_cast<float *>(regs[s.save]) + i;
#pragma unroll
      for (int v = 0; v < N; ++v)
        hn::StoreU(value[v], d, to + v * kLanes);
    }
  }
}

void Chain(const VChain &chain, void *const *regs, int64_t n) {
  constexpr int64_t kLanes = int64_t(hn::MaxLanes(DF()));
  n = (n + 15) / 16 * 16; // as RunSteps
  int64_t i = 0;
  for (; i + kBlock * kLanes <= n; i += kBlock * kLanes)
    Block<kBlock>(chain, regs, i);
  for (; i < n; i += kLanes)
    Block<1>(chain, regs, i);
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace accel::rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace accel::rt {
HWY_EXPORT(Chain);
void RunChain(const VChain &chain, void *const *regs, int64_t n) {
  HWY_DYNAMIC_DISPATCH(Chain)(chain, regs, n);
}

namespace {

/// The step with `value` as an operand, or as its operand a where value < 0.
/// False: not a chain's.
bool AsChainStep(const VStep &s, int value, const float *const *constantOf, ChainStep &out) {
  if (s.type != VType::F32)
    return false;
  const auto operand = [&](int reg) {
    ChainOperand o;
    if (constantOf[reg])
      std::fill_n(o.constant, 16, *constantOf[reg]);
    else
      o.reg = int8_t(reg);
    return o;
  };
  const int operands = VOpOperands(s.op);
  const bool isA = value < 0 || s.a == value, isB = operands > 1 && value >= 0 && s.b == value;
  const bool isC = operands > 2 && value >= 0 && s.c == value;
  if (operands == 0 || isA + isB + isC == 0)
    return false;
  out = ChainStep();
  if (isA && isB) {
    out.op = ChainOp::Square;
    return s.op == VOp::Mul;
  }
  if (operands == 2)
    out.x = operand(isA ? s.b : s.a);
  switch (s.op) {
  case VOp::Add:
    out.op = ChainOp::Add;
    return true;
  case VOp::Sub:
    out.op = isA ? ChainOp::Sub : ChainOp::SubFrom;
    return true;
  case VOp::Mul:
    out.op = ChainOp::Mul;
    return true;
  case VOp::Div:
    out.op = isA ? ChainOp::Div : ChainOp::DivInto;
    return true;
  case VOp::Max:
    // c marks operand b as a constant (see Hoist).
    out.op = s.c == 1 ? ChainOp::MaxConst : s.c == 2 ? ChainOp::MaxZero : ChainOp::Max;
    return isA || s.c == 0;
  case VOp::Min:
    out.op = s.c == 1 ? ChainOp::MinConst : ChainOp::Min;
    return isA || s.c == 0;
  case VOp::Fma:
    if (isC && !isA) {
      out.op = ChainOp::AddProduct;
      out.x = operand(s.a), out.y = operand(s.b);
    } else {
      out.op = ChainOp::MulAdd;
      out.x = operand(isA ? s.b : s.a), out.y = operand(s.c);
    }
    return isA + isB + isC == 1;
  case VOp::Neg:
    out.op = ChainOp::Neg;
    return true;
  case VOp::Abs:
    out.op = ChainOp::Abs;
    return true;
  case VOp::Sqrt:
    out.op = ChainOp::Sqrt;
    return true;
  case VOp::Rsqrt:
    out.op = ChainOp::Rsqrt;
    return true;
  case VOp::Recip:
    out.op = ChainOp::Recip;
    return true;
  case VOp::Exp:
    out.op = ChainOp::Exp;
    return true;
  case VOp::Log:
    out.op = ChainOp::Log;
    return true;
  case VOp::Tanh:
    out.op = ChainOp::Tanh;
    return true;
  case VOp::Erf:
    out.op = ChainOp::Erf;
    return true;
  case VOp::Sigmoid:
    out.op = ChainOp::Sigmoid;
    return true;
  default:
    return false;
  }
}

/// Whether register r is read from step `from` on before it is written again.
bool ReadLater(const std::vector<VStep> &steps, size_t from, int r, uint32_t liveOut) {
  for (size_t i = from; i < steps.size(); ++i) {
    if (StepReads(steps[i]) >> r & 1)
      return true;
    if (steps[i].dst == r)
      return false;
  }
  return liveOut >> r & 1;
}

} // namespace

uint32_t StepReads(const VStep &s) {
  const int n = VOpOperands(s.op);
  return (n > 0 ? 1u << s.a : 0) | (n > 1 ? 1u << s.b : 0) | (n > 2 ? 1u << s.c : 0);
}

std::vector<VPiece> CutChains(const std::vector<VStep> &steps, const float *const *constantOf,
                              uint32_t liveOut) {
  std::vector<VPiece> pieces;
  for (size_t i = 0; i < steps.size();) {
    VPiece piece;
    ChainStep step;
    if (steps[i].op == VOp::Iota || steps[i].op == VOp::Reg) {
      piece.kind = VPiece::Iota;
      piece.begin = int64_t(i++);
      piece.count = 1;
      pieces.push_back(std::move(piece));
      continue;
    }
    size_t end = i;
    if (AsChainStep(steps[i], -1, constantOf, step) && !constantOf[steps[i].a]) {
      piece.kind = VPiece::Chain;
      piece.chain.first = steps[i].a;
      for (;;) {
        piece.chain.steps.push_back(step);
        const int value = steps[end++].dst;
        int8_t &save = piece.chain.steps.back().save;
        save = int8_t(value);
        if (end == steps.size() || !AsChainStep(steps[end], value, constantOf, step))
          break;
        // The next step takes the value from registers; does anybody else?
        if (steps[end].dst == value || !ReadLater(steps, end + 1, value, liveOut))
          save = -1;
      }
      if (end - i == 1)
        piece = VPiece();
    }
    if (piece.kind == VPiece::Chain) {
      pieces.push_back(std::move(piece));
      i = end;
      continue;
    }
    if (!pieces.empty() && pieces.back().kind == VPiece::Plain) {
      ++pieces.back().count;
    } else {
      piece.begin = int64_t(i);
      piece.count = 1;
      pieces.push_back(std::move(piece));
    }
    ++i;
  }
  return pieces;
}

} // namespace accel::rt
#endif // HWY_ONCE
