//===- BoundGraph.cpp - what bounds are computed from ---------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the tensor form: which bytes of inputs and constants are touched, which
// operations are products, and of which tensor each other result's elements can
// be made. What is not known counts as nothing.
//
//===----------------------------------------------------------------------===//

#include "acc/Plan/Access.h"
#include "acc/Plan/Bounds.h"
#include "acc/Plan/Routine.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace accel;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static int64_t product(ArrayRef<int64_t> sizes) {
  int64_t result = 1;
  for (int64_t size : sizes)
    result *= size;
  return result;
}

static int64_t widthOf(Value value) {
  return byteWidth(cast<RankedTensorType>(value.getType()).getElementType());
}

namespace {

/// One dimension of a window: which input positions and taps meet.
struct Window {
  int64_t pairs = 0;              ///< (result, tap) that read an element that exists
  int64_t fewest = INT64_MAX;     ///< of them for one result
  SmallVector<int64_t> positions; ///< input positions that are read
  int64_t taps = 0;               ///< taps that read anything
};

/// Positions of a dimension that are read; nothing: all.
using Touched = std::optional<SmallVector<int64_t>>;

/// An input or constant, and how much of it is read.
struct Root {
  int tensor;
  Value value;
  llvm::BitVector bits; ///< elements that are surely read, if they are listed
  int64_t least = 0;    ///< elements that are surely read, by one reader
  bool whole = false;
};

/// Where the elements of a value are in a root.
struct Place {
  unsigned root;
  std::optional<Layout> layout;
  bool all = true;     ///< every element of the root is one of the value
  int64_t repeats = 1; ///< elements of the value for one of the root, at most
};

class GraphBuilder {
public:
  explicit GraphBuilder(func::FuncOp main) : main(main) {}
  BoundGraph run();

private:
  int tensorOf(Value value) { return tensors.find(value)->second; }
  int addTensor(Value value) {
    BoundTensor tensor;
    tensor.elements = product(shapeOf(value));
    tensor.width = widthOf(value);
    graph.tensors.push_back(tensor);
    return tensors[value] = int(graph.tensors.size()) - 1;
  }
  void addRoot(Value value);
  void addView(Operation *op);
  void addCompute(Operation *op);
  void addConv(ConvOp conv, int operation);
  void addMatmul(MatmulOp matmul, int operation);
  void addProduct(Operation *op, int operation, int64_t macs, int64_t reuse);
  void mayFollow(int tensor, Value source, double ratio, int64_t held = 0);
  void follow(Operation *op, int tensor);
  void touch(Value value, int operation, ArrayRef<Touched> dims);
  void touchParts(Value value, int operation);
  void touchAtLeast(Value value, int operation, int64_t elements);
  void touchOperands(Operation *op, int operation);
  void finishRoots();

  func::FuncOp main;
  BoundGraph graph;
  llvm::DenseMap<Value, int> tensors;
  llvm::DenseMap<Value, Place> places;
  std::vector<Root> roots;
  llvm::DenseMap<std::pair<Attribute, std::pair<Attribute, Type>>, unsigned> constants;
  std::vector<double> pathWidth; ///< by tensor, as Bounds.cpp computes it
};

} // namespace

static Window windowOf(int64_t results, int64_t size, int64_t kernel, int64_t stride,
                       int64_t dilation, int64_t pad, int64_t inputDilation) {
  Window window;
  llvm::BitVector read(size), used(kernel);
  for (int64_t o = 0; o < results; ++o) {
    int64_t here = 0;
    for (int64_t k = 0; k < kernel; ++k) {
      int64_t at = o * stride + k * dilation - pad;
      if (at < 0 || at % inputDilation || at / inputDilation >= size)
        continue;
      ++here;
      read.set(at / inputDilation);
      used.set(k);
    }
    window.pairs += here;
    window.fewest = std::min(window.fewest, here);
  }
  for (unsigned position : read.set_bits())
    window.positions.push_back(position);
  window.taps = used.count();
  return window;
}

static Window windowOf(ConvOp conv, unsigned d) {
  return windowOf(shapeOf(conv.getResult())[1 + d], shapeOf(conv.getInput())[1 + d],
                  conv.getKernel()[d], conv.getStrides()[d], conv.getDilations()[d],
                  conv.getPads()[d], conv.getInputDilations()[d]);
}

static Window windowOf(PoolOp pool, unsigned d) {
  return windowOf(shapeOf(pool.getResult())[1 + d], shapeOf(pool.getInput())[1 + d],
                  pool.getKernel()[d], pool.getStrides()[d], pool.getDilations()[d],
                  pool.getPads()[d], 1);
}

template <typename Op> static int64_t reuseOf(Op op) {
  return windowReuse(op.getKernel()[0], op.getStrides()[0], op.getDilations()[0]) *
         windowReuse(op.getKernel()[1], op.getStrides()[1], op.getDilations()[1]);
}

//===----------------------------------------------------------------------===//
// Touched bytes
//===----------------------------------------------------------------------===//

void GraphBuilder::addRoot(Value value) {
  // Equal constants are stored once.
  if (auto constant = value.getDefiningOp<ConstantOp>()) {
    auto key = std::pair(constant.getValue(),
                         std::pair(Attribute(constant.getPackAttr()), value.getType()));
    auto [it, isNew] = constants.try_emplace(key, roots.size());
    if (!isNew) {
      Root &root = roots[it->second];
      tensors[value] = root.tensor;
      places[value] = {it->second, Layout::dense(shapeOf(value))};
      return;
    }
  }
  places[value] = {unsigned(roots.size()), Layout::dense(shapeOf(value))};
  Root root;
  root.tensor = addTensor(value);
  root.value = graph.tensors[root.tensor].root = value;
  roots.push_back(root);
}

/// `dims` of `value` are read by `operation`.
void GraphBuilder::touch(Value value, int operation, ArrayRef<Touched> dims) {
  bool all = llvm::none_of(dims, [](const Touched &t) { return t.has_value(); });
  auto place = places.find(value);
  if (place == places.end()) {
    // Something that a concatenation is part of.
    if (all)
      touchParts(value, operation);
    return;
  }
  Root &root = roots[place->second.root];
  BoundTensor &tensor = graph.tensors[root.tensor];
  if (tensor.loader < 0)
    tensor.loader = operation;
  if (root.whole || (all && place->second.all)) {
    root.whole = true;
    return;
  }
  ArrayRef<int64_t> shape = shapeOf(value);
  int64_t count = 1;
  for (auto [touched, size] : llvm::zip(dims, shape))
    count *= touched ? int64_t(touched->size()) : size;
  constexpr int64_t mostListed = int64_t(1) << 22;
  const std::optional<Layout> &layout = place->second.layout;
  if (!layout || tensor.elements > mostListed || count > mostListed) {
    int64_t repeats = place->second.repeats;
    root.least = std::max(root.least, (count + repeats - 1) / repeats);
    return;
  }
  if (root.bits.empty())
    root.bits.resize(tensor.elements);
  // Offsets of the positions of each dimension; their sums are the elements.
  SmallVector<int64_t> offsets{layout->offset};
  for (auto [d, size] : llvm::enumerate(shape)) {
    SmallVector<int64_t> next;
    auto add = [&](int64_t position) {
      int64_t offset = 0;
      for (const Mode &mode : llvm::reverse(layout->dims[d])) {
        offset += position % mode.size * mode.stride;
        position /= mode.size;
      }
      for (int64_t before : offsets)
        next.push_back(before + offset);
    };
    if (dims[d])
      for (int64_t position : *dims[d])
        add(position);
    else
      for (int64_t position = 0; position < size; ++position)
        add(position);
    offsets = std::move(next);
  }
  for (int64_t offset : offsets)
    root.bits.set(offset);
}

/// All of a view of a concatenation is read: so are the parts.
void GraphBuilder::touchParts(Value value, int operation) {
  SmallVector<Value> work{value};
  llvm::DenseSet<Value> seen;
  while (!work.empty()) {
    Operation *op = work.pop_back_val().getDefiningOp();
    if (!isa_and_nonnull<ConcatOp, TransposeOp, ReshapeOp, RepeatOp, BroadcastOp>(op))
      continue;
    for (Value operand : op->getOperands())
      if (places.contains(operand))
        touch(operand, operation, SmallVector<Touched>(shapeOf(operand).size()));
      else if (seen.insert(operand).second)
        work.push_back(operand);
  }
}

void GraphBuilder::touchAtLeast(Value value, int operation, int64_t elements) {
  auto place = places.find(value);
  if (place == places.end())
    return;
  Root &root = roots[place->second.root];
  BoundTensor &tensor = graph.tensors[root.tensor];
  if (tensor.loader < 0)
    tensor.loader = operation;
  root.least = std::max(root.least, elements / place->second.repeats);
}

void GraphBuilder::finishRoots() {
  for (Root &root : roots) {
    BoundTensor &tensor = graph.tensors[root.tensor];
    int64_t touched = std::max<int64_t>(root.least, root.bits.count());
    tensor.loaded =
        (root.whole ? tensor.elements : std::min(touched, tensor.elements)) * tensor.width;
  }
}

/// Positions that a map's result reads of one dimension of an operand.
static Touched readBy(AffineExpr expr, ArrayRef<int64_t> result, int64_t size) {
  SmallVector<int64_t> positions;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    positions.push_back(constant.getValue());
  } else {
    if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && result[dim.getPosition()] == size)
      return std::nullopt;
    unsigned position = 0;
    expr.walk([&](AffineExpr inner) {
      if (auto dim = dyn_cast<AffineDimExpr>(inner))
        position = dim.getPosition();
    });
    for (int64_t i = 0; i < result[position]; ++i) {
      SmallVector<AffineExpr> values(result.size(), getAffineConstantExpr(i, expr.getContext()));
      positions.push_back(cast<AffineConstantExpr>(expr.replaceDims(values)).getValue());
    }
  }
  // Broadcasts read one position often.
  llvm::sort(positions);
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  if (int64_t(positions.size()) == size)
    return std::nullopt;
  return positions;
}

void GraphBuilder::touchOperands(Operation *op, int operation) {
  auto compute = cast<ComputeOpInterface>(op);
  ArrayRef<int64_t> result = shapeOf(op->getResult(0));
  unsigned primaries = compute.getPrimary().size();
  for (OpOperand &use : op->getOpOperands()) {
    unsigned index = use.getOperandNumber();
    SmallVector<Touched> dims(shapeOf(use.get()).size());
    if (index >= primaries) {
      AffineMap map = cast<AffineMapAttr>(compute.getMaps()[index - primaries]).getValue();
      for (auto [d, expr] : llvm::enumerate(map.getResults()))
        dims[d] = readBy(expr, result, shapeOf(use.get())[d]);
      touch(use.get(), operation, dims);
      continue;
    }
    auto window = [&](auto windowed) {
      for (unsigned d = 0; d < 2; ++d) {
        Window w = windowOf(windowed, d);
        if (int64_t(w.positions.size()) < shapeOf(use.get())[1 + d])
          dims[1 + d] = w.positions;
      }
    };
    if (!isa<ConvOp, MatmulOp, PoolOp, ReduceOp, SoftmaxOp, NormalizeOp, GatherOp, CopyOp, PadOp>(
            op))
      continue; // nothing is known
    if (auto conv = dyn_cast<ConvOp>(op)) {
      if (index == 1) {
        // Taps that only ever meet the border are not needed.
        int64_t taps = windowOf(conv, 0).taps * windowOf(conv, 1).taps;
        int64_t elements = product(shapeOf(use.get()));
        int64_t kernel = conv.getKernel()[0] * conv.getKernel()[1];
        if (taps < kernel) {
          touchAtLeast(use.get(), operation, elements / kernel * taps);
          continue;
        }
      } else {
        window(conv);
      }
    } else if (auto pool = dyn_cast<PoolOp>(op)) {
      window(pool);
    } else if (auto pad = dyn_cast<PadOp>(op)) {
      for (auto [d, size] : llvm::enumerate(shapeOf(use.get()))) {
        int64_t first = std::max<int64_t>(0, -pad.getLow()[d]);
        int64_t last = std::min(size, result[d] - pad.getLow()[d]);
        if (first == 0 && last == size)
          continue;
        dims[d].emplace();
        for (int64_t i = first; i < last; ++i)
          dims[d]->push_back(i);
      }
    } else if (isa<GatherOp>(op) && index == 0) {
      // Which rows are read is known when it runs. The bytes that a schedule moves
      // do not depend on it, so they are enough for rows that all differ. Indices
      // that are constants may name one row again and again.
      int64_t indices = product(shapeOf(op->getOperand(1)));
      ArrayRef<int64_t> table = shapeOf(use.get());
      bool fixed =
          places.contains(op->getOperand(1)) &&
          roots[places.find(op->getOperand(1))->second.root].value.getDefiningOp<ConstantOp>();
      int64_t rows = fixed ? std::min<int64_t>(indices, 1) : std::min(indices, table[0]);
      touchAtLeast(use.get(), operation, rows * product(table.drop_front()));
      continue;
    }
    touch(use.get(), operation, dims);
  }
}

//===----------------------------------------------------------------------===//
// How elements come about
//===----------------------------------------------------------------------===//

/// `tensor` may be made of `source`; the way that bounds most is taken.
void GraphBuilder::mayFollow(int tensor, Value source, double ratio, int64_t held) {
  int from = tensorOf(source);
  BoundTensor &t = graph.tensors[tensor];
  pathWidth.resize(graph.tensors.size(), 0);
  if (graph.tensors[from].unlimited || ratio <= 0)
    return;
  // A value that was loaded, or an input.
  double fromWidth =
      graph.tensors[from].source >= 0 ? pathWidth[from] : double(graph.tensors[from].width);
  int64_t own = held ? std::min(held, t.width) : t.width;
  double width = std::min(double(own), fromWidth / ratio);
  if (!t.unlimited && width <= pathWidth[tensor])
    return;
  t.unlimited = false;
  t.source = from;
  t.ratio = ratio;
  t.held = held;
  pathWidth[tensor] = width;
}

void GraphBuilder::follow(Operation *op, int tensor) {
  graph.tensors[tensor].unlimited = true;
  ArrayRef<int64_t> result = shapeOf(op->getResult(0));
  int64_t elements = product(result);
  if (elements == 0)
    return;
  TypeSwitch<Operation *>(op)
      .Case([&](MatmulOp matmul) {
        ArrayRef<int64_t> a = shapeOf(matmul.getInput()), b = shapeOf(matmul.getWeight());
        unsigned row = a.size() - 2; // batches, M, N
        double reduction = double(a[row + 1]);
        if (reduction == 0)
          return;
        // A result needs a whole row of A, which makes N; and a column of B, which
        // makes M for each batch that shares it.
        mayFollow(tensor, matmul.getInput(), double(result[row + 1]) / reduction, 4);
        int64_t rows = result[row];
        for (unsigned d = 0; d < row; ++d)
          rows *= b[d] == 1 ? result[d] : 1;
        mayFollow(tensor, matmul.getWeight(), double(rows) / reduction, 4);
      })
      .Case([&](ConvOp conv) {
        int64_t groups = conv.getGroups();
        int64_t channels = shapeOf(conv.getInput())[3] / groups;
        double needs = double(channels * windowOf(conv, 0).fewest * windowOf(conv, 1).fewest);
        if (needs > 0)
          mayFollow(tensor, conv.getInput(), double(result[3] / groups * reuseOf(conv)) / needs, 4);
      })
      .Case([&](PoolOp pool) {
        double needs = double(windowOf(pool, 0).fewest * windowOf(pool, 1).fewest);
        if (needs > 0)
          mayFollow(tensor, pool.getInput(), double(reuseOf(pool)) / needs,
                    widthOf(pool.getInput()));
      })
      .Case([&](ReduceOp reduce) {
        double inputs = double(product(shapeOf(reduce.getInput())));
        if (inputs > 0)
          mayFollow(tensor, reduce.getInput(), double(elements) / inputs,
                    widthOf(reduce.getInput()));
      })
      .Case<SoftmaxOp, NormalizeOp, CopyOp>(
          [&](Operation *same) { mayFollow(tensor, same->getOperand(0), 1); })
      .Case([&](MapOp map) {
        for (auto [operand, attr] : llvm::zip(map.getOperands(), map.getMaps())) {
          // Result elements for each element that is read.
          double read = 1;
          for (auto [d, expr] :
               llvm::enumerate(cast<AffineMapAttr>(attr).getValue().getResults())) {
            Touched touched = readBy(expr, result, shapeOf(operand)[d]);
            read *= touched ? double(touched->size()) : double(shapeOf(operand)[d]);
          }
          if (read > 0)
            mayFollow(tensor, operand, double(elements) / read);
        }
      })
      .Case([&](GatherOp gather) {
        double indices = double(product(shapeOf(gather.getWeight())));
        if (indices > 0)
          mayFollow(tensor, gather.getWeight(), double(elements) / indices);
      });
  // Of a pad the border comes from nowhere: unlimited.
}

void GraphBuilder::addView(Operation *op) {
  Value result = op->getResult(0);
  int tensor = addTensor(result);
  pathWidth.resize(graph.tensors.size(), 0);
  if (auto concat = dyn_cast<ConcatOp>(op)) {
    // Elements come from one of several tensors: no path.
    graph.tensors[tensor].unlimited = true;
    return;
  }
  Value input = op->getOperand(0);
  int64_t before = product(shapeOf(input)), after = product(shapeOf(result));
  int64_t repeats = 1;
  if (isa<RepeatOp, BroadcastOp>(op) && before > 0)
    repeats = after / before;
  graph.tensors[tensor].unlimited = true;
  mayFollow(tensor, input, double(repeats));
  auto place = places.find(input);
  if (place == places.end())
    return;
  Place next = place->second;
  next.layout = next.layout ? layoutOfView(op, *next.layout) : std::nullopt;
  next.all &= !isa<SliceOp>(op) || before == after;
  next.repeats *= repeats;
  places[result] = next;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void GraphBuilder::addProduct(Operation *op, int operation, int64_t macs, int64_t reuse) {
  Value weight = op->getOperand(1);
  // A permuted constant is that constant.
  while (isa_and_nonnull<TransposeOp, ReshapeOp>(weight.getDefiningOp()))
    weight = weight.getDefiningOp()->getOperand(0);
  BoundProduct p;
  p.operation = operation;
  p.a = tensorOf(op->getOperand(0));
  p.b = tensorOf(weight);
  p.result = tensorOf(op->getResult(0));
  p.macs = macs;
  p.accumulators = product(shapeOf(op->getResult(0)));
  p.reuse = reuse;
  graph.tensors[p.result].producer = graph.products.size();
  graph.products.push_back(p);
}

void GraphBuilder::addCompute(Operation *op) {
  int operation = graph.operations.size();
  graph.operations.push_back(memberName(op));
  touchOperands(op, operation);
  int tensor = addTensor(op->getResult(0));
  pathWidth.resize(graph.tensors.size(), 0);
  follow(op, tensor);
  if (auto conv = dyn_cast<ConvOp>(op); conv && !isDepthwise(conv)) {
    int64_t channels = shapeOf(conv.getInput())[3] / conv.getGroups();
    ArrayRef<int64_t> result = shapeOf(conv.getResult());
    addProduct(op, operation,
               result[0] * windowOf(conv, 0).pairs * windowOf(conv, 1).pairs * result[3] * channels,
               reuseOf(conv));
  } else if (isa<MatmulOp>(op)) {
    addProduct(op, operation, macsOf(op), 1);
  }
}

BoundGraph GraphBuilder::run() {
  Block &body = main.getBody().front();
  for (BlockArgument argument : body.getArguments())
    addRoot(argument);
  for (Operation &op : body.without_terminator()) {
    if (isa<ConstantOp>(op))
      addRoot(op.getResult(0));
    else if (isa<ComputeOpInterface>(op))
      addCompute(&op);
    else if (isView(&op) || isa<ConcatOp>(op))
      addView(&op);
  }
  // The operation that each view is of.
  llvm::DenseMap<Value, int> producer;
  int next = 0;
  for (Operation &op : body.without_terminator()) {
    if (isa<ComputeOpInterface>(op))
      producer[op.getResult(0)] = next++;
    else if (op.getNumResults() == 1 && op.getNumOperands() > 0 &&
             producer.contains(op.getOperand(0)))
      producer[op.getResult(0)] = producer[op.getOperand(0)];
  }
  for (Value output : body.getTerminator()->getOperands()) {
    BoundTensor &tensor = graph.tensors[tensorOf(output)];
    tensor.stored += tensor.elements * tensor.width;
    auto it = producer.find(output);
    int operation = it == producer.end() ? -1 : it->second;
    if (operation < 0) { // an input or constant that is an output: copied
      operation = graph.operations.size();
      graph.operations.push_back("");
    }
    if (tensor.storer < 0)
      tensor.storer = operation;
    touch(output, operation, SmallVector<Touched>(shapeOf(output).size()));
  }
  finishRoots();
  return std::move(graph);
}

BoundGraph BoundGraph::of(func::FuncOp main) { return GraphBuilder(main).run(); }
