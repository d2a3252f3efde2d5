//===- Quantisation.h - reading QuantizeLinear and its inverse ---*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What recover-qdq looks at: scales and zero points that are constants, and what
// stands between a float operator and the QuantizeLinear behind it.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_GRAPH_QUANTISATION_H
#define ACC_GRAPH_QUANTISATION_H

#include "acc/Graph/Lowering.h"

namespace accel {

/// Scale and zero point of a QuantizeLinear or DequantizeLinear with constants:
/// real = (integer - zero) * scale.
struct Quantisation {
  std::vector<float> scale; // one, or one for each index along `axis`
  int64_t zero = 0;
  int64_t axis = 1;
  mlir::Value integer; // the quantised side
  bool perTensor() const { return scale.size() == 1; }
  bool operator==(const Quantisation &other) const;
  bool isEightBits() const { return elementOf(integer).getIntOrFloatBitWidth() == 8; }
};

/// What an activation and perhaps a QuantizeLinear do with a result.
struct Tail {
  mlir::Operation *last; // its result is what the integer operator gives
  std::optional<Quantisation> out;
  std::optional<float> low, high;
};

/// The ONNX operation of that kind which computes the value; null if it is another.
mlir::Operation *defining(mlir::Value value, llvm::StringRef kind);
/// Of a constant with at most kFoldLimit elements.
std::optional<HostTensor> smallConstant(mlir::Value value);

/// Of the DequantizeLinear that computes the value.
std::optional<Quantisation> dequantised(mlir::Value value);
/// Of a QuantizeLinear.
std::optional<Quantisation> quantised(mlir::Operation *op);
/// Behind the first result of `op`, which nobody else reads then.
Tail tailOf(mlir::Operation *op);

// Rewrites of recover-qdq that compute nothing; false if they do not apply.
/// Operators that only move or compare elements do so with the integers.
bool moveBehind(mlir::Operation *op);
/// Joins what is quantised, so that no float tensor has to be stored.
bool joinQuantised(mlir::Operation *concat);
/// Q(DQ(x)) with the same scale and zero point is x.
bool dropRequantisation(mlir::Operation *quantize);
/// Q(op(DQ(x), DQ(w) [, DQ(bias)])) in the place of QLinearConv or QLinearMatMul.
bool expandQLinear(mlir::Operation *op);
/// A DequantizeLinear of a few constants that no operator took is a float constant:
/// those of one value end up in bodies, others are vectors beside large tensors.
bool foldDequantised(mlir::Operation *dequantize);

} // namespace accel

#endif // ACC_GRAPH_QUANTISATION_H
