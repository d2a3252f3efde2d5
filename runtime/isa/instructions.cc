//===- instructions.cc - Instructions, descriptors: codec and checks ------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/isa.h"
#include "acc/runtime/status_macros.h"
#include <array>

namespace accel::rt::isa {
namespace {

#include "generated/isa_tables.inc"

constexpr int kNone = -1;

constexpr std::array<int16_t, 256> IndexOfOpcode() {
  std::array<int16_t, 256> index{};
  for (auto &i : index)
    i = kNone;
  for (size_t i = 0; i < std::size(kInstructions); ++i)
    index[size_t(kInstructions[i].opcode)] = int16_t(i);
  return index;
}
constexpr std::array<int16_t, 256> kIndexOfOpcode = IndexOfOpcode();

template <typename... Args> absl::Status Bad(const InstrInfo &info, const Args &...args) {
  return absl::InvalidArgumentError(absl::StrCat(info.mnemonic, ": ", args...));
}

absl::Status CheckOperand(const InstrInfo &info, const char *name, const OperandInfo &operand,
                          int64_t value) {
  if (operand.role == Role::Unused)
    return value == 0 ? absl::OkStatus()
                      : Bad(info, "CtrlWord.", name, " is not used and must be 0: ", value);
  if (value >= operand.min && value <= operand.max)
    return absl::OkStatus();
  if (operand.role == Role::Result || operand.role == Role::Source)
    return Bad(info, "CtrlWord.", name, " names register ", value, ", registers end at ",
               operand.max);
  return Bad(info, "CtrlWord.", name, " is out of range ", operand.min, " to ", operand.max, ": ",
             value);
}

absl::Status VerifyControl(const InstrInfo &info, const CtrlWord &w) {
  ACC_RETURN_IF_ERROR(CheckOperand(info, "rd", info.rd, w.rd));
  ACC_RETURN_IF_ERROR(CheckOperand(info, "ra", info.ra, w.ra));
  ACC_RETURN_IF_ERROR(CheckOperand(info, "rb", info.rb, w.rb));
  ACC_RETURN_IF_ERROR(CheckOperand(info, "imm", info.imm, w.imm));
  ACC_RETURN_IF_ERROR(CheckOperand(info, "aux", info.aux, w.aux));
  if ((info.opcode == Opcode::DivI || info.opcode == Opcode::ModI) && w.imm == 0)
    return Bad(info, "CtrlWord.imm is the divisor and must not be 0");
  return absl::OkStatus();
}

absl::Status VerifyEngine(const InstrInfo &info, const EngineWord &w) {
  if (absl::Status s = Verify(w); !s.ok())
    return Bad(info, s.message());
  if (!info.runsOn(w.engine)) {
    std::string engines;
    for (int e = 0; e < kEngineInfo.count; ++e)
      if (info.runsOn(uint8_t(e)))
        absl::StrAppend(&engines, engines.empty() ? "" : ", ", EnumName(kEngineInfo, uint8_t(e)));
    return Bad(info, "does not run on engine ", EnumName(kEngineInfo, w.engine), ", only on ",
               engines);
  }
  for (int i = 0; i < 4; ++i)
    if ((w.tokens[i].semaphore == 0) != (w.tokens[i].count == 0))
      return Bad(info, i < 2 ? "wait" : "signal", " of semaphore ", int(w.tokens[i].semaphore),
                 " with count ", int(w.tokens[i].count));
  if (!info.hasDescriptor() && w.desc)
    return Bad(info, "EngineWord.desc is not used and must be 0: ", w.desc);
  if (!info.hasProgram && w.vprog)
    return Bad(info, "EngineWord.vprog is not used and must be 0: ", w.vprog);
  if (!info.hasReason && w.reason)
    return Bad(info, "EngineWord.reason is not used and must be 0: ", int(w.reason));
  return absl::OkStatus();
}

} // namespace

absl::Span<const InstrInfo> Instructions() { return kInstructions; }
absl::Span<const StepInfo> Steps() { return kSteps; }

const InstrInfo *FindInstr(uint8_t opcode) {
  int16_t index = kIndexOfOpcode[opcode];
  return index == kNone ? nullptr : &kInstructions[index];
}

const InstrInfo *FindInstr(std::string_view mnemonic) {
  for (const InstrInfo &info : kInstructions)
    if (info.mnemonic == mnemonic)
      return &info;
  return nullptr;
}

const StepInfo *FindStep(std::string_view name) {
  for (const StepInfo &info : kSteps)
    if (info.name == name)
      return &info;
  return nullptr;
}

Instr DecodeInstr(const uint8_t bytes[kInstrBytes]) {
  Instr in;
  const InstrInfo *info = FindInstr(bytes[0]);
  in.isControl = !info || info->isControl;
  if (in.isControl)
    Decode(bytes, in.control);
  else
    Decode(bytes, in.engine);
  return in;
}

void EncodeInstr(const Instr &in, uint8_t bytes[kInstrBytes]) {
  if (in.isControl)
    Encode(in.control, bytes);
  else
    Encode(in.engine, bytes);
}

absl::Status VerifyInstr(const Instr &in) {
  const InstrInfo *info = FindInstr(in.opcode());
  if (!info)
    return absl::InvalidArgumentError(absl::StrCat("unknown opcode ", int(in.opcode())));
  return in.isControl ? VerifyControl(*info, in.control) : VerifyEngine(*info, in.engine);
}

int Descriptor::slots() const {
  int count = 1;
  for (const Stream &s : streams)
    count += s.window ? 2 : 1;
  return count;
}

void EncodeDescriptor(const Descriptor &d, std::vector<uint8_t> &slots) {
  size_t at = slots.size();
  slots.resize(at + size_t(d.slots()) * kSlotBytes);
  auto put = [&](const auto &slot) {
    Encode(slot, slots.data() + at);
    at += kSlotBytes;
  };
  put(d.op);
  for (const Stream &s : d.streams) {
    put(s.desc);
    if (s.window)
      put(*s.window);
  }
}

absl::StatusOr<Descriptor> DecodeDescriptor(absl::Span<const uint8_t> slots, size_t slot) {
  size_t count = slots.size() / kSlotBytes;
  Descriptor d;
  auto take = [&](auto &to) {
    if (slot >= count)
      return absl::OutOfRangeError(absl::StrCat("descriptor slot ", slot, " of ", count));
    Decode(slots.data() + slot++ * kSlotBytes, to);
    return absl::OkStatus();
  };
  ACC_RETURN_IF_ERROR(take(d.op));
  for (int i = 0; i < d.op.streams; ++i) {
    Stream s;
    ACC_RETURN_IF_ERROR(take(s.desc));
    if (s.desc.flags & 1)
      ACC_RETURN_IF_ERROR(take(s.window.emplace()));
    d.streams.push_back(s);
  }
  return d;
}

absl::Status VerifyDescriptor(const Instr &in, const Descriptor &d) {
  const InstrInfo *info = FindInstr(in.opcode());
  if (!info || !info->hasDescriptor())
    return absl::InvalidArgumentError("the instruction has no descriptor");
  if (absl::Status s = Verify(d.op); !s.ok())
    return Bad(*info, s.message());
  if (d.op.streams != d.streams.size())
    return Bad(*info, "OpDesc.streams is ", int(d.op.streams), ", there are ", d.streams.size());
  if (d.op.streams < info->minStreams || d.op.streams > info->maxStreams)
    return Bad(*info, "OpDesc.streams is ", int(d.op.streams), ", it takes ", int(info->minStreams),
               " to ", int(info->maxStreams));
  if (d.op.flags & ~info->flagMask)
    return Bad(*info, "OpDesc.flags has bits that it does not define: ", int(d.op.flags));
  auto unused = [&](const char *name, uint16_t use, uint64_t value) {
    return value && !(info->descriptorFields & use)
               ? Bad(*info, "OpDesc.", name, " is not used and must be 0: ", value)
               : absl::OkStatus();
  };
  ACC_RETURN_IF_ERROR(unused("init_reg", kUsesInitReg, d.op.initReg));
  ACC_RETURN_IF_ERROR(unused("reduce_mask", kUsesReduceMask, d.op.reduceMask));
  ACC_RETURN_IF_ERROR(unused("za_reg", kUsesZaReg, d.op.zaReg));
  ACC_RETURN_IF_ERROR(unused("zb_reg", kUsesZbReg, d.op.zbReg));
  ACC_RETURN_IF_ERROR(unused("za", kUsesZa, uint64_t(uint32_t(d.op.za))));
  ACC_RETURN_IF_ERROR(unused("zb", kUsesZb, uint64_t(uint32_t(d.op.zb))));
  ACC_RETURN_IF_ERROR(unused("fill_bits", kUsesFillBits, d.op.fillBits));
  ACC_RETURN_IF_ERROR(unused("fill_bits64", kUsesFillBits64, d.op.fillBits64));
  for (size_t i = 0; i < d.streams.size(); ++i) {
    const Stream &s = d.streams[i];
    auto bad = [&](absl::string_view what) { return Bad(*info, "stream ", i, ": ", what); };
    if (absl::Status v = Verify(s.desc); !v.ok())
      return bad(v.message());
    if (bool(s.desc.flags & 1) != s.window.has_value())
      return bad("StreamDesc.flags and the window do not agree");
    if (s.window)
      if (absl::Status v = Verify(*s.window); !v.ok())
        return bad(v.message());
    if (s.desc.space == uint8_t(Space::None) || s.desc.dtype == uint8_t(DType::None))
      return bad("StreamDesc.space and StreamDesc.dtype must be given");
    if (s.desc.space != uint8_t(Space::Dram) && s.desc.region)
      return bad(s.desc.space == uint8_t(Space::Sram)
                     ? absl::StrCat("StreamDesc.region is core ", int(s.desc.region),
                                    ", version 1 has core 0 only")
                     : "StreamDesc.region outside of DRAM must be 0");
  }
  return absl::OkStatus();
}

} // namespace accel::rt::isa
