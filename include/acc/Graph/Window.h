//===- Window.h - windows of convolutions and pools --------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_GRAPH_WINDOW_H
#define ACC_GRAPH_WINDOW_H

#include "acc/Graph/Lowering.h"

namespace accel {

/// A 2-D window; 1-D ones have height 1. pads = [top, left, bottom, right].
struct Window {
  llvm::SmallVector<int64_t> kernel, strides, dilations, pads;
};

/// Attributes of Conv and the pools for an input [N, C, spatial...] of rank 3
/// or 4; `kernel` has one entry for each spatial dimension.
mlir::FailureOr<Window> readWindow(Lowering &lowering, llvm::ArrayRef<int64_t> input,
                                   llvm::ArrayRef<int64_t> kernel);
/// [N, C, L] or [N, C, H, W] to [N, H, W, C].
mlir::Value toChannelsLast(Lowering &lowering, mlir::Value value);
/// Back, to the rank of the ONNX value.
mlir::Value fromChannelsLast(Lowering &lowering, mlir::Value value, size_t rank);

/// What an integer convolution or matmul takes from quantised operands.
struct ZeroPoints {
  int64_t input = 0, weight = 0;
};
/// Builds accel.conv from an ONNX (quantised) convolution: `input` is [N, C, ...],
/// `weight` OIHW. The body gets the accumulator and an element of each
/// per-channel extra [OC]. Returns [N, OC, ...] with the node's rank.
mlir::FailureOr<mlir::Value> buildConv(Lowering &lowering, mlir::Value input, mlir::Value weight,
                                       mlir::ValueRange perChannel, mlir::RankedTensorType result,
                                       BodyFn body, ZeroPoints zero = {}, bool saturate = false);

/// The same of a transposed convolution, whose constant weight is IOHW.
mlir::FailureOr<mlir::Value> buildConvTranspose(Lowering &lowering, mlir::Value input,
                                                mlir::Value weight, mlir::ValueRange perChannel,
                                                mlir::RankedTensorType result, BodyFn body,
                                                ZeroPoints zero = {}, bool saturate = false);

/// Builds accel.pool of an AveragePool whose input is `input` [N, C, ...] of 8-bit
/// integers: (integer - zero) * scale is what is averaged, in f32. Sums are exact.
mlir::FailureOr<mlir::Value> buildAveragePool(Lowering &lowering, mlir::Value input, float scale,
                                              int64_t zero);

/// Builds accel.conv of a linear Resize or Upsample by whole factors whose input is
/// `input` [N, C, H, W] of 8-bit integers, as above; the result is f32. None if the
/// node's attributes or sizes are others.
std::optional<mlir::Value> buildLinearResize(Lowering &lowering, mlir::Value input, float scale,
                                             int64_t zero);

} // namespace accel

#endif // ACC_GRAPH_WINDOW_H
