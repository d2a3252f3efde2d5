//===- Storage.h - which stored tensor holds a value ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every tensor value of @main lives in a stored tensor (a root) under a layout.
// Views and concatenations move nothing: a producer writes where its consumer
// needs it (a slice of the concatenation's root, a transposed model output).
// Where no layout can say that, a copy is inserted, with its reason.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_STORAGE_H
#define ACC_PLAN_STORAGE_H

#include "acc/Plan/Layout.h"

#include "llvm/ADT/MapVector.h"

namespace accel {

enum class RootKind { Input, Weights, Output, Workspace };

struct Root {
  RootKind kind;
  mlir::Value value;           ///< the argument, constant, or first value placed in it
  mlir::RankedTensorType type; ///< shape of the whole stored tensor
  unsigned index = 0;          ///< argument or result number
};

struct Placement {
  unsigned root;
  Layout layout;
};

class Storage {
public:
  /// Finds a place for every value of `main`. Inserts `accel.copy` operations
  /// where a value has no layout.
  static Storage analyse(mlir::func::FuncOp main);

  const Root &root(unsigned index) const { return roots[index]; }
  size_t numRoots() const { return roots.size(); }
  const Placement &of(mlir::Value value) const { return placements.find(value)->second; }
  bool has(mlir::Value value) const { return placements.contains(value); }
  /// `now` has taken the place of `before` in the program.
  void rename(mlir::Value before, mlir::Value now);
  bool insertedCopies() const { return copies; }

private:
  bool place(mlir::Value value, unsigned root, const Layout &layout, bool apply);
  void placeOrCopy(mlir::OpOperand &use, unsigned root, const Layout &layout);
  unsigned addRoot(RootKind kind, mlir::Value value, unsigned index = 0);
  mlir::Value insertCopy(mlir::OpOperand &use);

  llvm::SmallVector<Root> roots;
  llvm::DenseMap<mlir::Value, Placement> placements;
  bool copies = false;
};

} // namespace accel

#endif // ACC_PLAN_STORAGE_H
