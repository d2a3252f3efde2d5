//===- isa_test.cc - Codec, tables and checks of the instruction set ------===//
#include "acc/runtime/isa.h"
#include <cstring>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <sstream>

namespace accel::rt::isa {
namespace {

using testing::HasSubstr;

/// Fills every field with a legal value.
struct Randomise {
  std::mt19937_64 *rng;

  template <typename T> void operator()(const FieldInfo &f, T &field) const {
    if constexpr (std::is_array_v<T>) {
      for (auto &e : field)
        (*this)(f, e);
    } else if constexpr (std::is_class_v<T>) {
      VisitFields(field, *this);
    } else {
      uint64_t bits = (*rng)();
      switch (f.kind) {
      case FieldKind::Reserved:
        field = 0;
        break;
      case FieldKind::Bits:
        field = T(bits & uint64_t(f.max));
        break;
      case FieldKind::Enumeration:
        field = T(f.enumeration->cases[bits % uint64_t(f.enumeration->count)].value);
        break;
      case FieldKind::Dim:
        field = bits % 7 == 6 ? T(kNoDim) : T(bits % 7);
        break;
      default: {
        uint64_t width = uint64_t(f.max) - uint64_t(f.min) + 1;
        field = T(width == 0 ? bits : uint64_t(f.min) + bits % width);
      }
      }
    }
  }
};

template <typename T> class LayoutTest : public testing::Test {};
using Layouts = testing::Types<CtrlWord, EngineWord, OpDesc, StreamDesc, WindowDesc, ProgramHead,
                               ProgramInput, ProgramOutput, ProgramReduction, ProgramStep>;
TYPED_TEST_SUITE(LayoutTest, Layouts);

TYPED_TEST(LayoutTest, RandomLegalValuesSurviveEncoding) {
  std::mt19937_64 rng(7);
  const int bytes = LayoutOf(static_cast<const TypeParam *>(nullptr)).bytes;
  for (int round = 0; round < 2000; ++round) {
    TypeParam value, back;
    VisitFields(value, Randomise{&rng});
    ASSERT_TRUE(Verify(value).ok()) << Verify(value).message();
    std::vector<uint8_t> encoded(size_t(bytes) + 1, 0xA5), again(size_t(bytes), 0);
    Encode(value, encoded.data());
    EXPECT_EQ(encoded.back(), 0xA5) << "wrote beyond its bytes";
    Decode(encoded.data(), back);
    EXPECT_EQ(value, back);
    Encode(back, again.data());
    encoded.pop_back();
    EXPECT_EQ(encoded, again);
  }
}

TYPED_TEST(LayoutTest, EveryByteBelongsToOneField) {
  const LayoutInfo &info = LayoutOf(static_cast<const TypeParam *>(nullptr));
  std::vector<int> owners(size_t(info.bytes));
  for (int i = 0; i < info.count; ++i)
    for (int b = 0; b < info.fields[i].bytes * info.fields[i].count; ++b)
      ++owners.at(size_t(info.fields[i].offset + b));
  for (int count : owners)
    EXPECT_EQ(count, 1);
}

TYPED_TEST(LayoutTest, ReservedBitsAreRefused) {
  const LayoutInfo &info = LayoutOf(static_cast<const TypeParam *>(nullptr));
  std::mt19937_64 rng(9);
  for (int i = 0; i < info.count; ++i) {
    const FieldInfo &f = info.fields[i];
    if (f.kind != FieldKind::Reserved)
      continue;
    for (int bit = 0; bit < f.bytes * f.count * 8; ++bit) {
      TypeParam value;
      VisitFields(value, Randomise{&rng});
      std::vector<uint8_t> bytes(size_t(info.bytes));
      Encode(value, bytes.data());
      bytes[size_t(f.offset + bit / 8)] |= uint8_t(1 << bit % 8);
      Decode(bytes.data(), value);
      EXPECT_THAT(std::string(Verify(value).message()), HasSubstr("reserved"));
    }
  }
}

TEST(Instructions, OpcodesDoNotOverlap) {
  std::set<uint8_t> opcodes;
  std::set<std::string> names;
  for (const InstrInfo &info : Instructions()) {
    EXPECT_TRUE(opcodes.insert(uint8_t(info.opcode)).second) << info.mnemonic;
    EXPECT_TRUE(names.insert(info.mnemonic).second) << info.mnemonic;
    EXPECT_EQ(FindInstr(uint8_t(info.opcode)), &info);
    EXPECT_EQ(FindInstr(info.mnemonic), &info);
    EXPECT_GE(info.since, 1);
    EXPECT_LE(info.since, kIsaVersion);
  }
}

TEST(Instructions, ValuesNeverChange) {
  // A few of each group: artifacts that exist hold these bytes.
  EXPECT_EQ(int(Opcode::Halt), 0x01);
  EXPECT_EQ(int(Opcode::CmpEqI), 0x18);
  EXPECT_EQ(int(Opcode::Loop), 0x20);
  EXPECT_EQ(int(Opcode::Lds), 0x26);
  EXPECT_EQ(int(Opcode::Sync), 0x30);
  EXPECT_EQ(int(Opcode::DmaScatter), 0x42);
  EXPECT_EQ(int(Opcode::MxuDw), 0x51);
  EXPECT_EQ(int(Opcode::VecRandom), 0x64);
}

TEST(Instructions, TheManualHasAPageForEach) {
  std::ifstream in("docs/isa.md");
  std::stringstream text;
  text << in.rdbuf();
  for (const InstrInfo &info : Instructions())
    EXPECT_THAT(text.str(), HasSubstr(std::string("### `") + info.mnemonic + "`"));
}

/// A word that VerifyInstr takes.
Instr Legal(const InstrInfo &info, std::mt19937_64 &rng) {
  Instr in;
  in.isControl = info.isControl;
  auto value = [&](const OperandInfo &o) -> int64_t {
    if (o.role == Role::Unused)
      return 0;
    uint64_t width = uint64_t(o.max) - uint64_t(o.min) + 1;
    return int64_t(width ? uint64_t(o.min) + rng() % width : rng());
  };
  if (info.isControl) {
    CtrlWord &w = in.control;
    w.opcode = uint8_t(info.opcode);
    w.rd = uint8_t(value(info.rd));
    w.ra = uint8_t(value(info.ra));
    w.rb = uint8_t(value(info.rb));
    w.imm = value(info.imm);
    w.aux = uint32_t(value(info.aux));
    return in;
  }
  EngineWord &w = in.engine;
  w.opcode = uint8_t(info.opcode);
  do
    w.engine = uint8_t(rng() % 6);
  while (!info.runsOn(w.engine));
  for (Token &t : w.tokens)
    if (rng() % 2)
      t = {uint8_t(1 + rng() % 127), uint8_t(1 + rng() % 255)};
  w.desc = info.hasDescriptor() ? uint16_t(rng()) : 0;
  w.vprog = info.hasProgram ? uint16_t(rng()) : 0;
  w.reason = info.hasReason ? uint8_t(rng() % 12) : 0;
  return in;
}

TEST(Instructions, RandomLegalInstructionsSurviveEncoding) {
  std::mt19937_64 rng(11);
  for (const InstrInfo &info : Instructions())
    for (int round = 0; round < 500; ++round) {
      Instr in = Legal(info, rng);
      uint8_t bytes[kInstrBytes], again[kInstrBytes];
      EncodeInstr(in, bytes);
      Instr back = DecodeInstr(bytes);
      absl::Status status = VerifyInstr(back);
      EXPECT_TRUE(status.ok()) << status.message();
      EncodeInstr(back, again);
      EXPECT_EQ(0, std::memcmp(bytes, again, kInstrBytes)) << Disassemble(in);
      EXPECT_THAT(Disassemble(back), HasSubstr(info.mnemonic));
    }
}

TEST(Instructions, AnyBytesDecodeAndEncodeToThemselves) {
  std::mt19937_64 rng(13);
  for (int round = 0; round < 20000; ++round) {
    uint8_t bytes[kInstrBytes], again[kInstrBytes];
    for (uint8_t &b : bytes)
      b = uint8_t(rng());
    Instr in = DecodeInstr(bytes);
    (void)VerifyInstr(in);
    (void)Disassemble(in);
    EncodeInstr(in, again);
    EXPECT_EQ(0, std::memcmp(bytes, again, kInstrBytes));
  }
}

std::string ErrorOf(const Instr &in) { return std::string(VerifyInstr(in).message()); }

TEST(VerifyInstr, NamesTheField) {
  Instr add;
  add.control.opcode = uint8_t(Opcode::Add);
  add.control.rd = 64;
  EXPECT_EQ(ErrorOf(add), "ADD: CtrlWord.rd names register 64, registers end at 63");
  add.control.rd = 1;
  add.control.imm = 5;
  EXPECT_EQ(ErrorOf(add), "ADD: CtrlWord.imm is not used and must be 0: 5");
  Instr mod;
  mod.control.opcode = uint8_t(Opcode::ModI);
  EXPECT_EQ(ErrorOf(mod), "MODI: CtrlWord.imm is the divisor and must not be 0");
  Instr mxu;
  mxu.isControl = false;
  mxu.engine.opcode = uint8_t(Opcode::Mxu);
  mxu.engine.engine = uint8_t(Engine::Vec);
  EXPECT_EQ(ErrorOf(mxu), "MXU: does not run on engine vec, only on mxu");
  mxu.engine.engine = uint8_t(Engine::Mxu);
  mxu.engine.tokens[0].semaphore = 3;
  EXPECT_EQ(ErrorOf(mxu), "MXU: wait of semaphore 3 with count 0");
  mxu.engine.tokens[0] = {200, 1};
  EXPECT_EQ(ErrorOf(mxu), "MXU: Token.semaphore (byte 0) is out of range: 200");
  Instr unknown;
  unknown.control.opcode = 0x7F;
  EXPECT_EQ(ErrorOf(unknown), "unknown opcode 127");
}

TEST(VerifyDescriptor, NamesTheField) {
  Instr in;
  in.isControl = false;
  in.engine.opcode = uint8_t(Opcode::Mxu);
  in.engine.engine = uint8_t(Engine::Mxu);
  Descriptor d;
  d.op.streams = 3;
  d.streams.resize(3);
  for (Stream &s : d.streams) {
    s.desc.space = uint8_t(Space::Sram);
    s.desc.dtype = uint8_t(DType::F32);
  }
  auto error = [&] { return std::string(VerifyDescriptor(in, d).message()); };
  EXPECT_EQ(error(), "");
  d.op.reduceMask = 1;
  EXPECT_EQ(error(), "MXU: OpDesc.reduce_mask is not used and must be 0: 1");
  d.op.reduceMask = 0;
  d.op.flags = 4;
  EXPECT_EQ(error(), "MXU: OpDesc.flags has bits that it does not define: 4");
  d.op.flags = 0;
  d.streams[1].desc.baseReg[2] = 64;
  EXPECT_EQ(error(), "MXU: stream 1: StreamDesc.base_reg[2] (byte 6) is out of range: 64");
  d.streams[1].desc.baseReg[2] = 0;
  d.streams[2].desc.region = 1;
  EXPECT_EQ(error(), "MXU: stream 2: StreamDesc.region is core 1, version 1 has core 0 only");
  d.streams[2].desc.region = 0;
  d.streams[1].desc.flags = 1;
  d.streams[1].window.emplace().coord[1].dimA = 6;
  EXPECT_EQ(
      error(),
      "MXU: stream 1: WindowCoord.dim_a (byte 6) is no dimension (0 to 5, or 255 for none): 6");
  d.op.streams = 2;
  d.streams.resize(2);
  EXPECT_EQ(error(), "MXU: OpDesc.streams is 2, it takes 3 to 3");
}

TEST(Descriptors, RandomOnesSurviveEncoding) {
  std::mt19937_64 rng(17);
  for (int round = 0; round < 500; ++round) {
    Descriptor d;
    VisitFields(d.op, Randomise{&rng});
    for (int i = 0; i < d.op.streams; ++i) {
      Stream s;
      VisitFields(s.desc, Randomise{&rng});
      if (s.desc.flags & 1)
        VisitFields(s.window.emplace(), Randomise{&rng});
      d.streams.push_back(s);
    }
    std::vector<uint8_t> slots(64, 1);
    EncodeDescriptor(d, slots);
    ASSERT_EQ(slots.size(), size_t(1 + d.slots()) * kSlotBytes);
    absl::StatusOr<Descriptor> back = DecodeDescriptor(slots, 1);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, d);
    slots.pop_back();
    EXPECT_FALSE(DecodeDescriptor(slots, 1).ok()) << "the last slot is cut";
  }
}

TEST(VectorPrograms, SurviveEncoding) {
  std::mt19937_64 rng(19);
  for (int round = 0; round < 200; ++round) {
    VectorProgram p;
    auto fill = [&](auto &list, size_t count) {
      list.resize(count);
      for (auto &item : list)
        VisitFields(item, Randomise{&rng});
    };
    fill(p.ins, rng() % 5);
    fill(p.outs, 1 + rng() % 2);
    fill(p.reductions, rng() % 3);
    fill(p.body, rng() % 49);
    fill(p.post, rng() % 49);
    std::vector<uint8_t> bytes = EncodeProgram(p);
    absl::StatusOr<VectorProgram> back = DecodeProgram(bytes);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(*back, p);
    bytes.push_back(0);
    EXPECT_FALSE(DecodeProgram(bytes).ok());
  }
}

TEST(VectorPrograms, StepsAreChecked) {
  VectorProgram p;
  p.outs = {{}};
  p.body.resize(1);
  p.body[0].op = uint8_t(VecOp::Exp);
  p.body[0].type = uint8_t(VecType::I32);
  EXPECT_EQ(VerifyProgram(p).message(), "body step 0: exp has no type i32");
  p.body[0].type = 0;
  p.body[0].a = 16;
  EXPECT_EQ(VerifyProgram(p).message(), "body step 0: operand 0 is no register: 16");
  p.body[0].a = 0;
  p.body[0].op = uint8_t(VecOp::Imm); // what it does not use must be 0
  p.body[0].a = 232;
  EXPECT_EQ(VerifyProgram(p).message(),
            "body step 0: imm does not use operand 0, it must be 0: 232");
  p.body[0].a = 0;
  p.body[0].op = uint8_t(VecOp::Exp);
  p.body[0].imm = 3;
  EXPECT_EQ(VerifyProgram(p).message(), "body step 0: exp does not use imm, it must be 0: 3");
  p.body[0].imm = 0;
  p.body[0].op = 200;
  EXPECT_EQ(VerifyProgram(p).message(), "body step 0: ProgramStep.op is no defined value: 200");
}

TEST(Disassembly, ReadsLikeTheManual) {
  Instr in;
  in.isControl = false;
  in.engine.opcode = uint8_t(Opcode::Dma);
  in.engine.engine = uint8_t(Engine::Ld1);
  in.engine.tokens[0] = {3, 1};
  in.engine.tokens[2] = {4, 2};
  in.engine.reason = uint8_t(Reason::Halo);
  EXPECT_EQ(Disassemble(in), "DMA ld1 wait [s3: 1] signal [s4: 2] halo");
  ProgramStep step;
  step.op = uint8_t(VecOp::Fma);
  step.dst = 3;
  step.b = 1;
  step.c = 2;
  EXPECT_EQ(Disassemble(step), "v3 = fma.f32 v0, v1, v2");
}

} // namespace
} // namespace accel::rt::isa
