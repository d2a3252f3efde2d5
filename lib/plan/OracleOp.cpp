//===- OracleOp.cpp - an operation as the oracle sees it ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "OracleOp.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace accel;
using namespace accel::oracle;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static int64_t floorDiv(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

Span Axis::read(Span box) const {
  switch (kind) {
  case Kind::Whole:
    return {0, size};
  case Kind::Scaled:
    return {box.lo * factor, box.hi * factor};
  case Kind::Stepped: {
    if (dim < 0)
      return {offset, offset + 1};
    int64_t first = box.lo * factor, last = (box.hi - 1) * factor;
    if (factor < 0)
      std::swap(first, last);
    return {first + offset, last + offset + 1};
  }
  case Kind::Window: {
    int64_t first = box.lo * stride - pad;
    int64_t last = box.hi * stride - stride + (kernel - 1) * dilation - pad;
    int64_t lo = floorDiv(first + inputDilation - 1, inputDilation);
    int64_t hi = floorDiv(last, inputDilation) + 1;
    return {std::clamp<int64_t>(lo, 0, size), std::clamp<int64_t>(hi, 0, size)};
  }
  }
  return {0, size};
}

SmallVector<int64_t> oracle::tilesOf(int64_t size, int64_t granule, bool overlaps) {
  SmallVector<int64_t> tiles{size};
  auto add = [&](int64_t tile) {
    tile = ceilDiv(tile, granule) * granule;
    if (tile < tiles.back())
      tiles.push_back(tile);
  };
  constexpr int64_t allOf = 64;
  if (overlaps && size <= allOf) {
    for (int64_t tile = size - 1; tile >= 1; --tile)
      add(tile);
    return tiles;
  }
  for (int64_t trips = 2; trips <= size;) {
    int64_t least = ceilDiv(size, trips);
    if (overlaps) // the largest tile with so many trips
      add(std::max(least, ceilDiv(size, trips - 1) - 1));
    add(least);
    trips = least == 1 ? size + 1 : std::max(trips + 1, ceilDiv(size, least - 1));
  }
  return tiles;
}

static Axis plain(int dim, int64_t size, int64_t factor = 1) {
  Axis axis;
  axis.kind = Axis::Kind::Scaled;
  axis.dim = dim;
  axis.size = size;
  axis.factor = factor;
  return axis;
}

static Axis whole(int64_t size) {
  Axis axis;
  axis.size = size;
  return axis;
}

template <typename OpType>
static Axis window(OpType op, unsigned d, int64_t size, int64_t inputDilation) {
  Axis axis;
  axis.kind = Axis::Kind::Window;
  axis.dim = 1 + d;
  axis.size = size;
  axis.kernel = op.getKernel()[d];
  axis.stride = op.getStrides()[d];
  axis.dilation = op.getDilations()[d];
  axis.pad = op.getPads()[d];
  axis.inputDilation = inputDilation;
  return axis;
}

/// An axis that a map of an extra reads; nothing if two dimensions move it.
static std::optional<Axis> mapped(AffineExpr expr, int64_t size) {
  Axis axis;
  axis.kind = Axis::Kind::Stepped;
  axis.size = size;
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
      binary && binary.getKind() == AffineExprKind::Add) {
    auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (!constant)
      return std::nullopt;
    axis.offset = constant.getValue();
    expr = binary.getLHS();
  }
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
      binary && binary.getKind() == AffineExprKind::Mul) {
    auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (!constant)
      return std::nullopt;
    axis.factor = constant.getValue();
    expr = binary.getLHS();
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    axis.offset += constant.getValue();
    return axis;
  }
  auto dim = dyn_cast<AffineDimExpr>(expr);
  if (!dim)
    return std::nullopt;
  axis.dim = dim.getPosition();
  return axis;
}

std::optional<Nest> oracle::describe(Operation *op, std::string &why) {
  auto refuse = [&](StringRef reason) -> std::optional<Nest> {
    why = (op->getName().stripDialect() + ": " + reason).str();
    return std::nullopt;
  };
  if (!isa<ConvOp, MatmulOp, PoolOp, MapOp>(op))
    return refuse("the oracle covers conv, matmul, pool and map");
  Nest result;
  result.op = op;
  result.sizes = iterationSizes(op);
  result.rank = shapeOf(op->getResult(0)).size();
  result.matrix = usesMxu(op);
  result.batches = isa<MatmulOp>(op) ? result.rank - 2 : 1;
  auto widthOf = [](Value value) {
    return byteWidth(cast<RankedTensorType>(value.getType()).getElementType());
  };
  result.width = widthOf(op->getResult(0));
  auto compute = cast<ComputeOpInterface>(op);
  unsigned primaries = compute.getPrimary().size();
  constexpr unsigned mostOperands = 4;
  if (op->getNumOperands() > mostOperands)
    return refuse("more than 4 operands");
  constexpr int mostLoops = 5; // 326 orders of them
  if (llvm::count_if(result.sizes, [](int64_t size) { return size > 1; }) > mostLoops)
    return refuse("more than 5 dimensions");
  for (OpOperand &use : op->getOpOperands()) {
    unsigned index = use.getOperandNumber();
    for (unsigned other = 0; other < index; ++other)
      if (op->getOperand(other) == use.get())
        return refuse("reads one value twice");
    ArrayRef<int64_t> shape = shapeOf(use.get());
    Operand operand;
    operand.width = widthOf(use.get());
    operand.extra = index >= primaries;
    if (operand.extra) {
      AffineMap map = cast<AffineMapAttr>(compute.getMaps()[index - primaries]).getValue();
      for (auto [expr, size] : llvm::zip(map.getResults(), shape)) {
        std::optional<Axis> axis = mapped(expr, size);
        if (!axis || (axis->dim >= 0 && operand.movedBy(axis->dim)))
          return refuse("an operand is read by more than one dimension at a time");
        operand.axes.push_back(*axis);
      }
      result.operands.push_back(std::move(operand));
      continue;
    }
    bool covered = true;
    TypeSwitch<Operation *>(op)
        .Case([&](ConvOp conv) {
          bool depthwise = isDepthwise(conv);
          if (conv.getGroups() != 1 && !depthwise) {
            covered = false;
          } else if (index == 0) {
            operand.axes = {plain(0, shape[0]),
                            window(conv, 0, shape[1], conv.getInputDilations()[0]),
                            window(conv, 1, shape[2], conv.getInputDilations()[1]),
                            plain(depthwise ? 3 : 4, shape[3])};
          } else if (depthwise) {
            operand.axes = {whole(shape[0]), plain(3, shape[1])};
          } else {
            operand.axes = {whole(shape[0]),
                            plain(4, shape[1], conv.getKernel()[0] * conv.getKernel()[1]),
                            plain(3, shape[2])};
          }
        })
        .Case([&](MatmulOp matmul) {
          int row = int(shape.size()) - 2; // box: batches, M, N, K
          for (int d = 0; d < row; ++d)
            operand.axes.push_back(index == 1 && shape[d] == 1 ? whole(1) : plain(d, shape[d]));
          int first = index == 0 ? row : matmul.getTransposeB() ? row + 1 : row + 2;
          int second = index == 1 && !matmul.getTransposeB() ? row + 1 : row + 2;
          operand.axes.push_back(plain(first, shape[row]));
          operand.axes.push_back(plain(second, shape[row + 1]));
        })
        .Case([&](PoolOp pool) {
          operand.axes = {plain(0, shape[0]), window(pool, 0, shape[1], 1),
                          window(pool, 1, shape[2], 1), plain(3, shape[3])};
        });
    if (!covered)
      return refuse("a convolution with groups");
    result.operands.push_back(std::move(operand));
  }
  return result;
}

std::optional<unsigned> accel::chainOperand(Operation *before, Operation *op) {
  std::optional<unsigned> found;
  for (OpOperand &use : op->getOpOperands())
    if (use.get() == before->getResult(0)) {
      if (found)
        return std::nullopt;
      found = use.getOperandNumber();
    }
  if (!found || !before->getResult(0).hasOneUse())
    return std::nullopt;
  if (auto map = dyn_cast<MapOp>(op)) {
    if (!cast<AffineMapAttr>(map.getMaps()[*found]).getValue().isIdentity() ||
        before->getResult(0).getType() != map.getOperand(*found).getType())
      return std::nullopt;
    return found;
  }
  return *found == 0 ? found : std::nullopt;
}
