//===- Access.cpp - which elements an operation reads ---------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Access.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace accel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

bool accel::isDepthwise(ConvOp conv) { return shapeOf(conv.getWeight()).size() == 2; }

bool accel::usesMxu(Operation *op) { return isa<ConvOp, MatmulOp>(op); }

SmallVector<int64_t> accel::iterationSizes(Operation *op) {
  SmallVector<int64_t> sizes(shapeOf(op->getResult(0)));
  if (auto conv = dyn_cast<ConvOp>(op)) {
    if (!isDepthwise(conv))
      sizes.push_back(shapeOf(conv.getInput())[3] / conv.getGroups());
  } else if (auto matmul = dyn_cast<MatmulOp>(op)) {
    sizes.push_back(shapeOf(matmul.getInput()).back());
  } else if (auto reduce = dyn_cast<ReduceOp>(op)) {
    for (int64_t dim : reduce.getDims())
      sizes.push_back(shapeOf(reduce.getInput())[dim]);
  }
  return sizes;
}

bool accel::mustBeWhole(Operation *op, unsigned dim) {
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return dim + 1 == shapeOf(softmax.getResult()).size();
  if (auto normalize = dyn_cast<NormalizeOp>(op))
    return llvm::is_contained(normalize.getDims(), int64_t(dim));
  return false;
}

bool accel::reducesOver(Operation *op, unsigned dim) {
  unsigned rank = shapeOf(op->getResult(0)).size();
  return dim >= rank || (isa<SoftmaxOp>(op) && dim + 1 == rank);
}

/// Whether the dimension is reduced in 16 partials (by index modulo 16).
static bool reducedByLanes(Operation *op, unsigned dim) {
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    unsigned rank = shapeOf(reduce.getInput()).size();
    return dim >= rank && reduce.getDims()[dim - rank] + 1 == int64_t(rank);
  }
  return isa<SoftmaxOp>(op) && reducesOver(op, dim);
}

int64_t accel::tileGranule(Operation *op, unsigned dim) {
  if (reducedByLanes(op, dim))
    return reductionLanes;
  if (!usesMxu(op) || !reducesOver(op, dim))
    return 1;
  // Of floats, chains of the ISA (MXU) stay whole; so do blocks of the packed weights.
  auto conv = dyn_cast<ConvOp>(op);
  bool onePosition = !conv || conv.getKernel()[0] * conv.getKernel()[1] == 1;
  Type sum = cast<ComputeOpInterface>(op).getBody().front().getArgument(0).getType();
  if (onePosition && isa<FloatType>(sum))
    return rt::isa::kChain;
  return conv ? rt::isa::kKBlock : 1;
}

int64_t accel::largestTile(Operation *op, unsigned dim) {
  SmallVector<int64_t> sizes = iterationSizes(op);
  if (auto conv = dyn_cast<ConvOp>(op); conv && dim == 3 && !isDepthwise(conv))
    return sizes[3] / conv.getGroups();
  return sizes[dim];
}

/// Input rows of a window: (o*stride + k*dilation - pad) / inputDilation.
static IndexRange windowRange(ExprPool &pool, IndexRange out, int64_t size, int64_t kernel,
                              int64_t stride, int64_t dilation, int64_t pad,
                              int64_t inputDilation) {
  ExprId first = pool.addConstant(pool.mul(out.lo, stride), -pad);
  ExprId last = pool.addConstant(pool.mul(out.hi, stride), -stride + (kernel - 1) * dilation - pad);
  ExprId lo = pool.floorDiv(pool.addConstant(first, inputDilation - 1), inputDilation);
  ExprId hi = pool.addConstant(pool.floorDiv(last, inputDilation), 1);
  return {pool.clamp(lo, 0, size), pool.clamp(hi, 0, size)};
}

static IndexRange whole(ExprPool &pool, int64_t size) {
  return {pool.constant(0), pool.constant(size)};
}

/// The range of one result of an extra's map: d*step + offset, or a constant.
static IndexRange mapRange(ExprPool &pool, AffineExpr expr, const Box &box) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return {pool.constant(constant.getValue()), pool.constant(constant.getValue() + 1)};
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return box[dim.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  IndexRange inner = mapRange(pool, binary.getLHS(), box);
  if (binary.getKind() == AffineExprKind::Add)
    return {pool.addConstant(inner.lo, constant.getValue()),
            pool.addConstant(inner.hi, constant.getValue())};
  int64_t step = constant.getValue();
  ExprId first = pool.mul(inner.lo, step);
  ExprId last = pool.mul(pool.addConstant(inner.hi, -1), step);
  if (step < 0)
    std::swap(first, last);
  return {first, pool.addConstant(last, 1)};
}

Box accel::accessedBox(ExprPool &pool, Operation *op, unsigned operand, const Box &box) {
  auto compute = cast<ComputeOpInterface>(op);
  ArrayRef<int64_t> shape = shapeOf(op->getOperand(operand));
  unsigned primaries = compute.getPrimary().size();
  Box result;
  if (operand >= primaries) {
    AffineMap map = cast<AffineMapAttr>(compute.getMaps()[operand - primaries]).getValue();
    for (AffineExpr expr : map.getResults())
      result.push_back(mapRange(pool, expr, box));
    return result;
  }
  TypeSwitch<Operation *>(op)
      .Case([&](ConvOp conv) {
        int64_t groups = conv.getGroups(), taps = conv.getKernel()[0] * conv.getKernel()[1];
        int64_t groupOut = shapeOf(conv.getResult())[3] / groups;
        bool depthwise = isDepthwise(conv);
        ExprId group =
            groups == 1 || depthwise ? pool.constant(0) : pool.floorDiv(box[3].lo, groupOut);
        // A tile of output channels is in one group, or it has all of them.
        bool allGroups = groups > 1 && !depthwise && pool.isConstant(box[3].lo) &&
                         pool.isConstant(box[3].hi) &&
                         pool.constantValue(box[3].hi) - pool.constantValue(box[3].lo) > groupOut;
        if (operand == 0) {
          result.push_back(box[0]);
          for (int d = 0; d < 2; ++d)
            result.push_back(windowRange(pool, box[1 + d], shape[1 + d], conv.getKernel()[d],
                                         conv.getStrides()[d], conv.getDilations()[d],
                                         conv.getPads()[d], conv.getInputDilations()[d]));
          if (depthwise) {
            result.push_back(box[3]);
          } else if (allGroups) {
            result.push_back(whole(pool, shape[3]));
          } else {
            ExprId base = pool.mul(group, shape[3] / groups);
            result.push_back({pool.add(base, box[4].lo), pool.add(base, box[4].hi)});
          }
        } else if (depthwise) {
          result.push_back(whole(pool, taps));
          result.push_back(box[3]);
        } else if (allGroups) {
          for (int64_t size : shape)
            result.push_back(whole(pool, size));
        } else {
          result.push_back({group, pool.addConstant(group, 1)});
          result.push_back({pool.mul(box[4].lo, taps), pool.mul(box[4].hi, taps)});
          ExprId base = pool.mul(group, -groupOut);
          result.push_back({pool.add(box[3].lo, base), pool.add(box[3].hi, base)});
        }
      })
      .Case([&](MatmulOp matmul) {
        unsigned row = shape.size() - 2; // box: batches, M, N, K
        if (operand == 0) {
          result.append(box.begin(), box.begin() + row + 1);
          result.push_back(box[row + 2]);
        } else {
          for (unsigned d = 0; d < row; ++d)
            result.push_back(shape[d] == 1 ? whole(pool, 1) : box[d]);
          result.push_back(box[row + (matmul.getTransposeB() ? 1 : 2)]);
          result.push_back(box[row + (matmul.getTransposeB() ? 2 : 1)]);
        }
      })
      .Case([&](ReduceOp reduce) {
        unsigned rank = shape.size();
        result.append(box.begin(), box.begin() + rank);
        for (auto [index, dim] : llvm::enumerate(reduce.getDims()))
          result[dim] = box[rank + index];
      })
      .Case([&](PoolOp pool2) {
        result.push_back(box[0]);
        for (int d = 0; d < 2; ++d)
          result.push_back(windowRange(pool, box[1 + d], shape[1 + d], pool2.getKernel()[d],
                                       pool2.getStrides()[d], pool2.getDilations()[d],
                                       pool2.getPads()[d], 1));
        result.push_back(box[3]);
      })
      .Case([&](GatherOp gather) {
        if (operand == 0) {
          for (int64_t size : shape)
            result.push_back(whole(pool, size));
          unsigned indices = shapeOf(gather.getWeight()).size();
          for (unsigned d = 1; d < shape.size(); ++d)
            result[d] = box[indices + d - 1];
        } else {
          result.append(box.begin(), box.begin() + shape.size());
        }
      })
      .Case([&](PadOp pad) {
        for (auto [d, size] : llvm::enumerate(shape))
          result.push_back({pool.clamp(pool.addConstant(box[d].lo, -pad.getLow()[d]), 0, size),
                            pool.clamp(pool.addConstant(box[d].hi, -pad.getLow()[d]), 0, size)});
      })
      .Default([&](Operation *) { result.append(box.begin(), box.begin() + shape.size()); });
  return result;
}

bool accel::canReadCircular(Operation *op, unsigned operand, unsigned dim) {
  constexpr size_t coordinates = 2; // of a WindowDesc
  if ((usesMxu(op) || isa<GatherOp>(op)) && operand == 1)
    return false;
  if (operand >= cast<ComputeOpInterface>(op).getPrimary().size())
    return true;
  llvm::SmallSetVector<unsigned, 4> used;
  used.insert(dim);
  if (auto conv = dyn_cast<ConvOp>(op)) {
    for (unsigned d = 0; d < 2; ++d)
      if (conv.getPads()[d] || conv.getPads()[2 + d] || conv.getInputDilations()[d] != 1)
        used.insert(1 + d);
  } else if (isa<PoolOp>(op)) {
    used.insert(1);
    used.insert(2);
  } else if (auto pad = dyn_cast<PadOp>(op)) {
    for (auto [d, amounts] : llvm::enumerate(llvm::zip(pad.getLow(), pad.getHigh())))
      if (std::get<0>(amounts) > 0 || std::get<1>(amounts) > 0)
        used.insert(d);
  }
  return used.size() <= coordinates;
}

int64_t accel::macsOf(Operation *op) {
  int64_t macs = 1;
  if (!usesMxu(op))
    return 0;
  for (int64_t size : iterationSizes(op))
    macs *= size;
  if (auto conv = dyn_cast<ConvOp>(op))
    macs *= conv.getKernel()[0] * conv.getKernel()[1];
  return macs;
}
