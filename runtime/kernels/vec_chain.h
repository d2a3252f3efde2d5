//===- vec_chain.h - Runs of steps that hand a value on in registers ------===//
//
// A step over a strip loads its operands from L1 and stores its result there.
// Where each step takes the one before as an operand, as an epilogue's steps
// do, the value stays in vector registers and only the other operand is read.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_KERNELS_VEC_CHAIN_H
#define ACC_RUNTIME_KERNELS_VEC_CHAIN_H

#include "acc/runtime/vprog.h"
#include <vector>

namespace accel::rt {

/// `value` is what the chain carries, x and y are operands from elsewhere.
enum class ChainOp : uint8_t {
  Add,
  Sub,     // value − x
  SubFrom, // x − value
  Mul,
  Square,
  Div,     // value / x
  DivInto, // x / value
  Max,
  MaxConst, // x neither NaN nor +0
  MaxZero,  // x is +0
  Min,
  MinConst,   // x neither NaN nor −0
  MulAdd,     // value·x + y
  AddProduct, // x·y + value
  Neg,
  Abs,
  Sqrt,
  Rsqrt,
  Recip,
  Exp,
  Log,
  Tanh,
  Erf,
  Sigmoid,
};

struct ChainOperand {
  int8_t reg = -1; // −1: the constant
  alignas(64) float constant[16] = {};
};

struct ChainStep {
  ChainOp op = ChainOp::Add;
  int8_t save = -1; // register that keeps the result, −1: nobody reads it again
  ChainOperand x, y;
};

struct VChain {
  uint8_t first = 0; // register that the value starts as
  std::vector<ChainStep> steps;
};

/// One stretch of a program's steps.
struct VPiece {
  enum Kind : uint8_t { Plain, Iota, Chain } kind = Plain; // Iota: or Reg
  int64_t begin = 0, count = 0;                            // steps, Plain and Iota
  VChain chain;
};

/// Cuts steps into pieces. constantOf[r]: the f32 value of a register that
/// holds an immediate throughout, or null. Registers in `liveOut` are read
/// after the steps.
std::vector<VPiece> CutChains(const std::vector<VStep> &steps, const float *const *constantOf,
                              uint32_t liveOut);

/// Registers that a step reads.
uint32_t StepReads(const VStep &step);

/// Runs the chain over the first n elements, as RunSteps does.
void RunChain(const VChain &chain, void *const *regs, int64_t n);

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_VEC_CHAIN_H
