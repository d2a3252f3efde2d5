//===- CheckStructure.cpp - names, order and sizes of a graph -------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What ONNX's checker finds too, but says in the words of its implementation:
// duplicate names, missing producers, cycles, impossible dimensions. The checker
// runs afterwards for the rest (attributes, operator schemas).
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;
using ::onnx::ValueInfoProto;

namespace {

class StructureCheck {
public:
  explicit StructureCheck(Model &model) : model(model) {}
  LogicalResult graph(const GraphProto &graph, bool isMain = false);
  LogicalResult input(const ValueInfoProto &value);

private:
  Model &model;
  // Visible names and who wrote them; subgraphs add theirs and remove them again.
  llvm::StringMap<std::string> visible;

  LogicalResult declare(StringRef name, const Twine &writer, std::vector<std::string> &added);
  LogicalResult shape(const ValueInfoProto &value, const char *what);
  LogicalResult tensor(const TensorProto &tensor, const char *what);
  LogicalResult missing(const GraphProto &graph, int nodeIndex, StringRef input);
};

LogicalResult StructureCheck::declare(StringRef name, const Twine &writer,
                                      std::vector<std::string> &added) {
  auto [entry, isNew] = visible.try_emplace(name, "");
  if (!isNew)
    return model.error() << "the name '" << name << "' is given twice: by " << entry->second
                         << " and by " << writer.str() << "; names must be unique";
  entry->second = writer.str();
  added.push_back(name.str());
  return success();
}

/// The checker says neither which value it means nor what to do.
LogicalResult StructureCheck::input(const ValueInfoProto &value) {
  if (!value.has_type() || value.type().value_case() == ::onnx::TypeProto::VALUE_NOT_SET)
    return model.error() << "graph input '" << value.name()
                         << "' has no type; export the model again with typed inputs";
  if (value.type().has_tensor_type() && !value.type().tensor_type().has_shape())
    return model.error() << "graph input '" << value.name()
                         << "' has no shape, not even a rank; export the model again with "
                            "shapes (symbolic ones will do)";
  return success();
}

LogicalResult StructureCheck::shape(const ValueInfoProto &value, const char *what) {
  if (!value.type().has_tensor_type() || !value.type().tensor_type().has_shape())
    return success();
  SmallVector<int64_t> sizes;
  for (const auto &dim : value.type().tensor_type().shape().dim()) {
    size_t axis = sizes.size();
    sizes.push_back(dim.has_dim_value() ? dim.dim_value() : ShapedType::kDynamic);
    if (dim.has_dim_value() && dim.dim_value() < 0)
      return model.error() << what << " '" << value.name() << "' has size " << dim.dim_value()
                           << " on axis " << axis << "; bind it with --dim " << value.name() << ':'
                           << axis << "=N";
    if (isTooLarge(sizes))
      return model.error() << what << " '" << value.name()
                           << "' has more than 2^48 elements; check axis " << axis << " (size "
                           << dim.dim_value() << ")";
  }
  return success();
}

LogicalResult StructureCheck::tensor(const TensorProto &tensor, const char *what) {
  SmallVector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  for (int64_t dim : dims)
    if (dim < 0)
      return model.error() << what << " '" << tensor.name() << "' has the negative dimension "
                           << dim << "; export the model again";
  if (isTooLarge(dims))
    return model.error() << what << " '" << tensor.name()
                         << "' has more than 2^48 elements; export the model again";
  if (!ir::elementType(tensor.data_type(), model.context))
    return model.error() << what << " '" << tensor.name() << "' has the element type "
                         << tensor.data_type() << ", which ONNX 1.22 does not know";
  return success();
}

/// An input without producer: says whether a later node makes it, and whether
/// that closes a cycle.
LogicalResult StructureCheck::missing(const GraphProto &graph, int nodeIndex, StringRef input) {
  const NodeProto &node = graph.node(nodeIndex);
  std::string text = nodeText(node, nodeIndex);
  llvm::StringMap<int> producers;
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string &output : graph.node(i).output())
      producers[output] = i;
  auto found = producers.find(input);
  if (found == producers.end()) {
    return model.error(node.name())
           << text << " reads '" << input
           << "', which no graph input, initialiser or node provides; export the model again "
              "or add it";
  }
  // Walk from the late producer through its inputs back to this node.
  std::vector<int> stack = {found->second}, from(graph.node_size(), -2);
  from[found->second] = -1;
  while (!stack.empty()) {
    int at = stack.back();
    stack.pop_back();
    if (at == nodeIndex) {
      std::string chain;
      int length = 0;
      for (int step = at; step >= 0 && length < 8; step = from[step], ++length)
        chain += "\"" + nodeLabel(graph.node(step), step) + "\" -> ";
      if (length == 8)
        chain += "... -> ";
      chain += "\"" + nodeLabel(node, nodeIndex) + "\"";
      return model.error(node.name())
             << text << " lies on a cycle: " << chain << "; an ONNX graph must be acyclic";
    }
    for (const std::string &name : graph.node(at).input()) {
      auto producer = producers.find(name);
      if (producer != producers.end() && from[producer->second] == -2) {
        from[producer->second] = at;
        stack.push_back(producer->second);
      }
    }
  }
  return model.error(node.name()) << text << " reads '" << input << "', which "
                                  << nodeText(graph.node(found->second), found->second)
                                  << " writes only later; sort the nodes topologically";
}

LogicalResult StructureCheck::graph(const GraphProto &graph, bool isMain) {
  std::vector<std::string> added;
  llvm::StringMap<bool> inputs;
  for (const auto &input : graph.input()) {
    inputs[input.name()] = true;
    if (failed(declare(input.name(), "a graph input", added)) ||
        failed(shape(input, "graph input")))
      return failure();
  }
  llvm::StringMap<bool> initializers;
  auto initializer = [&](const std::string &name) -> LogicalResult {
    if (!initializers.try_emplace(name, true).second)
      return model.error() << "two initialisers have the name '" << name
                           << "'; names must be unique";
    return inputs.count(name) ? success() : declare(name, "an initialiser", added);
  };
  for (const auto &tensor : graph.initializer())
    if (failed(initializer(tensor.name())) || failed(this->tensor(tensor, "initialiser")))
      return failure();
  for (const auto &tensor : graph.sparse_initializer())
    if (failed(initializer(tensor.values().name())))
      return failure();

  for (int i = 0; i < graph.node_size(); ++i) {
    const NodeProto &node = graph.node(i);
    for (const std::string &input : node.input())
      if (!input.empty() && !visible.count(input))
        return missing(graph, i, input);
    for (const auto &attribute : node.attribute())
      if (!attribute.ref_attr_name().empty())
        return model.error(node.name())
               << nodeText(node, i) << ": attribute '" << attribute.name()
               << "' refers to attribute '" << attribute.ref_attr_name()
               << "' of a function, but the node is in none; give it a value";
    for (const GraphProto *inner : subgraphsOf(node))
      if (failed(this->graph(*inner)))
        return failure();
    for (const std::string &output : node.output())
      if (!output.empty() && failed(declare(output, nodeText(node, i), added)))
        return failure();
  }
  llvm::StringMap<bool> outputs;
  for (const auto &output : graph.output()) {
    // A branch may give one value twice; the files of results need names of their own.
    if (isMain && !outputs.try_emplace(output.name(), true).second)
      return model.error() << "graph output '" << output.name()
                           << "' is listed twice; names of outputs must be unique";
    if (!visible.count(output.name()))
      return model.error() << "graph output '" << output.name()
                           << "' is written by no node; remove it or add its producer";
    if (failed(shape(output, "graph output")))
      return failure();
  }
  for (const std::string &name : added)
    visible.erase(name);
  return success();
}

} // namespace

bool accel::import::isTooLarge(ArrayRef<int64_t> dims) {
  if (llvm::is_contained(dims, 0))
    return false;
  int64_t elements = 1;
  for (int64_t dim : dims)
    if (dim > 0 && (llvm::MulOverflow(elements, dim, elements) || elements > kMaxElements))
      return true;
  return false;
}

LogicalResult accel::import::checkStructure(Model &model) {
  StructureCheck check(model);
  for (const ValueInfoProto &input : model.proto.graph().input())
    if (failed(check.input(input)))
      return failure();
  return check.graph(model.proto.graph(), /*isMain=*/true);
}
