//===- ScalarBuilder.h - scalar code of bodies -------------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the scalar operations of a compute operation's body. Values are of a
// compute type: f32 (also for f16, bf16, fp8), f64, i32 (also for narrower
// integers), i64 (also for ui32, ui64) or i1. Elements of tensors have storage
// types and are converted on the way in and out.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_GRAPH_SCALARBUILDER_H
#define ACC_GRAPH_SCALARBUILDER_H

#include "accel/Accel.h"

namespace accel {

/// The type in which elements of a storage type are computed.
mlir::Type computeType(mlir::Type storage);

class ScalarBuilder {
public:
  using Value = mlir::Value;
  ScalarBuilder(mlir::OpBuilder &builder, mlir::Location loc) : b(builder), loc(loc) {}

  Value load(Value element); // storage -> compute
  Value store(Value value, mlir::Type storage, bool saturate = false);
  /// ONNX Cast: float to integer truncates, anything to bool is != 0.
  Value cast(Value value, mlir::Type compute);

  Value constant(mlir::Type type, double value);
  Value integer(mlir::Type type, int64_t value);
  Value like(Value value, double number) { return constant(value.getType(), number); }

  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value div(Value x, Value y); // integers: toward zero
  Value max(Value x, Value y); // NaN propagates
  Value min(Value x, Value y);
  Value neg(Value x);
  Value abs(Value x);
  Value exp(Value x);
  Value log(Value x);
  Value sqrt(Value x);
  Value tanh(Value x);
  Value erf(Value x);
  Value sigmoid(Value x);
  Value recip(Value x);
  Value floor(Value x);
  Value ceil(Value x);
  Value round(Value x); // to nearest even
  Value sin(Value x);
  Value cos(Value x);
  Value pow(Value x, Value y);
  Value power(Value x, double exponent); // by multiplications where that is exact enough
  Value clamp(Value x, double low, double high);

  enum class Compare { Eq, Ne, Lt, Le, Gt, Ge };
  Value compare(Compare kind, Value x, Value y); // i1
  Value select(Value condition, Value x, Value y);
  Value logicalAnd(Value x, Value y);
  Value logicalOr(Value x, Value y);
  Value logicalXor(Value x, Value y);
  Value logicalNot(Value x); // of an i1

  static bool isFloat(Value x) { return mlir::isa<mlir::FloatType>(x.getType()); }
  mlir::OpBuilder &builder() { return b; }
  mlir::Location location() const { return loc; }

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
};

} // namespace accel

#endif // ACC_GRAPH_SCALARBUILDER_H
