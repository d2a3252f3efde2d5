//===- kernels.h - Execution kernels of the functional simulator ----------===//
//
// One call executes one engine instruction whose registers are resolved: the
// caller adds base registers, takes window starts and origins from registers
// and has verified that every access is in bounds. Results are the same bits
// for every SIMD level, thread count and strip size; the definition of each
// operation is reference.h, which spells it out element by element.
//
// Not reentrant per ThreadPool: one instruction runs at a time on a pool.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_KERNELS_H
#define ACC_RUNTIME_KERNELS_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "acc/runtime/thread_pool.h"
#include <cstdint>
#include <memory>
#include <vector>

namespace accel::rt {

/// Element types, by ISA code.
enum class KType : uint8_t {
  F32 = 1,
  F16,
  BF16,
  F64,
  I8,
  U8,
  I16,
  U16,
  I32,
  U32,
  I64,
  U64,
  Bool,
  F8E4M3FN,
  F8E4M3FNUZ,
  F8E5M2,
  F8E5M2FNUZ,
  I4,
  U4,
  F4E2M1,
  E8M0,
  I2,
  U2
};

/// Bytes of one element; 0 for the sub-byte types, which streams cannot walk
/// (their strides are bytes) and an invalid code.
constexpr int64_t KTypeBytes(KType t) {
  switch (t) {
  case KType::F64:
  case KType::I64:
  case KType::U64:
    return 8;
  case KType::F32:
  case KType::I32:
  case KType::U32:
    return 4;
  case KType::F16:
  case KType::BF16:
  case KType::I16:
  case KType::U16:
    return 2;
  case KType::I8:
  case KType::U8:
  case KType::Bool:
  case KType::F8E4M3FN:
  case KType::F8E4M3FNUZ:
  case KType::F8E5M2:
  case KType::F8E5M2FNUZ:
  case KType::E8M0:
    return 1;
  default:
    return 0;
  }
}

constexpr int kDims = 6;
constexpr uint32_t kUnbounded = 0xFFFFFFFFu;
constexpr uint8_t kNoDim = 0xFF;

/// One coordinate of a window: v = (start + i[dimA]·mulA + i[dimB]·mulB) / div;
/// in bounds iff 0 ≤ v < bound; p = v − org; if mod, p = p floor-mod mod;
/// the address moves by p·stride bytes.
struct WindowCoord {
  int64_t start = 0; // start_reg added
  int64_t org = 0;   // value of org_reg
  uint8_t dimA = kNoDim, dimB = kNoDim;
  int64_t mulA = 0, mulB = 0;
  uint32_t bound = kUnbounded;
  uint32_t mod = 0;
  int64_t stride = 0; // bytes
  int64_t div = 1;    // 0 counts as 1
  bool exact = false; // v not divisible by div: out of bounds; else floor
  bool Used() const {
    return stride != 0 || bound != kUnbounded || dimA != kNoDim || dimB != kNoDim;
  }
};

/// A stream with its registers resolved. `mem` is the host address of byte 0
/// of its memory (SRAM, ACC, or the DRAM region), `limit` that memory's bytes.
struct KStream {
  uint8_t *mem = nullptr;
  int64_t limit = 0;
  KType type = KType::F32;
  int64_t base = 0; // bytes, base registers added
  int64_t stride[kDims] = {};
  bool windowed = false;
  WindowCoord coord[2]; // y, x
  uint32_t padBits = 0;
};

/// Byte runs that the stream touches over `size`, in ascending iteration
/// order with adjacent runs joined. Out-of-bounds window points touch nothing.
/// A byte may be reported more than once (stride 0 is reported once per run).
/// Calls fn(ctx, offset, length).
using RunFn = void (*)(void *ctx, int64_t offset, int64_t length);
void ForEachRunErased(const KStream &s, const int64_t size[kDims], RunFn fn, void *ctx);

template <typename Fn> void ForEachRun(const KStream &s, const int64_t size[kDims], Fn &&fn) {
  ForEachRunErased(
      s, size,
      [](void *ctx, int64_t offset, int64_t length) {
        (*static_cast<std::remove_reference_t<Fn> *>(ctx))(offset, length);
      },
      (void *)&fn);
}

/// Smallest and one past the largest byte touched (windows: exact per
/// coordinate). False if nothing is touched.
bool StreamBox(const KStream &s, const int64_t size[kDims], int64_t &lo, int64_t &hi);

//===----------------------------------------------------------------------===//
// DMA
//===----------------------------------------------------------------------===//

enum class DmaKind : uint8_t { Copy, Fill, Gather, Scatter };

struct DmaOp {
  DmaKind kind = DmaKind::Copy;
  int64_t size[kDims] = {1, 1, 1, 1, 1, 1};
  KStream dst, src;
  /// Gather/scatter: i32 or i64 list over dim 0, and its bound; negative
  /// indices count from the end.
  KStream index;
  int64_t indexBound = 0;
  uint64_t fillBits = 0; // in dst's type
};

/// Fails only on an index out of range (kOutOfRange; nothing is written then).
absl::Status ExecDma(const DmaOp &op, ThreadPool &pool);

//===----------------------------------------------------------------------===//
// MXU
//===----------------------------------------------------------------------===//

/// dims [m0,m1,n,kh,kw,c] (matrix) or [m0,m1,c,kh,kw,1] (depthwise).
struct MxuOp {
  int64_t size[kDims] = {1, 1, 1, 1, 1, 1};
  KStream c, a, b;
  bool accumulate = false; // flags resolved against init_reg
  int32_t za = 0, zb = 0;
};

void ExecMxu(const MxuOp &op, ThreadPool &pool);
void ExecMxuDw(const MxuOp &op, ThreadPool &pool);

/// Whether the engine takes this pair of operand types, and the accumulator
/// type it gives (F32 or I32); false otherwise.
bool MxuTypes(KType a, KType b, KType &acc);

//===----------------------------------------------------------------------===//
// VEC
//===----------------------------------------------------------------------===//

class CompiledVProg; // vprog.h

struct VecOp {
  int64_t size[kDims] = {1, 1, 1, 1, 1, 1};
  uint8_t reduceMask = 0;
  bool resume = false;              // the reduction starts from the outputs' current values
  const int64_t *scalars = nullptr; // r0..r63, for programs with VOp::Reg
  KStream out[2], in[4];
};

/// Outputs must be disjoint from inputs or touch, at every point, exactly the
/// bytes that the same point's inputs touch.
void ExecVec(const VecOp &op, const CompiledVProg &prog, ThreadPool &pool);

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_H
