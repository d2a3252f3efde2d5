//===- Values.h - index arithmetic as scalar instructions ------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_CODEGEN_VALUES_H
#define ACC_CODEGEN_VALUES_H

#include "acc/Codegen/Tree.h"

#include "llvm/ADT/DenseMap.h"

#include <map>
#include <optional>
#include <tuple>

namespace accel::codegen {

/// constant + sum of coefficient * register, sorted by register.
struct Affine {
  int64_t constant = 0;
  llvm::SmallVector<std::pair<Reg, int64_t>, 4> terms;

  static Affine number(int64_t constant) { return {constant, {}}; }
  static Affine of(Reg reg) { return {0, {{reg, 1}}}; }
  bool isConstant() const { return terms.empty(); }
  Affine &add(const Affine &other, int64_t factor = 1);
};

/// Turns index values of the tile program into affine forms over registers, and
/// those into instructions only where a register is needed. Equal instructions
/// are emitted once, in the outermost block where their operands exist.
class Values {
public:
  explicit Values(Routine &routine) : routine(routine) {}

  /// Where instructions go if nothing allows them further out.
  Block *current = nullptr;

  void define(mlir::Value value, Affine affine) { known[value] = std::move(affine); }
  /// Says in which block a register that is no instruction's result exists.
  void exists(Reg reg, Block *block);

  /// The affine form, or nothing after an error at the operation that has none.
  std::optional<Affine> affine(mlir::Value value);

  /// A register that holds the value.
  Reg reg(const Affine &affine, mlir::Location location);

  /// The value as constant + at most `most` registers.
  std::pair<int64_t, llvm::SmallVector<Reg, 4>> split(const Affine &affine, unsigned most,
                                                      mlir::Location location);

  Reg emit(Opcode opcode, Reg ra, Reg rb, int64_t imm, mlir::Location location);

private:
  std::optional<Affine> compute(mlir::Operation *op);
  std::optional<Affine> compare(mlir::Operation *op);
  Block *definedIn(Reg reg) const { return reg ? blocks.lookup(reg) : nullptr; }
  Reg term(std::pair<Reg, int64_t> term, mlir::Location location);

  Routine &routine;
  llvm::DenseMap<mlir::Value, Affine> known;
  llvm::DenseMap<Reg, Block *> blocks;
  std::map<std::tuple<Block *, Opcode, Reg, Reg, int64_t>, Reg> emitted;
};

} // namespace accel::codegen

#endif
