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
  explicit NodeTable(rt::ArtifactData &data) : data(data) {}
  void addDebugMap(const codegen::EncodedProgram &program);
  /// Multiply-accumulates of one call, each for its member's node. After the
  /// debug map.
  void addMacs(const codegen::EncodedProgram::Place &call, mlir::func::FuncOp routine);
  /// `accel.node_bounds`: each node's share in compulsory bytes and bound.
  void addBounds(mlir::ArrayAttr bounds);
  /// Index of a node by its name, kNone if nothing of it is in the program.
  uint32_t named(llvm::StringRef name) const {
    auto it = indices.find(name);
    return it == indices.end() ? rt::kNone : it->second;
  }

private:
  uint32_t indexOf(mlir::NameLoc node);
  rt::ArtifactData &data;
  llvm::StringMap<uint32_t> indices;
  std::vector<llvm::SmallVector<mlir::NameLoc>>
      locals; ///< of each routine: nodes of its first call
};

} // namespace accel::emit

#endif
