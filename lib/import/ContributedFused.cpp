//===- ContributedFused.cpp - products with what stands around them -------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Contributed.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;

/// Conv, plus a tensor of its result's shape, then an activation.
static bool fusedConv(Body &b) {
  b.add("product = Conv(i0, i1, i2)")
      .copy({"kernel_shape", "pads", "strides", "dilations", "group", "auto_pad"});
  b.add(b.has(3) ? "sum = Add(product, i3)" : "sum = Identity(product)");
  return b.activation("sum", "o0", b.text("activation"), b.reals("activation_params"));
}

static bool fusedGemm(Body &b) {
  b.add("product = Gemm(i0, i1, i2)").copy({"transA", "transB", "alpha", "beta"});
  std::vector<float> parameters;
  for (StringRef name : {"activation_alpha", "activation_beta"})
    if (float missing = 1e30f, value = b.real(name, missing); value != missing)
      parameters.push_back(value);
  return b.activation("product", "o0", b.text("activation"), parameters);
}

/// Operands of a product, each perhaps with its first dimension behind the batch, or
/// its last two swapped.
static bool fusedMatMul(Body &b) {
  for (int i = 0; i < 2; ++i) {
    const char *letter = i ? "B" : "A";
    size_t rank = b.shape(i).size();
    bool batch = b.integer(std::string("transBatch") + letter, 0) && rank > 2;
    bool swap = b.integer(std::string("trans") + letter, 0) && rank > 1;
    std::vector<int64_t> perm;
    for (size_t d = 0; d < rank; ++d)
      perm.push_back(d);
    if (batch)
      std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
    if (swap)
      std::swap(perm[rank - 1], perm[rank - 2]);
    if (rank)
      b.add("m{0} = Transpose(i{0})", i).with("perm", perm);
    else
      return b.refuse("the rank of its operands is not known");
  }
  b.number("alpha", b.real("alpha", 1));
  b.add("product = MatMul(m0, m1) "
        "o0 = Mul(product, alpha)");
  return true;
}

static bool nhwcConv(Body &b) {
  b.add("x = Transpose <perm = [0, 3, 1, 2]> (i0) "
        "y = Conv(x, i1, i2)")
      .copy({"kernel_shape", "pads", "strides", "dilations", "group", "auto_pad"});
  b.add("o0 = Transpose <perm = [0, 2, 3, 1]> (y)");
  return true;
}

ArrayRef<ContributedOp> accel::import::fusedOps() {
  static const ContributedOp table[] = {
      {"FusedConv", fusedConv},
      {"FusedGemm", fusedGemm},
      {"FusedMatMul", fusedMatMul},
      {"NhwcConv", nhwcConv},
  };
  return table;
}
