//===- stats.h - What a run counted ---------------------------------------===//
#ifndef ACC_RUNTIME_STATS_H
#define ACC_RUNTIME_STATS_H

#include "acc/runtime/artifact.h"
#include "acc/runtime/timing_stats.h"
#include <optional>

namespace accel::rt {

/// Payload bytes of one (tensor, reason, direction).
struct LedgerEntry {
  uint32_t tensor = kNone; // index in ArtifactData::tensors
  Reason reason = Reason::None;
  bool write = false;
  int64_t counted = 0, predicted = 0; // bytes
};

struct NodeStats {
  std::string name, op;
  int64_t macs = 0, readBytes = 0, writeBytes = 0, busBytes = 0, instructions = 0;
  int64_t compulsoryBytes = 0, boundBytes = 0; // shares of the node
};

struct Stats {
  int64_t readBytes = 0, writeBytes = 0; // DRAM payload
  int64_t busBytes = 0;                  // payload rounded to bursts, run by run
  int64_t programBytes = 0;              // code and descriptors fetched
  int64_t predictedBytes = 0, compulsoryBytes = 0, boundBytes = 0;
  int64_t sramPeakBytes = 0; // one past the highest SRAM byte touched
  int64_t accPeakBytes = 0;
  int64_t macs = 0;
  int64_t instructions = 0; // dispatched, CTRL included
  int64_t engineInstructions[6] = {};
  int64_t codeBytes = 0;
  double hostSeconds = 0;
  std::vector<LedgerEntry> ledger; // by tensor, reason, direction
  std::vector<NodeStats> nodes;    // in the model's order
  std::optional<TimingStats> timing;

  /// The stable keys of the statistics JSON; what was not computed is null.
  std::string Json(const ArtifactData &data) const;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_STATS_H
