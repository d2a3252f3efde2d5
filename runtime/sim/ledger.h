//===- ledger.h - DRAM bytes by tensor, reason and direction --------------===//
//
// Contract C1: what a run moves is what the compiler predicted. The ledger
// finds the tensor of a transfer by its address among the tensors that are
// alive at the current instruction of main.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_LEDGER_H
#define ACC_RUNTIME_SIM_LEDGER_H

#include "acc/runtime/stats.h"
#include "decoded.h"
#include "stream_box.h"
#include <map>
#include <unordered_map>

namespace accel::rt {

struct Transfer {
  int64_t payload = 0; // bytes of elements in bounds; a stride-0 dimension once
  int64_t bus = 0;     // each contiguous run rounded out to bursts
};
Transfer MeasureTransfer(const KStream &s, const int64_t size[kDims], int64_t burst);

/// The last measurement of one instruction; most tiles repeat it.
struct TransferCache {
  bool valid = false;
  int64_t size[kDims] = {};
  int64_t phase = 0; // base modulo burst
  int64_t start[2] = {}, org[2] = {};
  uint32_t bound[2] = {};
  Transfer transfer;
  uint32_t tensor = kNone; // last tensor and its ledger cell
  uint32_t cell = kNone;
};

class Ledger {
public:
  explicit Ledger(const DecodedProgram &program);

  /// Tensors in the same addresses must not live at the same time.
  static absl::Status CheckTensors(const ArtifactData &data);

  void Reset();
  /// Main arrives at instruction `pc`; a loop of main goes back.
  void Advance(uint32_t pc);

  void Count(const KStream &s, const int64_t size[kDims], const Box &box, uint8_t region,
             Reason reason, bool write, TransferCache &cache, Stats &stats, NodeStats *node);

  /// Fills stats.ledger and predictedBytes; fails listing the entries where
  /// counted and predicted bytes differ.
  absl::Status Finish(const std::vector<int64_t> &counters, Stats &stats) const;

private:
  struct Live {
    int64_t end;
    uint32_t tensor;
  };
  void Return(uint32_t pc);
  void Enter(uint32_t tensor);
  void Leave(uint32_t tensor);
  uint32_t Find(uint8_t region, int64_t lo, int64_t hi) const;
  uint32_t Cell(uint32_t tensor, Reason reason, bool write);
  void AddPieces(const KStream &s, const int64_t size[kDims], uint8_t region, int64_t payload,
                 Reason reason, bool write);

  const DecodedProgram &program_;
  std::vector<uint32_t> begins_, ends_; // tensors by liveBegin, by liveEnd
  size_t nextBegin_ = 0, nextEnd_ = 0;
  uint32_t at_ = 0;                           // of main
  std::vector<std::map<int64_t, Live>> live_; // by region: offset → tensor
  std::unordered_map<uint64_t, uint32_t> cellOf_;
  std::vector<LedgerEntry> cells_;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_LEDGER_H
