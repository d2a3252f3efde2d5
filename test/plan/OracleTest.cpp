//===- OracleTest.cpp - the oracle against models and brute force ---------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Programs.h"

#include "acc/Plan/Bounds.h"

#include <chrono>
#include <functional>
#include <gtest/gtest.h>

using namespace mlir;

namespace accel {
namespace {

using namespace test;

/// The schedule that the oracle names has a model, which counts what it says; in
/// less space where buffers of an iteration take turns, which the oracle leaves out.
int64_t expectAttainable(Program &program, const OracleGroup &plan, const Limits &limits) {
  GroupOps group = program.group(plan);
  std::string error;
  std::optional<GroupModel> model = GroupModel::build(group, plan.schedule, limits, error);
  std::string text;
  llvm::raw_string_ostream(text) << plan.schedule;
  EXPECT_TRUE(model) << error << "\n" << text;
  if (!model)
    return -1;
  EXPECT_EQ(model->dramBytes, plan.bytes) << text;
  EXPECT_LE(model->sramBytes, plan.sramBytes) << text;
  return model->dramBytes;
}

void checkOne(const std::string &text, std::initializer_list<int64_t> srams, int64_t acc = 65536) {
  Program program(text);
  ASSERT_TRUE(program.module) << text;
  BoundGraph bounds = BoundGraph::of(program.main());
  int64_t before = INT64_MAX;
  for (int64_t sram : srams) {
    Limits limits{sram, acc};
    std::string why;
    std::optional<OracleGroup> best = oracleOf(program.ops[0], limits, why);
    ASSERT_TRUE(best) << why;
    expectAttainable(program, *best, limits);
    EXPECT_GE(best->bytes, boundAt(bounds, sram + acc));
    EXPECT_LE(best->bytes, before) << "more SRAM never costs bytes";
    before = best->bytes;
  }
}

TEST(Oracle, MatmulsAreAttainableAndAboveTheBound) {
  for (int64_t n : {64, 512, 1000, 4096})
    checkOne(matmul(n, n, n), {8 << 10, 64 << 10, 1 << 20, 16 << 20});
  checkOne(matmul(37, 1001, 259), {4 << 10, 32 << 10, 300 << 10});
  checkOne(matmul(1, 4096, 4096), {32 << 10, 1 << 20});
}

TEST(Oracle, ConvolutionsAreAttainableAndAboveTheBound) {
  checkOne(convolution(56, 64, 64, 3, 1), {32 << 10, 128 << 10, 384 << 10, 2 << 20});
  checkOne(convolution(56, 256, 128, 1, 2), {32 << 10, 128 << 10, 2 << 20});
  checkOne(convolution(14, 256, 512, 3, 2), {32 << 10, 128 << 10, 2 << 20});
  checkOne(convolution(112, 32, 32, 3, 1, true), {8 << 10, 32 << 10, 2 << 20});
  checkOne(convolution(57, 40, 40, 5, 2, true), {8 << 10, 32 << 10, 2 << 20});
}

TEST(Oracle, LargeMatmulInASecond) {
  Program program(matmul(8192, 8192, 8192, "i8"));
  ASSERT_TRUE(program.module);
  auto begin = std::chrono::steady_clock::now();
  for (int64_t sram : {64 << 10, 1 << 20, 16 << 20}) {
    std::string why;
    ASSERT_TRUE(oracleOf(program.ops[0], {sram, 65536}, why)) << why;
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_LT(seconds, 3);
}

//===----------------------------------------------------------------------===//
// Every schedule of small operations
//===----------------------------------------------------------------------===//

struct Tried {
  int64_t dram, sram, acc;
};

/// Models of all schedules whose tiles are in `tiles` (by dimension).
std::vector<Tried> everything(Program &program, ArrayRef<SmallVector<int64_t>> tiles) {
  Operation *op = program.ops[0];
  unsigned rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
  OracleGroup plan;
  GroupOps group = program.group(plan);
  MLIRContext *context = &program.context;
  std::vector<Tried> tried;
  SmallVector<LoopAttr> loops, own;
  auto inside = [&](ArrayRef<LoopAttr> list, int64_t dim) {
    return llvm::any_of(list, [&](LoopAttr l) { return l.getDim() == dim; });
  };
  auto attempt = [&] {
    unsigned n = loops.size(), all = n + own.size();
    for (unsigned a = 0; a <= all; ++a)
      for (unsigned b = 0; b <= all; ++b)
        for (unsigned level = n; level <= all; ++level)
          for (bool rolling : {false, true}) {
            if (rolling && (a != n || n == 0))
              continue;
            auto member = MemberAttr::get(context, own, false, level, 1, -1);
            SmallVector<OperandAttr> inputs{OperandAttr::get(context, a, 1, rolling),
                                            OperandAttr::get(context, b, 1, false)};
            auto schedule = ScheduleAttr::get(context, 1, 0, loops, member, inputs, {}, {}, {});
            std::string error;
            if (auto model = GroupModel::build(group, schedule, {1 << 30, 1 << 30}, error))
              tried.push_back({model->dramBytes, model->sramBytes, model->accBytes});
          }
  };
  std::function<void()> owns = [&] {
    attempt();
    for (int64_t d = 0; d < int64_t(tiles.size()); ++d)
      if (!inside(own, d))
        for (int64_t tile : tiles[d]) {
          own.push_back(LoopAttr::get(context, d, tile));
          owns();
          own.pop_back();
        }
  };
  std::function<void()> groups = [&] {
    owns();
    for (int64_t d = 0; d < int64_t(rank); ++d)
      if (!inside(loops, d))
        for (int64_t tile : tiles[d]) {
          loops.push_back(LoopAttr::get(context, d, tile));
          groups();
          loops.pop_back();
        }
  };
  groups();
  return tried;
}

void expectNothingBetter(const std::string &text, ArrayRef<SmallVector<int64_t>> tiles,
                         std::initializer_list<int64_t> srams, int64_t acc) {
  Program program(text);
  ASSERT_TRUE(program.module) << text;
  std::vector<Tried> tried = everything(program, tiles);
  ASSERT_GT(tried.size(), 1000u);
  for (int64_t sram : srams) {
    int64_t least = INT64_MAX;
    for (const Tried &t : tried)
      if (t.sram <= sram && t.acc <= acc)
        least = std::min(least, t.dram);
    std::string why;
    std::optional<OracleGroup> best = oracleOf(program.ops[0], {sram, acc}, why);
    ASSERT_TRUE(best || least == INT64_MAX) << sram;
    if (best)
      EXPECT_LE(best->bytes, least) << "SRAM " << sram << ", of " << tried.size() << " schedules";
  }
}

TEST(Oracle, NoScheduleOfASmallMatmulIsBetter) {
  // [1,16,64] x [1,64,48]: 4 KiB, 12 KiB and 3 KiB.
  for (int64_t acc : {64, 512, 4096})
    expectNothingBetter(matmul(16, 48, 64), {{}, {1, 8}, {1, 16}, {1, 32}},
                        {192, 320, 1024, 2048, 4096, 6144, 12544, 16384, 20480}, acc);
}

TEST(Oracle, NoScheduleOfASmallConvolutionIsBetter) {
  for (int64_t stride : {1, 2})
    expectNothingBetter(convolution(9, 64, 16, 3, stride), {{}, {1, 3}, {}, {4}, {32}},
                        {512, 2560, 8192, 12288, 24576, 40000}, 1024);
  expectNothingBetter(convolution(9, 64, 16, 1, 2), {{}, {1, 3}, {}, {4}, {32}},
                      {512, 2560, 8192, 12288, 24576}, 1024);
}

TEST(Oracle, NoScheduleOfASmallDepthwiseConvolutionIsBetter) {
  expectNothingBetter(convolution(10, 32, 32, 3, 1, true), {{}, {1, 4}, {1, 5}, {1, 16}},
                      {256, 512, 1024, 2048, 4096, 13000}, 4096);
}

//===----------------------------------------------------------------------===//
// Chains
//===----------------------------------------------------------------------===//

void checkChain(const std::string &text, std::initializer_list<int64_t> srams, int64_t acc) {
  Program program(text);
  ASSERT_TRUE(program.module) << text;
  BoundGraph bounds = BoundGraph::of(program.main());
  int64_t before = INT64_MAX;
  for (int64_t sram : srams) {
    Limits limits{sram, acc};
    std::string why;
    std::optional<OraclePlan> plan = oracleOf(program.ops, limits, why);
    ASSERT_TRUE(plan) << why;
    int64_t total = 0;
    for (const OracleGroup &group : plan->groups)
      total += expectAttainable(program, group, limits);
    EXPECT_EQ(total, plan->bytes);
    EXPECT_GE(plan->bytes, boundAt(bounds, sram + acc));
    EXPECT_LE(plan->bytes, before);
    before = plan->bytes;
  }
  EXPECT_EQ(before, compulsoryBytes(bounds)) << "with room for everything";
}

TEST(Oracle, ChainsOfConvolutions) {
  checkChain(bottleneck(28, 32, 192), {16 << 10, 64 << 10, 128 << 10, 1 << 20}, 65536);
  checkChain(twoConvolutions(28, 32, 48, 64, 3, 2), {16 << 10, 64 << 10, 200 << 10, 4 << 20},
             65536);
}

TEST(Oracle, ChainOfMatmulsAndMaps) {
  checkChain(perceptron(200, 64, 256), {8 << 10, 64 << 10, 100 << 10, 180 << 10, 1 << 20}, 65536);
}

TEST(Oracle, BatchedMatmul) {
  // Query heads that share a key: [2,4,50,64] x [2,1,64,50].
  std::string a = shape({2, 4, 50, 64}, "f32"), b = shape({2, 1, 64, 50}, "f32"),
              c = shape({2, 4, 50, 50}, "f32");
  checkOne("func.func @main(%a: " + a + ", %b: " + b + ") -> " + c +
               " {\n  %c = accel.matmul %a, %b : (" + a + ", " + b + ") -> " + c +
               " {\n  ^bb0(%v: f32):\n    accel.yield %v : f32\n  }\n  return %c : " + c + "\n}\n",
           {2 << 10, 16 << 10, 1 << 20});
}

TEST(Oracle, SaysWhatItDoesNotCover) {
  Program program(R"(func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %y = accel.softmax %x : (tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%v: f32):
      accel.yield %v : f32
    }
    return %y : tensor<4x8xf32>
  })");
  std::string why;
  EXPECT_FALSE(oracleOf(program.ops[0], {1 << 20, 65536}, why));
  EXPECT_EQ(why, "softmax: the oracle covers conv, matmul, pool and map");
}

} // namespace
} // namespace accel
