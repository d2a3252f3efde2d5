//===- Bounds.h - the fewest DRAM bytes that any schedule moves -----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lower bounds on DRAM traffic, in bytes, that hold for every schedule: any
// grouping, tiling, order and residency, and also if values are computed again.
// docs/bounds.md has the formulas, the machine that they are about and the proofs;
// the names here are those of that page. A bound that is too high is a bug, so
// every approximation here is downwards.
//
// Example: C = A*B with M = N = K = 4096, f32, and S = 1 MiB on the chip.
//   compulsory  4*(MK + KN + MN)                              = 201 MB
//   reads       2*MNK*sqrt(4*4*4)/sqrt(S) - 2S - init         = 1,004 MB
//   bound       reads + 4*MN                                  = 1,071 MB
//
//===----------------------------------------------------------------------===//

#ifndef ACC_PLAN_BOUNDS_H
#define ACC_PLAN_BOUNDS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cstdint>
#include <string>
#include <vector>

namespace accel {

/// A tensor of a bound graph: an input, a constant, or what an operation makes
/// of another tensor.
struct BoundTensor {
  int64_t elements = 0;
  int64_t width = 0;  ///< bytes of an element as stored
  int64_t loaded = 0; ///< compulsory bytes of reading: what is touched of an input or constant
  int64_t stored = 0; ///< compulsory bytes of writing: of a graph output
  int loader = -1;    ///< operation that the compulsory bytes of reading are charged to
  int storer = -1;    ///< and those of writing
  /// How elements come to the chip without being loaded. `unlimited`: nothing
  /// bounds it. Otherwise from n elements of tensor `source` at most ratio*n are
  /// made (source -1: they are only loaded). `held` is the width in bytes of an
  /// element under way (an accumulator, a partial reduction), if smaller.
  bool unlimited = false;
  int source = -1;
  double ratio = 1;
  int64_t held = 0;
  int producer = -1; ///< product that makes it, or -1
  mlir::Value root;  ///< the input or constant that it is, or null
};

/// A matrix product or convolution: a*b summed over a reduction.
struct BoundProduct {
  int operation = -1;       ///< index in BoundGraph::operations
  int a = -1, b = -1;       ///< tensors
  int result = -1;          ///< tensor
  int64_t macs = 0;         ///< with elements that exist (no borders)
  int64_t accumulators = 0; ///< results, one accumulator each
  int64_t accWidth = 4;     ///< bytes of an accumulator
  int64_t reuse = 1;        ///< R: how often one element of `a` stands in the unfolded matrix
};

/// What bounds are computed from.
struct BoundGraph {
  std::vector<BoundTensor> tensors;
  std::vector<BoundProduct> products;
  std::vector<std::string> operations; ///< ONNX node of each operation

  /// The graph of @main in tensor form.
  static BoundGraph of(mlir::func::FuncOp main);
};

/// C: every touched byte of inputs and constants read once, every output written.
int64_t compulsoryBytes(const BoundGraph &graph);

/// No schedule with `chipBytes` (SRAM + accumulators) moves fewer bytes. Never
/// less than C, and never more for a larger chip.
int64_t boundAt(const BoundGraph &graph, int64_t chipBytes);

/// Compulsory bytes and bound by operation; they add up to those of the graph.
struct BoundShares {
  std::vector<int64_t> compulsory, bound;
};
BoundShares boundShares(const BoundGraph &graph, int64_t chipBytes);

/// Sizes of a product whose operands and result are all in DRAM.
struct ProductSizes {
  int64_t macs;
  int64_t aElements, bElements, results;
  int64_t aWidth, bWidth, accWidth, resultWidth; ///< bytes
  int64_t reuse = 1;
};

/// max(w_A*|A| + w_B*|B| + w_C*|C|, 2*G*sqrt(w_A*w_B*w_acc/(R*S)) - lower terms).
int64_t productBound(const ProductSizes &sizes, int64_t chipBytes);

/// softmax(Q*K^T)*V for `heads` heads: Q [queries, depth], K and V [keys, depth],
/// scores never needed in DRAM. max(compulsory, heads*queries*keys*(w*depth)^2/S
/// - lower terms).
int64_t attentionBound(int64_t heads, int64_t queries, int64_t keys, int64_t depth, int64_t width,
                       int64_t accWidth, int64_t chipBytes);

/// Most entries of the unfolded input matrix that one input element fills along
/// one dimension of a window: ceil(kernel / (stride / gcd(stride, dilation))).
int64_t windowReuse(int64_t kernel, int64_t stride, int64_t dilation);

} // namespace accel

#endif // ACC_PLAN_BOUNDS_H
