//===- IsaTranslate.h - artifacts as the isa dialect and back --*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Binary to isa to binary is the identity: code becomes operations, the other
// tables attributes of isa.program. Weight bytes stay in the artifact that
// `source` names and are copied from there.
//===----------------------------------------------------------------------===//

#ifndef ACC_EMIT_ISATRANSLATE_H
#define ACC_EMIT_ISATRANSLATE_H

#include "acc/runtime/artifact.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace accel::emit {

/// A module with one isa.program. Null (diagnosed) if the code is no program.
/// Locations carry the ONNX nodes' names.
mlir::OwningOpRef<mlir::ModuleOp>
isaFromArtifact(const rt::Artifact &artifact, llvm::StringRef source, mlir::MLIRContext *context);

/// Opens the file at `path`; a relative path is named from the folder of the text.
mlir::OwningOpRef<mlir::ModuleOp> isaFromFile(llvm::StringRef path, llvm::StringRef textFolder,
                                              mlir::MLIRContext *context);

/// Fills the builder from the module's isa.program, read from a text in a folder.
mlir::LogicalResult artifactFromIsa(mlir::ModuleOp module, llvm::StringRef textFolder,
                                    rt::ArtifactBuilder &builder);

} // namespace accel::emit

#endif
