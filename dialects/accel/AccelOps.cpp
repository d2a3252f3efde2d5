//===- AccelOps.cpp - operations: kernels' inputs and verification --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "accel/Accel.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace accel;

#define GET_OP_CLASSES
#include "accel/AccelOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Compute operations: what they have in common
//===----------------------------------------------------------------------===//

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

/// The extras and their maps belong together; the body takes `leading` values
/// of the kernel and one element of every extra, and yields the result element.
static LogicalResult verifyBody(Operation *op, unsigned leading) {
  auto compute = cast<ComputeOpInterface>(op);
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  if (result.getRank() > 6)
    return op->emitOpError("result has rank ") << result.getRank() << ", at most 6 is possible";
  ArrayAttr maps = compute.getMaps();
  OperandRange extras = compute.getExtras();
  if (maps.size() != extras.size())
    return op->emitOpError("has ") << extras.size() << " extras but " << maps.size() << " maps";
  for (auto [index, extra, attr] : llvm::enumerate(extras, maps)) {
    AffineMap map = cast<AffineMapAttr>(attr).getValue();
    auto type = cast<RankedTensorType>(extra.getType());
    if (map.getNumDims() != result.getRank() || map.getNumSymbols() ||
        map.getNumResults() != type.getRank())
      return op->emitOpError("map ") << index << " must take the result's " << result.getRank()
                                     << " dimensions to the extra's " << type.getRank();
    // Elements read must exist: the map is evaluated at both ends of the result.
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      int64_t low = 0, high = 0;
      if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
        low = high = constant.getValue();
      } else {
        SmallVector<int64_t> zero(result.getRank(), 0), last;
        for (int64_t size : result.getShape())
          last.push_back(std::max<int64_t>(size - 1, 0));
        auto fold = [&](ArrayRef<int64_t> point) {
          SmallVector<AffineExpr> values;
          for (int64_t v : point)
            values.push_back(getAffineConstantExpr(v, op->getContext()));
          auto folded = dyn_cast<AffineConstantExpr>(expr.replaceDims(values));
          return folded ? folded.getValue() : int64_t(-1);
        };
        low = fold(zero), high = fold(last);
        if (low > high)
          std::swap(low, high);
      }
      if (!llvm::is_contained(result.getShape(), 0) && (low < 0 || high >= type.getDimSize(dim)))
        return op->emitOpError("map ")
               << index << " reads element " << (low < 0 ? low : high) << " of dimension " << dim
               << ", which has " << type.getDimSize(dim);
    }
  }
  Block &body = compute.getBody().front();
  if (body.getNumArguments() != leading + extras.size())
    return op->emitOpError("body takes ")
           << body.getNumArguments() << " values, expected " << leading + extras.size();
  for (auto [index, extra] : llvm::enumerate(extras))
    if (body.getArgument(leading + index).getType() !=
        cast<RankedTensorType>(extra.getType()).getElementType())
      return op->emitOpError("body argument ")
             << leading + index << " must have the element type of extra " << index;
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || yield.getValues().size() != 1 ||
      yield.getValues()[0].getType() != result.getElementType())
    return op->emitOpError("body must yield one ") << result.getElementType();
  return success();
}

/// Dimensions of a rank, ascending, each once.
static LogicalResult verifyDims(Operation *op, ArrayRef<int64_t> dims, int64_t rank) {
  if (dims.empty())
    return op->emitOpError("names no dimension");
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (dim < 0 || dim >= rank)
      return op->emitOpError("names dimension ") << dim << " of rank " << rank;
    if (i && dims[i - 1] >= dim)
      return op->emitOpError("dimensions must ascend, each once");
  }
  return success();
}

/// Operations that move elements hand them to the body as they are.
static LogicalResult verifyMoved(Operation *op) {
  Type element = cast<RankedTensorType>(op->getOperand(0).getType()).getElementType();
  Block &body = op->getRegion(0).front();
  if (body.getNumArguments() && body.getArgument(0).getType() != element)
    return op->emitOpError("body argument 0 must be the element that moves, ") << element;
  return success();
}

/// Views move nothing, so they convert nothing.
static LogicalResult verifySameElement(Operation *op) {
  Type element = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
  for (Value operand : op->getOperands())
    if (cast<RankedTensorType>(operand.getType()).getElementType() != element)
      return op->emitOpError("is a view and cannot change the element type");
  return success();
}

static LogicalResult expectShape(Operation *op, ArrayRef<int64_t> expected) {
  ArrayRef<int64_t> got = shapeOf(op->getResult(0));
  if (got == expected)
    return success();
  InFlightDiagnostic diag = op->emitOpError("result has shape [");
  llvm::interleaveComma(got, diag);
  diag << "], expected [";
  llvm::interleaveComma(expected, diag);
  return diag << "]";
}

OperandRange ConvOp::getPrimary() { return getOperands().take_front(2); }
OperandRange MatmulOp::getPrimary() { return getOperands().take_front(2); }
OperandRange GatherOp::getPrimary() { return getOperands().take_front(2); }
OperandRange MapOp::getPrimary() { return getOperands().take_front(0); }
OperandRange ReduceOp::getPrimary() { return getOperands().take_front(1); }
OperandRange PoolOp::getPrimary() { return getOperands().take_front(1); }
OperandRange SoftmaxOp::getPrimary() { return getOperands().take_front(1); }
OperandRange NormalizeOp::getPrimary() { return getOperands().take_front(1); }
OperandRange CopyOp::getPrimary() { return getOperands().take_front(1); }
OperandRange PadOp::getPrimary() { return getOperands().take_front(1); }

/// Output extent of a window that moves over `size` elements.
static int64_t windowExtent(int64_t size, int64_t kernel, int64_t stride, int64_t dilation,
                            int64_t padding) {
  return (size + padding - (dilation * (kernel - 1) + 1)) / stride + 1;
}

LogicalResult ConvOp::verify() {
  ArrayRef<int64_t> in = shapeOf(getInput()), w = shapeOf(getWeight()), out = shapeOf(getResult());
  if (in.size() != 4 || out.size() != 4)
    return emitOpError("input and result must have rank 4 (N, H, W, C)");
  if (getKernel().size() != 2 || getStrides().size() != 2 || getDilations().size() != 2 ||
      getInputDilations().size() != 2 || getPads().size() != 4)
    return emitOpError("needs 2 kernel sizes, strides, dilations, input dilations and 4 pads");
  int64_t groups = getGroups(), taps = getKernel()[0] * getKernel()[1];
  bool depthwise = w.size() == 2;
  if (groups < 1 || in[3] % groups || out[3] % groups)
    return emitOpError("groups must divide the channels");
  if (depthwise ? (groups != in[3] || w[0] != taps || w[1] != out[3] || out[3] != in[3])
                : (w.size() != 3 || w[0] != groups || w[1] != taps * in[3] / groups ||
                   w[2] != out[3] / groups))
    return emitOpError("weight must be [groups, KH*KW*IC/groups, OC/groups], or [KH*KW, C] if "
                       "depthwise");
  if (out[0] != in[0])
    return emitOpError("batch of input and result differ");
  for (int d = 0; d < 2; ++d)
    if (getStrides()[d] < 1 || getDilations()[d] < 1 || getInputDilations()[d] < 1 ||
        getKernel()[d] < 1)
      return emitOpError("kernel, strides and dilations must be positive");
  // A transposed convolution's extent is free (output padding); others follow.
  for (int d = 0; d < 2; ++d)
    if (getInputDilations()[d] == 1 &&
        out[1 + d] != windowExtent(in[1 + d], getKernel()[d], getStrides()[d], getDilations()[d],
                                   getPads()[d] + getPads()[d + 2]))
      return emitOpError("result extent ") << out[1 + d] << " does not follow from the window";
  return verifyBody(*this, 1);
}

LogicalResult MatmulOp::verify() {
  ArrayRef<int64_t> a = shapeOf(getInput()), b = shapeOf(getWeight());
  if (a.size() < 3 || a.size() != b.size())
    return emitOpError("operands must have the same rank, at least 3");
  size_t row = a.size() - 2, column = a.size() - 1;
  int64_t k = b[getTransposeB() ? column : row], n = b[getTransposeB() ? row : column];
  if (a[column] != k)
    return emitOpError("inner dimensions ") << a[column] << " and " << k << " differ";
  for (size_t d = 0; d < row; ++d)
    if (b[d] != 1 && b[d] != a[d])
      return emitOpError("batch of weight must be 1 or ") << a[d];
  SmallVector<int64_t> result(a.drop_back());
  result.push_back(n);
  if (failed(expectShape(*this, result)))
    return failure();
  return verifyBody(*this, 1);
}

LogicalResult MapOp::verify() { return verifyBody(*this, 0); }

LogicalResult ReduceOp::verify() {
  SmallVector<int64_t> shape(shapeOf(getInput()));
  if (failed(verifyDims(*this, getDims(), shape.size())))
    return failure();
  for (int64_t dim : getDims())
    shape[dim] = 1;
  if (failed(expectShape(*this, shape)))
    return failure();
  return verifyBody(*this, 1);
}

LogicalResult PoolOp::verify() {
  ArrayRef<int64_t> in = shapeOf(getInput());
  if (in.size() != 4 || getKernel().size() != 2 || getStrides().size() != 2 ||
      getDilations().size() != 2 || getPads().size() != 4)
    return emitOpError("needs an NHWC input, 2 kernel sizes, strides, dilations and 4 pads");
  if (getKind() != ReduceKind::Max && getKind() != ReduceKind::Sum)
    return emitOpError("pools by max or sum");
  for (int d = 0; d < 2; ++d)
    if (getKernel()[d] < 1 || getStrides()[d] < 1 || getDilations()[d] < 1)
      return emitOpError("kernel, strides and dilations must be positive");
  ArrayRef<int64_t> out = shapeOf(getResult());
  if (out.size() != 4 || out[0] != in[0] || out[3] != in[3])
    return emitOpError("result must keep batch and channels");
  return verifyBody(*this, 1);
}

LogicalResult SoftmaxOp::verify() {
  if (shapeOf(getInput()).empty())
    return emitOpError("needs a dimension to normalise over");
  if (failed(expectShape(*this, shapeOf(getInput()))))
    return failure();
  return verifyBody(*this, 1);
}

LogicalResult NormalizeOp::verify() {
  if (failed(verifyDims(*this, getDims(), shapeOf(getInput()).size())))
    return failure();
  if (failed(expectShape(*this, shapeOf(getInput()))))
    return failure();
  return verifyBody(*this, 1);
}

LogicalResult GatherOp::verify() {
  Type index = cast<RankedTensorType>(getWeight().getType()).getElementType();
  if (!index.isInteger(32) && !index.isInteger(64))
    return emitOpError("indices must be i32 or i64, not ") << index;
  if (shapeOf(getInput()).empty())
    return emitOpError("the table needs rows");
  SmallVector<int64_t> shape(shapeOf(getWeight()));
  llvm::append_range(shape, shapeOf(getInput()).drop_front());
  if (failed(expectShape(*this, shape)) || failed(verifyMoved(*this)))
    return failure();
  return verifyBody(*this, 1);
}

LogicalResult CopyOp::verify() {
  if (failed(expectShape(*this, shapeOf(getInput()))) || failed(verifyMoved(*this)))
    return failure();
  return verifyBody(*this, 1);
}

LogicalResult PadOp::verify() {
  SmallVector<int64_t> shape(shapeOf(getInput()));
  if (getLow().size() != shape.size() || getHigh().size() != shape.size())
    return emitOpError("needs one amount for each dimension");
  for (size_t d = 0; d < shape.size(); ++d)
    shape[d] += getLow()[d] + getHigh()[d];
  if (failed(expectShape(*this, shape)) || failed(verifyMoved(*this)))
    return failure();
  auto value = dyn_cast<TypedAttr>(getValue());
  if (!value || value.getType() != cast<RankedTensorType>(getInput().getType()).getElementType())
    return emitOpError("value must have the input's element type");
  return verifyBody(*this, 1);
}

//===----------------------------------------------------------------------===//
// Constants and views
//===----------------------------------------------------------------------===//

LogicalResult ConstantOp::verify() {
  auto type = cast<RankedTensorType>(getResult().getType());
  if (auto dense = dyn_cast<ElementsAttr>(getValue()); dense && !getPack())
    if (dense.getShapedType() != type)
      return emitOpError("value has another type than the result");
  if (PackAttr pack = getPackAttr()) {
    StringRef kind = pack.getKind().getValue();
    if (!llvm::is_contained({"identity", "transpose", "conv", "conv_transposed", "depthwise",
                             "depthwise_transposed"},
                            kind))
      return emitOpError("pack kind \"") << kind << "\" is unknown";
    auto source = dyn_cast<RankedTensorType>(pack.getSource().getValue());
    if (!source || !source.hasStaticShape() || source.getNumElements() != type.getNumElements())
      return emitOpError("pack takes ") << pack.getSource() << " to another number of elements";
  }
  return success();
}

LogicalResult TransposeOp::verify() {
  ArrayRef<int64_t> in = shapeOf(getInput());
  SmallVector<int64_t> expected;
  llvm::SmallBitVector seen(in.size());
  for (int64_t dim : getPerm()) {
    if (dim < 0 || dim >= int64_t(in.size()) || seen.test(dim))
      return emitOpError("perm is not a permutation");
    seen.set(dim);
    expected.push_back(in[dim]);
  }
  if (expected.size() != in.size())
    return emitOpError("perm is not a permutation");
  if (failed(verifySameElement(*this)))
    return failure();
  return expectShape(*this, expected);
}

LogicalResult ReshapeOp::verify() {
  if (failed(verifySameElement(*this)))
    return failure();
  if (cast<ShapedType>(getInput().getType()).getNumElements() !=
      cast<ShapedType>(getResult().getType()).getNumElements())
    return emitOpError("number of elements changes");
  return success();
}

LogicalResult SliceOp::verify() {
  if (failed(verifySameElement(*this)))
    return failure();
  ArrayRef<int64_t> in = shapeOf(getInput()), out = shapeOf(getResult());
  if (in.size() != out.size() || getOffsets().size() != in.size() || getSteps().size() != in.size())
    return emitOpError("needs an offset and a step for each dimension");
  for (size_t d = 0; d < in.size(); ++d) {
    if (out[d] == 0)
      continue;
    int64_t last = getOffsets()[d] + (out[d] - 1) * getSteps()[d];
    if (getSteps()[d] == 0 || std::min(getOffsets()[d], last) < 0 ||
        std::max(getOffsets()[d], last) >= in[d])
      return emitOpError("reads outside of dimension ") << d;
  }
  return success();
}

LogicalResult RepeatOp::verify() {
  SmallVector<int64_t> shape(shapeOf(getInput()));
  if (getFactors().size() != shape.size())
    return emitOpError("needs a factor for each dimension");
  for (size_t d = 0; d < shape.size(); ++d) {
    if (getFactors()[d] < 1)
      return emitOpError("factors must be positive");
    shape[d] *= getFactors()[d];
  }
  if (failed(verifySameElement(*this)))
    return failure();
  return expectShape(*this, shape);
}

LogicalResult BroadcastOp::verify() {
  if (failed(verifySameElement(*this)))
    return failure();
  ArrayRef<int64_t> in = shapeOf(getInput()), out = shapeOf(getResult());
  if (in.size() != out.size())
    return emitOpError("rank changes");
  for (size_t d = 0; d < in.size(); ++d)
    if (in[d] != out[d] && in[d] != 1)
      return emitOpError("dimension ") << d << " of size " << in[d] << " cannot become " << out[d];
  return success();
}

LogicalResult ConcatOp::verify() {
  if (getInputs().empty())
    return emitOpError("needs an input");
  if (failed(verifySameElement(*this)))
    return failure();
  SmallVector<int64_t> shape(shapeOf(getInputs()[0]));
  int64_t axis = getAxis();
  if (axis < 0 || axis >= int64_t(shape.size()))
    return emitOpError("axis is out of range");
  for (Value input : getInputs().drop_front()) {
    ArrayRef<int64_t> other = shapeOf(input);
    if (other.size() != shape.size())
      return emitOpError("ranks differ");
    for (size_t d = 0; d < shape.size(); ++d)
      if (int64_t(d) != axis && other[d] != shape[d])
        return emitOpError("inputs differ in dimension ") << d;
    shape[axis] += other[axis];
  }
  return expectShape(*this, shape);
}

//===----------------------------------------------------------------------===//
// Groups and stored tensors
//===----------------------------------------------------------------------===//

LogicalResult GroupOp::verify() {
  Block &body = getBody().front();
  if (body.getArgumentTypes() != TypeRange(getOperandTypes()))
    return emitOpError("body must take the group's operands");
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || yield.getOperandTypes() != TypeRange(getResultTypes()))
    return emitOpError("body must yield the group's results");
  ScheduleAttr schedule = getScheduleAttr();
  size_t members = llvm::range_size(body.without_terminator());
  if (schedule &&
      (schedule.getMembers().size() != members || schedule.getInputs().size() != getNumOperands()))
    return emitOpError("schedule is for ")
           << schedule.getMembers().size() << " operations and " << schedule.getInputs().size()
           << " inputs; the group has " << members << " and " << getNumOperands();
  return success();
}

static std::optional<Space> spaceOf(MemRefType type) {
  auto space = dyn_cast_or_null<SpaceAttr>(type.getMemorySpace());
  return space ? std::optional(space.getValue()) : std::nullopt;
}

LogicalResult AllocOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  if (!type.hasStaticShape())
    return emitOpError("a buffer has a static shape");
  if (!spaceOf(type))
    return emitOpError("needs a memory space");
  if (int64_t(getDepth()) < 1 || int64_t(getSlack()) < 1)
    return emitOpError("depth and slack must be positive");
  return success();
}

LogicalResult TensorOp::verify() {
  StringRef kind = getKind();
  if (!llvm::is_contained({"weights", "input", "output", "workspace", "state"}, kind))
    return emitOpError("kind \"") << kind << "\" is not weights, input, output, workspace or state";
  auto type = cast<MemRefType>(getResult().getType());
  if (!type.hasStaticShape() || spaceOf(type) != Space::Dram)
    return emitOpError("needs a static shape in dram");
  if ((kind == "input" || kind == "output") && !getIndex())
    return emitOpError("an ") << kind << " needs its index";
  return success();
}

LogicalResult OffsetOp::verify() {
  auto from = cast<MemRefType>(getSource().getType()), to = cast<MemRefType>(getResult().getType());
  if (int64_t(getBytes()) < 0)
    return emitOpError("cannot go back");
  if (from.getElementType() != to.getElementType() || spaceOf(from) != spaceOf(to))
    return emitOpError("element type and memory stay");
  return success();
}

/// An integer constant that a float holds exactly. Whether one is signed is not said
/// by its type here, so booleans and narrow integers are left.
OpFoldResult ConvertOp::fold(FoldAdaptor adaptor) {
  constexpr int64_t exact = int64_t(1) << 24; // of f32
  auto number = dyn_cast_or_null<IntegerAttr>(adaptor.getIn());
  if (!number || getSaturate() || !(getOut().getType().isF32() || getOut().getType().isF64()) ||
      !(number.getType().isInteger(32) || number.getType().isInteger(64)))
    return {};
  int64_t value = number.getValue().getSExtValue();
  if (value < -exact || value > exact)
    return {};
  return FloatAttr::get(getOut().getType(), double(value));
}

LogicalResult ConvertOp::verify() {
  Type from = getIn().getType(), to = getOut().getType();
  if (!from.isIntOrFloat() || !to.isIntOrFloat())
    return emitOpError("converts numbers, not ") << from << " to " << to;
  return success();
}

//===----------------------------------------------------------------------===//
// Engine operations
//===----------------------------------------------------------------------===//

/// Six extents, and streams whose dynamic values exist.
static LogicalResult verifyEngine(Operation *op, ArrayRef<int64_t> sizes, ArrayRef<int64_t> sizeDyn,
                                  ArrayAttr streams, size_t buffers, int64_t dyn) {
  if (sizes.size() != 6 || sizeDyn.size() != 6)
    return op->emitOpError("needs six sizes and six size_dyn");
  if (streams.size() != buffers)
    return op->emitOpError("has ") << buffers << " buffers but " << streams.size() << " streams";
  auto exists = [&](int64_t index) { return index >= -1 && index < dyn; };
  for (int64_t index : sizeDyn)
    if (!exists(index))
      return op->emitOpError("size_dyn names value ") << index << " of " << dyn;
  for (Attribute attr : streams) {
    auto stream = dyn_cast<StreamAttr>(attr);
    if (!stream || stream.getStrides().size() != 6 || stream.getWindow().size() > 2)
      return op->emitOpError("streams must be #accel.stream with six strides and at most two "
                             "coordinates");
    for (int64_t index : stream.getBaseDyn())
      if (!exists(index) || index < 0)
        return op->emitOpError("a stream's base names value ") << index << " of " << dyn;
    for (CoordAttr coord : stream.getWindow())
      if (!exists(coord.getStartDyn()) || !exists(coord.getOrgDyn()) || coord.getDimA() > 5 ||
          coord.getDimB() > 5 || coord.getDiv() < 1 || coord.getMod() < 0)
        return op->emitOpError("a window coordinate is out of range");
  }
  return success();
}

LogicalResult DmaOp::verify() {
  size_t want = getFill() ? 1 : getGather() ? 3 : 2;
  if (getBuffers().size() != want)
    return emitOpError("needs ") << want << " buffers";
  Engine engine = getEngine();
  if (engine != Engine::Ld0 && engine != Engine::Ld1 && engine != Engine::St)
    return emitOpError("runs on ld0, ld1 or st");
  return verifyEngine(*this, getSizes(), getSizeDyn(), getStreams(), getBuffers().size(),
                      getDyn().size());
}

LogicalResult MxuOp::verify() {
  if (getBuffers().size() != 3)
    return emitOpError("needs the accumulator, A and B");
  if (int64_t(getInitDyn()) >= int64_t(getDyn().size()))
    return emitOpError("init_dyn names a value that is not there");
  return verifyEngine(*this, getSizes(), getSizeDyn(), getStreams(), 3, getDyn().size());
}

LogicalResult VecOp::verify() {
  int64_t outputs = getOutputs(), inputs = int64_t(getBuffers().size()) - outputs;
  if (outputs < 1 || outputs > 2 || inputs < 0 || inputs > 4)
    return emitOpError("needs 1 or 2 outputs and at most 4 inputs");
  if (getBody().front().getNumArguments() != inputs)
    return emitOpError("body must take one element of each of the ") << inputs << " inputs";
  size_t yields = getBodyOutputs() + getKinds().size();
  if (getReduced().empty())
    yields = outputs;
  if (getBody().front().getTerminator()->getNumOperands() != yields)
    return emitOpError("body must yield ") << yields << " values";
  if (!getReduced().empty() && getPost().empty())
    return emitOpError("a reduction needs a post region");
  if (int64_t(getInitDyn()) >= int64_t(getDyn().size()))
    return emitOpError("init_dyn names a value that is not there");
  return verifyEngine(*this, getSizes(), getSizeDyn(), getStreams(), getBuffers().size(),
                      getDyn().size());
}
