//===- transfers.cc - Walks over memories, and transfers ------------------===//
#include "arithmetic.h"
#include <cstdlib>

namespace accel::rt {

int64_t BlocksTouched(const Walk &walk, int64_t blockBytes) {
  struct Axis {
    int64_t strideBytes, size;
  } axes[kDims];
  int count = 0;
  for (int d = 0; d < kDims; ++d)
    if (walk.size[d] > 1 && walk.strideBytes[d])
      axes[count++] = {std::abs(walk.strideBytes[d]), walk.size[d]};
  std::sort(axes, axes + count,
            [](const Axis &a, const Axis &b) { return a.strideBytes < b.strideBytes; });
  int64_t span = walk.elementBytes, pieces = 1;
  for (int i = 0; i < count; ++i) {
    // A step within a block, or within what is covered, leaves none out.
    if (pieces == 1 && axes[i].strideBytes <= std::max(span, blockBytes - 1))
      span = CappedSum({span, CappedProduct(axes[i].strideBytes, axes[i].size - 1)});
    else
      pieces = CappedProduct(pieces, axes[i].size);
  }
  return CappedProduct(pieces, CeilDivide(span, blockBytes));
}

TransferCost CostOf(const MachineFigures &m, const TransferWork &work) {
  int64_t bus = m.DramTicks(work.busBytes);
  return {std::max(bus, CappedProduct(work.dramRows, m.dramRowTicks)), bus,
          CeilDivide(CappedProduct(work.sramWords, m.sramBankBytes, kTicksPerCycle),
                     m.dmaBytesPerCycle)};
}

} // namespace accel::rt
