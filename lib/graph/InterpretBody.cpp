//===- InterpretBody.cpp - evaluates the scalar code of bodies ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Interpret.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace accel;

namespace {
enum Kind {
  Unknown,
  Constant,
  AddF,
  SubF,
  MulF,
  DivF,
  RemF,
  NegF,
  MaxF,
  MinF,
  CmpF,
  CmpI,
  Select,
  AddI,
  SubI,
  MulI,
  DivI,
  RemI,
  And,
  Or,
  Xor,
  ShL,
  ShRU,
  ShRS,
  MaxI,
  MinI,
  Exp,
  Log,
  Tanh,
  Erf,
  Sqrt,
  RSqrt,
  Floor,
  Ceil,
  RoundEven,
  Trunc,
  AbsF,
  AbsI,
  Pow,
  Sin,
  Cos,
  Fma,
  Convert,
  Sigmoid,
  Recip
};
} // namespace

static int kindOf(Operation *op) {
  return llvm::StringSwitch<int>(op->getName().getStringRef())
      .Case("arith.constant", Constant)
      .Case("arith.addf", AddF)
      .Case("arith.subf", SubF)
      .Case("arith.mulf", MulF)
      .Case("arith.divf", DivF)
      .Case("arith.remf", RemF)
      .Case("arith.negf", NegF)
      .Case("arith.maximumf", MaxF)
      .Case("arith.minimumf", MinF)
      .Case("arith.cmpf", CmpF)
      .Case("arith.cmpi", CmpI)
      .Case("arith.select", Select)
      .Case("arith.addi", AddI)
      .Case("arith.subi", SubI)
      .Case("arith.muli", MulI)
      .Case("arith.divsi", DivI)
      .Case("arith.remsi", RemI)
      .Case("arith.andi", And)
      .Case("arith.ori", Or)
      .Case("arith.xori", Xor)
      .Case("arith.shli", ShL)
      .Case("arith.shrui", ShRU)
      .Case("arith.shrsi", ShRS)
      .Case("arith.maxsi", MaxI)
      .Case("arith.minsi", MinI)
      .Case("math.exp", Exp)
      .Case("math.log", Log)
      .Case("math.tanh", Tanh)
      .Case("math.erf", Erf)
      .Case("math.sqrt", Sqrt)
      .Case("math.rsqrt", RSqrt)
      .Case("math.floor", Floor)
      .Case("math.ceil", Ceil)
      .Case("math.roundeven", RoundEven)
      .Case("math.trunc", Trunc)
      .Case("math.absf", AbsF)
      .Case("math.absi", AbsI)
      .Case("math.powf", Pow)
      .Case("math.sin", Sin)
      .Case("math.cos", Cos)
      .Case("math.fma", Fma)
      .Case("accel.convert", Convert)
      .Case("accel.sigmoid", Sigmoid)
      .Case("accel.recip", Recip)
      .Default(Unknown);
}

BodyProgram::BodyProgram(Region &body) {
  DenseMap<Value, unsigned> slot;
  Block &block = body.front();
  for (BlockArgument arg : block.getArguments())
    slot[arg] = slots.size(), slots.emplace_back();
  for (Operation &op : block.without_terminator()) {
    Step step{&op, kindOf(&op), unsigned(slots.size()), {}};
    if (step.kind == Unknown)
      unknown = &op;
    for (Value operand : op.getOperands())
      step.operands.push_back(slot.lookup(operand));
    slot[op.getResult(0)] = slots.size();
    slots.emplace_back();
    steps.push_back(step);
  }
  Value result = block.getTerminator()->getOperand(0);
  resultSlot = slot.lookup(result), yielded = result.getType();
}

/// Two's complement of the type's width; i1 is 0 or 1.
static int64_t wrap(int64_t value, Type type) {
  unsigned bits = type.getIntOrFloatBitWidth();
  if (bits >= 64)
    return value;
  if (bits == 1)
    return value & 1;
  uint64_t low = uint64_t(value) & ((uint64_t(1) << bits) - 1);
  if (type.isUnsignedInteger() || !(low >> (bits - 1)))
    return int64_t(low);
  return int64_t(low | ~((uint64_t(1) << bits) - 1));
}

static double limitOf(Type type, bool high) {
  unsigned bits = type.getIntOrFloatBitWidth();
  if (type.isUnsignedInteger() || bits == 1)
    return high ? std::ldexp(1.0, bits) - 1 : 0;
  return high ? std::ldexp(1.0, bits - 1) - 1 : -std::ldexp(1.0, bits - 1);
}

static int64_t saturate(double value, Type type) {
  if (std::isnan(value))
    return 0;
  double low = limitOf(type, false), high = limitOf(type, true);
  if (value <= low)
    return int64_t(low);
  if (value >= high) // 2^63 - 1 is not a double: name it as an integer.
    return type.getIntOrFloatBitWidth() >= 63 ? std::numeric_limits<int64_t>::max() : int64_t(high);
  return int64_t(value);
}

static double roundTo(double value, FloatType type) {
  if (type.isF64())
    return value;
  if (type.isF32())
    return float(value);
  APFloat narrow(value);
  bool lost;
  narrow.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
  narrow.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return narrow.convertToDouble();
}

static void convert(const Lanes &in, Type from, Type to, bool saturates, size_t n, Lanes &out) {
  auto source = [&](size_t i) {
    return isa<FloatType>(from) ? (from.isF64() ? in.d[i] : double(in.f[i])) : double(in.i[i]);
  };
  if (auto floats = dyn_cast<FloatType>(to)) {
    if (to.isF64()) {
      out.d.resize(n);
      for (size_t i = 0; i < n; ++i)
        out.d[i] = source(i);
    } else {
      out.f.resize(n);
      for (size_t i = 0; i < n; ++i) // integers round once
        out.f[i] = isa<IntegerType>(from) && to.isF32() ? float(in.i[i])
                                                        : float(roundTo(source(i), floats));
    }
    return;
  }
  out.i.resize(n);
  for (size_t i = 0; i < n; ++i) {
    if (to.isInteger(1))
      out.i[i] = source(i) != 0;
    else if (isa<FloatType>(from))
      out.i[i] =
          saturates
              ? saturate(std::nearbyint(source(i)), to)
              : wrap(saturate(std::trunc(source(i)), IntegerType::get(to.getContext(), 64)), to);
    else if (saturates)
      out.i[i] =
          int64_t(std::clamp<double>(double(in.i[i]), limitOf(to, false), limitOf(to, true)));
    else
      out.i[i] = wrap(in.i[i], to);
  }
}

template <typename T> static T maximum(T x, T y) {
  return std::isnan(x) ? x : std::isnan(y) ? y : x > y ? x : y;
}
template <typename T> static T minimum(T x, T y) {
  return std::isnan(x) ? x : std::isnan(y) ? y : x < y ? x : y;
}

/// Steps whose operands and result are all of the float type T.
template <typename T>
static void floatStep(int kind, size_t n, const T *x, const T *y, const T *z, T *out) {
#define LOOP(EXPR)                                                                                 \
  for (size_t i = 0; i < n; ++i)                                                                   \
    out[i] = EXPR;                                                                                 \
  return
  switch (kind) {
  case AddF:
    LOOP(x[i] + y[i]);
  case SubF:
    LOOP(x[i] - y[i]);
  case MulF:
    LOOP(x[i] * y[i]);
  case DivF:
    LOOP(x[i] / y[i]);
  case RemF:
    LOOP(std::fmod(x[i], y[i]));
  case NegF:
    LOOP(-x[i]);
  case MaxF:
    LOOP(maximum(x[i], y[i]));
  case MinF:
    LOOP(minimum(x[i], y[i]));
  case Exp:
    LOOP(std::exp(x[i]));
  case Log:
    LOOP(std::log(x[i]));
  case Tanh:
    LOOP(std::tanh(x[i]));
  case Erf:
    LOOP(std::erf(x[i]));
  case Sqrt:
    LOOP(std::sqrt(x[i]));
  case RSqrt:
    LOOP(T(1) / std::sqrt(x[i]));
  case Floor:
    LOOP(std::floor(x[i]));
  case Ceil:
    LOOP(std::ceil(x[i]));
  case RoundEven:
    LOOP(std::nearbyint(x[i]));
  case Trunc:
    LOOP(std::trunc(x[i]));
  case AbsF:
    LOOP(std::fabs(x[i]));
  case Pow:
    LOOP(std::pow(x[i], y[i]));
  case Sin:
    LOOP(std::sin(x[i]));
  case Cos:
    LOOP(std::cos(x[i]));
  case Fma:
    LOOP(std::fma(x[i], y[i], z[i]));
  case Sigmoid:
    LOOP(T(1) / (T(1) + std::exp(-x[i])));
  case Recip:
    LOOP(T(1) / x[i]);
  default:
    return;
  }
}

template <typename T>
static void compareFloats(arith::CmpFPredicate p, size_t n, const T *x, const T *y, int64_t *out) {
  using P = arith::CmpFPredicate;
  switch (p) {
  case P::OEQ:
    LOOP(x[i] == y[i]);
  case P::UNE:
    LOOP(x[i] != y[i]);
  case P::ONE:
    LOOP(x[i] < y[i] || x[i] > y[i]);
  case P::OLT:
    LOOP(x[i] < y[i]);
  case P::OLE:
    LOOP(x[i] <= y[i]);
  case P::OGT:
    LOOP(x[i] > y[i]);
  case P::OGE:
    LOOP(x[i] >= y[i]);
  case P::UNO:
    LOOP(std::isnan(x[i]) || std::isnan(y[i]));
  case P::ORD:
    LOOP(!std::isnan(x[i]) && !std::isnan(y[i]));
  default:
    LOOP(0);
  }
}

static void compareInts(arith::CmpIPredicate p, size_t n, const int64_t *x, const int64_t *y,
                        int64_t *out) {
  using P = arith::CmpIPredicate;
  switch (p) {
  case P::eq:
    LOOP(x[i] == y[i]);
  case P::ne:
    LOOP(x[i] != y[i]);
  case P::slt:
    LOOP(x[i] < y[i]);
  case P::sle:
    LOOP(x[i] <= y[i]);
  case P::sgt:
    LOOP(x[i] > y[i]);
  case P::sge:
    LOOP(x[i] >= y[i]);
  case P::ult:
    LOOP(uint64_t(x[i]) < uint64_t(y[i]));
  case P::ule:
    LOOP(uint64_t(x[i]) <= uint64_t(y[i]));
  case P::ugt:
    LOOP(uint64_t(x[i]) > uint64_t(y[i]));
  case P::uge:
    LOOP(uint64_t(x[i]) >= uint64_t(y[i]));
  }
}
#undef LOOP

static int64_t integerStep(int kind, int64_t x, int64_t y, Type type) {
  unsigned bits = type.getIntOrFloatBitWidth();
  uint64_t mask = bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  switch (kind) {
  case AddI:
    return int64_t(uint64_t(x) + uint64_t(y));
  case SubI:
    return int64_t(uint64_t(x) - uint64_t(y));
  case MulI:
    return int64_t(uint64_t(x) * uint64_t(y));
  case DivI:
    return y == 0 ? 0 : y == -1 ? int64_t(-uint64_t(x)) : x / y;
  case RemI:
    return y == 0 || y == -1 ? 0 : x % y;
  case And:
    return x & y;
  case Or:
    return x | y;
  case Xor:
    return x ^ y;
  case ShL:
    return uint64_t(y) >= bits ? 0 : int64_t(uint64_t(x) << y);
  case ShRU:
    return uint64_t(y) >= bits ? 0 : int64_t((uint64_t(x) & mask) >> y);
  case ShRS:
    return x >> std::min<uint64_t>(uint64_t(y), bits - 1);
  case MaxI:
    return std::max(x, y);
  case MinI:
    return std::min(x, y);
  case AbsI:
    return x < 0 ? int64_t(-uint64_t(x)) : x;
  }
  return 0;
}

const Lanes &BodyProgram::run(size_t n) {
  for (Step &step : steps) {
    Lanes &out = slots[step.result];
    auto operand = [&](unsigned index) -> Lanes & { return slots[step.operands[index]]; };
    auto floats = [&](unsigned index) {
      return index < step.operands.size() ? operand(index).f.data() : nullptr;
    };
    auto doubles = [&](unsigned index) {
      return index < step.operands.size() ? operand(index).d.data() : nullptr;
    };
    Type type = step.op->getResult(0).getType();
    Type in = step.operands.empty() ? type : step.op->getOperand(0).getType();
    switch (step.kind) {
    case Constant: {
      Attribute value = cast<arith::ConstantOp>(step.op).getValue();
      if (auto real = dyn_cast<FloatAttr>(value)) {
        if (type.isF64())
          out.d.assign(n, real.getValueAsDouble());
        else
          out.f.assign(n, float(real.getValueAsDouble()));
      } else {
        APInt bits = cast<IntegerAttr>(value).getValue();
        out.i.assign(n, type.isInteger(1) ? bits.getZExtValue() : bits.getSExtValue());
      }
      break;
    }
    case Convert:
      convert(operand(0), in, type, cast<ConvertOp>(step.op).getSaturate(), n, out);
      break;
    case Select: {
      const std::vector<int64_t> &which = operand(0).i;
      auto pick = [&](auto &result, const auto &yes, const auto &no) {
        result.resize(n);
        for (size_t i = 0; i < n; ++i)
          result[i] = which[i] ? yes[i] : no[i];
      };
      if (type.isF64())
        pick(out.d, operand(1).d, operand(2).d);
      else if (isa<FloatType>(type))
        pick(out.f, operand(1).f, operand(2).f);
      else
        pick(out.i, operand(1).i, operand(2).i);
      break;
    }
    case CmpF:
      out.i.resize(n);
      if (in.isF64())
        compareFloats(cast<arith::CmpFOp>(step.op).getPredicate(), n, doubles(0), doubles(1),
                      out.i.data());
      else
        compareFloats(cast<arith::CmpFOp>(step.op).getPredicate(), n, floats(0), floats(1),
                      out.i.data());
      break;
    case CmpI:
      out.i.resize(n);
      compareInts(cast<arith::CmpIOp>(step.op).getPredicate(), n, operand(0).i.data(),
                  operand(1).i.data(), out.i.data());
      break;
    default:
      if (type.isF64()) {
        out.d.resize(n);
        floatStep<double>(step.kind, n, doubles(0), doubles(1), doubles(2), out.d.data());
      } else if (isa<FloatType>(type)) {
        out.f.resize(n);
        floatStep<float>(step.kind, n, floats(0), floats(1), floats(2), out.f.data());
      } else {
        out.i.resize(n);
        const int64_t *x = operand(0).i.data();
        const int64_t *y = step.operands.size() > 1 ? operand(1).i.data() : x;
        for (size_t i = 0; i < n; ++i)
          out.i[i] = wrap(integerStep(step.kind, x[i], y[i], type), type);
      }
    }
  }
  return slots[resultSlot];
}
