//===- ScalarBuilder.cpp - scalar code of bodies --------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/ScalarBuilder.h"

using namespace mlir;
using namespace accel;

Type accel::computeType(Type storage) {
  MLIRContext *context = storage.getContext();
  if (isa<FloatType>(storage))
    return storage.isF64() ? storage : Type(Float32Type::get(context));
  if (storage.isInteger(1))
    return storage;
  unsigned bits = storage.getIntOrFloatBitWidth();
  bool wide = bits > 32 || (bits == 32 && storage.isUnsignedInteger());
  return IntegerType::get(context, wide ? 64 : 32);
}

Value ScalarBuilder::load(Value element) {
  Type to = computeType(element.getType());
  if (to == element.getType())
    return element;
  return ConvertOp::create(b, loc, to, element, /*saturate=*/false);
}

Value ScalarBuilder::store(Value value, Type storage, bool saturate) {
  if (value.getType() == storage)
    return value;
  return ConvertOp::create(b, loc, storage, value, saturate);
}

Value ScalarBuilder::cast(Value value, Type compute) {
  if (value.getType() == compute)
    return value;
  if (compute.isInteger(1))
    return compare(Compare::Ne, value, like(value, 0));
  return ConvertOp::create(b, loc, compute, value, /*saturate=*/false);
}

Value ScalarBuilder::constant(Type type, double value) {
  if (auto floats = dyn_cast<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(floats, value));
  return integer(type, int64_t(value));
}

Value ScalarBuilder::integer(Type type, int64_t value) {
  if (isa<FloatType>(type))
    return constant(type, double(value));
  if (type.isInteger(1))
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(value != 0));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}

#define BINARY(NAME, FLOAT, INT)                                                                   \
  Value ScalarBuilder::NAME(Value x, Value y) {                                                    \
    return isFloat(x) ? Value(arith::FLOAT::create(b, loc, x, y))                                  \
                      : Value(arith::INT::create(b, loc, x, y));                                   \
  }
BINARY(add, AddFOp, AddIOp)
BINARY(sub, SubFOp, SubIOp)
BINARY(mul, MulFOp, MulIOp)
BINARY(div, DivFOp, DivSIOp)
BINARY(max, MaximumFOp, MaxSIOp)
BINARY(min, MinimumFOp, MinSIOp)
#undef BINARY

#define UNARY(NAME, OP)                                                                            \
  Value ScalarBuilder::NAME(Value x) { return OP::create(b, loc, x); }
UNARY(exp, math::ExpOp)
UNARY(log, math::LogOp)
UNARY(sqrt, math::SqrtOp)
UNARY(tanh, math::TanhOp)
UNARY(erf, math::ErfOp)
UNARY(sin, math::SinOp)
UNARY(cos, math::CosOp)
UNARY(floor, math::FloorOp)
UNARY(ceil, math::CeilOp)
UNARY(round, math::RoundEvenOp)
UNARY(sigmoid, accel::SigmoidOp)
UNARY(recip, accel::RecipOp)
#undef UNARY

Value ScalarBuilder::neg(Value x) {
  return isFloat(x) ? Value(arith::NegFOp::create(b, loc, x)) : sub(like(x, 0), x);
}

Value ScalarBuilder::abs(Value x) {
  return isFloat(x) ? Value(math::AbsFOp::create(b, loc, x)) : max(x, neg(x));
}

Value ScalarBuilder::pow(Value x, Value y) { return math::PowFOp::create(b, loc, x, y); }

Value ScalarBuilder::power(Value x, double exponent) {
  if (exponent == 1)
    return x;
  if (exponent == 2)
    return mul(x, x);
  if (exponent == 3)
    return mul(mul(x, x), x);
  if (exponent == 0.5)
    return sqrt(x);
  if (exponent == -1)
    return div(like(x, 1), x);
  if (exponent == -0.5)
    return div(like(x, 1), sqrt(x));
  return pow(x, like(x, exponent));
}

Value ScalarBuilder::clamp(Value x, double low, double high) {
  return min(max(x, like(x, low)), like(x, high));
}

Value ScalarBuilder::compare(Compare kind, Value x, Value y) {
  if (isFloat(x)) {
    static const arith::CmpFPredicate predicates[] = {
        arith::CmpFPredicate::OEQ, arith::CmpFPredicate::UNE, arith::CmpFPredicate::OLT,
        arith::CmpFPredicate::OLE, arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE};
    return arith::CmpFOp::create(b, loc, predicates[int(kind)], x, y);
  }
  static const arith::CmpIPredicate predicates[] = {
      arith::CmpIPredicate::eq,  arith::CmpIPredicate::ne,  arith::CmpIPredicate::slt,
      arith::CmpIPredicate::sle, arith::CmpIPredicate::sgt, arith::CmpIPredicate::sge};
  return arith::CmpIOp::create(b, loc, predicates[int(kind)], x, y);
}

Value ScalarBuilder::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, loc, condition, x, y);
}
Value ScalarBuilder::logicalAnd(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
Value ScalarBuilder::logicalOr(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
Value ScalarBuilder::logicalXor(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }
Value ScalarBuilder::logicalNot(Value x) {
  return arith::XOrIOp::create(b, loc, x, integer(x.getType(), -1));
}
