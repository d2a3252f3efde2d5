//===- Lowering.h - one ONNX node to the tensor form -------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of lowerings and what they build with. Constant folding uses the
// same lowerings and runs the reference evaluator on the result, so that an
// operator's meaning is written down once.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_GRAPH_LOWERING_H
#define ACC_GRAPH_LOWERING_H

#include "acc/Graph/HostTensor.h"
#include "acc/Graph/OnnxNode.h"
#include "acc/Graph/ScalarBuilder.h"

#include "mlir/IR/BuiltinOps.h"
#include <functional>

namespace accel {

/// Why a node cannot be compiled, and what its author can do about it.
struct Obstacle {
  mlir::Location loc;
  std::string node, kind, reason, advice;
};

using BodyFn = llvm::function_ref<mlir::Value(ScalarBuilder &, llvm::ArrayRef<mlir::Value>)>;

class Lowering {
public:
  using Value = mlir::Value;
  using Shape = llvm::SmallVector<int64_t>;

  Lowering(mlir::OpBuilder builder, const OnnxNode &node)
      : b(builder), node(node), loc(node.loc()) {}

  mlir::OpBuilder b;
  const OnnxNode &node;
  mlir::Location loc;
  llvm::SmallVector<Value, 2> results;
  std::string reason, advice; // set by refuse()

  // -- The node --
  Value in(unsigned position) const { return node.input(position); }
  mlir::RankedTensorType outType(unsigned position = 0) const;
  Shape outShape(unsigned position = 0) const;
  mlir::LogicalResult refuse(const llvm::Twine &why, const llvm::Twine &what = "");
  mlir::LogicalResult done(Value result) {
    results.push_back(result);
    return mlir::success();
  }
  /// Values of an operand that is constant (attribute `attr` of old opsets, or
  /// input `position` of newer ones).
  std::optional<HostTensor> constantInput(unsigned position) const;
  std::optional<Shape> intsOf(llvm::StringRef attr, unsigned position) const;
  /// Operand `position` is given but not constant.
  bool isComputed(unsigned position) const { return in(position) && !constantInput(position); }
  int64_t axis(llvm::StringRef attr, int64_t missing, int64_t rank) const; // normalised

  // -- Constants and views --
  Value constant(const HostTensor &tensor);
  Value constant(mlir::Attribute value, PackAttr pack, mlir::RankedTensorType type);
  Value transpose(Value value, llvm::ArrayRef<int64_t> perm);
  Value reshape(Value value, llvm::ArrayRef<int64_t> shape);
  Value slice(Value value, llvm::ArrayRef<int64_t> offsets, llvm::ArrayRef<int64_t> steps,
              llvm::ArrayRef<int64_t> shape);
  Value broadcast(Value value, llvm::ArrayRef<int64_t> shape); // ranks may differ
  Value concat(mlir::ValueRange values, int64_t axis);
  Value pad(Value value, llvm::ArrayRef<int64_t> low, llvm::ArrayRef<int64_t> high, double fill);

  // -- Computation. Bodies work on compute types --
  /// Elementwise with numpy broadcasting.
  Value elementwise(mlir::Type element, mlir::ValueRange operands, BodyFn body,
                    bool saturate = false);
  Value elementwise(mlir::RankedTensorType type, mlir::ValueRange operands, BodyFn body,
                    bool saturate = false);
  Value convertTo(Value value, mlir::Type element); // ONNX Cast
  Value matmul(Value lhs, Value rhs, bool transposeRhs, mlir::Type element, BodyFn body = nullptr);
  Value reduce(ReduceKind kind, Value value, llvm::ArrayRef<int64_t> dims, mlir::Type element,
               BodyFn body = nullptr, bool square = false, bool absolute = false);
  Value softmax(Value value, bool log, mlir::Type element);
  Value normalize(Value value, llvm::ArrayRef<int64_t> dims, double eps, bool rms,
                  mlir::Type element);
  Value gather(Value table, Value indices);
  /// Along any axis; indices may be constant.
  Value gatherAxis(Value data, Value indices, int64_t axis);

  /// Fills `region` with the body of an operation whose kernel gives a value of
  /// type `kernel` (null: none) and whose extras are read element by element.
  void fillBody(mlir::Region &region, mlir::Type kernel, mlir::ValueRange extras,
                mlir::Type element, BodyFn body, bool saturate = false);
};

/// Type in which kernels accumulate elements of `storage`.
mlir::Type accumulatorType(mlir::Type storage);
llvm::ArrayRef<int64_t> shapeOf(mlir::Value value);
mlir::Type elementOf(mlir::Value value);
/// From a result of `shape` to an operand that broadcasts to it.
mlir::AffineMap broadcastMap(llvm::ArrayRef<int64_t> operand, llvm::ArrayRef<int64_t> shape,
                             mlir::MLIRContext *context);
std::optional<HostTensor> constantOf(mlir::Value value);
/// Constant attribute of a value, unpacked; null if there is none.
mlir::Attribute constantAttrOf(mlir::Value value);

using LowerFn = mlir::LogicalResult (*)(Lowering &);
struct LoweringEntry {
  LowerFn lower;
  llvm::StringRef how; // for `acc list-ops`
};
/// By ONNX operator name; null if there is none.
const LoweringEntry *findLowering(llvm::StringRef kind);

struct SupportedOp {
  std::string kind, how;
};
/// Sorted by name.
std::vector<SupportedOp> supportedOps();
/// Everything that stands in the way of compiling the module, which stays as it is.
std::vector<Obstacle> checkGraph(mlir::ModuleOp module);

/// Lowers one node in front of itself. On failure nothing is left behind.
mlir::LogicalResult lowerNode(mlir::Operation *op, llvm::SmallVectorImpl<mlir::Value> &results,
                              Obstacle *obstacle);

// Tables of the lowering files, joined in Registry.cpp.
using LoweringTable = llvm::ArrayRef<std::pair<llvm::StringRef, LoweringEntry>>;
LoweringTable elementwiseLowerings();
LoweringTable attentionLowerings();
LoweringTable convLowerings();
LoweringTable poolLowerings();
LoweringTable matmulLowerings();
LoweringTable reduceLowerings();
LoweringTable normLowerings();
LoweringTable shapeLowerings();
LoweringTable indexLowerings();
LoweringTable resizeLowerings();
LoweringTable quantLowerings();
LoweringTable integerLowerings();

} // namespace accel

#endif // ACC_GRAPH_LOWERING_H
