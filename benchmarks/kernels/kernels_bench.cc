// Speed of the simulator's kernels on one thread: GMAC/s of the matrix engine,
// GB/s (bytes read and written) of the vector and DMA engines.
//   build/bin/kernels_bench --benchmark_filter=Mxu
#include "acc/runtime/kernels.h"
#include "acc/runtime/vprog.h"
#include <benchmark/benchmark.h>
#include <cstring>

namespace accel::rt {
namespace {

/// Row-major C[M,N] += A[M,K]·B[K,N].
void MatMul(benchmark::State &state, KType ta, KType tb, bool transposed = false) {
  int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  int64_t ea = KTypeBytes(ta), eb = KTypeBytes(tb);
  std::vector<uint8_t> a(size_t(m * k * ea)), b(size_t(k * n * eb)), c(size_t(m * n * 4));
  MxuOp op;
  op.size[1] = m, op.size[2] = n, op.size[5] = k;
  op.a.mem = a.data(), op.a.limit = int64_t(a.size()), op.a.type = ta;
  op.a.stride[1] = k * ea, op.a.stride[5] = ea;
  op.b.mem = b.data(), op.b.limit = int64_t(b.size()), op.b.type = tb;
  op.b.stride[5] = transposed ? eb : n * eb, op.b.stride[2] = transposed ? k * eb : eb;
  op.c.mem = c.data(), op.c.limit = int64_t(c.size());
  op.c.stride[1] = n * 4, op.c.stride[2] = 4;
  ThreadPool pool(1);
  for (auto _ : state)
    ExecMxu(op, pool);
  state.counters["GMAC/s"] =
      benchmark::Counter(double(m * n * k) / 1e9, benchmark::Counter::kIsIterationInvariantRate);
}

/// NHWC convolution, padding (k-1)/2, of one tile.
void Conv(benchmark::State &state, KType ta, bool depthwise) {
  int64_t h = state.range(0), c = state.range(1), n = state.range(2), k = state.range(3);
  int64_t ea = KTypeBytes(ta), pad = (k - 1) / 2;
  KType tb = ta == KType::F32 ? KType::F32 : KType::I8;
  std::vector<uint8_t> a(size_t(h * h * c * ea)), b(size_t(k * k * c * n * ea)),
      out(size_t(h * h * (depthwise ? c : n) * 4));
  MxuOp op;
  op.a.type = ta, op.b.type = tb;
  op.a.mem = a.data(), op.a.limit = int64_t(a.size());
  op.b.mem = b.data(), op.b.limit = int64_t(b.size());
  op.c.mem = out.data(), op.c.limit = int64_t(out.size());
  op.size[0] = op.size[1] = h, op.size[3] = op.size[4] = k;
  op.a.windowed = true;
  op.a.coord[0] = {-pad, 0, 0, 3, 1, 1, uint32_t(h), 0, h * c * ea};
  op.a.coord[1] = {-pad, 0, 1, 4, 1, 1, uint32_t(h), 0, c * ea};
  if (depthwise) {
    op.size[2] = c;
    op.a.stride[2] = ea, op.b.stride[2] = ea, op.b.stride[4] = c * ea, op.b.stride[3] = k * c * ea;
    n = c;
  } else {
    op.size[2] = n, op.size[5] = c;
    op.a.stride[5] = ea, op.b.stride[2] = ea, op.b.stride[5] = n * ea;
  }
  op.c.stride[2] = 4, op.c.stride[1] = n * 4, op.c.stride[0] = h * n * 4;
  ThreadPool pool(1);
  for (auto _ : state)
    depthwise ? ExecMxuDw(op, pool) : ExecMxu(op, pool);
  double macs = double(h * h * k * k * c) * (depthwise ? 1 : double(n));
  state.counters["GMAC/s"] =
      benchmark::Counter(macs / 1e9, benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK_CAPTURE(MatMul, F32, KType::F32, KType::F32)
    ->Args({512, 256, 1024})
    ->Args({512, 256, 4608})
    ->Args({256, 64, 256})
    ->Args({64, 32, 64})
    ->Args({64, 256, 576})
    ->Args({128, 128, 512})
    ->Args({384, 384, 32})
    ->Args({8, 64, 512})
    ->Args({3, 256, 512})
    ->Args({1, 256, 1024})
    ->Args({1, 1000, 1280});
BENCHMARK_CAPTURE(MatMul, F32Transposed, KType::F32, KType::F32, true)
    ->Args({128, 128, 64})
    ->Args({256, 256, 512});
BENCHMARK_CAPTURE(MatMul, F16, KType::F16, KType::F16)->Args({256, 256, 512});
BENCHMARK_CAPTURE(MatMul, U8S8, KType::U8, KType::I8)
    ->Args({512, 256, 1024})
    ->Args({64, 32, 64})
    ->Args({128, 128, 512})
    ->Args({1, 256, 1024});
BENCHMARK_CAPTURE(Conv, F32, KType::F32, false)
    ->Args({56, 64, 64, 3})
    ->Args({14, 256, 256, 3})
    ->Args({32, 3, 64, 7})
    ->Args({28, 32, 32, 3})
    ->Args({28, 16, 64, 1})
    ->Args({56, 3, 16, 3});
BENCHMARK_CAPTURE(Conv, U8, KType::U8, false)->Args({56, 64, 64, 3})->Args({14, 256, 256, 3});
BENCHMARK_CAPTURE(Conv, DepthwiseF32, KType::F32, true)
    ->Args({56, 32, 1, 3})
    ->Args({28, 96, 1, 3})
    ->Args({14, 240, 1, 5})
    ->Args({56, 24, 1, 3});
BENCHMARK_CAPTURE(Conv, DepthwiseU8, KType::U8, true)->Args({28, 96, 1, 3});

/// A vector program over [rows, columns] of f32 unless said otherwise; `vector`
/// inputs hold one row.
struct VecCase {
  const char *name;
  VProg prog;
  int vectorInputs; // trailing inputs that repeat every row
  bool reduceRow = false;
  KType in = KType::F32, out = KType::F32;
};

VStep S(VOp op, int dst, int a = 0, int b = 0, int c = 0, VType t = VType::F32) {
  return {op, uint8_t(dst), uint8_t(a), uint8_t(b), uint8_t(c), t, 0};
}
VStep C(int dst, double v) {
  return {VOp::Imm, uint8_t(dst), 0, 0, 0, VType::F32, std::bit_cast<uint64_t>(v)};
}

std::vector<VecCase> VecCases() {
  const VInput a{0, VType::F32}, b{1, VType::F32}, c{2, VType::F32};
  const VOutput r{3, false, VType::F32}, post{4, true, VType::F32};
  std::vector<VecCase> v;
  v.push_back({"bias_relu",
               {{a, b}, {r}, {S(VOp::Add, 3, 0, 1), C(5, 0), S(VOp::Max, 3, 3, 5)}, {}, {}},
               1});
  v.push_back({"bias_add_relu",
               {{a, c, b},
                {r},
                {S(VOp::Add, 3, 0, 1), S(VOp::Add, 3, 3, 2), C(5, 0), S(VOp::Max, 3, 3, 5)},
                {},
                {}},
               1});
  v.push_back({"add", {{a, b}, {r}, {S(VOp::Add, 3, 0, 1)}, {}, {}}, 0});
  v.push_back(
      {"hardswish",
       {{a},
        {r},
        {C(5, 3), C(6, 0), C(7, 6), C(8, 1.0 / 6), S(VOp::Add, 3, 0, 5), S(VOp::Max, 3, 3, 6),
         S(VOp::Min, 3, 3, 7), S(VOp::Mul, 3, 3, 0), S(VOp::Mul, 3, 3, 8)},
        {},
        {}},
       0});
  v.push_back({"gelu",
               {{a},
                {r},
                {C(5, 0.70710678), C(6, 1), C(7, .5), S(VOp::Mul, 3, 0, 5), S(VOp::Erf, 3, 3),
                 S(VOp::Add, 3, 3, 6), S(VOp::Mul, 4, 0, 7), S(VOp::Mul, 3, 3, 4)},
                {},
                {}},
               0});
  v.push_back({"exp", {{a}, {r}, {S(VOp::Exp, 3, 0)}, {}, {}}, 0});
  v.push_back({"sigmoid", {{a}, {r}, {S(VOp::Sigmoid, 3, 0)}, {}, {}}, 0});
  VecCase q{"requantise",
            {{{0, VType::I32}, b, c},
             {r},
             {S(VOp::Cvt, 3, 0, 1), S(VOp::Mul, 3, 3, 1), S(VOp::Rne, 3, 3), S(VOp::Add, 3, 3, 2)},
             {},
             {}},
            2};
  q.out = KType::U8;
  v.push_back(q);
  v.push_back(
      {"row_sum_lanes", {{a}, {post}, {}, {}, {{0, 4, VReduce::Sum, true, VType::F32}}}, 0, true});
  v.push_back(
      {"row_max", {{a}, {post}, {}, {}, {{0, 4, VReduce::Max, false, VType::F32}}}, 0, true});
  v.push_back({"exp_sub_sum",
               {{a},
                {r, post},
                {C(5, 1), S(VOp::Sub, 3, 0, 5), S(VOp::Exp, 3, 3)},
                {},
                {{3, 4, VReduce::Sum, true, VType::F32}}},
               0,
               true});
  return v;
}

void Vec(benchmark::State &state, const VecCase &v, int64_t rows, int64_t columns) {
  VecOp op;
  op.size[4] = rows, op.size[5] = columns;
  op.reduceMask = v.reduceRow ? 32 : 0;
  std::vector<std::vector<float>> in(4), out(2);
  int64_t moved = 0;
  size_t ins = v.prog.ins.size();
  for (size_t i = 0; i < ins; ++i) {
    bool vector = int(i) + v.vectorInputs >= int(ins);
    in[i].assign(size_t(vector ? columns : rows * columns), 0.5f);
    op.in[i].mem = reinterpret_cast<uint8_t *>(in[i].data());
    op.in[i].type = i == 0 && v.prog.ins[0].type == VType::I32 ? KType::I32 : v.in;
    op.in[i].stride[5] = 4, op.in[i].stride[4] = vector ? 0 : columns * 4;
    moved += vector ? 0 : rows * columns * 4;
  }
  for (size_t i = 0; i < v.prog.outs.size(); ++i) {
    out[i].resize(size_t(rows * columns));
    op.out[i].mem = reinterpret_cast<uint8_t *>(out[i].data());
    op.out[i].type = v.out;
    int64_t e = KTypeBytes(v.out);
    bool post = v.prog.outs[i].post;
    op.out[i].stride[5] = post ? 0 : e, op.out[i].stride[4] = post ? e : columns * e;
    moved += post ? 0 : rows * columns * e;
  }
  auto compiled = CompileVProg(v.prog);
  ThreadPool pool(1);
  for (auto _ : state)
    ExecVec(op, **compiled, pool);
  state.SetBytesProcessed(state.iterations() * moved);
  state.counters["ns/point"] = benchmark::Counter(double(rows * columns) * 1e-9,
                                                  benchmark::Counter::kIsIterationInvariantRate |
                                                      benchmark::Counter::kInvert);
}

/// Max pooling 3x3, stride 2, padding 1, NHWC.
void Pool(benchmark::State &state) {
  const int64_t out = state.range(0), in = out * 2, c = state.range(1);
  std::vector<float> x(size_t(in * in * c)), y(size_t(out * out * c));
  VecOp op;
  int64_t size[] = {1, out, out, c, 3, 3};
  std::copy(size, size + 6, op.size);
  op.reduceMask = 48;
  op.in[0].mem = reinterpret_cast<uint8_t *>(x.data());
  op.out[0].mem = reinterpret_cast<uint8_t *>(y.data());
  op.in[0].windowed = true;
  op.in[0].padBits = 0xff800000u;
  op.in[0].stride[3] = 4;
  op.in[0].coord[0] = {-1, 0, 1, 4, 2, 1, uint32_t(in), 0, in * c * 4};
  op.in[0].coord[1] = {-1, 0, 2, 5, 2, 1, uint32_t(in), 0, c * 4};
  op.out[0].stride[1] = out * c * 4, op.out[0].stride[2] = c * 4, op.out[0].stride[3] = 4;
  VProg prog{{{0, VType::F32}},
             {{1, true, VType::F32}},
             {},
             {},
             {{0, 1, VReduce::Max, false, VType::F32}}};
  auto compiled = CompileVProg(prog);
  ThreadPool pool(1);
  for (auto _ : state)
    ExecVec(op, **compiled, pool);
  state.SetBytesProcessed(state.iterations() * int64_t(x.size() + y.size()) * 4);
}
BENCHMARK(Pool)->Args({56, 64})->Args({14, 24});

/// 2-D copies of [rows, columns] f32.
void Dma(benchmark::State &state, int kind) {
  int64_t rows = state.range(0), columns = state.range(1);
  std::vector<uint8_t> a(size_t(rows * columns * 4)), b(a.size());
  DmaOp op;
  op.size[4] = rows, op.size[5] = columns;
  op.src.mem = a.data(), op.dst.mem = b.data();
  op.src.stride[5] = 4, op.src.stride[4] = columns * 4;
  op.dst.stride[5] = kind ? rows * 4 : 4, op.dst.stride[4] = kind ? 4 : columns * 4;
  if (kind == 2)
    op.dst.type = KType::F16, op.dst.stride[5] = 2, op.dst.stride[4] = columns * 2;
  ThreadPool pool(1);
  for (auto _ : state)
    ExecDma(op, pool).IgnoreError();
  state.SetBytesProcessed(state.iterations() * rows * columns * 8);
}
BENCHMARK_CAPTURE(Dma, rows, 0)->Args({256, 256});
BENCHMARK_CAPTURE(Dma, transpose, 1)->Args({256, 256})->Args({3, 65536})->Args({65536, 3});
BENCHMARK_CAPTURE(Dma, to_f16, 2)->Args({256, 256});

} // namespace
} // namespace accel::rt

int main(int argc, char **argv) {
  static const auto cases = accel::rt::VecCases();
  for (const auto &c : cases)
    for (auto [rows, columns] : {std::pair<int64_t, int64_t>{784, 64}, {128, 384}, {16, 24}})
      benchmark::RegisterBenchmark(("Vec/" + std::string(c.name) + "/" + std::to_string(rows) +
                                    "x" + std::to_string(columns))
                                       .c_str(),
                                   [&c, rows = rows, columns = columns](benchmark::State &s) {
                                     accel::rt::Vec(s, c, rows, columns);
                                   });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
