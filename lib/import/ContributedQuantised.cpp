//===- ContributedQuantised.cpp - QLinear*, QGemm, MatMulNBits, ... -------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators on integers are their float operator between DequantizeLinear and
// QuantizeLinear: recover-qdq finds the integer operators in that one form.
//
//===----------------------------------------------------------------------===//

#include "Contributed.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;

/// Operands value, scale, zero point at three positions in a row.
static void dequantise(Body &b, StringRef name, int at, int64_t axis = 1) {
  b.add("{0} = DequantizeLinear(i{1}, i{2}, i{3})", name, at, at + 1, at + 2).with("axis", axis);
}

/// o0 from a float; the scale at a position, the zero point behind it.
static void quantise(Body &b, StringRef from, int at) {
  b.add("o0 = QuantizeLinear({0}, i{1}, i{2})", from, at, at + 1);
  if (!b.has(at + 1)) // without a zero point it would give uint8
    b.with("output_dtype", int64_t(b.elementType(0)));
}

static bool binary(Body &b) {
  dequantise(b, "x", 0);
  dequantise(b, "y", 3);
  b.add("z = {0}(x, y)", b.kind().drop_front(StringRef("QLinear").size()));
  quantise(b, "z", 6);
  return true;
}

static bool sigmoid(Body &b) {
  dequantise(b, "x", 0);
  b.add("y = Sigmoid(x)");
  quantise(b, "y", 3);
  return true;
}

static bool leakyRelu(Body &b) {
  dequantise(b, "x", 0);
  b.add("y = LeakyRelu(x)").copy({"alpha"});
  quantise(b, "y", 3);
  return true;
}

/// Before opset 13 everything from the axis on is one row.
static bool softmax(Body &b) {
  dequantise(b, "x", 0);
  int64_t axis = b.integer("axis", -1);
  if (b.integer("opset", 13) >= 13) {
    b.add("y = Softmax(x)").with("axis", axis);
  } else {
    b.add("rows = Flatten(x)").with("axis", axis);
    b.add("weights = Softmax <axis = -1> (rows) "
          "shape = Shape(x) "
          "y = Reshape(weights, shape)");
  }
  quantise(b, "y", 3);
  return true;
}

/// Brings the channels of `from` first, or `to` back to where they were.
static void moveChannels(Body &b, StringRef from, StringRef to, size_t rank, bool back) {
  std::vector<int64_t> perm{0};
  if (!back)
    perm.push_back(rank - 1);
  for (size_t d = back ? 2 : 1; d + !back < rank; ++d)
    perm.push_back(d);
  if (back)
    perm.push_back(1);
  b.add("{0} = Transpose({1})", to, from).with("perm", perm);
}

/// A pool or a convolution between integers, of either layout. `write` computes
/// `y` from `x`, both channels first.
static bool windowed(Body &b, int scaleAt, llvm::function_ref<void()> write) {
  size_t rank = b.shape(0).size();
  bool last = b.integer("channels_last", 0);
  if (last && rank < 3)
    return b.refuse("the rank of its input is not known");
  dequantise(b, last ? "given" : "x", 0);
  if (last)
    moveChannels(b, "given", "x", rank, /*back=*/false);
  write();
  if (last)
    moveChannels(b, "y", "moved", rank, /*back=*/true);
  quantise(b, last ? "moved" : "y", scaleAt);
  return true;
}

static bool globalAveragePool(Body &b) {
  return windowed(b, 3, [&] { b.add("y = GlobalAveragePool(x)"); });
}

static bool averagePool(Body &b) {
  return windowed(b, 3, [&] {
    b.add("y = AveragePool(x)")
        .copy({"kernel_shape", "pads", "strides", "auto_pad", "ceil_mode", "count_include_pad"});
  });
}

static bool conv(Body &b) {
  return windowed(b, 6, [&] {
    dequantise(b, "w", 3, /*axis=*/0);
    if (b.has(8)) // int32 in units of the product's scale
      b.add("unit = Mul(i1, i4) "
            "bias = DequantizeLinear <axis = 0> (i8, unit)");
    b.add(b.has(8) ? "y = Conv(x, w, bias)" : "y = Conv(x, w)")
        .copy({"kernel_shape", "pads", "strides", "dilations", "group", "auto_pad"});
  });
}

static bool concat(Body &b) {
  std::string parts;
  for (int i = 2; i + 2 < b.inputs(); i += 3) {
    std::string part = "x" + std::to_string(i);
    dequantise(b, part, i);
    parts += (parts.empty() ? "" : ", ") + part;
  }
  b.add("y = Concat({0})", parts).with("axis", b.integer("axis", 0));
  b.add("o0 = QuantizeLinear(y, i0, i1)");
  return true;
}

static bool reduceMean(Body &b) {
  dequantise(b, "x", 0);
  b.ints("axes", b.integers("axes"));
  b.add("y = ReduceMean(x, axes)").with("keepdims", b.integer("keepdims", 1));
  quantise(b, "y", 3);
  return true;
}

static bool where(Body &b) {
  dequantise(b, "x", 1);
  dequantise(b, "y", 4);
  b.add("z = Where(i0, x, y) "
        "o0 = QuantizeLinear(z, i7, i8)");
  return true;
}

/// C is int32 in units of the product's scale; without a scale of the result it is float.
static bool gemm(Body &b) {
  bool transposed = b.integer("transB", 0);
  dequantise(b, "x", 0);
  dequantise(b, "w", 3, transposed ? 0 : 1);
  if (b.has(6))
    b.add("unit = Mul(i1, i4) "
          "c = DequantizeLinear <axis = -1> (i6, unit)");
  b.add(b.has(6) ? "y = Gemm(x, w, c)" : "y = Gemm(x, w)").copy({"transA", "transB", "alpha"});
  if (b.has(7))
    quantise(b, "y", 7);
  else
    b.add("o0 = Identity(y)");
  return true;
}

/// Scales: of the left side, and of the right, one or one for each column.
static void scaleProduct(Body &b, StringRef scaleA, StringRef scaleB, int bias) {
  b.add("unit = Mul({0}, {1}) "
        "sums = CastLike(product, unit) "
        "y = Mul(sums, unit)",
        scaleA, scaleB);
  if (b.has(bias))
    b.add("o0 = Add(y, i{0})", bias);
  else
    b.add("o0 = Identity(y)");
}

static bool matMulIntegerToFloat(Body &b) {
  b.add("product = MatMulInteger(i0, i1, i4, i5)");
  scaleProduct(b, "i2", "i3", 6);
  return true;
}

static bool dynamicQuantizeMatMul(Body &b) {
  b.add("x, scale, zero = DynamicQuantizeLinear(i0) "
        "product = MatMulInteger(x, i1, zero, i3)");
  scaleProduct(b, "scale", "i2", 4);
  return true;
}

/// `to` [rows, parts, many, each] = numbers of `bits` in bytes [rows, parts, many], low first.
static void unpack(Body &b, StringRef from, StringRef to, int64_t bits) {
  if (bits == 8) {
    b.add("{0} = Identity({1})", to, from);
    return;
  }
  std::vector<int> shifts;
  for (int64_t at = 0; at < 8; at += bits)
    shifts.push_back(at);
  b.bytes(to.str() + "_shifts", shifts).bytes(to.str() + "_mask", {(1 << bits) - 1});
  b.add("{0}_moved = BitShift <direction = \"RIGHT\"> ({1}, {0}_shifts) "
        "{0} = BitwiseAnd({0}_moved, {0}_mask)",
        to, from);
}

/// A x W^T, W [N, K] in blocks along K of one scale and zero point each. The packed
/// bytes are what moves; they become numbers on the way to the product.
static bool matMulNBits(Body &b) {
  int64_t bits = b.integer("bits", 4), block = b.integer("block_size", 0);
  int64_t rows = b.integer("N", 0), depth = b.integer("K", 0);
  if (bits != 2 && bits != 4 && bits != 8)
    return b.refuse(std::to_string(bits) + " bits; 2, 4 and 8 are possible");
  if (block < 16 || (block & (block - 1)) || rows < 1 || depth < 1)
    return b.refuse("block_size, N or K is out of range");
  if (b.has(4))
    return b.refuse("g_idx, which is withdrawn");
  if (b.integer("weight_prepacked", 0))
    return b.refuse("weight_prepacked: the layout belongs to one device; store plain weights");
  int64_t blocks = (depth + block - 1) / block, each = 8 / bits;
  b.ints("blob", {rows, blocks, block / each, 1}).ints("one", {rows, blocks, 1, 1});
  b.add("packed = Reshape(i1, blob)");
  unpack(b, "packed", "codes", bits);
  b.add("scales = Reshape(i2, one) "
        "numbers = CastLike(codes, i0)");
  if (!b.has(3)) {
    b.number("zeros", float(1 << (bits - 1)));
  } else if (b.elementType(3) == ::onnx::TensorProto::UINT8) {
    int64_t bytes = (blocks + each - 1) / each;
    b.ints("zero_bytes", {rows, bytes, 1}).ints("zero_rows", {rows, bytes * each});
    b.ints("from", {0}).ints("to", {blocks}).ints("along", {1});
    b.add("packed_zeros = Reshape(i3, zero_bytes)");
    unpack(b, "packed_zeros", "all_zeros", bits);
    b.add("zero_matrix = Reshape(all_zeros, zero_rows) "
          "own_zeros = Slice(zero_matrix, from, to, along) "
          "zero_blocks = Reshape(own_zeros, one) "
          "zeros = CastLike(zero_blocks, i0)");
  } else {
    b.add("zeros = Reshape(i3, one)");
  }
  b.ints("matrix", {rows, blocks * block});
  b.add("centred = Sub(numbers, zeros) "
        "weights = Mul(centred, scales) "
        "whole = Reshape(weights, matrix)");
  if (blocks * block != depth) {
    b.ints("begin", {0}).ints("end", {depth}).ints("columns", {1});
    b.add("w = Slice(whole, begin, end, columns)");
  } else {
    b.add("w = Identity(whole)");
  }
  b.add("wt = Transpose <perm = [1, 0]> (w) "
        "y = MatMul(i0, wt)");
  b.add(b.has(5) ? "o0 = Add(y, i5)" : "o0 = Identity(y)");
  return true;
}

ArrayRef<ContributedOp> accel::import::quantisedOps() {
  static const ContributedOp table[] = {
      {"DynamicQuantizeMatMul", dynamicQuantizeMatMul},
      {"MatMulIntegerToFloat", matMulIntegerToFloat},
      {"MatMulNBits", matMulNBits},
      {"QGemm", gemm},
      {"QLinearAdd", binary},
      {"QLinearAveragePool", averagePool},
      {"QLinearConcat", concat},
      {"QLinearConv", conv},
      {"QLinearGlobalAveragePool", globalAveragePool},
      {"QLinearLeakyRelu", leakyRelu},
      {"QLinearMul", binary},
      {"QLinearReduceMean", reduceMean},
      {"QLinearSigmoid", sigmoid},
      {"QLinearSoftmax", softmax},
      {"QLinearWhere", where},
  };
  return table;
}
