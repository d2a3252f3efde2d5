//===- row_convert.h - Rows of elements to and from compute types ---------===//
#ifndef ACC_RUNTIME_KERNELS_ROW_CONVERT_H
#define ACC_RUNTIME_KERNELS_ROW_CONVERT_H

#include "acc/runtime/kernels.h"

namespace accel::rt {

/// dst[i] = value at src + i·step (bytes) of any type but F64/I64/U64's full
/// range: integers convert as C++ does. Exact for every float type but F64.
void RowToF32(KType type, const uint8_t *src, int64_t step, int64_t n, float *dst);

/// Narrowing store of n floats: RNE, integers saturate, NaN canonical (0 for
/// integers).
void RowFromF32(KType type, const float *src, uint8_t *dst, int64_t step, int64_t n);

/// to[k·toStride + j] = from_j[k] for j < rows, k < length, where from_j starts
/// rowStep bytes after from_(j-1).
void TransposeF32(const uint8_t *from, int64_t rowStep, int64_t rows, int64_t length, float *to,
                  int64_t toStride);

/// Copies `rows` rows of n 32-bit elements; StoreRowsF32 makes NaNs canonical.
void CopyRows32(const uint8_t *src, int64_t srcStep, uint8_t *dst, int64_t dstStep, int64_t rows,
                int64_t n);
void StoreRowsF32(const uint8_t *src, int64_t srcStep, uint8_t *dst, int64_t dstStep, int64_t rows,
                  int64_t n);

/// memcpy by vectors: the C library's `rep movsb` for long copies runs at a
/// fraction of the speed on some CPUs.
void CopyBytes(uint8_t *dst, const uint8_t *src, int64_t bytes);

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_ROW_CONVERT_H
