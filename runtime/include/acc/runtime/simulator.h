//===- simulator.h - Functional simulator ---------------------------------===//
//
//   absl::StatusOr<Program> p = Program::Load("model.acc");
//   Simulator sim(*p, {.threads = 2, .sanitize = true});
//   sim.SetInput("x", bytes);
//   absl::Status s = sim.Run();
//   absl::Span<const uint8_t> y = *sim.Output("y");
//
// Instructions execute in dispatch order, which is a legal serial execution.
// Every run checks that each access stays inside its memory, that every wait
// was met by earlier signals, that semaphores end at 0 and that the DRAM bytes
// of each tensor and reason are those that the compiler predicted.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIMULATOR_H
#define ACC_RUNTIME_SIMULATOR_H

#include "acc/runtime/artifact.h"
#include "acc/runtime/stats.h"
#include <atomic>
#include <string_view>

namespace accel::rt {

struct DecodedProgram; // sim/decoded.h

/// What the static verifier could prove about operand addresses; the rest is
/// checked when the instruction is dispatched.
struct VerifyReport {
  int64_t streams = 0, provenStreams = 0;
};

/// A verified program: nothing else can be executed.
class Program {
public:
  static absl::StatusOr<Program> Load(const std::string &path);
  static absl::StatusOr<Program> FromBytes(absl::Span<const uint8_t> bytes,
                                           const std::string &folder = "");
  static absl::StatusOr<Program> FromArtifact(Artifact artifact);

  const ArtifactData &data() const;
  const Artifact &artifact() const;
  const VerifyReport &report() const;
  const DecodedProgram &decoded() const { return *decoded_; }
  std::shared_ptr<const DecodedProgram> share() const { return decoded_; }

private:
  std::shared_ptr<const DecodedProgram> decoded_;
};

struct SimOptions {
  int threads = 1;
  bool sanitize = false;
  bool timing = false; // Stats::timing; the artifact must have the target's figures
  /// Timing without data: no memory is allocated, no inputs are given and there
  /// are no outputs; sizes that a run decides are the greatest ones. What only
  /// data decide (LDS) ends the run with an error, and each index of a gather
  /// names another row.
  bool timingOnly = false;
  int64_t maxInstructions = 0;               // dispatched; 0: no limit
  int64_t maxPoints = 0;                     // iteration points in all; 0: no limit
  const std::atomic<bool> *cancel = nullptr; // polled; true ends the run
};

class Simulator {
public:
  Simulator(const Program &program, const SimOptions &options);
  ~Simulator();
  Simulator(Simulator &&) noexcept;

  /// `dims` is the input's shape (may be left out if it is a constant); `bytes`
  /// must be exactly its elements.
  absl::Status SetInput(std::string_view name, absl::Span<const uint8_t> bytes,
                        absl::Span<const int64_t> dims = {});
  /// Runs the whole program; may be called again with new inputs. State
  /// regions persist, everything else starts anew.
  absl::Status Run();
  /// The bytes of a graph output after a successful run; they stay valid until
  /// the next Run.
  absl::StatusOr<absl::Span<const uint8_t>> Output(std::string_view name) const;
  /// Their shape.
  absl::StatusOr<std::vector<int64_t>> OutputDims(std::string_view name) const;
  const Stats &stats() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIMULATOR_H
