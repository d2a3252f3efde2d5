//===- LowerMatmul.cpp - MatMul, Gemm, Einsum -----------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Graph/Matmul.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace accel;

using Values = ArrayRef<Value>;
using S = ScalarBuilder;
using Shape = Lowering::Shape;

/// Product of all dimensions but the last two.
static int64_t batchOf(ArrayRef<int64_t> shape) { return elementCount(shape.drop_back(2)); }

/// Joins neighbouring batch dimensions, the outermost first, while there are more
/// than a body's iteration space takes. False if the weight has one of the two only.
static bool joinBatches(Shape &batch, Shape &weight) {
  constexpr size_t most = 4;
  while (batch.size() > most) {
    size_t d = 0;
    while (d + 1 < batch.size() && (weight[d] == 1) != (weight[d + 1] == 1))
      ++d;
    if (d + 1 == batch.size())
      return false;
    batch[d] *= batch[d + 1], weight[d] *= weight[d + 1];
    batch.erase(batch.begin() + d + 1), weight.erase(weight.begin() + d + 1);
  }
  return true;
}

MatmulOperands accel::matmulOperands(Lowering &l, Value a, Value b) {
  Shape as(shapeOf(a)), bs(shapeOf(b));
  if (as.size() == 1)
    as.insert(as.begin(), 1);
  if (bs.size() == 1)
    bs.push_back(1);
  int64_t m = as[as.size() - 2], k = as.back(), n = bs.back();
  MatmulOperands r;
  // One matrix on the right: all rows of the left side are one product.
  if (batchOf(bs) == 1) {
    r.lhs = l.reshape(a, {1, batchOf(as) * m, k});
    r.rhs = l.reshape(b, {1, k, n});
    return r;
  }
  // Batches as numpy aligns them, without those of size 1.
  size_t rank = std::max(as.size(), bs.size());
  auto ranked = [&](Value value, Shape shape) {
    shape.insert(shape.begin(), rank - shape.size(), 1);
    return l.reshape(value, shape);
  };
  a = ranked(a, as), b = ranked(b, bs);
  Shape full, batch, weight;
  for (size_t d = 0; d + 2 < rank; ++d) {
    full.push_back(std::max(shapeOf(a)[d], shapeOf(b)[d]));
    if (full.back() != 1)
      batch.push_back(full.back()), weight.push_back(shapeOf(b)[d]);
  }
  auto withMatrix = [](ArrayRef<int64_t> batches, int64_t rows, int64_t columns) {
    Shape shape(batches);
    shape.append({rows, columns});
    return shape;
  };
  if (!joinBatches(batch, weight)) {
    b = l.broadcast(b, withMatrix(full, k, n));
    batch = weight = {elementCount(full)};
  }
  r.lhs = l.reshape(l.broadcast(a, withMatrix(full, m, k)), withMatrix(batch, m, k));
  r.rhs = l.reshape(b, withMatrix(weight, k, n));
  return r;
}

static LogicalResult lowerMatMul(Lowering &l) {
  MatmulOperands o = matmulOperands(l, l.in(0), l.in(1));
  Value result = l.matmul(o.lhs, o.rhs, false, l.outType().getElementType());
  return l.done(l.reshape(result, l.outShape()));
}

/// The right side of a Gemm as [1, K, N]: constants are transposed when the
/// artifact is written.
Value accel::gemmWeight(Lowering &l, Value weight, bool transposed) {
  ArrayRef<int64_t> s = shapeOf(weight);
  if (!transposed)
    return l.reshape(weight, {1, s[0], s[1]});
  if (Attribute attr = constantAttrOf(weight)) {
    auto source = RankedTensorType::get({1, s[0], s[1]}, elementOf(weight));
    auto perm = l.b.getDenseI64ArrayAttr({0, 2, 1});
    auto pack = PackAttr::get(l.b.getContext(), l.b.getStringAttr("transpose"),
                              TypeAttr::get(source), perm, 1, nullptr);
    if (auto dense = dyn_cast<DenseElementsAttr>(attr))
      attr = dense.reshape(source);
    return l.constant(attr, pack, RankedTensorType::get({1, s[1], s[0]}, elementOf(weight)));
  }
  return l.transpose(l.reshape(weight, {1, s[0], s[1]}), {0, 2, 1});
}

static LogicalResult lowerGemm(Lowering &l) {
  Value a = l.in(0), b = l.in(1), c = l.in(2);
  if (l.node.getInt("transA", 0))
    a = l.transpose(a, {1, 0});
  double alpha = l.node.getFloat("alpha", 1), beta = l.node.getFloat("beta", 1);
  Type element = l.outType().getElementType();
  Value product =
      l.matmul(l.reshape(a, {1, shapeOf(a)[0], shapeOf(a)[1]}),
               gemmWeight(l, b, l.node.getInt("transB", 0)), false, element, [&](S &s, Values v) {
                 return alpha == 1 ? v[0] : s.mul(v[0], s.like(v[0], alpha));
               });
  Value result = l.reshape(product, l.outShape());
  if (!c || beta == 0)
    return l.done(result);
  return l.done(l.elementwise(l.outType(), {result, c}, [&](S &s, Values v) {
    return s.add(v[0], beta == 1 ? v[1] : s.mul(v[1], s.like(v[1], beta)));
  }));
}

//===----------------------------------------------------------------------===//
// Einsum of one or two operands without repeated labels in an operand
//===----------------------------------------------------------------------===//

static LogicalResult lowerEinsum(Lowering &l) {
  std::string equation = l.node.getString("equation", "");
  equation.erase(std::remove(equation.begin(), equation.end(), ' '), equation.end());
  StringRef text = equation;
  if (text.contains("...") || !text.contains("->") || l.node.numInputs() > 2)
    return l.refuse("equation \"" + equation + "\"",
                    "only explicit equations of one or two operands are possible");
  auto [inputs, output] = text.split("->");
  auto [first, second] = inputs.split(",");
  for (StringRef labels : {first, second, output})
    for (char c : labels)
      if (labels.count(c) > 1)
        return l.refuse("repeated label in \"" + equation + "\"", "take the diagonal first");
  Type element = l.outType().getElementType();
  auto permuted = [&](Value value, StringRef from, StringRef to) {
    SmallVector<int64_t> perm;
    for (char c : to)
      perm.push_back(from.find(c));
    return l.transpose(value, perm);
  };
  /// Sums labels that nothing else names.
  auto sumOut = [&](Value value, std::string labels, auto &&needed) {
    SmallVector<int64_t> dims;
    std::string kept;
    for (auto [d, c] : llvm::enumerate(labels)) {
      if (needed(c))
        kept += c;
      else
        dims.push_back(d);
    }
    if (!dims.empty()) {
      Shape shape;
      for (char c : kept)
        shape.push_back(shapeOf(value)[labels.find(c)]);
      value = l.reshape(l.reduce(ReduceKind::Sum, value, dims, element), shape);
    }
    return std::make_pair(value, kept);
  };
  if (second.empty()) {
    auto [value, labels] = sumOut(l.in(0), first.str(), [&](char c) { return output.contains(c); });
    return l.done(permuted(value, labels, output));
  }
  auto [a, la] = sumOut(l.in(0), first.str(),
                        [&](char c) { return output.contains(c) || second.contains(c); });
  auto [b, lb] = sumOut(l.in(1), second.str(),
                        [&](char c) { return output.contains(c) || first.contains(c); });
  std::string batch, rows, columns, inner;
  auto size = [&](char c) {
    size_t at = la.find(c);
    return at != std::string::npos ? shapeOf(a)[at] : shapeOf(b)[lb.find(c)];
  };
  for (char c : la)
    (StringRef(lb).contains(c) ? (output.contains(c) ? batch : inner) : rows) += c;
  for (char c : lb)
    if (!StringRef(la).contains(c))
      columns += c;
  auto product = [&](StringRef labels) {
    int64_t result = 1;
    for (char c : labels)
      result *= size(c);
    return result;
  };
  int64_t nb = product(batch), m = product(rows), n = product(columns), k = product(inner);
  Value lhs = l.reshape(permuted(a, la, batch + rows + inner), {nb, m, k});
  Value rhs = l.reshape(permuted(b, lb, batch + inner + columns), {nb, k, n});
  std::string order = batch + rows + columns;
  Shape shape;
  for (char c : order)
    shape.push_back(size(c));
  Value result = l.reshape(l.matmul(lhs, rhs, false, element), shape);
  return l.done(permuted(result, order, output));
}

LoweringTable accel::matmulLowerings() {
  static const std::pair<StringRef, LoweringEntry> table[] = {
      {"Einsum", {lowerEinsum, "accel.matmul between transposes"}},
      {"Gemm", {lowerGemm, "accel.matmul"}},
      {"MatMul", {lowerMatMul, "accel.matmul"}},
  };
  return table;
}
