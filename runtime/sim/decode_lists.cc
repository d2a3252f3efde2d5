//===- decode_lists.cc - Operands of sort, compact, scatter, random -------===//
#include "acc/runtime/status_macros.h"
#include "routine_decoder.h"

namespace accel::rt {
namespace {

bool IsIndex(KType t) { return t == KType::I32 || t == KType::I64; }

} // namespace

/// The stream must not move with these dimensions.
absl::Status RoutineDecoder::StandsStill(const EngineCode &code, int index,
                                         std::initializer_list<int> dims) {
  for (int d : dims)
    if (code.stream[index].k.stride[d])
      return Bad("stream ", index, " moves with dimension ", d);
  return absl::OkStatus();
}

absl::Status RoutineDecoder::CheckLists(EngineCode &code) {
  for (int i = 0; i < code.streams; ++i) {
    if (code.stream[i].space == Space::Dram)
      return Bad("VEC stream ", i, " in DRAM");
    if (code.stream[i].k.windowed)
      return Bad("stream ", i, " has a window");
  }
  switch (code.op) {
  case Op::VecSort:
    return CheckSort(code);
  case Op::VecCompact:
    return CheckCompact(code);
  case Op::VecScatter:
    return CheckScatter(code);
  default:
    return CheckRandom(code);
  }
}

absl::Status RoutineDecoder::CheckSort(EngineCode &code) {
  bool merge = code.flags & 2, stopEarly = code.flags & 8;
  if (stopEarly && !merge)
    return Bad("VEC_SORT stops early without a merge");
  if (stopEarly != (code.streams == 5) || (merge && code.streams < 4))
    return Bad("VEC_SORT with ", int(code.streams), " streams and flags ", int(code.flags));
  if (!merge && (code.zaReg || code.zbReg))
    return Bad("VEC_SORT with lengths of runs without a merge");
  if (code.initReg && !code.za)
    return Bad("VEC_SORT takes k from a register without a greatest value");
  if (merge && (code.size[4] != 2 || code.sizeReg[4]))
    return Bad("VEC_SORT merges two runs, dimension 4 has ", code.size[4], " points");
  for (int i : {0, 1, 4})
    if (i < code.streams)
      ACC_RETURN_IF_ERROR(Writes(code, i));
  KType key = code.stream[2].k.type, index = code.stream[1].k.type;
  if (code.stream[0].k.type != key || key == KType::E8M0)
    return Bad("VEC_SORT of element types ", int(key), " into ", int(code.stream[0].k.type));
  if (!IsIndex(index) || (code.streams > 3 && code.stream[3].k.type != index))
    return Bad("VEC_SORT with indices that are not all i32 or all i64");
  if (stopEarly && code.stream[4].k.type != KType::I64)
    return Bad("VEC_SORT with counts that are not i64");
  if (merge)
    for (int i : {0, 1})
      ACC_RETURN_IF_ERROR(StandsStill(code, i, {4}));
  return stopEarly ? StandsStill(code, 4, {5}) : absl::OkStatus();
}

absl::Status RoutineDecoder::CheckCompact(EngineCode &code) {
  bool positions = code.flags & 1;
  if (positions != (code.streams == 3))
    return Bad("VEC_COMPACT with ", int(code.streams), " streams and flags ", int(code.flags));
  if (!(code.flags & 2) && code.initReg)
    return Bad("VEC_COMPACT init register without its flag");
  if (!positions && (code.zb || code.zbReg))
    return Bad("VEC_COMPACT adds to positions that it does not store");
  for (int i : {0, 1})
    ACC_RETURN_IF_ERROR(Writes(code, i));
  if (!IsIndex(code.stream[1].k.type))
    return Bad("VEC_COMPACT with a count that is neither i32 nor i64");
  if (positions ? !IsIndex(code.stream[0].k.type) : code.stream[0].k.type != code.stream[3].k.type)
    return Bad("VEC_COMPACT into element type ", int(code.stream[0].k.type));
  ACC_RETURN_IF_ERROR(StandsStill(code, 0, {0, 1, 2, 3, 4}));
  return StandsStill(code, 1, {0, 1, 2, 3, 4, 5});
}

absl::Status RoutineDecoder::CheckScatter(EngineCode &code) {
  if (!isa::EnumName(isa::kCombineInfo, uint8_t(code.zb)) || code.zb < 0 || code.zb > 255)
    return Bad("VEC_SCATTER combines by ", code.zb, ", which is not defined");
  ACC_RETURN_IF_ERROR(Writes(code, 0));
  if (code.stream[0].k.type != code.stream[1].k.type || code.stream[0].k.type == KType::E8M0)
    return Bad("VEC_SCATTER of element types ", int(code.stream[1].k.type), " into ",
               int(code.stream[0].k.type));
  if (!IsIndex(code.stream[2].k.type) || code.stream[2].space != Space::Sram)
    return Bad("VEC_SCATTER with an index that is not i32 or i64 in SRAM");
  return StandsStill(code, 2, {1, 2, 3, 4, 5});
}

absl::Status RoutineDecoder::CheckRandom(EngineCode &code) {
  ACC_RETURN_IF_ERROR(Writes(code, 0));
  if (code.stream[0].k.type == KType::E8M0)
    return Bad("VEC_RANDOM into element type ", int(code.stream[0].k.type));
  if (code.streams == 1)
    return absl::OkStatus();
  if (code.za || code.zb)
    return Bad("VEC_RANDOM with a key beside its seed");
  if (code.stream[1].k.type != KType::I64)
    return Bad("VEC_RANDOM with a seed that is no i64");
  return StandsStill(code, 1, {0, 1, 2, 3, 4, 5});
}

} // namespace accel::rt
