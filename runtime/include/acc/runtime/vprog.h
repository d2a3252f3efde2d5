//===- vprog.h - Vector micro-programs, decoded ---------------------------===//
//
// Semantics of every step; the encoding is the ISA's. Registers hold a value
// of the type that the step wrote; a step reads its operands as its own type
// (Cmp*: operands of `type`, result i32; Select: condition i32, values `type`;
// Cvt: operand of type `b`, result `type`; IsNan, IsInf: operand `type`, result
// i32). Booleans are i32 0 or 1.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_VPROG_H
#define ACC_RUNTIME_VPROG_H

#include "absl/types/span.h"
#include "acc/runtime/kernels.h"

namespace accel::rt {

enum class VType : uint8_t { F32 = 0, I32, I64, F64 };
constexpr int kVTypes = 4;

enum class VOp : uint8_t {
  Imm = 0, // imm as f64 (float types) or i64 bits
  Mov,
  Iota, // index in dimension `a`
  Add,
  Sub,
  Mul,
  Div, // float: IEEE; integer: toward zero, x/0 = 0
  Min,
  Max, // float: NaN if either is, −0 < +0
  Fma, // a·b + c, float rounded once
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
  Floor,
  Ceil,
  Rne,
  Trunc,
  Sign, // NaN gives NaN
  Pow,
  Sin,
  Cos,
  Atan,
  Mod,  // sign of the divisor; integer x mod 0 = 0
  FMod, // sign of the dividend
  CmpEq,
  CmpNe,
  CmpLt,
  CmpLe,
  CmpGt,
  CmpGe,  // NaN: only Ne holds
  Select, // a ? b : c
  And,
  Or,
  Xor,
  Not, // bits of I32, I64
  Shl,
  Shr,
  Sar, // Shr logical; a count outside [0, bits) gives
       // 0 (Sar: the sign)
  Cvt, // float to integer: nearest even, saturating, NaN 0; i64 to i32 wraps
  IsNan,
  IsInf,
  Reg // scalar register `a` (0..63) at dispatch
};
constexpr int kVOps = int(VOp::Reg) + 1;

constexpr int kVRegs = 16, kVIns = 4, kVOuts = 2, kVReductions = 2, kVSteps = 48;

struct VStep {
  VOp op = VOp::Mov;
  uint8_t dst = 0, a = 0, b = 0, c = 0;
  VType type = VType::F32;
  uint64_t imm = 0;
};

/// Arg*: index of the first (…Last: last) extreme in the order of the
/// reduction, as an integer of `type`'s width (I32 for 32-bit types); a NaN is
/// never an extreme unless it comes first.
enum class VReduce : uint8_t { Sum = 0, Max, Min, Prod, ArgMax, ArgMin, ArgMaxLast, ArgMinLast };
constexpr int kVReduces = 8;

struct VReduction {
  uint8_t src = 0, dst = 0;
  VReduce kind = VReduce::Sum;
  bool lanes = false; // 16 partials by running index mod 16, then a tree; else one
  VType type = VType::F32;
};

struct VInput {
  uint8_t reg = 0;
  VType type = VType::F32;
};
struct VOutput {
  uint8_t reg = 0;
  bool post = false;
  VType type = VType::F32; // type of the register
  /// Instead of post: at every point, what the sequential reduction into `reg`
  /// has come to.
  bool scan = false;
};

struct VProg {
  std::vector<VInput> ins;
  std::vector<VOutput> outs;
  std::vector<VStep> body, post;
  std::vector<VReduction> reductions;
};

/// Checks limits, operand ranges, and that the types are ones the op has.
absl::StatusOr<std::shared_ptr<const CompiledVProg>> CompileVProg(const VProg &prog);
const VProg &SourceOf(const CompiledVProg &prog);

/// Number of register operands (0..3) that `op` reads.
int VOpOperands(VOp op);
/// Whether `op` is defined on `type` (Cvt: on the result type).
bool VOpHasType(VOp op, VType type);
const char *VOpName(VOp op);

/// One step over arrays, for constant folding: the same bits as the vector
/// engine. dst may equal an operand. Operands and result are arrays of their
/// types (see above); unused operands may be empty, used ones have dst's
/// length. Not for Imm, Iota and Reg.
void EvalStep(const VStep &step, const void *a, const void *b, const void *c, void *dst,
              int64_t count);

} // namespace accel::rt

#endif // ACC_RUNTIME_VPROG_H
