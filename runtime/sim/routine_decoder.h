//===- routine_decoder.h - Decodes and checks one routine -----------------===//
#ifndef ACC_RUNTIME_SIM_ROUTINE_DECODER_H
#define ACC_RUNTIME_SIM_ROUTINE_DECODER_H

#include "absl/strings/str_cat.h"
#include "decoded.h"
#include <set>

namespace accel::rt {

class RoutineDecoder {
public:
  RoutineDecoder(DecodedProgram &p, uint32_t index)
      : p_(p), info_(p.data().routines[index]), out_(p.routines[index]), index_(index) {}
  absl::Status Run();

private:
  /// What isa.h finds, with the place.
  absl::Status At(const absl::Status &s) const {
    return absl::Status(
        s.code(),
        absl::StrCat("program refused: ", PlaceName(p_.data(), index_, pc_), ": ", s.message()));
  }
  template <typename... Args> absl::Status Bad(const Args &...args) const {
    return absl::InvalidArgumentError(
        absl::StrCat("program refused: ", PlaceName(p_.data(), index_, pc_), ": ", args...));
  }

  // decode_control.cc
  absl::Status Control(const isa::CtrlWord &w, InstrCode &in);
  absl::Status Tokens(const isa::EngineWord &w, InstrCode &in);
  absl::Status Engine(const isa::Instr &instr, InstrCode &in);
  absl::Status Nesting();
  void StreamedBodies();

  // decode_operands.cc
  absl::Status Operation(const isa::OpDesc &d, EngineCode &code);
  absl::Status Stream(int index, const isa::Stream &s, EngineCode &code);
  absl::Status Window(int index, const isa::WindowDesc &w, const EngineCode &code, StreamCode &out);
  absl::Status Writes(EngineCode &code, int index);
  absl::Status CheckDma(const InstrCode &in, EngineCode &code);
  absl::Status CheckMxu(const InstrCode &in, EngineCode &code);
  absl::Status CheckVec(uint16_t vprog, EngineCode &code);

  // decode_lists.cc
  absl::Status CheckLists(EngineCode &code);
  absl::Status CheckSort(EngineCode &code);
  absl::Status CheckCompact(EngineCode &code);
  absl::Status CheckScatter(EngineCode &code);
  absl::Status CheckRandom(EngineCode &code);
  absl::Status StandsStill(const EngineCode &code, int index, std::initializer_list<int> dims);

  DecodedProgram &p_;
  const RoutineInfo &info_;
  RoutineCode &out_;
  uint32_t index_, pc_ = 0;
  std::set<uint16_t> vprogs_; // named by its instructions
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_ROUTINE_DECODER_H
