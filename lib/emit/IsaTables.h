//===- IsaTables.h - an artifact's tables as attributes --------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_LIB_EMIT_ISATABLES_H
#define ACC_LIB_EMIT_ISATABLES_H

#include "acc/runtime/artifact.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"

namespace accel::emit {

/// Everything but code, vector programs and register ranges.
mlir::DictionaryAttr tablesOf(const rt::ArtifactData &data, llvm::StringRef source,
                              mlir::MLIRContext *context);

struct Tables {
  rt::ArtifactData data; ///< chunks with their offsets in `source`
  std::string source;
};
mlir::FailureOr<Tables> readTables(mlir::DictionaryAttr tables, mlir::Location location);

} // namespace accel::emit

#endif
