//===- mxu_geometry.h - Where an MXU instruction finds its rows -----------===//
//
// An MXU instruction is a matrix product C[M,N] += A[M,K]·B[K,N] whose A is
// gathered: row (m0,m1) at kernel position (kh,kw) is a run of channels at one
// address, or absent (padding). The table of those addresses is built once an
// instruction; windows, circular buffers and dilation exist only here.
//
// The order of K (ISA): channel blocks of 32, in each all kernel positions, in
// each the block's channels. A float sum is cut into chains: each is summed from
// zero and then added to C. A Segment is a run of consecutive kk at one position,
// a chain one segment of every position, and a Panel as many whole chains as let
// a panel of B stay in the L1 cache.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_KERNELS_MXU_GEOMETRY_H
#define ACC_RUNTIME_KERNELS_MXU_GEOMETRY_H

#include "acc/runtime/kernels.h"
#include <vector>

namespace accel::rt {

/// ISA constant: channels reduced before the next kernel position.
constexpr int64_t kKBlock = 32;
/// ISA constant: channels of a chain if there is one kernel position.
constexpr int64_t kChain = 128;
/// Channels of a chain. With several positions it is one channel block.
constexpr int64_t ChainChannels(int64_t positions) { return positions == 1 ? kChain : kKBlock; }
/// Depth of a packed panel of B: 256 x 16 x 4 bytes = half of a 32 KiB L1.
constexpr int64_t kPanelDepth = 256;

struct MxuGeometry {
  int64_t m = 0, n = 0, c = 0, k = 0;
  int64_t positions = 0;     // kh·kw
  int64_t chainChannels = 0; // of every chain but the last

  struct Segment {
    int64_t position, channel, length;
  };
  struct Panel {
    int64_t segBegin, segEnd; // into segments
    int64_t kBegin, kEnd;     // running kk
  };
  std::vector<Segment> segments;
  std::vector<Panel> panels;
  int64_t maxPanel = 0; // deepest panel, in kk

  /// [positions][m]: address of channel 0, `absent` where padded.
  std::vector<const uint8_t *> rows;
  /// [m]: address of column 0, null if the write is out of bounds.
  std::vector<uint8_t *> out;

  const uint8_t *Row(int64_t position, int64_t mi) const { return rows[size_t(position * m + mi)]; }
};

/// Fills `g`; `absent` stands for padded rows (a page of zeros of at least
/// c elements, or null). A phase of a transposed convolution keeps the chains of
/// the whole, so `chainChannels` is given.
void BuildMxuGeometry(const MxuOp &op, const uint8_t *absent, int64_t chainChannels,
                      MxuGeometry &g);

/// Whether the fast kernels can run the instruction: B without window, C's
/// window independent of n, A's of c. Others take the reference.
bool MxuIsRegular(const MxuOp &op);

} // namespace accel::rt

#endif // ACC_RUNTIME_KERNELS_MXU_GEOMETRY_H
