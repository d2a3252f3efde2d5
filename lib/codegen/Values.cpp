//===- Values.cpp - index arithmetic as scalar instructions ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Codegen/Values.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;

namespace accel::codegen {

Affine &Affine::add(const Affine &other, int64_t factor) {
  constant += factor * other.constant;
  for (auto [reg, coefficient] : other.terms) {
    auto at = std::lower_bound(terms.begin(), terms.end(), std::pair(reg, INT64_MIN));
    if (at != terms.end() && at->first == reg) {
      at->second += factor * coefficient;
      if (at->second == 0)
        terms.erase(at);
    } else if (factor * coefficient != 0) {
      terms.insert(at, {reg, factor * coefficient});
    }
  }
  return *this;
}

void Values::exists(Reg reg, Block *block) { blocks[reg] = block; }

Reg Values::emit(Opcode opcode, Reg ra, Reg rb, int64_t imm, Location location) {
  Block *a = definedIn(ra), *b = definedIn(rb);
  // A constant stays where it is needed; as an immediate it costs nothing.
  Block *target = !a && !b ? current : !a ? b : !b ? a : a->depth >= b->depth ? a : b;
  for (Block *block = current; block && !a && !b;
       block = block->owner ? block->owner->parent : nullptr)
    if (auto it = emitted.find({block, opcode, ra, rb, imm}); it != emitted.end())
      return it->second;
  auto it = emitted.find({target, opcode, ra, rb, imm});
  if (it != emitted.end())
    return it->second;
  auto item = std::make_unique<Item>(location);
  Reg rd = routine.newReg();
  item->instruction.opcode = opcode;
  item->instruction.rd = rd;
  item->instruction.ra = ra;
  item->instruction.rb = rb;
  item->instruction.imm = imm;
  target->append(std::move(item));
  blocks[rd] = target;
  emitted[{target, opcode, ra, rb, imm}] = rd;
  return rd;
}

Reg Values::term(std::pair<Reg, int64_t> term, Location location) {
  return term.second == 1 ? term.first : emit(Opcode::MulI, term.first, 0, term.second, location);
}

/// Outer registers first, so that their part of a sum is computed outside.
static void sortByDepth(MutableArrayRef<std::pair<Reg, int64_t>> terms,
                        const llvm::DenseMap<Reg, Block *> &blocks) {
  llvm::stable_sort(terms, [&](auto &a, auto &b) {
    return blocks.lookup(a.first)->depth < blocks.lookup(b.first)->depth;
  });
}

Reg Values::reg(const Affine &affine, Location location) {
  if (affine.terms.empty())
    return affine.constant == 0 ? 0 : emit(Opcode::Li, 0, 0, affine.constant, location);
  auto terms = affine.terms;
  sortByDepth(terms, blocks);
  Reg sum = term(terms.front(), location);
  if (affine.constant)
    sum = emit(Opcode::AddI, sum, 0, affine.constant, location);
  for (auto &t : ArrayRef(terms).drop_front())
    sum = t.second == -1 ? emit(Opcode::Sub, sum, t.first, 0, location)
                         : emit(Opcode::Add, sum, term(t, location), 0, location);
  return sum;
}

std::pair<int64_t, SmallVector<Reg, 4>> Values::split(const Affine &affine, unsigned most,
                                                      Location location) {
  auto terms = affine.terms;
  sortByDepth(terms, blocks);
  SmallVector<Reg, 4> regs;
  for (auto &t : terms)
    regs.push_back(term(t, location));
  while (regs.size() > most) {
    Reg sum = emit(Opcode::Add, regs[0], regs[1], 0, location);
    regs.erase(regs.begin());
    regs[0] = sum;
  }
  return {affine.constant, regs};
}

std::optional<Affine> Values::affine(Value value) {
  auto it = known.find(value);
  if (it != known.end())
    return it->second;
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return Affine::number(constant.getType().isInteger(1)
                              ? int64_t(constant.getValue().getZExtValue())
                              : constant.getValue().getSExtValue());
  Operation *op = value.getDefiningOp();
  if (!op) {
    emitError(value.getLoc(), "codegen: a block argument is used as an index, but only loop "
                              "counters are");
    return std::nullopt;
  }
  std::optional<Affine> result = compute(op);
  if (result)
    known[value] = *result;
  return result;
}

std::optional<Affine> Values::compare(Operation *op) {
  auto cmp = cast<arith::CmpIOp>(op);
  std::optional<Affine> left = affine(cmp.getLhs()), right = affine(cmp.getRhs());
  if (!left || !right)
    return std::nullopt;
  Location loc = op->getLoc();
  using P = arith::CmpIPredicate;
  P predicate = cmp.getPredicate();
  // Everything is less(a, b), equal(a, b) or the opposite of one.
  auto negate = [&](Affine value) { return Affine::number(1).add(value, -1); };
  auto less = [&](const Affine &a, const Affine &b) {
    Affine difference = a;
    difference.add(b, -1);
    if (difference.isConstant())
      return Affine::number(difference.constant < 0);
    if (b.isConstant())
      return Affine::of(emit(Opcode::CmpLtI, reg(a, loc), 0, b.constant, loc));
    return Affine::of(emit(Opcode::CmpLt, reg(a, loc), reg(b, loc), 0, loc));
  };
  auto equal = [&](const Affine &a, const Affine &b) {
    Affine difference = a;
    difference.add(b, -1);
    if (difference.isConstant())
      return Affine::number(difference.constant == 0);
    if (b.isConstant())
      return Affine::of(emit(Opcode::CmpEqI, reg(a, loc), 0, b.constant, loc));
    return Affine::of(emit(Opcode::CmpEq, reg(a, loc), reg(b, loc), 0, loc));
  };
  switch (predicate) {
  case P::eq:
    return equal(*left, *right);
  case P::ne:
    return negate(equal(*left, *right));
  case P::slt:
  case P::ult:
    return less(*left, *right);
  case P::sgt:
  case P::ugt:
    return less(*right, *left);
  case P::sge:
  case P::uge:
    return negate(less(*left, *right));
  case P::sle:
  case P::ule:
    return negate(less(*right, *left));
  }
  return std::nullopt;
}

std::optional<Affine> Values::compute(Operation *op) {
  Location loc = op->getLoc();
  if (isa<arith::CmpIOp>(op))
    return compare(op);
  SmallVector<Affine, 3> in;
  for (Value operand : op->getOperands()) {
    std::optional<Affine> a = affine(operand);
    if (!a)
      return std::nullopt;
    in.push_back(*a);
  }
  /// An instruction with an immediate form for a constant second operand.
  auto binary = [&](Opcode plain, Opcode immediate, auto fold) -> Affine {
    if (in[0].isConstant() && in[1].isConstant())
      return Affine::number(fold(in[0].constant, in[1].constant));
    if (in[1].isConstant())
      return Affine::of(emit(immediate, reg(in[0], loc), 0, in[1].constant, loc));
    return Affine::of(emit(plain, reg(in[0], loc), reg(in[1], loc), 0, loc));
  };
  auto floorDiv = [](int64_t a, int64_t b) { return llvm::divideFloorSigned(a, b); };
  auto floorMod = [](int64_t a, int64_t b) { return llvm::mod(a, b); };

  if (isa<arith::AddIOp>(op))
    return in[0].add(in[1]);
  if (isa<arith::SubIOp>(op))
    return in[0].add(in[1], -1);
  if (isa<arith::MulIOp>(op)) {
    if (in[0].isConstant())
      std::swap(in[0], in[1]);
    if (in[1].isConstant())
      return Affine::number(0).add(in[0], in[1].constant);
    return Affine::of(emit(Opcode::Mul, reg(in[0], loc), reg(in[1], loc), 0, loc));
  }
  if (isa<arith::IndexCastOp, arith::ExtUIOp, arith::IndexCastUIOp>(op))
    return in[0];
  if (isa<arith::FloorDivSIOp, arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
          arith::CeilDivSIOp>(op)) {
    if (!in[1].isConstant() || in[1].constant <= 0) {
      op->emitError("codegen: the divisor must be a positive constant");
      return std::nullopt;
    }
    // Operands are positions and extents, never negative where rounding toward
    // zero and down differ; floordivsi is exact for both.
    if (in[1].constant == 1)
      return isa<arith::RemSIOp, arith::RemUIOp>(op) ? Affine::number(0) : in[0];
    if (isa<arith::CeilDivSIOp>(op)) {
      in[0].constant += in[1].constant - 1;
      return binary(Opcode::Div, Opcode::DivI, floorDiv);
    }
    if (isa<arith::RemSIOp, arith::RemUIOp>(op))
      return binary(Opcode::Mod, Opcode::ModI, floorMod);
    return binary(Opcode::Div, Opcode::DivI, floorDiv);
  }
  if (isa<arith::MinSIOp, arith::MaxSIOp, arith::MinUIOp, arith::MaxUIOp>(op)) {
    if (in[0].isConstant())
      std::swap(in[0], in[1]);
    if (isa<arith::MinSIOp, arith::MinUIOp>(op))
      return binary(Opcode::Min, Opcode::MinI, [](int64_t a, int64_t b) { return std::min(a, b); });
    return binary(Opcode::Max, Opcode::MaxI, [](int64_t a, int64_t b) { return std::max(a, b); });
  }
  if (isa<arith::AndIOp, arith::OrIOp>(op)) {
    bool isAnd = isa<arith::AndIOp>(op);
    if (in[0].isConstant())
      std::swap(in[0], in[1]);
    if (in[1].isConstant() && op->getResult(0).getType().isInteger(1))
      return (in[1].constant != 0) == isAnd ? in[0] : in[1];
    return Affine::of(
        emit(isAnd ? Opcode::And : Opcode::Or, reg(in[0], loc), reg(in[1], loc), 0, loc));
  }
  if (isa<arith::XOrIOp>(op) && op->getResult(0).getType().isInteger(1) && in[1].isConstant())
    return in[1].constant ? Affine::number(1).add(in[0], -1) : in[0];
  if (isa<arith::SelectOp>(op)) {
    if (in[0].isConstant())
      return in[0].constant ? in[1] : in[2];
    Affine difference = in[1];
    difference.add(in[2], -1);
    Affine result = in[2];
    if (difference.isConstant())
      return result.add(in[0], difference.constant);
    return result.add(Affine::of(emit(Opcode::Mul, reg(in[0], loc), reg(difference, loc), 0, loc)));
  }
  op->emitError("codegen: no scalar instruction computes this");
  return std::nullopt;
}

} // namespace accel::codegen
