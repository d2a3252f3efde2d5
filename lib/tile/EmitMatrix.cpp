//===- EmitMatrix.cpp - convolutions and matrix products ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix engine's iteration dimensions are m0 m1 n kh kw c. A convolution
// puts rows and columns of the picture in m0 and m1 and reads A through two
// window coordinates (implicit im2col with padding); a matrix product uses m1.
//
//===----------------------------------------------------------------------===//

#include "GroupEmitter.h"

using namespace mlir;
using namespace accel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// The counter that is 0 in the first step of a tiled reduction, or -1.
int64_t GroupEmitter::initValue(EngineOp &op, unsigned m) {
  MemberModel &member = model.members[m];
  ExprId sum = model.pool.constant(0);
  for (unsigned k = member.firstReduction; k < member.loops.size(); ++k) {
    const LoopModel &loop = member.loops[k];
    if (reducesOver(member.op, loop.dim) && loop.trips > 1)
      sum = model.pool.add(sum, model.pool.counter(loop.counter));
  }
  return model.pool.isConstant(sum) ? -1 : op.dynamic(sum);
}

void GroupEmitter::emitConv(unsigned m) {
  MemberModel &member = model.members[m];
  auto conv = cast<ConvOp>(member.op);
  ExprPool &pool = model.pool;
  const Box &box = member.boxes.back();
  SmallVector<int64_t> most = bounds(box);
  bool depthwise = isDepthwise(conv);
  ArrayRef<int64_t> in = shapeOf(conv.getInput()), out = shapeOf(conv.getResult());
  int64_t groups = conv.getGroups(), kh = conv.getKernel()[0], kw = conv.getKernel()[1];
  int64_t groupOut = out[3] / groups, groupIn = in[3] / groups;
  ExprId group = groups == 1 || depthwise ? pool.constant(0) : pool.floorDiv(box[3].lo, groupOut);

  EngineOp op(emitter, conv.getLoc());
  op.extent(0, model.extent(box[1]), most[1]);
  op.extent(1, model.extent(box[2]), most[2]);
  op.extent(2, model.extent(box[3]), most[3]);
  op.extent(3, pool.constant(kh), kh);
  op.extent(4, pool.constant(kw), kw);
  if (!depthwise)
    op.extent(5, model.extent(box[4]), most[4]);

  op.stream(accumulators[m],
            {{box[0].lo, {}}, {box[1].lo, {{0, 1}}}, {box[2].lo, {{1, 1}}}, {box[3].lo, {{2, 1}}}});

  SmallVector<IndexWalk> a(4);
  a[0].start = box[0].lo;
  for (int d = 0; d < 2; ++d) {
    int64_t stride = conv.getStrides()[d], dilation = conv.getDilations()[d];
    a[1 + d].start = pool.addConstant(pool.mul(box[1 + d].lo, stride), -conv.getPads()[d]);
    a[1 + d].steps.push_back({unsigned(d), stride});
    if (conv.getKernel()[d] > 1)
      a[1 + d].steps.push_back({unsigned(3 + d), dilation});
    a[1 + d].divisor = conv.getInputDilations()[d];
    if (conv.getPads()[d] || conv.getPads()[2 + d] || a[1 + d].divisor != 1)
      a[1 + d].bound = in[1 + d];
  }
  if (depthwise) {
    a[3].start = box[3].lo;
    a[3].steps.push_back({2, 1});
  } else {
    a[3].start = pool.add(pool.mul(group, groupIn), box[4].lo);
    a[3].steps.push_back({5, 1});
  }
  op.stream(viewOf(conv.getInput()), a);

  View weight = viewOf(conv.getWeight());
  if (depthwise) {
    op.stream(weight, {{pool.constant(0), {{3, kw}, {4, 1}}}, {box[3].lo, {{2, 1}}}});
  } else {
    ExprId column = pool.sub(box[3].lo, pool.mul(group, groupOut));
    op.stream(weight, {{group, {}}, {pool.mul(box[4].lo, kh * kw), {{5, 1}}}, {column, {{2, 1}}}});
  }
  int64_t init = initValue(op, m);
  MxuOp::create(builder, conv.getLoc(), op.buffers, op.dyn, op.sizesAttr(), op.sizeDynAttr(),
                op.streamsAttr(), depthwise, init, false, conv.getInputZeroPoint(),
                conv.getWeightZeroPoint());
}

void GroupEmitter::emitMatmul(unsigned m) {
  MemberModel &member = model.members[m];
  auto matmul = cast<MatmulOp>(member.op);
  ExprPool &pool = model.pool;
  const Box &box = member.boxes.back(); // batches, m, n, k
  SmallVector<int64_t> most = bounds(box);
  unsigned batches = shapeOf(matmul.getResult()).size() - 2;
  unsigned m1 = batches, n = batches + 1, k = batches + 2;
  EngineOp op(emitter, matmul.getLoc());
  op.extent(1, model.extent(box[m1]), most[m1]);
  op.extent(2, model.extent(box[n]), most[n]);
  op.extent(5, model.extent(box[k]), most[k]);
  SmallVector<IndexWalk> acc, a, b; // one batch: its position does not move
  for (unsigned d = 0; d < batches; ++d) {
    acc.push_back({box[d].lo, {}});
    a.push_back({box[d].lo, {}});
    b.push_back({shapeOf(matmul.getWeight())[d] == 1 ? pool.constant(0) : box[d].lo, {}});
  }
  IndexWalk row{box[m1].lo, {{1, 1}}}, column{box[n].lo, {{2, 1}}}, inner{box[k].lo, {{5, 1}}};
  acc.append({row, column});
  a.append({row, inner});
  b.append({matmul.getTransposeB() ? column : inner, matmul.getTransposeB() ? inner : column});
  op.stream(accumulators[m], acc);
  op.stream(viewOf(matmul.getInput()), a);
  op.stream(viewOf(matmul.getWeight()), b);
  int64_t init = initValue(op, m);
  MxuOp::create(builder, matmul.getLoc(), op.buffers, op.dyn, op.sizesAttr(), op.sizeDynAttr(),
                op.streamsAttr(), false, init, false, matmul.getInputZeroPoint(),
                matmul.getWeightZeroPoint());
}
