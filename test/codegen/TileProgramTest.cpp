//===- TileProgramTest.cpp - tile programs by hand, run and compared --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From test/codegen/programs/*.mlir through memory, codegen and emit to the
// simulator with its sanitizer, against naive loops.

#include "acc/Codegen/Encode.h"
#include "acc/Emit/Emit.h"
#include "acc/Memory/Addresses.h"
#include "acc/runtime/simulator.h"

#include "mlir/Parser/Parser.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <map>

namespace accel {
namespace {

using Values = std::vector<float>;

Values ramp(size_t count, float step) {
  Values values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = std::sin(float(i) * step);
  return values;
}

/// Compiles a file to artifact bytes.
std::string compileProgram(const std::string &file) {
  mlir::MLIRContext context;
  context.loadDialect<AccelDialect>();
  auto module = mlir::parseSourceFile<mlir::ModuleOp>("test/codegen/programs/" + file, &context);
  memory::PackingFailure failure;
  if (!module || failed(memory::assignAddresses(*module, {}, failure)))
    return "";
  auto program = codegen::buildProgram(*module);
  if (failed(program))
    return "";
  auto encoded = codegen::encode(*module, **program);
  rt::ArtifactBuilder builder;
  if (failed(encoded) || failed(emit::emitArtifact(*module, *encoded, {}, builder)))
    return "";
  auto bytes = builder.Serialize();
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *bytes : "";
}

/// Runs it with the sanitizer on.
Values run(const std::string &bytes, const std::map<std::string, Values> &inputs,
           const std::string &output) {
  auto program =
      rt::Program::FromBytes({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  EXPECT_TRUE(program.ok()) << program.status();
  if (!program.ok())
    return {};
  rt::SimOptions options;
  options.sanitize = true;
  rt::Simulator simulator(*program, options);
  for (auto &[name, values] : inputs) {
    auto status = simulator.SetInput(
        name, {reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(float)});
    EXPECT_TRUE(status.ok()) << status;
  }
  auto status = simulator.Run();
  EXPECT_TRUE(status.ok()) << status;
  auto result = simulator.Output(output);
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok())
    return {};
  Values values(result->size() / sizeof(float));
  std::memcpy(values.data(), result->data(), result->size());
  return values;
}

// Bit for bit: one f32 FMA for each k, ascending, in chains that are added; the
// program's instructions have 64 k each, which is a chain.
TEST(TilePrograms, Matmul) {
  const int M = 96, N = 64, K = 128;
  Values a = ramp(M * K, 0.37f), b = ramp(K * N, 0.73f), want(M * N);
  for (int m = 0; m < M; ++m)
    for (int n = 0; n < N; ++n) {
      float sum = 0;
      for (int chain = 0; chain < K; chain += 64) {
        float part = 0;
        for (int k = chain; k < chain + 64; ++k)
          part = std::fma(a[m * K + k], b[k * N + n], part);
        sum += part;
      }
      want[m * N + n] = sum * 0.5f;
    }
  EXPECT_EQ(run(compileProgram("matmul.mlir"), {{"A", a}, {"B", b}}, "C"), want);
}

// Bit for bit: kh, kw, channel (8 channels are one block).
TEST(TilePrograms, ConvThroughACircularBuffer) {
  const int H = 16, W = 20, C = 8, O = 12;
  Values x = ramp(H * W * C, 0.31f), w = ramp(9 * C * O, 0.57f), b = ramp(O, 1.1f);
  Values want(H * W * O);
  for (int h = 0; h < H; ++h)
    for (int v = 0; v < W; ++v)
      for (int o = 0; o < O; ++o) {
        float sum = 0;
        for (int kh = 0; kh < 3; ++kh)
          for (int kw = 0; kw < 3; ++kw)
            for (int c = 0; c < C; ++c) {
              int y = h + kh - 1, z = v + kw - 1;
              if (y >= 0 && y < H && z >= 0 && z < W)
                sum = std::fma(x[(y * W + z) * C + c], w[((kh * 3 + kw) * C + c) * O + o], sum);
            }
        want[(h * W + v) * O + o] = std::max(sum + b[o], 0.0f);
      }
  EXPECT_EQ(run(compileProgram("conv.mlir"), {{"X", x}, {"W", w}, {"b", b}}, "Y"), want);
}

TEST(TilePrograms, ChainOfCalls) {
  const int R = 64, L = 256;
  Values x = ramp(R * L, 0.11f), want(R * L);
  for (int r = 0; r < R; ++r) {
    float most = -INFINITY;
    for (int i = 0; i < L; ++i) {
      float v = (x[r * L + i] + 1) * 2;
      want[r * L + i] = r < R / 2 ? -v : v;
      most = std::max(most, want[r * L + i]);
    }
    for (int i = 0; i < L; ++i)
      want[r * L + i] -= most;
  }
  EXPECT_EQ(run(compileProgram("chain.mlir"), {{"X", x}}, "Y"), want);
}

TEST(TilePrograms, AreDeterministic) {
  for (const char *file : {"matmul.mlir", "conv.mlir", "chain.mlir"})
    EXPECT_EQ(compileProgram(file), compileProgram(file));
}

/// Waits in all routines.
size_t countWaits(const rt::ArtifactData &data) {
  size_t waits = 0;
  for (auto &routine : data.routines)
    for (size_t at = 0; at < routine.code.size(); at += 16)
      if (routine.code[at] >= 0x30)
        waits += (routine.code[at + 4] != 0) + (routine.code[at + 6] != 0);
  return waits;
}

// Two engines wait for each other in both directions, nothing more: LD0 and LD1
// with MXU, MXU with VEC, VEC with ST, each forward and backward, and one drain
// for each backward chain.
TEST(TilePrograms, MatmulHasNoMoreWaitsThanNeeded) {
  std::string bytes = compileProgram("matmul.mlir");
  auto artifact = rt::ReadArtifact({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  ASSERT_TRUE(artifact.ok());
  EXPECT_EQ(countWaits(artifact->data), 4u + 4u + 4u);
}

} // namespace
} // namespace accel
