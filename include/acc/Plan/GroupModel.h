//===- GroupModel.h - what a schedule means for a group -------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the operations of a group and a schedule: the box that each operation
// computes in each iteration, the buffers with their sizes, the loads and
// stores with their bytes. The planner builds models to compare schedules and to
// write the prediction; the tile stage builds the same model of the chosen
// schedule and emits it. A schedule that the target or a dependence forbids has
// no model but a message that names the constraint.
//
// Example: a 3x3 convolution `c` feeding a residual add, rows in stripes of T.
// Iteration i of the group's loop needs rows [iT, iT+T) of the sum, the same of
// c, and rows [iT-1, iT+T+1) of the input x, clamped to the picture. If x is
// `rolling`, iteration i loads only rows [iT+1, iT+T+1) (the first one more) and
// keeps T+2 in a circular buffer.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_GROUP_MODEL_H
#define ACC_PLAN_GROUP_MODEL_H

#include "acc/Plan/Access.h"
#include "acc/Plan/Layout.h"

#include <string>

namespace accel {

/// The numbers of a target that schedules depend on. Sizes in bytes.
struct Limits {
  int64_t sramBytes;
  int64_t accBytes;
};

/// What the group knows about a tensor that comes from or goes to the outside.
struct External {
  mlir::Value value;   ///< value inside of the group
  Layout layout;       ///< of its stored tensor; the offset is the routine's argument
  bool inSram = false; ///< the stored tensor is resident
  bool constant = false;
  /// If not inSram: the first rows that are in SRAM nevertheless, in a memory of
  /// their own. The layout is dense then.
  int64_t rows = 0;
};

/// The dimension of a tensor whose indices are rows: the outermost of more than one
/// element; -1 if there is none.
int rowDimension(mlir::Value value);

/// What of a box of an external is in DRAM, or in SRAM (`inSram`). The limits of
/// the result are in order, it can be empty.
Box partOf(ExprPool &pool, const External &external, const Box &box, bool inSram);

/// The operations of a group with their surroundings.
struct GroupOps {
  llvm::SmallVector<mlir::Operation *> members;
  llvm::SmallVector<External> inputs;
  llvm::SmallVector<External> outputs; ///< results that leave, `value` is a member's result
};

struct LoopModel {
  int64_t dim;
  int64_t tile;
  int64_t trips;
  unsigned counter; ///< number in the expression pool
};

/// Storage on the chip for a box of a tensor.
struct BufferModel {
  llvm::SmallVector<int64_t> extents; ///< elements; the box never exceeds them
  llvm::SmallVector<ExprId> origin;   ///< index of the tensor at the buffer's start
  int circular = -1;                  ///< dimension taken modulo its extent
  unsigned level = 0;                 ///< loops around it
  int64_t depth = 1;
  int64_t elementBytes = 4;
  int64_t elements() const;
  int64_t bytes() const { return (elements() * elementBytes + 63) / 64 * 64; }
};

struct MemberModel {
  mlir::Operation *op;
  llvm::SmallVector<LoopModel> loops;
  unsigned firstReduction;      ///< of `loops`; loops.size() if none
  Box need;                     ///< result box that must exist in an iteration of the group
  Box compute;                  ///< result box that is computed then
  llvm::SmallVector<Box> boxes; ///< iteration box inside of the first k own loops
  bool intermediate = false;    ///< read by another member
  unsigned lastReader = 0;      ///< the last member that reads it, or itself
  int output = -1;              ///< index of the group's result
  bool rolling = false;
  bool splitRow = false; ///< a softmax whose innermost own loop takes pieces of the row
  int inplace = -1;
  bool direct = false; ///< written straight to a resident stored tensor
  BufferModel buffer;  ///< of the result (unless direct)
  int64_t accElements = 0;
  int64_t accDepth = 1;     ///< accumulator tiles that alternate
  int64_t scratchBytes = 0; ///< temporary SRAM (kernel values before the body)
};

struct LoadModel {
  unsigned input;
  bool direct = false; ///< read in place: a resident strided tensor, or a table
  bool gatherTable = false;
  int member = -1;                          ///< only reader, if the load is inside of its loops
  unsigned firstReader = 0, lastReader = 0; ///< members
  unsigned moved = 0; ///< group loops down to the deepest that moves what is read
  BufferModel buffer;
  Box box; ///< what is loaded (rolling: only what is new)
  bool rolling = false;
  int64_t bytes = 0;     ///< over a whole run of the group
  int64_t transfers = 0; ///< number of DMA instructions executed
  int64_t repeats = 1;   ///< how often the same is loaded again: loops that do not move it
};

class GroupModel {
public:
  GroupModel() = default;
  GroupModel(GroupModel &&) = default;
  GroupModel &operator=(GroupModel &&) = default;

  /// Builds the model of `schedule`. On failure `error` names the constraint; if it
  /// is the SRAM, `need` becomes the bytes that would do.
  static std::optional<GroupModel> build(const GroupOps &ops, ScheduleAttr schedule,
                                         const Limits &limits, std::string &error,
                                         int64_t *need = nullptr);

  mutable ExprPool pool;
  llvm::SmallVector<LoopModel> loops;
  std::vector<MemberModel> members;
  std::vector<LoadModel> loads;          ///< one for each group input
  llvm::SmallVector<int64_t> storeBytes; ///< for each group output
  std::vector<Box> outputBoxes;          ///< what one store of each group output covers
  int64_t sramBytes = 0;
  int64_t accBytes = 0;
  int64_t dramBytes = 0; ///< loads and stores between DRAM and SRAM

  /// Whether a buffer is needed only from its producer or its load to its last
  /// reader in each iteration, so that others can take its place before and after.
  bool isTransient(const BufferModel &buffer) const {
    return buffer.depth == 1 && buffer.circular < 0 && buffer.level == loops.size();
  }

  /// Largest and total value of an expression over all iterations.
  int64_t largest(ExprId e) const;
  int64_t smallest(ExprId e) const;
  /// Sum over all iterations of loops 0..n-1 (group loops, then those of
  /// `member`) of the number of elements of a box.
  int64_t totalElements(const Box &box, unsigned level, int member) const;
  int64_t trips(unsigned level, int member) const;
  ExprId extent(const IndexRange &range) const {
    return pool.max(pool.sub(range.hi, range.lo), pool.constant(0));
  }

private:
  llvm::SmallVector<int64_t> tripsOf; ///< by counter number
  /// What an expression comes to over all values of its counters. The search
  /// asks for the same few again and again.
  struct Range {
    int64_t least, largest, sum;
  };
  const Range &rangeOf(ExprId e) const;
  mutable llvm::DenseMap<ExprId, Range> ranges;
  /// The values of an expression for all values of its counters, the first
  /// counter fastest. Expressions share parts, so each part is computed once.
  llvm::ArrayRef<int64_t> valuesOf(ExprId e) const;
  mutable std::vector<std::pair<uint32_t, uint32_t>> valuesAt; ///< begin and size, by expression
  mutable std::vector<int64_t> values;
};

/// Element bytes as stored (1 for types narrower than a byte is not supported yet).
int64_t byteWidth(mlir::Type type);

} // namespace accel

#endif // ACC_PLAN_GROUP_MODEL_H
