// The matrix engine against its element-wise definition, bit for bit: random
// shapes, strides, windows, types, thread counts and SIMD levels.
#include "every_target.h"
#include "mxu_engines.h"
#include "number_formats.h"
#include "reference.h"
#include <cstring>
#include <gtest/gtest.h>

namespace accel::rt {
namespace {

struct Case {
  MxuOp op;
  std::vector<uint8_t> a, b, c;
  std::string text;
};

void FillRandom(std::vector<uint8_t> &v, KType type, Random &rng) {
  int64_t bytes = KTypeBytes(type);
  for (size_t i = 0; i + size_t(bytes) <= v.size(); i += size_t(bytes)) {
    uint64_t bits = IsFloat(type) ? EncodeF32(type, rng.Float()) : rng.Next();
    if (type == KType::F32 && rng.Coin(1))
      bits = rng.Coin(50) ? 0x7fc12345u : (rng.Coin(50) ? 0xff800000u : 0x00000123u);
    StoreBits(&v[i], bits, bytes);
  }
}

/// A convolution as the compiler writes it: NHWC activations in a window that
/// may be circular, weights [K,N] in the order of kk.
Case Convolution(Random &rng, KType ta, KType tb, bool depthwise) {
  Case t;
  MxuOp &op = t.op;
  int64_t ea = KTypeBytes(ta), eb = KTypeBytes(tb);
  int64_t oh = rng.Int(1, 6), ow = rng.Int(1, 15), n = rng.Int(1, 70), kh = rng.Int(1, 4),
          kw = rng.Int(1, 4);
  int64_t c = rng.Coin(30) ? rng.Int(1, 7) : rng.Int(1, 100);
  if (rng.Coin(20))
    kh = kw = 1, c = rng.Int(1, 600);
  int64_t stride = rng.Int(1, 3), dilation = rng.Int(1, 2), pad = rng.Int(0, 2);
  int64_t ih = rng.Int(1, 12), iw = rng.Int(1, 20);
  int64_t channels = depthwise ? n : c;
  int64_t pitch = channels + rng.Int(0, 3);
  int64_t mod = rng.Coin(40) ? ih : 0;
  if (rng.Coin(30))
    mod = ih + rng.Int(0, 3);
  if (depthwise)
    op.size[0] = oh, op.size[1] = ow, op.size[2] = n, op.size[3] = kh, op.size[4] = kw;
  else
    op.size[0] = oh, op.size[1] = ow, op.size[2] = n, op.size[3] = kh, op.size[4] = kw,
    op.size[5] = c;
  bool planar = rng.Coin(15); // channels outermost
  int64_t rowsHeld = mod ? mod : ih;
  op.a.type = ta;
  op.a.windowed = true;
  op.a.base = 64;
  int64_t sc = planar ? rowsHeld * iw * ea : ea;
  int64_t sx = planar ? ea : pitch * ea;
  op.a.stride[depthwise ? 2 : 5] = sc;
  op.a.coord[0] = {-pad, 0, 0, 3, stride, dilation, uint32_t(ih), uint32_t(mod), iw * sx};
  op.a.coord[1] = {-pad, 0, 1, 4, stride, dilation, uint32_t(iw), 0, sx};
  if (mod)
    op.a.coord[0].org = rng.Int(-5, 5);
  if (rng.Coin(10)) { // transposed convolution: only every other row exists
    op.a.coord[1].div = 2;
    op.a.coord[1].exact = rng.Coin(50);
  }
  t.a.resize(size_t(64 + rowsHeld * iw * pitch * ea + 64));
  int64_t k = kh * kw * c;
  op.b.type = tb;
  op.b.base = 32;
  if (depthwise) {
    op.b.stride[2] = eb;
    op.b.stride[4] = n * eb;
    op.b.stride[3] = kw * n * eb;
    t.b.resize(size_t(32 + kh * kw * n * eb));
  } else {
    bool transposed = rng.Coin(30);
    int64_t width = n + rng.Int(0, 4), depth = k + rng.Int(0, 3);
    op.b.stride[5] = transposed ? eb : width * eb;
    op.b.stride[2] = transposed ? depth * eb : eb;
    t.b.resize(size_t(32 + (transposed ? n * depth : k * width) * eb));
  }
  int64_t cn = rng.Coin(15) ? 8 : 4;
  op.c.type = KType::F32;
  op.c.base = 16;
  op.c.stride[2] = cn;
  op.c.stride[1] = n * cn;
  op.c.stride[0] = ow * n * cn;
  t.c.resize(size_t(16 + oh * ow * n * cn));
  op.accumulate = rng.Coin(50);
  if (!IsFloat(ta)) {
    op.c.type = KType::I32;
    op.za = ta == KType::U8 ? int32_t(rng.Int(0, 255)) : int32_t(rng.Int(-128, 127));
    op.zb = tb == KType::U8 ? int32_t(rng.Int(0, 255)) : int32_t(rng.Int(-128, 127));
    if (rng.Coin(10)) // zero points that the element types do not hold
      op.za = int32_t(rng.Int(-300, 300)), op.zb = int32_t(rng.Int(-300, 300));
    if (rng.Coin(30))
      op.zb = 0;
  }
  FillRandom(t.a, ta, rng);
  FillRandom(t.b, tb, rng);
  if (IsFloat(ta))
    FillRandom(t.c, KType::F32, rng);
  else
    for (uint8_t &v : t.c)
      v = uint8_t(rng.Next());
  op.a.mem = t.a.data(), op.a.limit = int64_t(t.a.size());
  op.b.mem = t.b.data(), op.b.limit = int64_t(t.b.size());
  t.text = "m " + std::to_string(oh) + "x" + std::to_string(ow) + " n " + std::to_string(n) +
           " k " + std::to_string(kh) + "x" + std::to_string(kw) + " c " + std::to_string(c) +
           " planar " + std::to_string(planar) + " stride b " + std::to_string(op.b.stride[5]);
  return t;
}

void Check(KType ta, KType tb, bool depthwise, int cases) {
  ThreadPool one(1), two(2);
  Random rng{uint64_t(ta) * 100 + uint64_t(tb) + depthwise};
  for (int i = 0; i < cases; ++i) {
    Case t = Convolution(rng, ta, tb, depthwise);
    std::vector<uint8_t> want = t.c;
    t.op.c.mem = want.data(), t.op.c.limit = int64_t(want.size());
    depthwise ? reference::MxuDw(t.op) : reference::Mxu(t.op);
    ForEveryTarget([&](const char *name) {
      for (ThreadPool *pool : {&one, &two}) {
        std::vector<uint8_t> got = t.c;
        t.op.c.mem = got.data();
        depthwise ? ExecMxuDw(t.op, *pool) : ExecMxu(t.op, *pool);
        ASSERT_EQ(std::memcmp(got.data(), want.data(), got.size()), 0)
            << name << " case " << i << ": " << t.text << " threads " << pool->threads();
      }
    });
    if (testing::Test::HasFatalFailure())
      return;
  }
}

TEST(Mxu, F32) { Check(KType::F32, KType::F32, false, 150); }
TEST(Mxu, F16) { Check(KType::F16, KType::F16, false, 30); }
TEST(Mxu, BF16) { Check(KType::BF16, KType::BF16, false, 30); }
TEST(Mxu, FP8) { Check(KType::F8E4M3FN, KType::F8E5M2, false, 30); }
TEST(Mxu, MixedFloats) { Check(KType::F32, KType::F16, false, 30); }
TEST(Mxu, U8S8) { Check(KType::U8, KType::I8, false, 100); }
TEST(Mxu, S8U8) { Check(KType::I8, KType::U8, false, 100); }
TEST(Mxu, S8S8) { Check(KType::I8, KType::I8, false, 60); }
TEST(Mxu, U8U8) { Check(KType::U8, KType::U8, false, 60); }
TEST(MxuDw, F32) { Check(KType::F32, KType::F32, true, 100); }
TEST(MxuDw, F16) { Check(KType::F16, KType::F32, true, 30); }
TEST(MxuDw, U8S8) { Check(KType::U8, KType::I8, true, 60); }
TEST(MxuDw, S8S8) { Check(KType::I8, KType::I8, true, 60); }

/// Transposed convolutions run phase by phase, unless a skipped zero would have
/// shown: 0·inf is NaN, −0 + 0 is +0.
TEST(Mxu, TransposedConvolutions) {
  ThreadPool pool(1);
  Random rng{77};
  int skipped = 0;
  for (int i = 0; i < 400; ++i) {
    Case t = Convolution(rng, KType::F32, KType::F32, false);
    for (int d = 0; d < 2; ++d) {
      WindowCoord &w = t.op.a.coord[d];
      w.mulA = 1;
      w.div = rng.Int(d, 3);
      w.exact = true;
    }
    t.op.accumulate = rng.Coin(10);
    const bool infinite = rng.Coin(20), tiny = rng.Coin(30);
    for (std::vector<uint8_t> *v : {&t.a, &t.b})
      for (size_t at = 0; at + 4 <= v->size(); at += 4) {
        float x = float(rng.Int(-20, 20));
        if (tiny && rng.Coin(80))
          x = rng.Coin(50) ? 1e-30f : -1e-30f;
        if (infinite && v == &t.b && rng.Coin(5))
          x = std::numeric_limits<float>::infinity();
        std::memcpy(v->data() + at, &x, 4);
      }
    std::vector<uint8_t> want = t.c, got = t.c, phases = t.c;
    t.op.c.limit = int64_t(want.size());
    t.op.c.mem = want.data();
    reference::Mxu(t.op);
    t.op.c.mem = got.data();
    ExecMxu(t.op, pool);
    ASSERT_EQ(std::memcmp(got.data(), want.data(), got.size()), 0) << i << ": " << t.text;
    t.op.c.mem = phases.data();
    skipped += RunMxuPhases(t.op, pool);
  }
  EXPECT_GT(skipped, 40);
}

/// The channels from `begin` on of a convolution, as an instruction that goes on.
MxuOp Rest(MxuOp op, int64_t begin, int64_t count) {
  op.a.base += begin * op.a.stride[5];
  op.b.base += begin * op.size[3] * op.size[4] * op.b.stride[5];
  op.size[5] = count;
  op.accumulate |= begin > 0;
  return op;
}

/// Instructions that split a reduction between chains give the bits of one.
void CheckSplit(KType ta, KType tb) {
  ThreadPool pool(1);
  Random rng{uint64_t(ta) * 100 + uint64_t(tb)};
  int split = 0;
  for (int i = 0; i < 200; ++i) {
    Case t = Convolution(rng, ta, tb, false);
    const int64_t granule = ChainChannels(t.op.size[3] * t.op.size[4]), channels = t.op.size[5];
    const int64_t step = granule * rng.Int(1, 3);
    std::vector<uint8_t> whole = t.c, parts = t.c, defined = t.c;
    t.op.c.limit = int64_t(whole.size());
    t.op.c.mem = whole.data();
    ExecMxu(t.op, pool);
    for (int64_t begin = 0; begin < channels; begin += step) {
      MxuOp part = Rest(t.op, begin, std::min(step, channels - begin));
      part.c.mem = parts.data();
      ExecMxu(part, pool);
      part.c.mem = defined.data();
      reference::Mxu(part);
    }
    split += step < channels;
    ASSERT_EQ(std::memcmp(whole.data(), parts.data(), whole.size()), 0) << i << ": " << t.text;
    ASSERT_EQ(std::memcmp(whole.data(), defined.data(), whole.size()), 0) << i << ": " << t.text;
  }
  EXPECT_GT(split, 30);
}
TEST(MxuSplit, F32) { CheckSplit(KType::F32, KType::F32); }
TEST(MxuSplit, F16) { CheckSplit(KType::F16, KType::F16); }
TEST(MxuSplit, U8S8) { CheckSplit(KType::U8, KType::I8); }

/// Positive terms, where a single chain of FMAs is off by more than 4e-6.
TEST(Mxu, LongSumsStayAccurate) {
  const int64_t k = 16384, n = 40;
  std::vector<float> a(static_cast<size_t>(k)), b(static_cast<size_t>(k * n)),
      c(static_cast<size_t>(n));
  Random rng{5};
  for (float &x : a)
    x = float(rng.Int(1, 1 << 20)) * 0x1p-20f;
  for (float &x : b)
    x = float(rng.Int(1, 1 << 20)) * 0x1p-20f;
  MxuOp op;
  op.size[2] = n, op.size[5] = k;
  op.a.mem = reinterpret_cast<uint8_t *>(a.data()), op.a.limit = k * 4, op.a.stride[5] = 4;
  op.b.mem = reinterpret_cast<uint8_t *>(b.data()), op.b.limit = k * n * 4;
  op.b.stride[2] = 4, op.b.stride[5] = n * 4;
  op.c.mem = reinterpret_cast<uint8_t *>(c.data()), op.c.limit = n * 4, op.c.stride[2] = 4;
  ThreadPool pool(1);
  ExecMxu(op, pool);
  for (int64_t j = 0; j < n; ++j) {
    double exact = 0;
    for (int64_t i = 0; i < k; ++i)
      exact += double(a[size_t(i)]) * double(b[size_t(i * n + j)]);
    EXPECT_NEAR(double(c[size_t(j)]) / exact, 1, 1e-6);
  }
}

TEST(Mxu, EmptyDoesNothing) {
  ThreadPool pool(1);
  MxuOp op;
  op.size[5] = 0;
  ExecMxu(op, pool);
  ExecMxuDw(op, pool);
}

TEST(Mxu, TypesOfOperands) {
  KType acc;
  EXPECT_TRUE(MxuTypes(KType::U8, KType::I8, acc) && acc == KType::I32);
  EXPECT_TRUE(MxuTypes(KType::BF16, KType::F32, acc) && acc == KType::F32);
  EXPECT_FALSE(MxuTypes(KType::F32, KType::I8, acc));
  EXPECT_FALSE(MxuTypes(KType::F64, KType::F64, acc));
}

} // namespace
} // namespace accel::rt
