// DMA and byte runs against their definitions: random layouts, windows on both
// sides, conversions, index lists.
#include "every_target.h"
#include "number_formats.h"
#include "reference.h"
#include "stream_walk.h"
#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <set>

namespace accel::rt {
namespace {

/// A stream of a random dimension order over `size`, with `mem` sized to it.
KStream Layout(Random &rng, const int64_t size[kDims], KType type, std::vector<uint8_t> &mem,
               bool window, bool repeats) {
  KStream s;
  s.type = type;
  int order[kDims];
  std::iota(order, order + kDims, 0);
  if (rng.Coin(50))
    for (int i = kDims - 1; i > 0; --i)
      std::swap(order[i], order[rng.Int(0, i)]);
  int64_t bytes = KTypeBytes(type);
  int64_t span = bytes;
  int movedY = window ? int(rng.Int(0, kDims - 1)) : -1;
  for (int i = kDims - 1; i >= 0; --i) {
    int d = order[i];
    if (repeats && rng.Coin(15))
      continue; // stride 0
    if (d == movedY) {
      s.windowed = true;
      WindowCoord &w = s.coord[rng.Int(0, 1)];
      int64_t mul = rng.Int(1, 2), pad = rng.Int(0, 2), held = size[d] * mul + 2;
      w.start = -pad;
      w.dimA = uint8_t(d);
      w.mulA = mul;
      w.bound = uint32_t(rng.Int(1, held));
      w.stride = span;
      if (rng.Coin(40)) {
        w.mod = uint32_t(held);
        w.org = rng.Int(-4, 4);
      }
      if (rng.Coin(20)) {
        w.div = 2;
        w.exact = rng.Coin(50);
      }
      span *= held;
      continue;
    }
    s.stride[d] = span;
    span *= size[d];
    if (rng.Coin(20))
      span += bytes;
  }
  if (rng.Coin(10)) { // walk one dimension backwards
    int d = int(rng.Int(0, kDims - 1));
    s.base += s.stride[d] * (size[d] - 1);
    s.stride[d] = -s.stride[d];
  }
  s.base += 24;
  mem.resize(size_t(24 + span + 8));
  s.padBits = uint32_t(IsFloat(type) ? EncodeF32(type, rng.Float()) : rng.Next());
  for (size_t i = 0; i + size_t(bytes) <= mem.size(); i += size_t(bytes))
    StoreBits(&mem[i], IsFloat(type) ? EncodeF32(type, rng.Float() * 100) : rng.Next(), bytes);
  s.mem = mem.data();
  s.limit = int64_t(mem.size());
  return s;
}

void RandomSizes(Random &rng, int64_t size[kDims]) {
  for (int d = 0; d < kDims; ++d)
    size[d] = rng.Coin(50) ? 1 : rng.Int(1, 6);
  if (rng.Coin(60))
    size[rng.Int(0, kDims - 1)] = rng.Int(1, 70);
}

void Check(const DmaOp &op, std::vector<uint8_t> &dst, int i) {
  ThreadPool one(1);
  std::vector<uint8_t> start = dst;
  absl::Status expected = reference::Dma(op);
  std::vector<uint8_t> want = dst;
  ForEveryTarget([&](const char *name) {
    dst = start;
    absl::Status got = ExecDma(op, one);
    EXPECT_EQ(got.code(), expected.code());
    ASSERT_EQ(dst, want) << name << " case " << i << " kind " << int(op.kind) << " types "
                         << int(op.src.type) << " to " << int(op.dst.type);
  });
}

TEST(Dma, CopiesAndConverts) {
  Random rng{1};
  const KType types[] = {KType::F32, KType::F16, KType::BF16, KType::I8,   KType::U8,
                         KType::I32, KType::I64, KType::F64,  KType::Bool, KType::F8E4M3FN};
  for (int i = 0; i < 1500; ++i) {
    DmaOp op;
    RandomSizes(rng, op.size);
    std::vector<uint8_t> dst, src;
    KType to = types[rng.Int(0, 9)], from = rng.Coin(30) ? types[rng.Int(0, 9)] : to;
    op.dst = Layout(rng, op.size, to, dst, rng.Coin(20), false);
    op.src = Layout(rng, op.size, from, src, rng.Coin(40), true);
    Check(op, dst, i);
    if (HasFatalFailure())
      return;
  }
}

TEST(Dma, Fills) {
  Random rng{2};
  for (int i = 0; i < 300; ++i) {
    DmaOp op;
    op.kind = DmaKind::Fill;
    RandomSizes(rng, op.size);
    std::vector<uint8_t> dst;
    op.dst = Layout(rng, op.size, rng.Coin(50) ? KType::F32 : KType::I64, dst, rng.Coin(30), false);
    op.fillBits = rng.Coin(30) ? 0 : rng.Next();
    Check(op, dst, i);
    if (HasFatalFailure())
      return;
  }
}

TEST(Dma, GathersAndScatters) {
  Random rng{3};
  for (int i = 0; i < 300; ++i) {
    DmaOp op;
    bool gather = op.kind == DmaKind::Gather, wide = rng.Coin(50);
    op.kind = rng.Coin(50) ? DmaKind::Gather : DmaKind::Scatter;
    gather = op.kind == DmaKind::Gather;
    RandomSizes(rng, op.size);
    std::vector<uint8_t> dst, src, list;
    op.indexBound = rng.Int(1, 9);
    int64_t walked[kDims];
    std::copy(op.size, op.size + kDims, walked);
    walked[0] = op.indexBound;
    op.dst = Layout(rng, gather ? op.size : walked, KType::F32, dst, false, false);
    op.src = Layout(rng, gather ? walked : op.size, KType::F32, src, false, false);
    for (int64_t j = 0; j < op.size[0]; ++j) {
      int64_t v = rng.Int(-op.indexBound, op.indexBound - 1 + rng.Coin(2));
      int32_t narrow = int32_t(v);
      auto *p = wide ? (uint8_t *)&v : (uint8_t *)&narrow;
      list.insert(list.end(), p, p + (wide ? 8 : 4));
    }
    op.index.type = wide ? KType::I64 : KType::I32;
    op.index.stride[0] = wide ? 8 : 4;
    op.index.mem = list.data();
    op.index.limit = int64_t(list.size());
    Check(op, dst, i);
    if (HasFatalFailure())
      return;
  }
}

TEST(ByteRuns, CoverExactlyTheTouchedBytes) {
  Random rng{4};
  for (int i = 0; i < 1000; ++i) {
    int64_t size[kDims];
    RandomSizes(rng, size);
    std::vector<uint8_t> mem;
    KStream s = Layout(rng, size, rng.Coin(50) ? KType::F32 : KType::U8, mem, rng.Coin(60), true);
    if (s.windowed && rng.Coin(50)) { // a kernel dimension beside the moved one
      WindowCoord &w = s.coord[s.coord[0].Used() ? 0 : 1];
      w.dimB = uint8_t(rng.Int(0, kDims - 1));
      w.mulB = rng.Int(1, 2);
      w.bound = uint32_t(rng.Int(1, 3));
    }
    std::set<int64_t> want, got;
    int64_t idx[kDims] = {}, offset;
    for (int d = 0; d >= 0;) {
      if (PointOffset(s, idx, offset))
        for (int64_t b = 0; b < KTypeBytes(s.type); ++b)
          want.insert(offset + b);
      for (d = kDims - 1; d >= 0; --d) {
        if (++idx[d] < size[d])
          break;
        idx[d] = 0;
      }
    }
    ForEachRun(s, size, [&](int64_t at, int64_t n) {
      for (int64_t b = 0; b < n; ++b)
        got.insert(at + b);
    });
    ASSERT_EQ(got, want) << i;
    int64_t lo, hi;
    ASSERT_EQ(StreamBox(s, size, lo, hi), !want.empty());
    if (!want.empty()) {
      ASSERT_EQ(lo, *want.begin()) << i;
      ASSERT_EQ(hi, *want.rbegin() + 1) << i;
    }
  }
}

} // namespace
} // namespace accel::rt
