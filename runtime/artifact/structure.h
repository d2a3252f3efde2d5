//===- structure.h - Consistency of an artifact's tables ------------------===//
#ifndef ACC_RUNTIME_ARTIFACT_STRUCTURE_H
#define ACC_RUNTIME_ARTIFACT_STRUCTURE_H

#include "acc/runtime/artifact.h"

namespace accel::rt {

struct StructureContext {
  std::string name; // of the file, for messages
  uint64_t fileBytes = 0;
  uint64_t weightsOffset = 0, weightsBytes = 0;
};

/// Every index, range and size in the tables: inside of what it refers to,
/// not overlapping where it must not, no arithmetic overflow possible later.
absl::Status CheckStructure(const ArtifactData &data, const StructureContext &context);

} // namespace accel::rt

#endif // ACC_RUNTIME_ARTIFACT_STRUCTURE_H
