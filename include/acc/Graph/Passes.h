//===- Passes.h - the graph stage: onnx to tensor form -----------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_GRAPH_PASSES_H
#define ACC_GRAPH_PASSES_H

#include "accel/Accel.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include <memory>
#include <string>

namespace accel {

#define GEN_PASS_DECL
#include "acc/Graph/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "acc/Graph/Passes.h.inc"

struct GraphOptions {
  std::string precision = "f32"; // f32, f16, bf16
};
/// The whole stage.
void buildGraphPipeline(mlir::OpPassManager &manager, const GraphOptions &options = {});
/// Registers it as the pipeline `acc-graph`.
void registerGraphPipeline();

/// Extras that a body may read beside its kernel's value.
inline constexpr unsigned kMaxExtras = 3;
/// Steps of the vector unit that a fused body may grow to: a program has 48, of which a
/// few are left to what a kernel adds (the factor of a row, the store's conversion).
inline constexpr unsigned kMaxBodySteps = 44;

} // namespace accel

#endif // ACC_GRAPH_PASSES_H
