//===- Interpret.h - the reference evaluator of the tensor form --*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates accel operations on tensors one after the other, in the canonical
// order of reductions that the dialect defines. It is what constant folding
// calls and the oracle that tests compare later stages with.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_GRAPH_INTERPRET_H
#define ACC_GRAPH_INTERPRET_H

#include "acc/Graph/HostTensor.h"
#include "accel/Accel.h"

#include "llvm/ADT/DenseMap.h"

namespace accel {

class Evaluator {
public:
  void set(mlir::Value value, HostTensor tensor) { values[value] = std::move(tensor); }
  const HostTensor *get(mlir::Value value) const {
    auto found = values.find(value);
    return found == values.end() ? nullptr : &found->second;
  }
  void forget(mlir::Value value) { values.erase(value); }
  /// Evaluates one tensor operation whose operands are set.
  mlir::LogicalResult run(mlir::Operation *op);

private:
  llvm::DenseMap<mlir::Value, HostTensor> values;
};

/// Results of a function in tensor form. Values are dropped after their last use.
mlir::FailureOr<std::vector<HostTensor>> evaluate(mlir::func::FuncOp function,
                                                  llvm::ArrayRef<HostTensor> inputs);

/// The elements of `value` if maps and views of constants make it, of which none
/// has more than `most` elements.
std::optional<HostTensor> constantsBehind(mlir::Value value, int64_t most);

/// A constant's bytes as `pack` lays them out, in the type `result`.
mlir::FailureOr<HostTensor> packConstant(const HostTensor &source, PackAttr pack,
                                         mlir::RankedTensorType result);

/// Elements base + sum of i_d * strides[d] of `source`, in row-major order of `shape`.
HostTensor stridedCopy(const HostTensor &source, int64_t base, llvm::ArrayRef<int64_t> strides,
                       llvm::ArrayRef<int64_t> shape);

/// A run of scalars of one type: f for float types up to f32, d for f64, i for
/// integers (sign- or zero-extended).
struct Lanes {
  std::vector<float> f;
  std::vector<double> d;
  std::vector<int64_t> i;
};
/// Elements of a tensor at `offsets` as lanes.
void loadLanes(const HostTensor &tensor, llvm::ArrayRef<int64_t> offsets, Lanes &lanes);

/// A body compiled to a list of steps over lanes.
class BodyProgram {
public:
  explicit BodyProgram(mlir::Region &body);
  /// False if it has an operation that the evaluator does not know.
  bool valid() const { return unknown == nullptr; }
  mlir::Operation *unknownOp() const { return unknown; }
  /// Arguments are in `lanes(i)`; returns the yielded value of `n` points.
  const Lanes &run(size_t n);
  Lanes &argument(unsigned index) { return slots[index]; }
  mlir::Type resultType() const { return yielded; }

private:
  struct Step {
    mlir::Operation *op;
    int kind;
    unsigned result;
    llvm::SmallVector<unsigned, 3> operands;
  };
  std::vector<Step> steps;
  std::vector<Lanes> slots;
  unsigned resultSlot = 0;
  mlir::Type yielded;
  mlir::Operation *unknown = nullptr;
};

/// acc += A x B with k ascending, one fused multiply-add a step (integers: exact,
/// wrapping). a: k elements; b: [k, n].
void multiplyRow(float *acc, int64_t n, const float *a, const float *b, int64_t k);
void multiplyRow(double *acc, int64_t n, const double *a, const double *b, int64_t k);
void multiplyRow(int32_t *acc, int64_t n, const int32_t *a, const int32_t *b, int64_t k);
void multiplyRow(int64_t *acc, int64_t n, const int64_t *a, const int64_t *b, int64_t k);

} // namespace accel

#endif // ACC_GRAPH_INTERPRET_H
