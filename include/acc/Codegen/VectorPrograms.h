//===- VectorPrograms.h - bodies of accel.vec as micro-programs -*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_CODEGEN_VECTORPROGRAMS_H
#define ACC_CODEGEN_VECTORPROGRAMS_H

#include "accel/Accel.h"

#include <map>
#include <string>
#include <vector>

namespace accel::codegen {

/// Types that the vector unit computes in. i1 is an i32 of 0 or 1.
enum class VecType : uint8_t { F32, I32, I64, F64 };

struct VectorProgram {
  static constexpr unsigned maxRegs = 16, maxSteps = 48; ///< of the ISA

  struct Input {
    uint8_t reg;
    VecType type;
    auto operator<=>(const Input &) const = default;
  };
  struct Step {
    std::string op; ///< mnemonic of the ISA
    uint8_t dst = 0, a = 0, b = 0, c = 0;
    VecType type = VecType::F32;
    uint64_t imm = 0; ///< bits of an f64 or i64
    auto operator<=>(const Step &) const = default;
  };
  struct Reduction {
    uint8_t src, dst;
    ReduceKind kind;
    bool lanes;
    VecType type;
    auto operator<=>(const Reduction &) const = default;
  };
  struct Output {
    uint8_t reg;
    bool post; ///< stored once per unreduced point
    VecType type;
    auto operator<=>(const Output &) const = default;
  };

  std::vector<Input> inputs;
  std::vector<Step> body, post;
  std::vector<Reduction> reductions;
  std::vector<Output> outputs;
  uint8_t registers = 0;

  auto operator<=>(const VectorProgram &) const = default;
};

VecType vecTypeOf(mlir::Type type);

/// Translates the regions of one operation; an error names it.
mlir::FailureOr<VectorProgram> translate(VecOp op);

/// The different programs of a module, in order of first use.
class VectorPrograms {
public:
  mlir::FailureOr<int32_t> add(VecOp op);
  const std::vector<VectorProgram> &list() const { return programs; }

private:
  std::vector<VectorProgram> programs;
  std::map<VectorProgram, int32_t> index;
};

} // namespace accel::codegen

#endif
