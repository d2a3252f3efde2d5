//===- PackingTest.cpp - weights laid out against naive loops ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Emit/Packing.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include <cstring>
#include <gtest/gtest.h>

namespace accel::emit {
namespace {

using namespace mlir;

struct PackingTest : testing::Test {
  MLIRContext context;
  Type f32 = Float32Type::get(&context), bf16 = BFloat16Type::get(&context);

  /// Element i of the source holds i.
  std::vector<float> run(Packing packing) {
    int64_t count = 1;
    for (int64_t d : packing.shape)
      count *= d;
    std::vector<float> source(count);
    for (int64_t i = 0; i < count; ++i)
      source[i] = float(i);
    packing.sourceType = f32;
    packing.resultType = f32;
    ArrayRef<char> bytes(reinterpret_cast<char *>(source.data()), count * 4);
    EXPECT_EQ(check(packing, bytes.size()), "");
    std::vector<char> out;
    EXPECT_TRUE(pack(packing, bytes, [&](const char *data, size_t size) {
      out.insert(out.end(), data, data + size);
      return true;
    }));
    std::vector<float> result(out.size() / 4);
    std::memcpy(result.data(), out.data(), out.size());
    return result;
  }
};

TEST_F(PackingTest, Conv) {
  // 70 input channels: two whole blocks of 32 and one of 6; 2 groups of 3.
  const int64_t G = 2, OC = 3, IC = 70, KH = 2, KW = 3;
  Packing p;
  p.kind = "conv";
  p.shape = {G * OC, IC, KH, KW};
  p.groups = G;
  std::vector<float> got = run(p), want;
  for (int64_t g = 0; g < G; ++g)
    for (int64_t cb = 0; cb < IC; cb += 32)
      for (int64_t kh = 0; kh < KH; ++kh)
        for (int64_t kw = 0; kw < KW; ++kw)
          for (int64_t c = cb; c < std::min(cb + 32, IC); ++c)
            for (int64_t oc = 0; oc < OC; ++oc)
              want.push_back(float((((g * OC + oc) * IC + c) * KH + kh) * KW + kw));
  EXPECT_EQ(got, want);

  p.scale = {1, 2, 3, 4, 5, 6};
  got = run(p);
  for (size_t i = 0; i < want.size(); ++i)
    want[i] *= p.scale[i / (IC * KH * KW * OC) * OC + i % OC];
  EXPECT_EQ(got, want);
}

/// Taps are reversed: a transposed convolution is a convolution of the spread input.
TEST_F(PackingTest, ConvTransposed) {
  const int64_t G = 2, OC = 5, IC = 33, KH = 3, KW = 2;
  Packing p;
  p.kind = "conv_transposed";
  p.shape = {G * IC, OC, KH, KW};
  p.groups = G;
  std::vector<float> got = run(p), want;
  for (int64_t g = 0; g < G; ++g)
    for (int64_t cb = 0; cb < IC; cb += 32)
      for (int64_t kh = 0; kh < KH; ++kh)
        for (int64_t kw = 0; kw < KW; ++kw)
          for (int64_t c = cb; c < std::min(cb + 32, IC); ++c)
            for (int64_t oc = 0; oc < OC; ++oc)
              want.push_back(
                  float((((g * IC + c) * OC + oc) * KH + KH - 1 - kh) * KW + KW - 1 - kw));
  EXPECT_EQ(got, want);
}

TEST_F(PackingTest, Depthwise) {
  Packing p;
  p.kind = "depthwise";
  p.shape = {100, 1, 3, 3};
  std::vector<float> got = run(p), want;
  for (int64_t k = 0; k < 9; ++k)
    for (int64_t c = 0; c < 100; ++c)
      want.push_back(float(c * 9 + k));
  EXPECT_EQ(got, want);
}

TEST_F(PackingTest, DepthwiseTransposed) {
  const int64_t C = 3, T = 6;
  Packing p;
  p.kind = "depthwise_transposed";
  p.shape = {C, 1, 2, 3};
  p.groups = C;
  std::vector<float> want;
  for (int64_t t = 0; t < T; ++t)
    for (int64_t c = 0; c < C; ++c)
      want.push_back(float(c * T + T - 1 - t));
  EXPECT_EQ(run(p), want);
}

TEST_F(PackingTest, TransposeLargerThanOnePiece) {
  Packing p;
  p.kind = "transpose";
  p.shape = {1500, 3, 700};
  p.perm = {2, 1, 0};
  std::vector<float> got = run(p), want;
  for (int64_t c = 0; c < 700; ++c)
    for (int64_t b = 0; b < 3; ++b)
      for (int64_t a = 0; a < 1500; ++a)
        want.push_back(float((a * 3 + b) * 700 + c));
  EXPECT_EQ(got, want);
}

TEST_F(PackingTest, NarrowsToNearestEven) {
  Packing p;
  p.shape = {4};
  p.sourceType = f32;
  p.resultType = bf16;
  // 1 + 2^-8 lies halfway between 1 and 1 + 2^-7: to even, 1.
  float source[] = {1.00390625f, 1.01171875f, -2.5f, 0.f};
  std::vector<uint16_t> out;
  ASSERT_TRUE(
      pack(p, ArrayRef(reinterpret_cast<char *>(source), 16), [&](const char *data, size_t size) {
        out.resize(size / 2);
        std::memcpy(out.data(), data, size);
        return true;
      }));
  EXPECT_EQ(out, (std::vector<uint16_t>{0x3f80, 0x3f82, 0xc020, 0}));
}

TEST_F(PackingTest, RefusesWhatMakesNoSense) {
  Packing p;
  p.sourceType = p.resultType = f32;
  p.shape = {4, 2};
  EXPECT_EQ(check(p, 31), "its file range has 31 bytes, its type needs 32");
  p.kind = "transpose";
  p.perm = {0, 0};
  EXPECT_EQ(check(p, 32), "perm is no permutation");
  p.kind = "conv";
  EXPECT_EQ(check(p, 32), "a convolution's weights have four dimensions");
  p.kind = "fold";
  EXPECT_EQ(check(p, 32), "the pack kind 'fold' is unknown");
}

} // namespace
} // namespace accel::emit
