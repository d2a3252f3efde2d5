//===- decode.cc - Decodes instructions and checks their fields -----------===//
//
// After this pass: opcodes and fields are defined values, unused bits are
// zero, control is properly nested, calls do not recurse, every semaphore has
// one signalling and one waiting engine, routines fit in instruction memory,
// strides and bounds are small enough that address arithmetic cannot overflow.
//
//===----------------------------------------------------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "decoded.h"
#include "encoding.h"
#include "vprog_binding.h"
#include <algorithm>
#include <cstring>
#include <map>
#include <set>

namespace accel::rt {

const char *EngineName(int engine) {
  static const char *const names[kEngines] = {"CTRL", "LD0", "LD1", "ST", "MXU", "VEC"};
  return engine >= 0 && engine < kEngines ? names[engine] : "?";
}

std::string PlaceName(const ArtifactData &data, uint32_t routine, uint32_t pc) {
  if (routine == 0)
    return absl::StrCat("main pc ", pc);
  return absl::StrCat("routine ", routine, " \"", data.routines[routine].name, "\" pc ", pc);
}

namespace {

bool IsControl(Op op) { return op <= Op::Lds && op != Op(0x19); }

bool KnownOp(uint8_t op) {
  return op <= 0x18 || (op >= 0x20 && op <= 0x26) || op == 0x30 || (op >= 0x40 && op <= 0x42) ||
         op == 0x50 || op == 0x51 || (op >= 0x60 && op <= 0x64);
}

/// Which operand fields an opcode uses.
struct Fields {
  bool rd, ra, rb, imm, aux;
};
Fields FieldsOf(Op op) {
  switch (op) {
  case Op::Nop:
  case Op::Halt:
  case Op::Ret:
  case Op::End:
    return {};
  case Op::Li:
    return {true, false, false, true, false};
  case Op::Loop:
    return {true, true, false, true, true};
  case Op::If:
    return {false, true, false, false, true};
  case Op::While:
    return {false, true, false, true, true};
  case Op::Call:
    return {false, false, false, false, true};
  case Op::Lds:
    return {true, true, true, true, false};
  case Op::AddI:
  case Op::MulI:
  case Op::DivI:
  case Op::ModI:
  case Op::MinI:
  case Op::MaxI:
  case Op::CmpLtI:
  case Op::CmpEqI:
    return {true, true, false, true, false};
  default:
    return {true, true, true, false, false};
  }
}

class RoutineDecoder {
public:
  RoutineDecoder(DecodedProgram &p, uint32_t index)
      : p_(p), info_(p.data().routines[index]), out_(p.routines[index]), index_(index) {}

  absl::Status Run() {
    size_t count = info_.code.size() / 16;
    out_.instrs.resize(count);
    out_.bytes = int64_t(info_.code.size() + info_.slots.size());
    for (pc_ = 0; pc_ < count; ++pc_) {
      const uint8_t *bytes = info_.code.data() + size_t(pc_) * 16;
      if (!KnownOp(bytes[0]))
        return Bad("unknown opcode ", int(bytes[0]));
      InstrCode &in = out_.instrs[pc_];
      in.op = Op(bytes[0]);
      if (IsControl(in.op))
        ACC_RETURN_IF_ERROR(Control(bytes, in));
      else
        ACC_RETURN_IF_ERROR(Engine(bytes, in));
    }
    for (uint16_t v : vprogs_)
      out_.bytes += int64_t(p_.data().vprogs[v].size());
    return Nesting();
  }

private:
  template <typename... Args> absl::Status Bad(const Args &...args) const {
    return absl::InvalidArgumentError(
        absl::StrCat("program refused: ", PlaceName(p_.data(), index_, pc_), ": ", args...));
  }

  absl::Status Control(const uint8_t *bytes, InstrCode &in) {
    enc::CtrlInstr c;
    std::memcpy(&c, bytes, sizeof(c));
    Fields use = FieldsOf(in.op);
    if (c.rd >= kRegisters || c.ra >= kRegisters || (in.op != Op::Lds && c.rb >= kRegisters))
      return Bad("register number above 63");
    if ((!use.rd && c.rd) || (!use.ra && c.ra) || (!use.rb && c.rb) || (!use.imm && c.imm) ||
        (!use.aux && c.aux))
      return Bad("unused field of opcode ", int(c.op), " is not zero");
    in.rd = c.rd;
    in.ra = c.ra;
    in.rb = c.rb;
    in.imm = c.imm;
    in.aux = c.aux;
    if ((in.op == Op::DivI || in.op == Op::ModI) && c.imm == 0)
      return Bad("division by the constant 0");
    if ((in.op == Op::Loop || in.op == Op::While) && c.imm < 0)
      return Bad("negative trip bound ", c.imm);
    if (in.op == Op::Call && (c.aux == 0 || c.aux >= p_.routines.size()))
      return Bad("CALL of routine ", c.aux, " of ", p_.routines.size());
    if (in.op == Op::Lds && (KTypeBytes(KType(c.rb)) == 0 || c.rb > uint8_t(KType::Bool) ||
                             (c.rb >= uint8_t(KType::F32) && c.rb <= uint8_t(KType::F64))))
      return Bad("LDS of element type ", int(c.rb), "; it must be an integer type");
    if (in.op == Op::Lds && (c.imm < -kMaxAddress || c.imm > kMaxAddress))
      return Bad("LDS offset ", c.imm);
    return absl::OkStatus();
  }

  absl::Status Tokens(const enc::EngineInstr &e, InstrCode &in) {
    for (int i = 0; i < 4; ++i) {
      Token t{e.tokens[2 * i], e.tokens[2 * i + 1]};
      bool wait = i < 2;
      if (t.semaphore >= kSemaphores)
        return Bad("semaphore ", int(t.semaphore), " above 127");
      if ((t.semaphore == 0) != (t.count == 0))
        return Bad(wait ? "wait" : "signal", " of semaphore ", int(t.semaphore), " with count ",
                   int(t.count));
      (wait ? in.wait[i] : in.signal[i - 2]) = t;
      if (!t.semaphore)
        continue;
      int8_t &owner = wait ? p_.waiter[t.semaphore] : p_.signaller[t.semaphore];
      if (owner >= 0 && owner != in.engine)
        return Bad("semaphore ", int(t.semaphore), wait ? " is waited for" : " is signalled",
                   " by ", EngineName(in.engine), " here and by ", EngineName(owner), " elsewhere");
      owner = int8_t(in.engine);
    }
    return absl::OkStatus();
  }

  absl::Status Engine(const uint8_t *bytes, InstrCode &in) {
    enc::EngineInstr e;
    std::memcpy(&e, bytes, sizeof(e));
    in.engine = e.engine;
    if (e.zero || e.engine >= kEngines)
      return Bad("engine ", int(e.engine), ", reserved byte ", int(e.zero));
    bool isDma = in.op >= Op::Dma && in.op <= Op::DmaScatter;
    bool isMxu = in.op == Op::Mxu || in.op == Op::MxuDw;
    bool isVec = in.op >= Op::Vec;
    if (isDma   ? (e.engine < kLd0 || e.engine > kSt)
        : isMxu ? e.engine != kMxu
                : isVec && e.engine != kVec)
      return Bad("opcode ", int(e.op), " on engine ", EngineName(e.engine));
    if (int(e.reason) >= kReasons)
      return Bad("unknown reason ", int(e.reason));
    if ((!isVec && e.vprog) || (!isDma && e.reason))
      return Bad("unused field of opcode ", int(e.op), " is not zero");
    in.reason = Reason(e.reason);
    ACC_RETURN_IF_ERROR(Tokens(e, in));
    if (in.op == Op::Sync)
      return e.desc ? Bad("SYNC with a descriptor") : absl::OkStatus();
    if (in.op > Op::Vec)
      return absl::UnimplementedError(
          absl::StrCat("program refused: ", PlaceName(p_.data(), index_, pc_), ": ", OpName(in.op),
                       " is reserved by ISA version 1; this simulator does not execute it"));
    EngineCode code;
    ACC_RETURN_IF_ERROR(Descriptors(e, in, code));
    if (isDma)
      ACC_RETURN_IF_ERROR(CheckDma(in, code));
    else if (isMxu)
      ACC_RETURN_IF_ERROR(CheckMxu(in, code));
    else
      ACC_RETURN_IF_ERROR(CheckVec(e, code));
    if (in.reason != Reason::None && code.dram < 0)
      return Bad("a reason for DRAM traffic on a transfer inside of SRAM");
    in.code = uint32_t(out_.engine.size());
    out_.engine.push_back(std::move(code));
    return absl::OkStatus();
  }

  static const char *OpName(Op op) {
    switch (op) {
    case Op::VecSort:
      return "VEC_SORT";
    case Op::VecCompact:
      return "VEC_COMPACT";
    case Op::VecScatter:
      return "VEC_SCATTER";
    case Op::VecRandom:
      return "VEC_RANDOM";
    default:
      return "?";
    }
  }

  absl::Status Descriptors(const enc::EngineInstr &e, const InstrCode &in, EngineCode &code) {
    size_t slots = info_.slots.size() / 64, slot = e.desc;
    auto take = [&](void *to) {
      if (slot >= slots)
        return false;
      std::memcpy(to, info_.slots.data() + slot++ * 64, 64);
      return true;
    };
    enc::OpDesc d;
    if (!take(&d))
      return Bad("descriptor slot ", slot, " of ", slots);
    if (d.zero0 || d.zero1 || d.streams == 0 || d.streams > kMaxStreams)
      return Bad("operation descriptor with ", int(d.streams), " streams or nonzero padding");
    int64_t points = 1;
    for (int i = 0; i < kDims; ++i) {
      if (d.sizeReg[i] >= kRegisters)
        return Bad("size register above 63");
      code.size[i] = d.size[i];
      code.sizeReg[i] = d.sizeReg[i];
      code.dynamicSize |= d.sizeReg[i] != 0;
      if (d.size[i] && points > kMaxPoints / d.size[i])
        return Bad("more than 2^33 iteration points");
      points *= std::max<int64_t>(d.size[i], 1);
    }
    if (d.initReg >= kRegisters || d.reduceMask >= 64)
      return Bad("init register ", int(d.initReg), ", reduction mask ", int(d.reduceMask));
    code.streams = d.streams;
    code.flags = d.flags;
    code.initReg = d.initReg;
    code.reduceMask = d.reduceMask;
    code.za = d.za;
    code.zb = d.zb;
    code.fillBits = d.fillBits64 ? d.fillBits64 : d.fillBits;
    for (int i = 0; i < d.streams; ++i) {
      enc::StreamDesc s;
      enc::WindowDesc w;
      if (!take(&s))
        return Bad("stream ", i, ": descriptor slot ", slot, " of ", slots);
      bool windowed = s.flags & enc::kStreamHasWindow;
      if (windowed && !take(&w))
        return Bad("stream ", i, ": window slot ", slot, " of ", slots);
      ACC_RETURN_IF_ERROR(Stream(i, s, windowed ? &w : nullptr, in, code));
    }
    return absl::OkStatus();
  }

  absl::Status Stream(int index, const enc::StreamDesc &s, const enc::WindowDesc *w,
                      const InstrCode &in, EngineCode &code) {
    StreamCode &out = code.stream[index];
    if (s.flags & ~enc::kStreamHasWindow)
      return Bad("stream ", index, ": unknown flags ", int(s.flags));
    if (s.space < 1 || s.space > 3 || (s.space != 1 && s.region))
      return Bad("stream ", index, ": memory space ", int(s.space), " region ", int(s.region));
    out.space = Space(s.space);
    out.region = s.region;
    out.k.type = KType(s.dtype);
    if (KTypeBytes(out.k.type) == 0)
      return Bad("stream ", index, ": element type ", int(s.dtype), " cannot be walked by bytes");
    if (out.space == Space::Acc && out.k.type != KType::F32 && out.k.type != KType::I32)
      return Bad("stream ", index, ": accumulators hold f32 or i32");
    if (out.space == Space::Dram) {
      if (!p_.region[s.region])
        return Bad("stream ", index, ": there is no DRAM region ", int(s.region));
      if (code.dram >= 0)
        return Bad("two streams in DRAM");
      code.dram = int8_t(index);
    }
    for (uint8_t r : s.baseReg) {
      if (r >= kRegisters)
        return Bad("stream ", index, ": base register above 63");
      if (r)
        out.baseReg[out.baseRegs++] = r;
    }
    if (std::abs(s.base) > kMaxAddress)
      return Bad("stream ", index, ": base ", s.base);
    out.k.base = s.base;
    out.isStatic = out.baseRegs == 0;
    for (int d = 0; d < kDims; ++d) {
      int64_t steps = std::max<int64_t>(code.size[d] - 1, 1);
      if (s.stride[d] > kMaxAddress / steps || s.stride[d] < -kMaxAddress / steps)
        return Bad("stream ", index, ": stride ", s.stride[d], " of dimension ", d);
      out.k.stride[d] = s.stride[d];
    }
    if (w)
      ACC_RETURN_IF_ERROR(Window(index, *w, code, out));
    return absl::OkStatus();
  }

  absl::Status Window(int index, const enc::WindowDesc &w, const EngineCode &code,
                      StreamCode &out) {
    out.k.windowed = true;
    out.k.padBits = w.padBits;
    for (int i = 0; i < 2; ++i) {
      const enc::WindowCoordDesc &c = w.coord[i];
      WindowCoord &k = out.k.coord[i];
      if (c.startReg >= kRegisters || c.orgReg >= kRegisters)
        return Bad("stream ", index, ": window register above 63");
      if ((c.dimA >= kDims && c.dimA != kNoDim) || (c.dimB >= kDims && c.dimB != kNoDim) ||
          (w.flags[i] & ~1))
        return Bad("stream ", index, ": window dimensions ", int(c.dimA), ", ", int(c.dimB),
                   ", flags ", int(w.flags[i]));
      if (c.mod > (1u << 31))
        return Bad("stream ", index, ": window modulus ", c.mod);
      for (auto [dim, mul] : {std::pair(c.dimA, c.mulA), std::pair(c.dimB, c.mulB)})
        if (dim < kDims &&
            std::abs(int64_t(mul)) > kMaxPosition / std::max<int64_t>(code.size[dim] - 1, 1))
          return Bad("stream ", index, ": window multiplier ", mul);
      k.start = c.start;
      k.dimA = c.dimA;
      k.dimB = c.dimB;
      k.mulA = c.mulA;
      k.mulB = c.mulB;
      k.bound = c.bound;
      k.mod = c.mod;
      k.stride = c.stride;
      k.div = std::max<int64_t>(w.div[i], 1);
      k.exact = w.flags[i] & 1;
      out.startReg[i] = c.startReg;
      out.orgReg[i] = c.orgReg;
      out.isStatic &= !c.startReg && !c.orgReg;
    }
    return absl::OkStatus();
  }

  absl::Status Writes(EngineCode &code, int index) {
    StreamCode &s = code.stream[index];
    s.write = true;
    if (s.space == Space::Dram && IsReadOnly(p_.region[s.region]->kind))
      return Bad("write to region ", int(s.region), ", which is read-only (",
                 RegionKindName(p_.region[s.region]->kind), ")");
    return absl::OkStatus();
  }

  absl::Status CheckDma(const InstrCode &in, EngineCode &code) {
    bool fill = code.flags & 1;
    if (code.flags & ~1 || (fill && in.op != Op::Dma) || code.initReg || code.reduceMask || code.zb)
      return Bad("DMA flags ", int(code.flags), " or unused fields");
    int streams = fill ? 1 : in.op == Op::Dma ? 2 : 3;
    if (code.streams != streams)
      return Bad("DMA with ", int(code.streams), " streams instead of ", streams);
    if (in.op == Op::Dma ? code.za != 0 : code.za < 0)
      return Bad("index bound ", code.za);
    ACC_RETURN_IF_ERROR(Writes(code, 0));
    Space dst = code.stream[0].space, src = fill ? Space::Sram : code.stream[1].space;
    bool good = in.engine == kSt ? src == Space::Sram && dst != Space::Acc
                                 : dst == Space::Sram && src != Space::Acc;
    if (streams == 3) {
      if (code.stream[2].k.windowed)
        return Bad("an index list with a window");
      KType t = code.stream[2].k.type;
      good &= code.stream[2].space == Space::Sram && (t == KType::I32 || t == KType::I64);
      for (int d = 1; d < kDims; ++d) // the list runs over dim 0 only
        good &= code.stream[2].k.stride[d] == 0;
    }
    if (!good)
      return Bad(EngineName(in.engine), " cannot move between these memories");
    if (code.dram >= 0 && in.reason == Reason::None)
      return Bad("DRAM traffic without a reason");
    return absl::OkStatus();
  }

  absl::Status CheckMxu(const InstrCode &in, EngineCode &code) {
    if (code.streams != 3 || code.flags > 2 || code.reduceMask || code.fillBits)
      return Bad("MXU with ", int(code.streams), " streams, flags ", int(code.flags));
    if ((code.flags != 2) && code.initReg)
      return Bad("MXU init register without its flag");
    ACC_RETURN_IF_ERROR(Writes(code, 0));
    if (code.stream[0].space != Space::Acc || code.stream[1].space != Space::Sram ||
        code.stream[2].space != Space::Sram)
      return Bad("MXU streams must be ACC, SRAM, SRAM");
    KType acc;
    if (!MxuTypes(code.stream[1].k.type, code.stream[2].k.type, acc) ||
        acc != code.stream[0].k.type)
      return Bad("MXU cannot multiply element types ", int(code.stream[1].k.type), " and ",
                 int(code.stream[2].k.type), " into ", int(code.stream[0].k.type));
    if (code.stream[0].k.windowed || code.stream[2].k.windowed)
      return Bad("only the A stream of MXU may have a window");
    int outer = in.op == Op::Mxu ? 3 : 3; // C moves with m0, m1 and n (or c)
    for (int d = outer; d < kDims; ++d)
      if (code.stream[0].k.stride[d])
        return Bad("the C stream of MXU moves with a reduced dimension");
    if (in.op == Op::MxuDw && (code.size[5] != 1 || code.sizeReg[5]))
      return Bad("MXU_DW with a sixth dimension");
    return absl::OkStatus();
  }

  absl::Status CheckVec(const enc::EngineInstr &e, EngineCode &code) {
    if (e.vprog >= p_.vprogs.size())
      return Bad("vector program ", e.vprog, " of ", p_.vprogs.size());
    vprogs_.insert(e.vprog);
    if (code.flags & ~1 || (!(code.flags & 1) && code.initReg) || code.za || code.zb ||
        code.fillBits)
      return Bad("VEC flags ", int(code.flags), " or unused fields");
    code.vprog = p_.vprogs[e.vprog].get();
    VProgShape shape = ShapeOf(*code.vprog);
    if (shape.outs + shape.ins != code.streams)
      return Bad("VEC with ", int(code.streams), " streams, its program has ", shape.outs,
                 " outputs and ", shape.ins, " inputs");
    if (shape.reductions == 0 && (code.reduceMask || (code.flags & 1)))
      return Bad("VEC reduces dimensions, its program has no reduction");
    code.outs = uint8_t(shape.outs);
    for (int i = 0; i < code.streams; ++i) {
      if (code.stream[i].space == Space::Dram)
        return Bad("VEC stream ", i, " in DRAM");
      if (i >= shape.outs)
        continue;
      ACC_RETURN_IF_ERROR(Writes(code, i));
      if (shape.outPost[i])
        for (int d = 0; d < kDims; ++d)
          if ((code.reduceMask >> d & 1) && code.stream[i].k.stride[d])
            return Bad("VEC output ", i, " moves with the reduced dimension ", d);
    }
    return absl::OkStatus();
  }

  /// Openers and ENDs match, at most 8 deep; main is a straight line that ends
  /// with HALT, other routines end with RET.
  absl::Status Nesting() {
    std::vector<uint32_t> open;
    std::vector<InstrCode> &code = out_.instrs;
    for (pc_ = 0; pc_ < code.size(); ++pc_) {
      InstrCode &in = code[pc_];
      switch (in.op) {
      case Op::Loop:
      case Op::If:
      case Op::While:
        if (index_ == 0)
          return Bad("main is a straight line of instructions and calls");
        if (open.size() == kMaxNesting)
          return Bad("control nested deeper than ", kMaxNesting);
        if (in.aux == 0 || in.aux >= code.size() - pc_ || code[pc_ + in.aux].op != Op::End)
          return Bad("its body of ", in.aux, " instructions does not end with END");
        in.target = pc_ + in.aux + 1;
        if (!open.empty() && in.target > code[open.back()].target - 1)
          return Bad("its body reaches out of the enclosing one");
        code[pc_ + in.aux].target = pc_;
        open.push_back(pc_);
        break;
      case Op::End:
        if (open.empty() || code[open.back()].target != pc_ + 1)
          return Bad("END without an opener");
        open.pop_back();
        break;
      case Op::Halt:
        if (index_ != 0 || pc_ + 1 != code.size())
          return Bad("HALT anywhere but at the end of main");
        break;
      case Op::Ret:
        if (index_ == 0 || pc_ + 1 != code.size())
          return Bad("RET anywhere but at the end of a routine");
        break;
      default:
        break;
      }
    }
    pc_ = uint32_t(code.size() - 1);
    Op last = code.back().op;
    if (last != (index_ == 0 ? Op::Halt : Op::Ret))
      return Bad("the routine must end with ", index_ == 0 ? "HALT" : "RET");
    return absl::OkStatus();
  }

  DecodedProgram &p_;
  const RoutineInfo &info_;
  RoutineCode &out_;
  uint32_t index_, pc_ = 0;
  std::set<uint16_t> vprogs_;
};

/// Calls go at most 8 deep, which forbids recursion.
absl::Status CheckCalls(const DecodedProgram &p) {
  size_t count = p.routines.size();
  std::vector<int> depth(count, -1); // calls below; -2: being visited
  // Depth-first without recursion on the host's stack.
  struct Visit {
    uint32_t routine;
    size_t next;
    int deepest;
  };
  std::vector<std::vector<uint32_t>> callees(count);
  for (size_t r = 0; r < count; ++r) {
    for (const InstrCode &in : p.routines[r].instrs)
      if (in.op == Op::Call)
        callees[r].push_back(in.aux);
    std::sort(callees[r].begin(), callees[r].end());
    callees[r].erase(std::unique(callees[r].begin(), callees[r].end()), callees[r].end());
  }
  for (uint32_t root = 0; root < count; ++root) {
    if (depth[root] >= 0)
      continue;
    std::vector<Visit> stack = {{root, 0, 0}};
    depth[root] = -2;
    while (!stack.empty()) {
      Visit &v = stack.back();
      if (v.next == callees[v.routine].size()) {
        depth[v.routine] = v.deepest;
        int below = v.deepest + 1;
        stack.pop_back();
        if (!stack.empty())
          stack.back().deepest = std::max(stack.back().deepest, below);
        continue;
      }
      uint32_t callee = callees[v.routine][v.next++];
      if (depth[callee] == -2)
        return absl::InvalidArgumentError(absl::StrCat("program refused: routine ", callee, " \"",
                                                       p.data().routines[callee].name,
                                                       "\" calls itself"));
      if (depth[callee] >= 0) {
        v.deepest = std::max(v.deepest, depth[callee] + 1);
      } else {
        depth[callee] = -2;
        stack.push_back({callee, 0, 0});
      }
    }
  }
  if (depth[0] > kMaxNesting)
    return absl::InvalidArgumentError(absl::StrCat("program refused: calls go ", depth[0],
                                                   " deep, the machine allows ", kMaxNesting));
  return absl::OkStatus();
}

} // namespace

absl::Status DecodeProgram(DecodedProgram &p) {
  const ArtifactData &data = p.data();
  std::fill(std::begin(p.signaller), std::end(p.signaller), int8_t(-1));
  std::fill(std::begin(p.waiter), std::end(p.waiter), int8_t(-1));
  for (const RegionInfo &r : data.regions) {
    p.region[r.id] = &r;
    p.regionBytes[r.id] = r.bytes;
  }
  for (size_t i = 0; i < data.vprogs.size(); ++i) {
    absl::StatusOr<std::shared_ptr<const CompiledVProg>> v = BindVProg(data.vprogs[i]);
    if (!v.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("program refused: vector program ", i, ": ", v.status().message()));
    p.vprogs.push_back(*std::move(v));
  }
  p.routines.resize(data.routines.size());
  for (const RegisterRange &r : data.registers)
    p.routines[r.routine].entry.push_back(r);
  for (uint32_t i = 0; i < p.routines.size(); ++i) {
    ACC_RETURN_IF_ERROR(RoutineDecoder(p, i).Run());
    if (i > 0 && p.routines[i].bytes > data.target.imemBytes)
      return absl::InvalidArgumentError(absl::StrCat(
          "program refused: routine ", i, " \"", data.routines[i].name, "\" has ",
          p.routines[i].bytes, " bytes of code, instruction memory ", data.target.imemBytes));
  }
  for (int s = 1; s < kSemaphores; ++s)
    if (p.waiter[s] >= 0 && p.signaller[s] < 0)
      return absl::InvalidArgumentError(absl::StrCat("program refused: ", EngineName(p.waiter[s]),
                                                     " waits for semaphore ", s,
                                                     ", which nothing signals"));
  for (size_t i = 0; i < data.counters.size(); ++i) {
    const CounterInfo &c = data.counters[i];
    if (c.kind == CounterKind::InputDim)
      continue;
    InstrCode &in = p.routines[c.routine].instrs[c.pc];
    if (in.counter != kNone ||
        (c.kind == CounterKind::Trips && in.op != Op::Loop && in.op != Op::While))
      return absl::InvalidArgumentError(absl::StrCat("program refused: counter ", i, " at ",
                                                     PlaceName(data, c.routine, c.pc),
                                                     " is doubled or counts no loop"));
    in.counter = uint32_t(i);
  }
  return CheckCalls(p);
}

} // namespace accel::rt
