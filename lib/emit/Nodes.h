//===- Nodes.h - which ONNX nodes instructions belong to -------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_LIB_EMIT_NODES_H
#define ACC_LIB_EMIT_NODES_H

#include "acc/Codegen/Encode.h"
#include "acc/runtime/artifact.h"

#include "llvm/ADT/StringMap.h"

namespace accel::emit {

/// The nodes of an artifact and its debug map.
class NodeTable {
public:
  NodeTable(mlir::ModuleOp module, rt::ArtifactData &data);
  uint32_t indexOf(llvm::StringRef name);
  /// Multiply-accumulates of one call, which count for its first node.
  void addMacs(mlir::func::CallOp call, int64_t macs);
  void addDebugMap(const codegen::EncodedProgram &program);

private:
  rt::ArtifactData &data;
  llvm::StringMap<uint32_t> indices;
};

} // namespace accel::emit

#endif
