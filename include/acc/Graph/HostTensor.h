//===- HostTensor.h - a tensor of known values at compile time ---*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What constant folding and the reference evaluator compute with. Elements lie
// in row-major order, little endian, one byte at least each (bool and 4-bit
// types take one byte). The bytes may belong to a mapped file.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_GRAPH_HOSTTENSOR_H
#define ACC_GRAPH_HOSTTENSOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <memory>
#include <optional>
#include <vector>

namespace accel {

class HostTensor {
public:
  HostTensor() = default;
  /// Zeros.
  HostTensor(mlir::Type element, llvm::ArrayRef<int64_t> shape);
  /// Bytes that `owner` keeps alive (null: somebody else does, for longer).
  HostTensor(mlir::Type element, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<char> bytes,
             std::shared_ptr<void> owner = nullptr);

  static HostTensor ofInts(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                           llvm::ArrayRef<int64_t> values);
  static HostTensor ofFloats(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<double> values);

  mlir::Type element() const { return type; }
  llvm::ArrayRef<int64_t> shape() const { return dims; }
  int64_t rank() const { return dims.size(); }
  int64_t size() const { return count; }
  llvm::ArrayRef<char> bytes() const { return view; }
  char *data() { return owned ? owned->data() : nullptr; }
  mlir::RankedTensorType tensorType() const { return mlir::RankedTensorType::get(dims, type); }

  bool isFloat() const { return mlir::isa<mlir::FloatType>(type); }
  bool isUnsigned() const { return type.isUnsignedInteger() || type.isInteger(1); }
  double getFloat(int64_t index) const;
  int64_t getInt(int64_t index) const;
  void setFloat(int64_t index, double value);
  void setInt(int64_t index, int64_t value);
  /// Copies element `from` of another tensor of the same type.
  void copyFrom(const HostTensor &other, int64_t from, int64_t to);

  llvm::SmallVector<int64_t> ints() const;
  HostTensor reshaped(llvm::ArrayRef<int64_t> shape) const;
  bool isSplat() const;

  mlir::DenseElementsAttr toAttr() const;
  /// Of a dense attribute; splats are expanded.
  static HostTensor fromAttr(mlir::DenseElementsAttr attr);

private:
  mlir::Type type;
  llvm::SmallVector<int64_t> dims;
  int64_t count = 0, width = 1; // elements, bytes of one
  std::shared_ptr<std::vector<char>> owned;
  std::shared_ptr<void> keeper;
  llvm::ArrayRef<char> view;
};

/// Bytes of one element in memory (bool: 1, 4-bit types: 1).
int64_t elementBytes(mlir::Type type);
int64_t elementCount(llvm::ArrayRef<int64_t> shape);
/// Row-major strides in elements.
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// Values of a constant attribute: dense, or a reference into a mapped file.
/// None if the attribute is of another kind or its file cannot be read.
std::optional<HostTensor> readConstant(mlir::Attribute value, mlir::RankedTensorType type);
/// Number of elements below which a constant is small enough to fold.
inline constexpr int64_t kFoldLimit = 1 << 16;

} // namespace accel

#endif // ACC_GRAPH_HOSTTENSOR_H
