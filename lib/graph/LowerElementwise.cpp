//===- LowerElementwise.cpp - one result element from one of each operand --===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Lowering.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;
using Compare = ScalarBuilder::Compare;

//===----------------------------------------------------------------------===//
// One operand
//===----------------------------------------------------------------------===//

template <typename Fn> static LogicalResult unary(Lowering &l, Fn fn) {
  return l.done(
      l.elementwise(l.outType(), {l.in(0)}, [&](S &s, Values v) { return fn(s, v[0], l); }));
}
#define UNARY(NAME, EXPR)                                                                          \
  static LogicalResult NAME(Lowering &l) {                                                         \
    return unary(l, [](S &s, Value x, Lowering &l) -> Value {                                      \
      (void)l;                                                                                     \
      return EXPR;                                                                                 \
    });                                                                                            \
  }
static double attr(Lowering &l, StringRef name, double missing) {
  return l.node.getFloat(name, missing);
}
static Value ifPositive(S &s, Value x, Value yes, Value no) {
  return s.select(s.compare(Compare::Gt, x, s.like(x, 0)), yes, no);
}
static Value expm1(S &s, Value x) { return s.sub(s.exp(x), s.like(x, 1)); }
static Value softplus(S &s, Value x) { // log(1 + e^-|x|) + max(x, 0)
  return s.add(s.log(s.add(s.exp(s.neg(s.abs(x))), s.like(x, 1))), s.max(x, s.like(x, 0)));
}
static Value scaled(S &s, Value x, double factor) { return s.mul(x, s.like(x, factor)); }
static Value shifted(S &s, Value x, double by) { return s.add(x, s.like(x, by)); }
static Value geluErf(S &s, Value x) {
  return s.mul(scaled(s, x, 0.5), shifted(s, s.erf(scaled(s, x, M_SQRT1_2)), 1));
}
static Value geluTanh(S &s, Value x) {
  Value inner = scaled(s, s.add(x, scaled(s, s.power(x, 3), 0.044715)), std::sqrt(2 / M_PI));
  return s.mul(scaled(s, x, 0.5), shifted(s, s.tanh(inner), 1));
}
static Value roundToEven(S &s, Value x) { return S::isFloat(x) ? s.round(x) : x; }
static Value hardSigmoid(S &s, Value x, double alpha, double beta) {
  return s.clamp(shifted(s, scaled(s, x, alpha), beta), 0, 1);
}
static Value sign(S &s, Value x) {
  Value one = s.like(x, 1), zero = s.like(x, 0);
  Value low = s.select(s.compare(Compare::Lt, x, zero), s.like(x, -1), zero);
  return s.select(s.compare(Compare::Gt, x, zero), one, low);
}

UNARY(lowerAbs, s.abs(x))
UNARY(lowerCeil, S::isFloat(x) ? s.ceil(x) : x)
UNARY(lowerCelu,
      s.add(s.max(x, s.like(x, 0)),
            s.min(scaled(s, expm1(s, scaled(s, x, 1 / attr(l, "alpha", 1))), attr(l, "alpha", 1)),
                  s.like(x, 0))))
UNARY(lowerCos, s.cos(x))
UNARY(lowerCosh, scaled(s, s.add(s.exp(x), s.exp(s.neg(x))), 0.5))
UNARY(lowerElu, ifPositive(s, x, x, scaled(s, expm1(s, x), attr(l, "alpha", 1))))
UNARY(lowerErf, s.erf(x))
UNARY(lowerExp, s.exp(x))
UNARY(lowerFloor, S::isFloat(x) ? s.floor(x) : x)
UNARY(lowerGelu, l.node.getString("approximate", "none") == "tanh" ? geluTanh(s, x) : geluErf(s, x))
UNARY(lowerHardSigmoid, hardSigmoid(s, x, attr(l, "alpha", 0.2), attr(l, "beta", 0.5)))
UNARY(lowerHardSwish, s.mul(x, hardSigmoid(s, x, 1.0 / 6, 0.5)))
UNARY(lowerLeakyRelu,
      s.select(s.compare(Compare::Lt, x, s.like(x, 0)), scaled(s, x, attr(l, "alpha", 0.01)), x))
UNARY(lowerLog, s.log(x))
UNARY(lowerMish, s.mul(x, s.tanh(softplus(s, x))))
UNARY(lowerNeg, s.neg(x))
UNARY(lowerNot, s.logicalNot(x))
UNARY(lowerReciprocal, s.div(s.like(x, 1), x))
UNARY(lowerRelu, s.max(x, s.like(x, 0)))
UNARY(lowerRound, roundToEven(s, x))
UNARY(lowerSelu,
      scaled(s,
             ifPositive(s, x, x,
                        scaled(s, expm1(s, x), attr(l, "alpha", 1.67326319217681884765625))),
             attr(l, "gamma", 1.05070102214813232421875)))
UNARY(lowerSigmoid, s.sigmoid(x))
UNARY(lowerSign, sign(s, x))
UNARY(lowerSin, s.sin(x))
UNARY(lowerSinh, scaled(s, s.sub(s.exp(x), s.exp(s.neg(x))), 0.5))
UNARY(lowerSoftplus, softplus(s, x))
UNARY(lowerSoftsign, s.div(x, shifted(s, s.abs(x), 1)))
UNARY(lowerSqrt, s.sqrt(x))
UNARY(lowerSwish, s.mul(x, s.sigmoid(scaled(s, x, attr(l, "alpha", 1)))))
UNARY(lowerTan, s.div(s.sin(x), s.cos(x)))
UNARY(lowerTanh, s.tanh(x))
UNARY(lowerThresholdedRelu,
      s.select(s.compare(Compare::Gt, x, s.like(x, attr(l, "alpha", 1))), x, s.like(x, 0)))
UNARY(lowerShrink, s.select(s.compare(Compare::Lt, x, s.like(x, -attr(l, "lambd", 0.5))),
                            shifted(s, x, attr(l, "bias", 0)),
                            s.select(s.compare(Compare::Gt, x, s.like(x, attr(l, "lambd", 0.5))),
                                     shifted(s, x, -attr(l, "bias", 0)), s.like(x, 0))))
UNARY(lowerIsNaN, s.compare(Compare::Ne, x, x))
UNARY(lowerAsinh, s.mul(sign(s, x), s.log(s.add(s.abs(x), s.sqrt(shifted(s, s.mul(x, x), 1))))))
UNARY(lowerAcosh, s.log(s.add(x, s.sqrt(shifted(s, s.mul(x, x), -1)))))
UNARY(lowerAtanh, scaled(s, s.log(s.div(shifted(s, x, 1), s.sub(s.like(x, 1), x))), 0.5))

/// atan by range reduction to |x| <= tan(pi/8) and a degree 9 polynomial (the
/// single precision scheme of Cephes; error below 2 ulp).
static Value atan(S &s, Value x) {
  Value magnitude = s.abs(x), one = s.like(x, 1);
  Value big = s.compare(Compare::Gt, magnitude, s.like(x, 2.414213562373095));
  Value middle = s.compare(Compare::Gt, magnitude, s.like(x, 0.4142135623730950));
  Value reduced =
      s.select(big, s.div(s.like(x, -1), magnitude),
               s.select(middle, s.div(s.sub(magnitude, one), s.add(magnitude, one)), magnitude));
  Value base = s.select(big, s.like(x, M_PI_2), s.select(middle, s.like(x, M_PI_4), s.like(x, 0)));
  Value z = s.mul(reduced, reduced), poly = s.like(x, 8.05374449538e-2);
  for (double c : {-1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1})
    poly = shifted(s, s.mul(poly, z), c);
  Value value = s.add(base, s.add(s.mul(s.mul(poly, z), reduced), reduced));
  return s.select(s.compare(Compare::Lt, x, s.like(x, 0)), s.neg(value), value);
}
/// asin(x) = atan(x / sqrt((1 - x)(1 + x))); the quotient is infinite at the ends.
static Value asin(S &s, Value x) {
  Value one = s.like(x, 1);
  return atan(s, s.div(x, s.sqrt(s.mul(s.sub(one, x), s.add(one, x)))));
}
UNARY(lowerAtan, atan(s, x))
UNARY(lowerAsin, asin(s, x))
UNARY(lowerAcos, s.sub(s.like(x, M_PI_2), asin(s, x)))
#undef UNARY

static LogicalResult lowerIsInf(Lowering &l) {
  bool up = l.node.getInt("detect_positive", 1), down = l.node.getInt("detect_negative", 1);
  return unary(l, [&](S &s, Value x, Lowering &) -> Value {
    double inf = std::numeric_limits<double>::infinity();
    Value high = s.compare(Compare::Eq, x, s.like(x, inf));
    Value low = s.compare(Compare::Eq, x, s.like(x, -inf));
    if (up && down)
      return s.logicalOr(high, low);
    return up ? high : down ? low : s.compare(Compare::Lt, x, s.like(x, -inf));
  });
}

static LogicalResult lowerBitwiseNot(Lowering &l) {
  return unary(
      l, [](S &s, Value x, Lowering &) { return s.logicalXor(x, s.integer(x.getType(), -1)); });
}

static LogicalResult lowerIdentity(Lowering &l) { return l.done(l.in(0)); }

static LogicalResult lowerDropout(Lowering &l) {
  if (auto mode = l.constantInput(2); mode && mode->getInt(0))
    return l.refuse("training mode", "export the model for inference");
  l.results.push_back(l.in(0));
  if (l.node.numOutputs() > 1 && l.node.output(1)) { // the mask: everything kept
    HostTensor mask(l.outType(1).getElementType(), l.outShape(1));
    for (int64_t i = 0; i < mask.size(); ++i)
      mask.setInt(i, 1);
    l.results.push_back(l.constant(mask));
  }
  return success();
}

static LogicalResult lowerCast(Lowering &l) {
  // ONNX clamps to the range of an 8-bit float; the machine does so for the two kinds with an
  // IEEE zero.
  Type to = l.outType().getElementType();
  if (isa<FloatType>(to) && elementBytes(to) == 1) {
    if (!isa<Float8E4M3FNType, Float8E5M2Type>(to))
      return l.refuse("conversion to an 8-bit float other than E4M3FN and E5M2", "use one of them");
    if (!l.node.getInt("saturate", 1))
      return l.refuse("conversion without saturation", "leave saturate at 1");
  }
  return l.done(l.convertTo(l.in(0), l.outType().getElementType()));
}

//===----------------------------------------------------------------------===//
// Two operands and more
//===----------------------------------------------------------------------===//

/// Opsets before 7 align the second operand at `axis` instead of the end.
static Value aligned(Lowering &l, Value x, Value y) {
  if (!l.node.has("axis") || !l.node.getInt("broadcast", 0))
    return y;
  int64_t rank = shapeOf(x).size();
  Lowering::Shape shape(shapeOf(y));
  int64_t behind = rank - l.axis("axis", 0, rank) - int64_t(shape.size());
  shape.append(std::max<int64_t>(behind, 0), 1);
  return l.reshape(y, shape);
}

template <typename Fn> static LogicalResult binary(Lowering &l, Fn fn) {
  return l.done(l.elementwise(l.outType(), {l.in(0), aligned(l, l.in(0), l.in(1))},
                              [&](S &s, Values v) { return fn(s, v[0], v[1], l); }));
}
#define BINARY(NAME, EXPR)                                                                         \
  static LogicalResult NAME(Lowering &l) {                                                         \
    return binary(l, [](S &s, Value x, Value y, Lowering &l) -> Value {                            \
      (void)l;                                                                                     \
      return EXPR;                                                                                 \
    });                                                                                            \
  }
BINARY(lowerAdd, s.add(x, y))
BINARY(lowerSub, s.sub(x, y))
BINARY(lowerMul, s.mul(x, y))
BINARY(lowerDiv, s.div(x, y))
BINARY(lowerAnd, s.logicalAnd(x, y))
BINARY(lowerOr, s.logicalOr(x, y))
BINARY(lowerXor, s.logicalXor(x, y))
BINARY(lowerEqual, s.compare(Compare::Eq, x, y))
BINARY(lowerLess, s.compare(Compare::Lt, x, y))
BINARY(lowerLessOrEqual, s.compare(Compare::Le, x, y))
BINARY(lowerGreater, s.compare(Compare::Gt, x, y))
BINARY(lowerGreaterOrEqual, s.compare(Compare::Ge, x, y))
BINARY(lowerPRelu, s.select(s.compare(Compare::Lt, x, s.like(x, 0)), s.mul(x, y), x))
#undef BINARY

static LogicalResult lowerPow(Lowering &l) {
  Type base = computeType(elementOf(l.in(0)));
  auto exponent = shapeOf(l.in(1)).empty() || elementCount(shapeOf(l.in(1))) == 1
                      ? l.constantInput(1)
                      : std::nullopt;
  if (!isa<FloatType>(base)) {
    if (!exponent || exponent->getFloat(0) < 1 || exponent->getFloat(0) > 8)
      return l.refuse("integer power with an exponent that is not a constant from 1 to 8",
                      "cast to float first");
    return l.done(l.elementwise(l.outType(), {l.in(0)}, [&](S &s, Values v) {
      Value result = v[0];
      for (int i = 1; i < int(exponent->getFloat(0)); ++i)
        result = s.mul(result, v[0]);
      return result;
    }));
  }
  if (exponent)
    return l.done(l.elementwise(l.outType(), {l.in(0)}, [&](S &s, Values v) {
      return s.power(v[0], exponent->getFloat(0));
    }));
  return l.done(l.elementwise(l.outType(), {l.in(0), l.in(1)}, [&](S &s, Values v) {
    return s.pow(v[0], s.cast(v[1], v[0].getType()));
  }));
}

static LogicalResult lowerMod(Lowering &l) {
  bool truncated = l.node.getInt("fmod", 0);
  return binary(l, [&](S &s, Value x, Value y, Lowering &) -> Value {
    if (S::isFloat(x)) // fmod; the remainder is exact
      return arith::RemFOp::create(s.builder(), s.location(), x, y);
    Value rest = arith::RemSIOp::create(s.builder(), s.location(), x, y);
    if (truncated)
      return rest;
    // The sign follows the divisor: add it where signs differ and rest is not 0.
    Value zero = s.like(x, 0);
    Value differ =
        s.logicalXor(s.compare(Compare::Lt, rest, zero), s.compare(Compare::Lt, y, zero));
    Value fix = s.logicalAnd(differ, s.compare(Compare::Ne, rest, zero));
    return s.select(fix, s.add(rest, y), rest);
  });
}

static LogicalResult lowerBitShift(Lowering &l) {
  bool left = l.node.getString("direction", "LEFT") == "LEFT";
  return binary(l, [&](S &s, Value x, Value y, Lowering &) -> Value {
    if (left)
      return arith::ShLIOp::create(s.builder(), s.location(), x, y);
    return arith::ShRUIOp::create(s.builder(), s.location(), x, y);
  });
}

/// Max, Min, Sum, Mean over any number of operands, folded from the left.
template <typename Fn> static LogicalResult variadic(Lowering &l, Fn fn, bool mean = false) {
  SmallVector<Value> operands;
  for (unsigned i = 0; i < l.node.numInputs(); ++i)
    operands.push_back(l.in(i));
  auto join = [&](S &s, Values v) {
    Value result = v[0];
    for (Value x : v.drop_front())
      result = fn(s, result, x);
    return result;
  };
  // At most four streams enter a body: longer lists go in steps of three more.
  Value result = operands[0];
  size_t next = 1;
  do {
    SmallVector<Value> part = {result};
    while (next < operands.size() && part.size() < 4)
      part.push_back(operands[next++]);
    bool last = next == operands.size();
    auto body = [&](S &s, Values v) {
      Value joined = join(s, v);
      return mean && last ? s.mul(joined, s.like(joined, 1.0 / operands.size())) : joined;
    };
    result = last ? l.elementwise(l.outType(), part, body)
                  : l.elementwise(l.outType().getElementType(), part, body);
  } while (next < operands.size());
  return l.done(result);
}
static LogicalResult lowerMax(Lowering &l) {
  return variadic(l, [](S &s, Value x, Value y) { return s.max(x, y); });
}
static LogicalResult lowerMin(Lowering &l) {
  return variadic(l, [](S &s, Value x, Value y) { return s.min(x, y); });
}
static LogicalResult lowerSum(Lowering &l) {
  return variadic(l, [](S &s, Value x, Value y) { return s.add(x, y); });
}
static LogicalResult lowerMean(Lowering &l) {
  return variadic(l, [](S &s, Value x, Value y) { return s.add(x, y); }, /*mean=*/true);
}

static LogicalResult lowerClip(Lowering &l) {
  SmallVector<Value> operands = {l.in(0)};
  bool low = l.in(1) != nullptr, high = l.in(2) != nullptr;
  if (low)
    operands.push_back(l.in(1));
  if (high)
    operands.push_back(l.in(2));
  return l.done(l.elementwise(l.outType(), operands, [&](S &s, Values v) {
    Value x = v[0];
    if (low || l.node.has("min"))
      x = s.max(x, low ? v[1] : s.like(x, attr(l, "min", 0)));
    if (high || l.node.has("max"))
      x = s.min(x, high ? v.back() : s.like(x, attr(l, "max", 0)));
    return x;
  }));
}

static LogicalResult lowerWhere(Lowering &l) {
  return l.done(l.elementwise(l.outType(), {l.in(0), l.in(1), l.in(2)},
                              [](S &s, Values v) { return s.select(v[0], v[1], v[2]); }));
}

LoweringTable accel::elementwiseLowerings() {
  static const StringRef map = "accel.map";
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"Abs", {lowerAbs, map}},
      {"Acos", {lowerAcos, map}},
      {"Acosh", {lowerAcosh, map}},
      {"Add", {lowerAdd, map}},
      {"And", {lowerAnd, map}},
      {"Asin", {lowerAsin, map}},
      {"Asinh", {lowerAsinh, map}},
      {"Atan", {lowerAtan, map}},
      {"Atanh", {lowerAtanh, map}},
      {"BitShift", {lowerBitShift, map}},
      {"BitwiseAnd", {lowerAnd, map}},
      {"BitwiseNot", {lowerBitwiseNot, map}},
      {"BitwiseOr", {lowerOr, map}},
      {"BitwiseXor", {lowerXor, map}},
      {"Cast", {lowerCast, map}},
      {"CastLike", {lowerCast, map}},
      {"Ceil", {lowerCeil, map}},
      {"Celu", {lowerCelu, map}},
      {"Clip", {lowerClip, map}},
      {"Cos", {lowerCos, map}},
      {"Cosh", {lowerCosh, map}},
      {"Div", {lowerDiv, map}},
      {"Dropout", {lowerDropout, "removed"}},
      {"Elu", {lowerElu, map}},
      {"Equal", {lowerEqual, map}},
      {"Erf", {lowerErf, map}},
      {"Exp", {lowerExp, map}},
      {"Floor", {lowerFloor, map}},
      {"Gelu", {lowerGelu, map}},
      {"Greater", {lowerGreater, map}},
      {"GreaterOrEqual", {lowerGreaterOrEqual, map}},
      {"HardSigmoid", {lowerHardSigmoid, map}},
      {"HardSwish", {lowerHardSwish, map}},
      {"Identity", {lowerIdentity, "removed"}},
      {"IsInf", {lowerIsInf, map}},
      {"IsNaN", {lowerIsNaN, map}},
      {"LeakyRelu", {lowerLeakyRelu, map}},
      {"Less", {lowerLess, map}},
      {"LessOrEqual", {lowerLessOrEqual, map}},
      {"Log", {lowerLog, map}},
      {"Max", {lowerMax, map}},
      {"Mean", {lowerMean, map}},
      {"Min", {lowerMin, map}},
      {"Mish", {lowerMish, map}},
      {"Mod", {lowerMod, map}},
      {"Mul", {lowerMul, map}},
      {"Neg", {lowerNeg, map}},
      {"Not", {lowerNot, map}},
      {"Or", {lowerOr, map}},
      {"PRelu", {lowerPRelu, map}},
      {"Pow", {lowerPow, map}},
      {"Reciprocal", {lowerReciprocal, map}},
      {"Relu", {lowerRelu, map}},
      {"Round", {lowerRound, map}},
      {"Selu", {lowerSelu, map}},
      {"Shrink", {lowerShrink, map}},
      {"Sigmoid", {lowerSigmoid, map}},
      {"Sign", {lowerSign, map}},
      {"Sin", {lowerSin, map}},
      {"Sinh", {lowerSinh, map}},
      {"Softplus", {lowerSoftplus, map}},
      {"Softsign", {lowerSoftsign, map}},
      {"Sqrt", {lowerSqrt, map}},
      {"Sub", {lowerSub, map}},
      {"Sum", {lowerSum, map}},
      {"Swish", {lowerSwish, map}},
      {"Tan", {lowerTan, map}},
      {"Tanh", {lowerTanh, map}},
      {"ThresholdedRelu", {lowerThresholdedRelu, map}},
      {"Where", {lowerWhere, map}},
      {"Xor", {lowerXor, map}},
  };
  return table;
}
