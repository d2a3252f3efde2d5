//===- VectorEncoding.cpp - micro-programs as bytes ------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "acc/Codegen/VectorEncoding.h"

#include "acc/runtime/vprog_encoding.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace accel::codegen {

static std::optional<rt::VOp> opOf(StringRef name) {
  using rt::VOp;
  return llvm::StringSwitch<std::optional<VOp>>(name)
      .Case("imm", VOp::Imm)
      .Case("add", VOp::Add)
      .Case("sub", VOp::Sub)
      .Case("mul", VOp::Mul)
      .Case("div", VOp::Div)
      .Case("min", VOp::Min)
      .Case("max", VOp::Max)
      .Case("fma", VOp::Fma)
      .Case("neg", VOp::Neg)
      .Case("abs", VOp::Abs)
      .Case("sqrt", VOp::Sqrt)
      .Case("rsqrt", VOp::Rsqrt)
      .Case("recip", VOp::Recip)
      .Case("exp", VOp::Exp)
      .Case("log", VOp::Log)
      .Case("tanh", VOp::Tanh)
      .Case("erf", VOp::Erf)
      .Case("sigmoid", VOp::Sigmoid)
      .Case("floor", VOp::Floor)
      .Case("ceil", VOp::Ceil)
      .Case("rne", VOp::Rne)
      .Case("trunc", VOp::Trunc)
      .Case("pow", VOp::Pow)
      .Case("sin", VOp::Sin)
      .Case("cos", VOp::Cos)
      .Case("atan", VOp::Atan)
      .Case("fmod", VOp::FMod)
      .Case("eq", VOp::CmpEq)
      .Case("ne", VOp::CmpNe)
      .Case("lt", VOp::CmpLt)
      .Case("le", VOp::CmpLe)
      .Case("gt", VOp::CmpGt)
      .Case("ge", VOp::CmpGe)
      .Case("select", VOp::Select)
      .Case("and", VOp::And)
      .Case("or", VOp::Or)
      .Case("xor", VOp::Xor)
      .Case("shl", VOp::Shl)
      .Case("shr", VOp::Shr)
      .Case("sar", VOp::Sar)
      .Case("cvt", VOp::Cvt)
      .Case("isnan", VOp::IsNan)
      .Case("isinf", VOp::IsInf)
      .Default(std::nullopt);
}

FailureOr<std::vector<uint8_t>> encodeVectorProgram(const VectorProgram &program,
                                                    Location location) {
  rt::VProg result;
  for (auto &in : program.inputs)
    result.ins.push_back({in.reg, rt::VType(in.type)});
  for (auto &out : program.outputs)
    result.outs.push_back({out.reg, out.post, rt::VType(out.type)});
  for (auto &r : program.reductions)
    result.reductions.push_back({r.src, r.dst, rt::VReduce(r.kind), r.lanes, rt::VType(r.type)});
  for (auto [from, to] : {std::pair(&program.body, &result.body), {&program.post, &result.post}})
    for (const VectorProgram::Step &s : *from) {
      std::optional<rt::VOp> op = opOf(s.op);
      if (!op)
        return emitError(location, "codegen: the vector unit has no step '") << s.op << "'";
      to->push_back({*op, s.dst, s.a, s.b, s.c, rt::VType(s.type), s.imm});
    }
  return rt::EncodeVProg(result);
}

} // namespace accel::codegen
