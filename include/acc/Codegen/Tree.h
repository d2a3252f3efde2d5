//===- Tree.h - a routine as structured code over virtual registers -*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between the tile program and the isa dialect. The tree keeps the structure
// (loops, ifs) because both the insertion of semaphores and the live ranges of
// registers are questions about it. Instructions name virtual registers and
// know which memory they touch; neither survives into the isa dialect.
//===----------------------------------------------------------------------===//

#ifndef ACC_CODEGEN_TREE_H
#define ACC_CODEGEN_TREE_H

#include "acc/runtime/isa.h"
#include "accel/Accel.h"

#include <array>
#include <memory>
#include <vector>

namespace accel::codegen {

/// A virtual register; 0 is the hardwired zero of the machine.
using Reg = int32_t;

constexpr unsigned engineCount = unsigned(rt::isa::kEngineInfo.count);
inline unsigned indexOf(Engine engine) { return unsigned(engine); }

/// Semaphore and number of tokens.
struct Tokens {
  int32_t semaphore = 0;
  int32_t count = 0;
};

/// A piece of memory that accesses of one routine have in common.
struct Place {
  enum Kind { Buffer, Argument } kind = Buffer;
  Space space = Space::Sram;
  /// Buffer: bytes in the frame or the accumulators, all slots of the rotation.
  int64_t begin = 0, end = 0;
  int64_t slots = 1;            ///< rotation depth
  int64_t slack = 1;            ///< iterations the writer of a circular buffer may run ahead
  struct Block *home = nullptr; ///< whose iterations rotate it
  int32_t argument = -1;        ///< Argument: its number
};

/// One stream's use of a place. Bytes are relative to the place (to a slot of
/// it), and only used to tell parts apart that are known to be disjoint.
struct Access {
  int32_t place = 0;
  bool write = false;
  int64_t begin = 0, end = std::numeric_limits<int64_t>::max();
};

struct Coordinate {
  int64_t start = 0;
  Reg startReg = 0, originReg = 0;
  int64_t dimA = -1, mulA = 0, dimB = -1, mulB = 0;
  int64_t bound = -1, mod = 0, stride = 0, div = 1;
  bool exact = false;
};

struct Stream {
  Space space = Space::Sram;
  int32_t region = 0; ///< of DRAM
  mlir::Type type;
  int64_t base = 0;
  llvm::SmallVector<Reg, 4> baseRegs;
  std::array<int64_t, 6> strides{};
  llvm::SmallVector<Coordinate, 2> window;
  uint64_t pad = 0;
};

struct Descriptor {
  std::array<int64_t, 6> sizes{1, 1, 1, 1, 1, 1};
  std::array<Reg, 6> sizeRegs{};
  uint8_t flags = 0;
  Reg initReg = 0;
  uint8_t reduceMask = 0;
  int64_t za = 0, zb = 0;
  uint64_t fillBits = 0;
  llvm::SmallVector<Stream, 4> streams;
};

using Opcode = rt::isa::Opcode;

struct Instruction {
  Opcode opcode = Opcode::Li;
  Engine engine = Engine::Ctrl;
  Reg rd = 0, ra = 0, rb = 0;
  int64_t imm = 0;
  std::unique_ptr<Descriptor> descriptor;
  int32_t program = -1; ///< VEC: number of the micro-program
  Reason reason = Reason::None;
  llvm::SmallVector<Tokens, 2> waits, signals;
  llvm::SmallVector<Access, 5> accesses;
};

struct Item;

struct Block {
  std::vector<std::unique_ptr<Item>> items;
  Item *owner = nullptr; ///< the loop or if; none for a routine's outermost block
  int depth = 0;         ///< blocks around it

  Item &append(std::unique_ptr<Item> item);
};

struct Item {
  enum Kind { Leaf, Loop, If } kind = Leaf;
  mlir::Location location;
  Instruction instruction; ///< Leaf
  // Loop: counter 0..n-1 with n = min(trips register, bound), or the bound. If: `condition`.
  Reg counter = 0, trips = 0, condition = 0;
  int64_t bound = 0;
  std::unique_ptr<Block> body;
  Block *parent = nullptr;

  explicit Item(mlir::Location location) : location(location) {}
  Item(Kind kind, mlir::Location location) : kind(kind), location(location) {}
};

inline Item &Block::append(std::unique_ptr<Item> item) {
  item->parent = this;
  items.push_back(std::move(item));
  return *items.back();
}

/// The outermost loop over which a buffer that rotates in `home` goes on where it
/// stopped: as long as the loops between have constant trip counts (so that the
/// lowering can count through) and no condition stands between. None if `home`
/// is no loop's body, or of a loop whose trips are not constant.
inline const Item *carrierOf(const Block &home) {
  const Item *loop = home.owner;
  if (!loop || loop->kind != Item::Loop || loop->trips)
    return nullptr;
  while (loop->parent->owner && loop->parent->owner->kind == Item::Loop &&
         !loop->parent->owner->trips)
    loop = loop->parent->owner;
  return loop;
}

/// What an engine touches of a routine's arguments, frame and accumulators, for
/// the synchronisation between calls.
struct Effect {
  Engine engine = Engine::Ctrl;
  bool write = false;
  int32_t argument = -1; ///< or the frame (sram) or accumulators (acc)
  Space space = Space::Sram;
  int64_t begin = 0, end = 0; ///< bytes relative to it
};

struct Routine {
  std::string name;
  Block body;
  std::vector<Place> places;
  int32_t arguments = 0; ///< registers 1..arguments, then the frame's base
  Reg nextReg = 1;
  Reg frameReg = 0;
  /// Pairs of arguments that overlap in memory at some call.
  llvm::SmallVector<std::pair<int32_t, int32_t>> aliases;

  Reg newReg() { return nextReg++; }
};

} // namespace accel::codegen

#endif
