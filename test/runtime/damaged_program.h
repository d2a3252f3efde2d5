//===- damaged_program.h - Programs damaged by a list of bytes ------------===//
//
// Fuzz input of the verifier and simulator: the pipeline program, or the one of
// lists, with some bytes of code, descriptors and vector programs replaced. Such programs
// pass the checks of files, so that the fuzzer gets at what lies behind.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_TEST_RUNTIME_DAMAGED_PROGRAM_H
#define ACC_TEST_RUNTIME_DAMAGED_PROGRAM_H

#include "lists_program.h"
#include "pipeline_program.h"

namespace accel::rt::dsl {

inline Artifact Decoded(ProgramDsl p) {
  std::string bytes = p.Bytes();
  return *ReadArtifact({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
}

/// Each 4 bytes of `edits` {where u16, how u8, value u8} change one byte; the
/// highest bit of the first `how` chooses the program. What loads is run with and
/// without the sanitizer, within narrow limits.
inline void RunDamagedProgram(const uint8_t *edits, size_t size) {
  static const Artifact pipeline = Decoded(PipelineProgram()), lists = Decoded(ListsProgram());
  const bool isLists = size > 2 && edits[2] & 0x80;
  Artifact a = isLists ? lists : pipeline;
  std::vector<std::vector<uint8_t> *> parts = {&a.data.routines[0].code, &a.data.routines[1].code,
                                               &a.data.routines[1].slots, &a.data.vprogs[0]};
  size_t total = 0;
  for (auto *part : parts)
    total += part->size();
  for (size_t i = 0; i + 4 <= size && i < 64; i += 4) {
    size_t at = (size_t(edits[i]) | size_t(edits[i + 1]) << 8) % total;
    for (auto *part : parts) {
      if (at < part->size()) {
        uint8_t &byte = (*part)[at];
        uint8_t value = edits[i + 3];
        switch (edits[i + 2] % 4) {
        case 0:
          byte = value;
          break;
        case 1:
          byte ^= uint8_t(1 << (value % 8));
          break;
        case 2:
          byte = uint8_t(byte + value);
          break;
        default:
          byte = value % 8;
          break;
        }
        break;
      }
      at -= part->size();
    }
  }
  absl::StatusOr<Program> p = Program::FromArtifact(std::move(a));
  if (!p.ok())
    return;
  const std::vector<int64_t> dims =
      isLists ? std::vector<int64_t>{3, 16} : std::vector<int64_t>{64, 32};
  const std::vector<uint8_t> input(size_t(dims[0] * dims[1] * 4), 0x3e);
  for (bool sanitize : {false, true}) {
    Simulator sim(*p, {.sanitize = sanitize, .maxInstructions = 300, .maxPoints = 1 << 18});
    if (sim.SetInput("x", input, dims).ok())
      (void)sim.Run();
  }
}

} // namespace accel::rt::dsl

#endif // ACC_TEST_RUNTIME_DAMAGED_PROGRAM_H
