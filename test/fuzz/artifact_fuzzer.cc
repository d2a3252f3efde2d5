//===- artifact_fuzzer.cc - libFuzzer: loader, verifier, simulator --------===//
//
// First byte 0: the rest is an artifact file. Else: the rest damages the code
// of a program that works (damaged_program.h).
// `scripts/test fuzz` builds it and runs a short slice on what test/artifacts
// holds; `scripts/test fuzz --fuzz-seconds 3600` runs longer and keeps what it
// learns in build/fuzz/corpus. By hand:
//   cmake -S runtime -B build/fuzz -DACC_FUZZ=ON && ninja -C build/fuzz acc_artifact_fuzzer
//   build/fuzz/bin/acc_artifact_fuzzer -max_total_time=600 corpus/
// The corpus may be empty: a whole artifact is written into it when it is.
//
//===----------------------------------------------------------------------===//
#include "damaged_program.h"
#include <dirent.h>
#include <fstream>
#include <sys/stat.h>

using namespace accel::rt;

extern "C" int LLVMFuzzerInitialize(int *argc, char ***argv) {
  for (int i = 1; i < *argc; ++i) {
    struct stat st;
    if ((*argv)[i][0] == '-' || stat((*argv)[i], &st) != 0 || !S_ISDIR(st.st_mode))
      continue;
    for (bool lists : {false, true}) {
      std::string seed = std::string((*argv)[i]) + (lists ? "/lists" : "/pipeline");
      if (stat(seed.c_str(), &st) != 0)
        std::ofstream(seed, std::ios::binary)
            << '\0' << (lists ? dsl::ListsProgram() : dsl::PipelineProgram()).Bytes();
    }
    break;
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  if (data[0] != 0) {
    dsl::RunDamagedProgram(data + 1, size - 1);
    return 0;
  }
  absl::StatusOr<Program> p = Program::FromBytes({data + 1, size - 1});
  if (!p.ok())
    return 0;
  int64_t bytes = 0;
  for (const RegionInfo &r : p->data().regions)
    bytes += r.bytes;
  if (bytes > 1 << 24)
    return 0;
  Simulator sim(*p, {.sanitize = true, .maxInstructions = 300, .maxPoints = 1 << 18});
  for (const IoInfo &io : p->data().inputs)
    if (!sim.SetInput(io.name, std::vector<uint8_t>(size_t(io.bytes)), io.dims).ok())
      return 0;
  (void)sim.Run();
  return 0;
}
