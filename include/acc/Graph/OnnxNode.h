//===- OnnxNode.h - reading an operation of the onnx dialect -----*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generic access by ONNX input position and attribute name. The graph stage
// uses it instead of the 200 generated classes: their header costs 5 s in every
// file, and operators of all opsets look alike through it.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_GRAPH_ONNXNODE_H
#define ACC_GRAPH_ONNXNODE_H

#include "acc/Graph/HostTensor.h"

#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace accel {

class OnnxNode {
public:
  explicit OnnxNode(mlir::Operation *op);

  static bool isOnnx(mlir::Operation *op) { return op->getName().getDialectNamespace() == "onnx"; }

  mlir::Operation *op() const { return operation; }
  llvm::StringRef kind() const { return operation->getName().stripDialect(); } // "Conv"
  std::string name() const; // the ONNX node's name
  mlir::Location loc() const { return operation->getLoc(); }

  /// Operand at an ONNX input position; null if it is absent or empty.
  mlir::Value input(unsigned position) const {
    return position < inputs.size() ? inputs[position] : mlir::Value();
  }
  unsigned numInputs() const { return inputs.size(); }
  mlir::Value output(unsigned position = 0) const {
    return position < outputs.size() ? outputs[position] : mlir::Value();
  }
  unsigned numOutputs() const { return outputs.size(); }

  bool has(llvm::StringRef attr) const;
  int64_t getInt(llvm::StringRef attr, int64_t missing) const;
  double getFloat(llvm::StringRef attr, double missing) const;
  std::string getString(llvm::StringRef attr, llvm::StringRef missing) const;
  std::optional<llvm::SmallVector<int64_t>> getInts(llvm::StringRef attr) const;
  std::optional<llvm::SmallVector<double>> getFloats(llvm::StringRef attr) const;
  mlir::Attribute getAttr(llvm::StringRef attr) const;

private:
  mlir::Operation *operation;
  llvm::SmallVector<mlir::Value, 4> inputs;
  llvm::SmallVector<mlir::Value, 2> outputs;
};

/// Name of the ONNX node that a location carries (the first of several).
std::string nodeName(mlir::Location loc);

} // namespace accel

#endif // ACC_GRAPH_ONNXNODE_H
