// The vector engine against its element-wise definition, bit for bit: random
// programs over random streams, every SIMD level, one and two threads.
#include "acc/runtime/vprog.h"
#include "every_target.h"
#include "number_formats.h"
#include "reference.h"
#include "vec_compiled.h"
#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>

namespace accel::rt {
namespace {

uint64_t RandomImm(Random &rng, VType type) {
  const double floats[] = {0.0, -0.0, 1.0, -1.5, 0.5, 3.0, 6.0, 127.0, -3.25, 1e-3};
  if (type == VType::F32 || type == VType::F64)
    return std::bit_cast<uint64_t>(floats[rng.Int(0, 9)]);
  return uint64_t(rng.Int(-9, 40));
}

/// Registers by the type they hold; a program never mixes them up.
class Builder {
public:
  Builder(Random &rng, std::vector<VType> types) : rng_(rng), types_(std::move(types)) {}

  VType Type() { return types_[size_t(rng_.Int(0, int64_t(types_.size()) - 1))]; }
  int Pick(VType t) {
    if (chained && last >= 0 && type[last] == t && rng_.Coin(60))
      return last;
    std::vector<int> regs;
    for (int r = 0; r < kVRegs; ++r)
      if (known[r] && type[r] == t)
        regs.push_back(r);
    return regs.empty() ? -1 : regs[size_t(rng_.Int(0, int64_t(regs.size()) - 1))];
  }
  void Set(int reg, VType t) { known[reg] = true, type[reg] = t; }

  void Step(std::vector<VStep> &out, uint32_t frozen) {
    VStep s;
    s.op = VOp(rng_.Int(0, kVOps - 1));
    s.type = Type();
    if (!VOpHasType(s.op, s.type))
      return;
    VType operand = s.op == VOp::Cvt ? Type() : s.type;
    int a = Pick(s.op == VOp::Select ? VType::I32 : operand), b = Pick(s.type), c = Pick(s.type);
    int n = VOpOperands(s.op);
    if ((n > 0 && a < 0) || (n > 1 && b < 0) || (n > 2 && c < 0))
      return;
    s.a = uint8_t(std::max(a, 0)), s.b = uint8_t(std::max(b, 0)), s.c = uint8_t(std::max(c, 0));
    if (s.op == VOp::Iota)
      s.a = uint8_t(rng_.Int(0, kDims - 1));
    if (s.op == VOp::Reg)
      s.a = uint8_t(rng_.Int(0, 63));
    if (s.op == VOp::Cvt)
      s.b = uint8_t(operand);
    if (s.op == VOp::Imm)
      s.imm = RandomImm(rng_, s.type);
    s.dst = uint8_t(rng_.Int(0, kVRegs - 1));
    if (frozen >> s.dst & 1)
      return;
    bool flag =
        (s.op >= VOp::CmpEq && s.op <= VOp::CmpGe) || s.op == VOp::IsNan || s.op == VOp::IsInf;
    Set(s.dst, flag ? VType::I32 : s.type);
    last = s.dst;
    out.push_back(s);
  }

  bool known[kVRegs] = {};
  VType type[kVRegs] = {};
  bool chained = false; // most steps take the result of the one before
  int last = -1;

private:
  Random &rng_;
  std::vector<VType> types_;
};

struct Memory {
  std::vector<uint8_t> bytes;
};

KStream Layout(Random &rng, const int64_t size[kDims], KType type, uint8_t skip, bool window,
               bool repeats, std::vector<uint8_t> &mem) {
  KStream s;
  s.type = type;
  int64_t e = KTypeBytes(type), span = e;
  int order[kDims];
  std::iota(order, order + kDims, 0);
  if (rng.Coin(30))
    for (int i = kDims - 1; i > 0; --i)
      std::swap(order[i], order[rng.Int(0, i)]);
  int moved = window ? int(rng.Int(0, kDims - 1)) : -1;
  for (int i = kDims - 1; i >= 0; --i) {
    int d = order[i];
    if ((skip >> d & 1) || (repeats && rng.Coin(25)))
      continue;
    if (d == moved) {
      s.windowed = true;
      WindowCoord &w = s.coord[1];
      int64_t pad = rng.Int(0, 2), held = size[d] + 3;
      w.start = -pad, w.dimA = uint8_t(d), w.mulA = 1, w.bound = uint32_t(size[d]);
      if (rng.Coin(40))
        w.dimB = uint8_t(rng.Int(0, kDims - 1)), w.mulB = 1;
      if (!repeats)
        w.dimB = kNoDim;
      if (rng.Coin(40))
        w.mod = uint32_t(held), w.org = rng.Int(-3, 3);
      w.stride = span;
      span *= held;
      continue;
    }
    s.stride[d] = span;
    span *= size[d];
    if (rng.Coin(15))
      span += e;
  }
  s.base = 8;
  mem.resize(size_t(8 + span + 8));
  for (size_t i = 0; i + size_t(e) <= mem.size(); i += size_t(e)) {
    uint64_t bits = IsFloat(type)
                        ? ConvertBits(KType::F32, type, std::bit_cast<uint32_t>(rng.Float()))
                        : rng.Next();
    if (!IsFloat(type) && rng.Coin(60))
      bits = uint64_t(rng.Int(-20, 20));
    if (type == KType::F32 && rng.Coin(4)) {
      const uint32_t odd[] = {0x80000000u, 0u, 0x7fc12345u, 0xff812345u, 0x7f800000u,
                              0xff800000u, 1u, 0x7f7fffffu, 0x4b000001u};
      bits = odd[rng.Int(0, 8)];
    }
    StoreBits(&mem[i], bits, e);
  }
  s.padBits = rng.Coin(50) ? 0 : std::bit_cast<uint32_t>(rng.Float());
  return s;
}

void Fuzz(uint64_t seed, std::vector<VType> types, std::vector<KType> streamTypes, int cases,
          bool plain = false, bool chained = false) {
  Random rng{seed};
  ThreadPool one(1), two(2);
  for (int i = 0; i < cases; ++i) {
    VecOp op;
    int64_t scalars[64];
    for (int64_t &v : scalars)
      v = rng.Int(-1000, 1000);
    op.scalars = scalars;
    for (int d = 0; d < kDims; ++d)
      op.size[d] = rng.Coin(50) ? 1 : rng.Int(1, 5);
    op.size[rng.Int(0, 5)] = rng.Coin(30) ? rng.Int(1, 1300) : rng.Int(1, 70);
    bool reduce = plain || rng.Coin(50);
    if (reduce)
      op.reduceMask = uint8_t(rng.Int(1, 63));

    Builder build(rng, types);
    build.chained = chained;
    VProg prog;
    int ins = int(rng.Int(1, 4));
    uint32_t frozen = 0;
    for (int k = 0; k < ins; ++k) {
      VType t = build.Type();
      prog.ins.push_back({uint8_t(k), t});
      build.Set(k, t);
    }
    bool inputsKept = rng.Coin(50);
    for (int k = 0; k < ins && inputsKept; ++k)
      frozen |= 1u << k;
    Builder post = build;
    for (int k = plain ? 0 : int(rng.Int(0, chained ? 30 : 10)); k > 0; --k)
      build.Step(prog.body, frozen);
    // The body must not write an input's register for post to see it.
    if (reduce)
      for (int k = int(rng.Int(0, 2)); k > 0; --k) {
        VReduction r;
        r.type = build.Type();
        r.kind = VReduce(rng.Int(0, kVReduces - 1));
        int src = build.Pick(r.type);
        if (src < 0)
          continue;
        r.src = uint8_t(src);
        r.dst = uint8_t(8 + prog.reductions.size());
        r.lanes = r.kind < VReduce::ArgMax && rng.Coin(50);
        prog.reductions.push_back(r);
      }
    for (const VReduction &r : prog.reductions) {
      bool arg = r.kind >= VReduce::ArgMax, wide = r.type == VType::I64 || r.type == VType::F64;
      post.Set(r.dst, !arg ? r.type : wide ? VType::I64 : VType::I32);
    }
    for (int k = int(rng.Int(0, chained ? 15 : 6)); k > 0; --k)
      post.Step(prog.post, 0);
    std::vector<std::vector<uint8_t>> out, in;
    in.resize(size_t(ins));
    int outs = int(rng.Int(1, 2));
    for (int k = 0; k < outs; ++k) {
      bool isPost = plain || rng.Coin(reduce ? 70 : 30);
      Builder &from = isPost ? post : build;
      int reg = -1;
      while (reg < 0 || !from.known[reg])
        reg = int(rng.Int(0, kVRegs - 1));
      if (isPost && prog.reductions.size() > size_t(k))
        reg = prog.reductions[size_t(k)].dst;
      prog.outs.push_back({uint8_t(reg), isPost, from.type[reg]});
      out.emplace_back();
      KType t = streamTypes[size_t(rng.Int(0, int64_t(streamTypes.size()) - 1))];
      op.out[k] =
          Layout(rng, op.size, t, isPost ? op.reduceMask : 0, rng.Coin(10), false, out.back());
    }
    for (int k = 0; k < ins; ++k) {
      KType t = streamTypes[size_t(rng.Int(0, int64_t(streamTypes.size()) - 1))];
      op.in[k] = Layout(rng, op.size, t, 0, rng.Coin(25), true, in[size_t(k)]);
      op.in[k].mem = in[size_t(k)].data();
      op.in[k].limit = int64_t(in[size_t(k)].size());
    }
    op.resume = reduce && rng.Coin(20);
    for (const VReduction &r : prog.reductions)
      op.resume &= !r.lanes && r.kind < VReduce::ArgMax;
    auto compiled = CompileVProg(prog);
    ASSERT_TRUE(compiled.ok()) << compiled.status();

    auto start = out;
    auto bind = [&](std::vector<std::vector<uint8_t>> &to) {
      for (int k = 0; k < outs; ++k)
        op.out[k].mem = to[size_t(k)].data(), op.out[k].limit = int64_t(to[size_t(k)].size());
    };
    auto want = start;
    bind(want);
    reference::Vec(op, **compiled);
    ForEveryTarget([&](const char *name) {
      for (ThreadPool *pool : {&one, &two}) {
        auto got = start;
        bind(got);
        ExecVec(op, **compiled, *pool);
        if (got != want) {
          std::string text;
          for (const auto *steps : {&prog.body, &prog.post}) {
            for (const VStep &s : *steps)
              text += std::string(VOpName(s.op)) + " t" + std::to_string(int(s.type)) + " r" +
                      std::to_string(s.dst) + " " + std::to_string(s.a) + " " +
                      std::to_string(s.b) + " " + std::to_string(s.c) + "; ";
            text += "| ";
          }
          for (const VReduction &r : prog.reductions)
            text += " red " + std::to_string(int(r.kind)) + " lanes " + std::to_string(r.lanes) +
                    " r" + std::to_string(r.src) + " to r" + std::to_string(r.dst);
          for (size_t k = 0; k < got.size(); ++k)
            for (size_t b = 0; b < got[k].size(); ++b)
              if (got[k][b] != want[k][b]) {
                text += " out " + std::to_string(k) + " byte " + std::to_string(b) + " r" +
                        std::to_string(prog.outs[k].reg) + " post " +
                        std::to_string(prog.outs[k].post) + " stream type " +
                        std::to_string(int(op.out[k].type));
                size_t at = 8 + (b - 8) / 4 * 4;
                uint32_t g, w;
                std::memcpy(&g, &got[k][at], 4);
                std::memcpy(&w, &want[k][at], 4);
                char hex[64];
                snprintf(hex, sizeof hex, " got %08x want %08x", g, w);
                text += hex;
                break;
              }
          for (int64_t d : op.size)
            text += " " + std::to_string(d);
          FAIL() << name << " case " << i << " threads " << pool->threads() << " mask "
                 << int(op.reduceMask) << " resume " << op.resume << ": " << text;
        }
      }
    });
    if (testing::Test::HasFatalFailure())
      return;
  }
}

TEST(Vec, F32) { Fuzz(1, {VType::F32}, {KType::F32}, 200); }
TEST(Vec, F32AndFlags) {
  Fuzz(2, {VType::F32, VType::I32}, {KType::F32, KType::Bool, KType::I32}, 200);
}
TEST(Vec, NarrowStreams) {
  Fuzz(3, {VType::F32, VType::I32},
       {KType::F16, KType::BF16, KType::U8, KType::I8, KType::I16, KType::U16, KType::F8E4M3FN,
        KType::Bool},
       200);
}
TEST(Vec, WideTypes) {
  Fuzz(4, {VType::F64, VType::I64, VType::F32, VType::I32},
       {KType::F64, KType::I64, KType::F32, KType::I32, KType::U64, KType::U32}, 200);
}

TEST(Vec, PoolsAndSums) { Fuzz(5, {VType::F32, VType::I32}, {KType::F32, KType::I32}, 300, true); }

TEST(Vec, Chains) {
  Fuzz(6, {VType::F32}, {KType::F32}, 400, false, true);
  Fuzz(7, {VType::F32, VType::I32}, {KType::F32, KType::I32}, 100, false, true);
}

/// Bias and hard swish: one chain that keeps the only value read again.
TEST(Vec, CutsChains) {
  const auto imm = [](uint8_t r, double v) {
    return VStep{VOp::Imm, r, 0, 0, 0, VType::F32, std::bit_cast<uint64_t>(v)};
  };
  const auto step = [](VOp op, uint8_t dst, uint8_t a, uint8_t b) {
    return VStep{op, dst, a, b, 0, VType::F32, 0};
  };
  VProg p;
  p.ins = {{0, VType::F32}, {1, VType::F32}};
  p.outs = {{4, false, VType::F32}};
  p.body = {step(VOp::Add, 2, 0, 1), imm(3, 3.0), step(VOp::Add, 4, 2, 3), imm(5, 0.0),
            step(VOp::Max, 4, 4, 5), imm(6, 6.0), step(VOp::Min, 4, 4, 6), step(VOp::Mul, 4, 4, 2)};
  auto compiled = CompileVProg(p);
  ASSERT_TRUE(compiled.ok());
  const CompiledVProg &c = **compiled;
  EXPECT_TRUE(c.constants.empty()); // chains hold their own
  ASSERT_EQ(c.bodyPieces.size(), 1u);
  const VChain &chain = c.bodyPieces[0].chain;
  EXPECT_EQ(chain.first, 0);
  ASSERT_EQ(chain.steps.size(), 5u);
  const int saves[] = {2, -1, -1, -1, 4};
  for (size_t i = 0; i < 5; ++i)
    EXPECT_EQ(chain.steps[i].save, saves[i]) << i;
  EXPECT_EQ(chain.steps[2].op, ChainOp::MaxZero);
}

TEST(Vec, RefusesBrokenPrograms) {
  VProg p;
  EXPECT_FALSE(CompileVProg(p).ok()); // no output
  p.outs.push_back({0, false, VType::F32});
  EXPECT_TRUE(CompileVProg(p).ok());
  p.body.push_back({VOp::Exp, 0, 0, 0, 0, VType::I32, 0});
  EXPECT_FALSE(CompileVProg(p).ok());
  p.body[0] = {VOp(200), 0, 0, 0, 0, VType::F32, 0};
  EXPECT_FALSE(CompileVProg(p).ok());
  p.body[0] = {VOp::Add, 16, 0, 0, 0, VType::F32, 0};
  EXPECT_FALSE(CompileVProg(p).ok());
}

} // namespace
} // namespace accel::rt
