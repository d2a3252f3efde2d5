//===- artifact.h - What a compiled model contains, and its file ----------===//
//
// `ArtifactData` is the whole content of an artifact in plain structs. The
// compiler fills an `ArtifactBuilder` (the same structs plus sources of weight
// bytes) and calls Write; the simulator opens the file with OpenArtifact,
// which checks every offset, size and index before anything uses them.
//
// File: a fixed 64-byte prefix, a FlatBuffers header (acc.fbs), then segments
// aligned to 4 KiB: code, descriptors, vector programs, weights. The bytes are
// a function of the content only.
//
//   ArtifactBuilder b;
//   b.data.target = ...; b.data.routines.push_back(...);
//   b.AddWeights(region, offset, bytes, [&](WeightSink &s) { return s.Append(...); });
//   absl::Status s = b.Write("model.acc");
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_ARTIFACT_H
#define ACC_RUNTIME_ARTIFACT_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace accel::rt {

constexpr uint32_t kArtifactVersion = 1;
constexpr uint32_t kNone = 0xFFFFFFFFu; // "no node", "no tensor", "no counter"

/// Of one DRAM region: far above any model, far below where sums of i64 overflow.
constexpr int64_t kMaxRegionBytes = int64_t(1) << 40;

enum class RegionKind : uint8_t { Weights = 0, Input, Output, Workspace, State, Constant };
constexpr int kRegionKinds = 6;
const char *RegionKindName(RegionKind kind);

/// Programs cannot write regions of these kinds.
constexpr bool IsReadOnly(RegionKind k) {
  return k == RegionKind::Weights || k == RegionKind::Input || k == RegionKind::Constant;
}

/// Why a DRAM transfer happens (field `reason` of a DMA instruction).
enum class Reason : uint8_t {
  None = 0,
  CompulsoryLoad,
  CompulsoryStore,
  SpillStore,
  SpillLoad,
  Reload,
  Halo,
  Alignment,
  Fragmentation,
  IllegalFusion,
  DynamicShape,
  Program
};
constexpr int kReasons = 12;
const char *ReasonName(Reason reason);

/// What stands between the plan and the compulsory bytes (docs/explain.md). A
/// `Reason` says what a transfer is, a `Cause` why it was needed.
enum class Cause : uint8_t {
  Compulsory = 0, // every touched byte once: no schedule moves fewer
  Capacity,       // the SRAM does not hold what would avoid it
  IllegalFusion,  // a dependence keeps producer and reader in different groups
  Fragmentation,  // it would fit, but did not pack
  Halo,           // rows and columns that two tiles read
  Alignment,      // a layout that is moved in larger pieces, or cannot be read in place
  DynamicShape,   // what is read is known when it runs
  Search,         // a better plan is legal and fits; it was not found
};
constexpr int kCauses = 8;
const char *CauseName(Cause cause);

/// The machine that the program was compiled for. Limits are what the verifier
/// and the simulator enforce; `figures` are all numbers of the target file
/// (bandwidths, latencies, ...) under their TOML keys, for timing and energy.
struct TargetInfo {
  struct Figure {
    std::string key;
    double value;
  };
  std::string name;
  std::string digest; // of the target file's text
  int64_t sramBytes = 0, accBytes = 0, imemBytes = 0;
  int64_t queueDepth = 0, burstBytes = 64;
  std::vector<Figure> figures;
};

/// Routine 0 is main. `slots` are this routine's
/// 64-byte descriptor slots; instructions name vector programs by their index
/// in ArtifactData::vprogs.
///
/// nodeOfPc, one entry an instruction (or empty): main: index in `nodes`;
/// other routines: a local number that the CallNodes of the CALL translates.
/// kNone: belongs to no node.
struct RoutineInfo {
  std::string name;
  std::vector<uint8_t> code;  // 16 bytes an instruction
  std::vector<uint8_t> slots; // 64 bytes a slot
  std::vector<uint32_t> nodeOfPc;
};

/// What the local node numbers of the callee mean at one CALL: nodes[local] is
/// an index in `nodes` if the caller is main, the caller's local number else.
struct CallNodes {
  uint32_t routine = 0, pc = 0; // the CALL instruction
  std::vector<uint32_t> nodes;
};

/// Registers that a routine receives, with the values they may have: min, min +
/// step, ... up to max (proven for every CALL). A routine may read no other
/// register before writing it. Main receives sizes, see DimRange.
struct RegisterRange {
  uint32_t routine = 0;
  uint8_t reg = 0;
  int64_t min = 0, max = 0, step = 1;
};

/// A DRAM region. Weights and constants get their bytes from weight chunks (or
/// `external`: the region is that part of another file, read in place, no
/// chunks), what no chunk covers is zero.
struct ExternalRange {
  std::string path; // relative to the artifact's folder, '/' separated
  int64_t offset = 0, bytes = 0;
  uint64_t checksum = 0; // Checksum64 of these bytes
  bool empty() const { return path.empty(); }
};
struct RegionInfo {
  uint8_t id = 0;
  RegionKind kind = RegionKind::Workspace;
  int64_t bytes = 0;
  ExternalRange external;
  uint32_t chip = 0; // whose DRAM; version 1 has chip 0 only
};

/// Bytes [offset, offset+bytes) of a region come from the artifact's weight
/// segment (segmentOffset, from the file's start) or from `external`.
struct WeightChunk {
  uint8_t region = 0;
  int64_t offset = 0, bytes = 0;
  int64_t segmentOffset = 0;
  ExternalRange external;
};

/// A dimension whose size a run decides: min up to IoInfo::dims. Main receives
/// the size of an input in register `reg`, the same register where the same
/// size must come again; it leaves the size of an output in `reg` at HALT.
struct DimRange {
  int64_t min = 0;
  uint8_t reg = 0;  // 0: the size is IoInfo::dims
  std::string name; // of the model's symbol, for messages
};

/// A graph input or output. Its elements keep the strides of the largest size,
/// `dims`, whatever size a run has; `bytes` is the room for the largest.
struct IoInfo {
  std::string name;
  uint8_t dtype = 0; // ISA code
  std::vector<int64_t> dims;
  uint8_t region = 0;
  int64_t offset = 0, bytes = 0;
  std::vector<DimRange> ranges; // one a dimension, or empty: all are constants

  bool isDynamic() const {
    for (const DimRange &r : ranges)
      if (r.reg)
        return true;
    return false;
  }
};

/// Whether a run may have these sizes; the error names value and dimension.
/// `what` is "input" or "output".
absl::Status CheckShape(const char *what, const IoInfo &io, absl::Span<const int64_t> dims);
/// Bytes of the elements of a tensor with these sizes.
int64_t BytesOf(const IoInfo &io, absl::Span<const int64_t> dims);
/// Calls fn(offset in the region's part, offset in the packed tensor, bytes)
/// for the runs in which both are contiguous.
void ForEachPiece(const IoInfo &io, absl::Span<const int64_t> dims,
                  const std::function<void(int64_t, int64_t, int64_t)> &fn);

/// A tensor in DRAM: the ledger counts bytes by tensor, found by address.
/// Tensors may share addresses if their lives, in instructions of main
/// [liveBegin, liveEnd], are disjoint. The life is where in main the tensor may
/// be moved; a loop of main enters it again on each trip.
struct TensorInfo {
  std::string name;
  uint32_t node = kNone; // its producer
  uint8_t region = 0;
  int64_t offset = 0, bytes = 0;
  uint8_t dtype = 0;
  std::vector<int64_t> dims;
  uint32_t liveBegin = 0, liveEnd = kNone;
};

/// A number that only a run knows. Executions: how often instruction
/// (routine, pc) was executed; for a LOOP or WHILE, Trips: how many trips it
/// made in all; InputDim: dimension pc of graph input `routine`.
enum class CounterKind : uint8_t { Executions = 0, Trips, InputDim };
constexpr int kCounterKinds = 3;
struct CounterInfo {
  CounterKind kind = CounterKind::Executions;
  uint32_t routine = 0, pc = 0;
};

/// Predicted payload bytes of one (tensor, reason, direction): the sum of
/// coef · product of counters. Written by plan, asserted after every run.
struct PredictionInfo {
  struct Term {
    int64_t coef = 0;
    std::vector<uint32_t> counters;
  };
  uint32_t tensor = 0;
  Reason reason = Reason::None;
  bool write = false;
  std::vector<Term> terms;
};

/// Where a core of a chip begins. Version 1 has chip 0, core 0, routine 0, which
/// is also what an artifact without entries means.
struct EntryInfo {
  uint32_t chip = 0, core = 0, routine = 0;
};

struct NodeInfo {
  std::string name, op;
  int64_t macs = 0; // as ONNX defines the node
  // Its shares in the model's compulsory bytes and bound: they add up to those.
  int64_t compulsoryBytes = 0, boundBytes = 0;
};

/// Payload bytes that one group moves of one tensor, with their cause. All of a
/// tensor and direction together are what is predicted of it.
struct ExplanationInfo {
  uint32_t tensor = 0, group = 0; // indices
  uint32_t node = kNone;          // that reads or makes it in the group
  bool write = false;
  Cause cause = Cause::Compulsory;
  int64_t bytes = 0;
  int64_t moreSram = 0; // bytes of SRAM more that would avoid them; 0: not by SRAM
  std::string text;     // the constraint, what would remove it
};

/// Another plan for a group, or for it and its neighbours, with the bytes of all
/// operations that it is about.
struct AlternativeInfo {
  std::string what;
  int64_t bytes = -1; // what it would move; -1: it is not possible
  int64_t now = 0;    // what the plan moves there
  int64_t moreSram = 0;
  std::string obstacle; // why it is not possible
};

/// A group of the plan: call number i of main.
struct GroupInfo {
  std::vector<uint32_t> nodes;
  int64_t bytes = 0, leastBytes = 0;    // DRAM; least: with what is resident now
  int64_t sramBytes = 0, sramSpace = 0; // its buffers, and what residents left
  std::vector<AlternativeInfo> alternatives;
};

/// What lies where in SRAM, from group `begin` up to before group `end`.
struct OccupantInfo {
  std::string name;
  int64_t offset = 0, bytes = 0;
  uint32_t begin = 0, end = 0;
};

struct ArtifactData {
  uint32_t isaVersion = 1;
  std::string producer;
  TargetInfo target;
  std::vector<RoutineInfo> routines;
  std::vector<std::vector<uint8_t>> vprogs; // encoded vector programs
  std::vector<RegionInfo> regions;
  std::vector<WeightChunk> chunks;
  std::vector<IoInfo> inputs, outputs;
  std::vector<TensorInfo> tensors;
  std::vector<CounterInfo> counters;
  std::vector<PredictionInfo> predictions;
  std::vector<RegisterRange> registers;
  std::vector<NodeInfo> nodes;
  std::vector<CallNodes> calls;
  std::vector<EntryInfo> entries;
  // For reports; nothing that runs depends on them.
  std::vector<ExplanationInfo> explanations;
  std::vector<GroupInfo> groups;
  std::vector<OccupantInfo> occupants;
  int64_t compulsoryBytes = 0, boundBytes = 0, macs = 0, sramPeak = 0;
};

/// 64-bit checksum for finding damage (not forgery); defined in checksum.cc.
uint64_t Checksum64(const void *data, size_t bytes);

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Takes the bytes of one weight chunk in order.
class WeightSink {
public:
  virtual ~WeightSink() = default;
  virtual absl::Status Append(const void *data, size_t bytes) = 0;
};
using WeightSource = std::function<absl::Status(WeightSink &)>;

class ArtifactBuilder {
public:
  ArtifactData data; // everything but chunks

  /// The source is called once, during Write, and must append exactly `bytes`.
  void AddWeights(uint8_t region, int64_t offset, int64_t bytes, WeightSource source);
  /// Bytes that stay in another file. `path` is relative to the folder of the
  /// artifact; Write reads the file to take its checksum.
  void AddExternalWeights(uint8_t region, int64_t offset, int64_t bytes, std::string path,
                          int64_t fileOffset);

  /// Writes to a file beside `path`, fsyncs and renames: on failure (the disk
  /// is full, a source fails) nothing is left and an older file is untouched.
  absl::Status Write(const std::string &path);
  /// The same bytes in memory (external paths are relative to `folder`).
  absl::StatusOr<std::string> Serialize(const std::string &folder = ".");

private:
  struct Source {
    WeightChunk chunk;
    WeightSource source;
  };
  std::vector<Source> sources_;
  absl::Status WriteTo(class ByteOutput &out, const std::string &folder);
};

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Bytes of a file or a copy in memory.
class FileBytes {
public:
  virtual ~FileBytes() = default;
  const uint8_t *data() const { return data_; }
  size_t size() const { return size_; }
  /// Read-only map of a file; an empty file gives size 0. Bytes that the file
  /// loses while it is mapped read as zeros instead of ending the process (the
  /// first call takes over SIGBUS and passes on what is not its own).
  static absl::StatusOr<std::shared_ptr<FileBytes>> Map(const std::string &path);
  /// Whether all bytes are still those of the file: kDataLoss if it shrank.
  virtual absl::Status Check() const { return absl::OkStatus(); }
  static std::shared_ptr<FileBytes> Copy(absl::Span<const uint8_t> bytes);

protected:
  const uint8_t *data_ = nullptr;
  size_t size_ = 0;
};

struct Artifact {
  ArtifactData data;
  std::shared_ptr<FileBytes> file;
  std::string path;      // empty if it was read from memory
  std::string folder;    // that external paths start from
  int64_t codeBytes = 0; // instructions, slots and vector programs
};

/// Structural checks: sizes, alignment, indexes, overlaps, checksums. The
/// content of instructions is the verifier's (Program::Load does both).
absl::StatusOr<Artifact> OpenArtifact(const std::string &path);
absl::StatusOr<Artifact> ReadArtifact(absl::Span<const uint8_t> bytes,
                                      const std::string &folder = "");

} // namespace accel::rt

#endif // ACC_RUNTIME_ARTIFACT_H
