//===- program_dsl.h - Programs written by hand in tests ------------------===//
//
//   ProgramDsl p;
//   auto &r = p.Routine("tile");
//   r.Loop(1, 4, [&] {
//     r.MulI(2, 1, 64);
//     r.Dma(kLd0, {16}, Sram(0, F32, {4}), Dram(1, F32, {4}).Plus(2),
//           {.signals = {{3, 1}}, .reason = Reason::CompulsoryLoad});
//   });
//   p.main().Call(r);
//   absl::StatusOr<Program> program = p.Build();
//
// Sizes and strides are given innermost last: {m, n} is dims 4 and 5.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_TEST_RUNTIME_PROGRAM_DSL_H
#define ACC_TEST_RUNTIME_PROGRAM_DSL_H

#include "../../runtime/sim/decoded.h"
#include "acc/runtime/simulator.h"
#include "acc/runtime/vprog_encoding.h"
#include <cstring>
#include <deque>
#include <functional>

namespace accel::rt::dsl {

constexpr auto F32 = KType::F32;
constexpr auto I32 = KType::I32;
constexpr auto I8 = KType::I8;

inline void Align(std::vector<int64_t> values, int64_t fill, int64_t out[kDims]) {
  for (int d = 0; d < kDims; ++d)
    out[d] = fill;
  for (size_t i = 0; i < values.size(); ++i)
    out[kDims - values.size() + i] = values[i];
}

/// A stream; Plus adds base registers, Window the coordinates.
struct S {
  isa::StreamDesc d = {};
  isa::WindowDesc w = {};
  bool windowed = false;

  S(Space space, int region, KType type, int64_t base, std::vector<int64_t> strides) {
    d.space = uint8_t(space);
    d.region = uint8_t(region);
    d.dtype = uint8_t(type);
    d.base = base;
    Align(std::move(strides), 0, d.stride);
  }
  S Plus(int reg) const {
    S s = *this;
    for (uint8_t &r : s.d.baseReg)
      if (!r) {
        r = uint8_t(reg);
        break;
      }
    return s;
  }
  S Window(int which, isa::WindowCoord c) const {
    S s = *this;
    s.windowed = true;
    s.d.flags = 1;
    s.w.coord[which] = c;
    return s;
  }
};
inline S Sram(int64_t base, KType t, std::vector<int64_t> strides) {
  return S(Space::Sram, 0, t, base, std::move(strides));
}
inline S Acc(int64_t base, KType t, std::vector<int64_t> strides) {
  return S(Space::Acc, 0, t, base, std::move(strides));
}
inline S Dram(int region, KType t, std::vector<int64_t> strides, int64_t base = 0) {
  return S(Space::Dram, region, t, base, std::move(strides));
}

struct Opt {
  std::vector<Token> waits, signals;
  Reason reason = Reason::None;
  std::vector<int> sizeRegs; // aligned as sizes
  uint8_t flags = 0, initReg = 0, reduceMask = 0;
  int32_t za = 0, zb = 0;
  uint32_t fill = 0;
  uint8_t zaReg = 0, zbReg = 0;
};

class RoutineDsl {
public:
  RoutineDsl(uint32_t index, std::string name) : index_(index) { info.name = std::move(name); }
  uint32_t index() const { return index_; }
  uint32_t pc() const { return uint32_t(info.code.size() / 16); }
  RoutineInfo info;
  uint32_t node = kNone; // debug entry of what follows

  uint32_t Ctrl(Op op, int rd, int ra, int rb, int64_t imm, uint32_t aux = 0) {
    isa::Instr in;
    in.control = {uint8_t(op), uint8_t(rd), uint8_t(ra), uint8_t(rb), imm, aux};
    return Push(in);
  }
  void Li(int rd, int64_t v) { Ctrl(Op::Li, rd, 0, 0, v); }
  void Add(int rd, int ra, int rb) { Ctrl(Op::Add, rd, ra, rb, 0); }
  void AddI(int rd, int ra, int64_t v) { Ctrl(Op::AddI, rd, ra, 0, v); }
  void MulI(int rd, int ra, int64_t v) { Ctrl(Op::MulI, rd, ra, 0, v); }
  void ModI(int rd, int ra, int64_t v) { Ctrl(Op::ModI, rd, ra, 0, v); }
  void MinI(int rd, int ra, int64_t v) { Ctrl(Op::MinI, rd, ra, 0, v); }
  void Lds(int rd, int ra, int64_t offset, KType t) { Ctrl(Op::Lds, rd, ra, int(t), offset); }
  void Call(const RoutineDsl &r) { Ctrl(Op::Call, 0, 0, 0, 0, r.index()); }
  void Loop(int rd, int64_t n, const std::function<void()> &body, int ra = 0) {
    Nest(Ctrl(Op::Loop, rd, ra, 0, n), body);
  }
  void If(int ra, const std::function<void()> &body) { Nest(Ctrl(Op::If, 0, ra, 0, 0), body); }
  void While(int ra, int64_t n, const std::function<void()> &body) {
    Nest(Ctrl(Op::While, 0, ra, 0, n), body);
  }
  void Sync(int engine, std::vector<Token> waits, std::vector<Token> signals) {
    Opt o;
    o.waits = std::move(waits);
    o.signals = std::move(signals);
    Word(Op::Sync, engine, 0, 0, o);
  }
  void Dma(int engine, std::vector<int64_t> size, S dst, S src, Opt o) {
    Word(Op::Dma, engine, Desc(size, {dst, src}, o), 0, o);
  }
  void Fill(int engine, std::vector<int64_t> size, S dst, Opt o) {
    o.flags = 1;
    Word(Op::Dma, engine, Desc(size, {dst}, o), 0, o);
  }
  void Gather(std::vector<int64_t> size, S dst, S src, S index, Opt o) {
    Word(Op::DmaGather, kLd0, Desc(size, {dst, src, index}, o), 0, o);
  }
  void Mxu(std::vector<int64_t> size, S c, S a, S b, Opt o) {
    Word(Op::Mxu, kMxu, Desc(size, {c, a, b}, o), 0, o);
  }
  void Vec(std::vector<int64_t> size, std::vector<S> streams, int vprog, Opt o) {
    Word(Op::Vec, kVec, Desc(size, streams, o), vprog, o);
  }

  /// VEC_SORT, VEC_COMPACT, VEC_SCATTER, VEC_RANDOM.
  void Lists(Op op, std::vector<int64_t> size, std::vector<S> streams, Opt o) {
    Word(op, kVec, Desc(size, streams, o), 0, o);
  }

private:
  uint32_t Push(const isa::Instr &in) {
    info.code.resize(info.code.size() + isa::kInstrBytes);
    isa::EncodeInstr(in, info.code.data() + info.code.size() - isa::kInstrBytes);
    info.nodeOfPc.push_back(node);
    return pc() - 1;
  }
  void Nest(uint32_t open, const std::function<void()> &body) {
    body();
    uint32_t end = Ctrl(Op::End, 0, 0, 0, 0), length = end - open;
    std::memcpy(info.code.data() + size_t(open) * 16 + 12, &length, 4);
  }
  int Desc(const std::vector<int64_t> &size, const std::vector<S> &streams, const Opt &o) {
    int slot = int(info.slots.size() / isa::kSlotBytes);
    isa::Descriptor d;
    int64_t sizes[kDims], regs[kDims];
    Align(size, 1, sizes);
    Align(std::vector<int64_t>(o.sizeRegs.begin(), o.sizeRegs.end()), 0, regs);
    for (int i = 0; i < kDims; ++i) {
      d.op.size[i] = uint32_t(sizes[i]);
      d.op.sizeReg[i] = uint8_t(regs[i]);
    }
    d.op.streams = uint8_t(streams.size());
    d.op.flags = o.flags;
    d.op.initReg = o.initReg;
    d.op.reduceMask = o.reduceMask;
    d.op.za = o.za;
    d.op.zb = o.zb;
    d.op.zaReg = o.zaReg;
    d.op.zbReg = o.zbReg;
    d.op.fillBits = o.fill;
    for (const S &s : streams)
      d.streams.push_back({s.d, s.windowed ? std::optional(s.w) : std::nullopt});
    isa::EncodeDescriptor(d, info.slots);
    return slot;
  }
  void Word(Op op, int engine, int desc, int vprog, const Opt &o) {
    isa::Instr in;
    in.isControl = false;
    isa::EngineWord &w = in.engine;
    w.opcode = uint8_t(op);
    w.engine = uint8_t(engine);
    w.desc = uint16_t(desc);
    w.vprog = uint16_t(vprog);
    w.reason = uint8_t(o.reason);
    std::copy(o.waits.begin(), o.waits.end(), w.tokens);
    std::copy(o.signals.begin(), o.signals.end(), w.tokens + 2);
    Push(in);
  }
  uint32_t index_;
};

class ProgramDsl {
public:
  ProgramDsl() {
    TargetInfo &t = b.data.target;
    t.name = "test";
    t.sramBytes = 1 << 16;
    t.accBytes = 1 << 14;
    t.imemBytes = 1 << 16;
    t.queueDepth = 4;
    t.burstBytes = 64;
    routines_.emplace_back(0, "main");
  }
  ArtifactBuilder b;
  RoutineDsl &main() { return routines_[0]; }
  RoutineDsl &Routine(const std::string &name) {
    return routines_.emplace_back(uint32_t(routines_.size()), name);
  }
  int Vprog(const VProg &v);
  uint32_t Tensor(const std::string &name, int region, int64_t bytes, int64_t offset = 0) {
    TensorInfo t;
    t.name = name;
    t.region = uint8_t(region);
    t.offset = offset;
    t.bytes = bytes;
    b.data.tensors.push_back(std::move(t));
    return uint32_t(b.data.tensors.size() - 1);
  }
  void Region(int id, RegionKind kind, int64_t bytes) {
    b.data.regions.push_back({uint8_t(id), kind, bytes, {}});
  }
  /// A whole region as a graph input or output with a tensor of that name.
  uint32_t Io(const std::string &name, int id, RegionKind kind, KType type,
              std::vector<int64_t> dims) {
    IoInfo io;
    io.name = name;
    io.dtype = uint8_t(type);
    io.dims = std::move(dims);
    io.region = uint8_t(id);
    io.bytes = KTypeBytes(type);
    for (int64_t d : io.dims)
      io.bytes *= d;
    Region(id, kind, io.bytes);
    uint32_t t = Tensor(name, id, io.bytes);
    (kind == RegionKind::Input ? b.data.inputs : b.data.outputs).push_back(std::move(io));
    return t;
  }
  void Weights(int region, std::vector<uint8_t> bytes) {
    int64_t n = int64_t(bytes.size());
    b.AddWeights(uint8_t(region), 0, n,
                 [bytes](WeightSink &s) { return s.Append(bytes.data(), bytes.size()); });
  }
  void Predict(uint32_t tensor, Reason reason, bool write, int64_t bytes) {
    b.data.predictions.push_back({tensor, reason, write, {{bytes, {}}}});
  }
  /// Adds HALT and RET, once.
  void Finish() {
    if (b.data.routines.empty())
      for (RoutineDsl &r : routines_) {
        r.Ctrl(r.index() ? Op::Ret : Op::Halt, 0, 0, 0, 0);
        b.data.routines.push_back(r.info);
      }
  }
  /// The artifact's bytes.
  std::string Bytes() {
    Finish();
    return *b.Serialize();
  }
  absl::StatusOr<Program> Build() {
    std::string bytes = Bytes();
    return Program::FromBytes({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  }

private:
  std::deque<RoutineDsl> routines_;
};

inline int ProgramDsl::Vprog(const VProg &v) {
  b.data.vprogs.push_back(EncodeVProg(v));
  return int(b.data.vprogs.size() - 1);
}

} // namespace accel::rt::dsl

#endif // ACC_TEST_RUNTIME_PROGRAM_DSL_H
