// Speed of the simulator's kernels on one thread: GMAC/s of the matrix engine,
// GB/s (bytes read and written) of the vector and DMA engines.
//   build/bin/kernels_bench --benchmark_filter=Mxu
#include "acc/runtime/kernels.h"
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
  state.counters["GMAC/s"] = benchmark::Counter(
      double(m * n * k) / 1e9, benchmark::Counter::kIsIterationInvariantRate);
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
    ->Args({512, 256, 1024})->Args({512, 256, 4608})->Args({256, 64, 256})->Args({64, 32, 64})
    ->Args({64, 256, 576})->Args({128, 128, 512})->Args({384, 384, 32})->Args({8, 64, 512})
    ->Args({3, 256, 512})->Args({1, 256, 1024})->Args({1, 1000, 1280});
BENCHMARK_CAPTURE(MatMul, F32Transposed, KType::F32, KType::F32, true)
    ->Args({128, 128, 64})->Args({256, 256, 512});
BENCHMARK_CAPTURE(MatMul, F16, KType::F16, KType::F16)->Args({256, 256, 512});
BENCHMARK_CAPTURE(MatMul, U8S8, KType::U8, KType::I8)
    ->Args({512, 256, 1024})->Args({64, 32, 64})->Args({128, 128, 512})->Args({1, 256, 1024});
BENCHMARK_CAPTURE(Conv, F32, KType::F32, false)
    ->Args({56, 64, 64, 3})->Args({14, 256, 256, 3})->Args({32, 3, 64, 7})->Args({28, 32, 32, 3})
    ->Args({28, 16, 64, 1})->Args({56, 3, 16, 3});
BENCHMARK_CAPTURE(Conv, U8, KType::U8, false)->Args({56, 64, 64, 3})->Args({14, 256, 256, 3});
BENCHMARK_CAPTURE(Conv, DepthwiseF32, KType::F32, true)
    ->Args({56, 32, 1, 3})->Args({28, 96, 1, 3})->Args({14, 240, 1, 5})->Args({56, 24, 1, 3});
BENCHMARK_CAPTURE(Conv, DepthwiseU8, KType::U8, true)->Args({28, 96, 1, 3});

} // namespace
} // namespace accel::rt

BENCHMARK_MAIN();
