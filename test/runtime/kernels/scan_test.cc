//===- scan_test.cc - Running reductions and scalar registers -------------===//
#include "acc/runtime/vprog.h"
#include "number_formats.h"
#include "reference.h"
#include "gtest/gtest.h"
#include <random>

namespace accel::rt {
namespace {

/// Scans of every kind and type over any reduced dimensions, with a total,
/// against the definition element by element.
TEST(Scan, IsTheDefinition) {
  std::mt19937_64 rng(17);
  ThreadPool one(1), three(3);
  const KType streamOf[] = {KType::F32, KType::I32, KType::I64, KType::F64};
  for (int round = 0; round < 400; ++round) {
    VecOp op;
    for (int d = 0; d < kDims; ++d)
      op.size[d] = rng() % 2 ? 1 : 1 + int64_t(rng() % 4);
    op.size[rng() % 6] = rng() % 3 ? 1 + int64_t(rng() % 40) : 1 + int64_t(rng() % 1300);
    op.reduceMask = uint8_t(rng() % 64);
    const VType type = VType(rng() % 4);
    const int64_t bytes = KTypeBytes(streamOf[int(type)]);
    VProg prog;
    prog.ins = {{0, type}};
    if (rng() % 2) {
      prog.body = {{VOp::Reg, 1, 7, 0, 0, type, 0}, {VOp::Add, 2, 0, 1, 0, type, 0}};
    } else {
      prog.body = {{VOp::Mov, 2, 0, 0, 0, type, 0}};
    }
    prog.reductions = {{2, 3, VReduce(rng() % 4), false, type}};
    prog.outs = {{3, false, type, true}, {3, true, type, false}};
    auto compiled = CompileVProg(prog);
    ASSERT_TRUE(compiled.ok()) << compiled.status();

    int64_t scalars[64] = {};
    scalars[7] = int64_t(rng() % 5) - 2;
    op.scalars = scalars;
    int64_t points = 1, rows = 1;
    auto strides = [&](KStream &s, bool all) {
      int64_t at = bytes;
      for (int d = kDims - 1; d >= 0; --d) {
        if (!all && (op.reduceMask >> d & 1))
          continue;
        s.stride[d] = at;
        at *= op.size[d];
      }
      s.type = streamOf[int(type)];
      return at / bytes;
    };
    points = strides(op.in[0], true);
    strides(op.out[0], true);
    rows = strides(op.out[1], false);
    std::vector<uint8_t> x(size_t(points * bytes)), scan[3], total[3];
    for (int64_t i = 0; i < points; ++i) {
      const double v = double(int64_t(rng() % 9) - 4) / 4;
      const KType t = streamOf[int(type)];
      StoreBits(&x[size_t(i * bytes)],
                IsFloat(t) ? ConvertBits(KType::F64, t, std::bit_cast<uint64_t>(v))
                           : uint64_t(int64_t(v * 4)),
                bytes);
    }
    for (int way = 0; way < 3; ++way) {
      scan[way].assign(x.size(), 0xAA);
      total[way].assign(size_t(rows * bytes), 0x55);
      op.in[0].mem = x.data();
      op.out[0].mem = scan[way].data();
      op.out[1].mem = total[way].data();
      if (way == 0)
        reference::Vec(op, **compiled);
      else
        ExecVec(op, **compiled, way == 1 ? one : three);
    }
    ASSERT_EQ(scan[0], scan[1]) << round;
    ASSERT_EQ(scan[0], scan[2]) << round;
    ASSERT_EQ(total[0], total[1]) << round;
  }
}

TEST(Scan, CumulativeSumByHand) {
  VProg prog;
  prog.ins = {{0, VType::I64}};
  prog.reductions = {{0, 1, VReduce::Sum, false, VType::I64}};
  prog.outs = {{1, false, VType::I64, true}};
  auto compiled = CompileVProg(prog);
  ASSERT_TRUE(compiled.ok());
  int64_t x[] = {1, 2, 3, 4, 5}, y[5];
  VecOp op;
  op.size[5] = 5;
  op.reduceMask = 32;
  op.in[0].mem = reinterpret_cast<uint8_t *>(x);
  op.out[0].mem = reinterpret_cast<uint8_t *>(y);
  op.in[0].type = op.out[0].type = KType::I64;
  op.in[0].stride[5] = op.out[0].stride[5] = 8;
  ThreadPool pool(1);
  ExecVec(op, **compiled, pool);
  const int64_t want[] = {1, 3, 6, 10, 15};
  EXPECT_EQ(0, std::memcmp(y, want, sizeof(y)));
}

TEST(Scan, OnlySequentialReductionsOfTheSameTypeAreScanned) {
  VProg prog;
  prog.ins = {{0, VType::F32}};
  prog.outs = {{1, false, VType::F32, true}};
  EXPECT_FALSE(CompileVProg(prog).ok());
  prog.reductions = {{0, 1, VReduce::Sum, true, VType::F32}};
  EXPECT_FALSE(CompileVProg(prog).ok());
  prog.reductions = {{0, 1, VReduce::ArgMax, false, VType::F32}};
  EXPECT_FALSE(CompileVProg(prog).ok());
  prog.reductions = {{0, 1, VReduce::Sum, false, VType::F32}};
  EXPECT_TRUE(CompileVProg(prog).ok());
}

/// A scalar register in each type, where it is written once or more often.
TEST(Reg, IsTheRegistersValueInTheStepsType) {
  int64_t scalars[64] = {};
  scalars[63] = (int64_t(1) << 40) + 1;
  for (bool twice : {false, true})
    for (VType type : {VType::F32, VType::I32, VType::I64, VType::F64}) {
      VProg prog;
      if (twice)
        prog.body.push_back({VOp::Reg, 0, 1, 0, 0, type, 0});
      prog.body.push_back({VOp::Reg, 0, 63, 0, 0, type, 0});
      prog.outs = {{0, false, type}};
      auto compiled = CompileVProg(prog);
      ASSERT_TRUE(compiled.ok());
      VecOp op;
      op.scalars = scalars;
      op.size[5] = 3;
      const KType to = type == VType::F32   ? KType::F32
                       : type == VType::I32 ? KType::I32
                       : type == VType::I64 ? KType::I64
                                            : KType::F64;
      uint8_t out[32] = {};
      op.out[0].mem = out;
      op.out[0].type = to;
      op.out[0].stride[5] = KTypeBytes(to);
      ThreadPool pool(1);
      ExecVec(op, **compiled, pool);
      const uint64_t want = type == VType::I32   ? 1
                            : type == VType::I64 ? uint64_t(scalars[63])
                            : type == VType::F32 ? std::bit_cast<uint32_t>(0x1p40f)
                                                 : std::bit_cast<uint64_t>(0x1p40 + 1);
      EXPECT_EQ(LoadBits(out + 2 * KTypeBytes(to), KTypeBytes(to)), want);
    }
}

} // namespace
} // namespace accel::rt
