//===- IsaDialect.cpp - the isa dialect: registration, keys ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "isa/Isa.h"
#include "isa/IsaText.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "isa/IsaDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "isa/IsaAttrs.cpp.inc"

namespace accel::rt::isa {
namespace {

struct Hasher {
  llvm::hash_code *code;
  template <typename T> void operator()(const FieldInfo &, const T &field) const {
    if constexpr (std::is_array_v<T>) {
      for (const auto &e : field)
        (*this)(FieldInfo(), e);
    } else if constexpr (std::is_class_v<T>) {
      VisitFields(field, *this);
    } else {
      *code = llvm::hash_combine(*code, field);
    }
  }
};

template <typename T> llvm::hash_code hashOf(const T &value) {
  llvm::hash_code code(0);
  VisitFields(value, Hasher{&code});
  return code;
}

} // namespace

llvm::hash_code hash_value(const OpDesc &desc) { return hashOf(desc); }
llvm::hash_code hash_value(const Stream &stream) {
  llvm::hash_code code = hashOf(stream.desc);
  return stream.window ? llvm::hash_combine(code, hashOf(*stream.window)) : code;
}
llvm::hash_code hash_value(const VectorProgram &program) {
  std::vector<uint8_t> bytes = EncodeProgram(program);
  return llvm::hash_combine_range(bytes.begin(), bytes.end());
}

} // namespace accel::rt::isa

void accel::instr::IsaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "isa/IsaAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "isa/IsaOps.cpp.inc"
      >();
}
