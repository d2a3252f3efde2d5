//===- BuildModule.cpp - a checked ONNX graph to the onnx dialect ---------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"

#include "onnx/defs/schema.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::OpSchema;
using ::onnx::TensorProto;
using ::onnx::TypeProto;

namespace {

class GraphBuilder {
public:
  GraphBuilder(Model &model, OpBuilder &builder) : model(model), b(builder) {}

  OwningOpRef<ModuleOp> module();
  LogicalResult node(const NodeProto &node, int index, std::optional<Location> at = {});

  llvm::StringMap<Value> values;            // visible names
  llvm::StringMap<const TypeProto *> types; // inferred and declared

private:
  Model &model;
  OpBuilder &b;
  SmallVector<StringRef> scope; // names to forget at the end of a subgraph, with marks

  MLIRContext *context() { return model.context; }
  Location named(StringRef name) { return NameLoc::get(StringAttr::get(context(), name)); }
  Value none();
  Value noneValue;
  Block *noneBlock = nullptr;

  Type typeOf(StringRef name) {
    auto found = types.find(name);
    return found == types.end() || !found->second ? ir::UnknownType::get(context())
                                                  : importType(*found->second, context());
  }
  void collectTypes(const GraphProto &graph);
  LogicalResult initializers(const GraphProto &graph);
  LogicalResult subgraph(const GraphProto &graph, Region &region);
  LogicalResult attribute(const AttributeProto &attribute, NamedAttrList &list,
                          std::vector<const GraphProto *> &graphs, std::string &why);
  Attribute tensorAttr(const TensorProto &tensor, std::string &why);
  /// `Constant` of a tensor; null if the node is something else.
  FailureOr<Operation *> constant(const NodeProto &node, Location loc, StringRef label);
};

/// One `onnx.None` per block that uses it: cheap to find and always dominates.
Value GraphBuilder::none() {
  Block *block = b.getInsertionBlock();
  if (noneBlock == block && noneValue)
    return noneValue;
  OpBuilder::InsertionGuard guard(b);
  if (!block->empty() && block->front().getName().getStringRef() == "onnx.None") {
    noneValue = block->front().getResult(0);
  } else {
    b.setInsertionPointToStart(block);
    noneValue = ir::createOp(b, named("none"), "None", b.getNoneType(), {})->getResult(0);
  }
  noneBlock = block;
  return noneValue;
}

void GraphBuilder::collectTypes(const GraphProto &graph) {
  for (const auto &list : {&graph.value_info(), &graph.input(), &graph.output()})
    for (const auto &value : *list)
      if (value.has_type())
        types[value.name()] = &value.type();
}

Attribute GraphBuilder::tensorAttr(const TensorProto &tensor, std::string &why) {
  RankedTensorType type;
  Attribute value = importTensor(tensor, model, type, why);
  if (auto file = dyn_cast_or_null<ir::FileAttr>(value)) {
    // Only Weight has a place for the type of bytes in a file.
    auto bytes = ir::WeightFiles::of(context()).bytes(file, &why);
    return bytes ? Attribute(ir::denseFromRaw(type, *bytes)) : Attribute();
  }
  return value;
}

static Attribute stringAttr(MLIRContext *context, StringRef text) {
  return StringAttr::get(context, text);
}

LogicalResult GraphBuilder::attribute(const AttributeProto &attribute, NamedAttrList &list,
                                      std::vector<const GraphProto *> &graphs, std::string &why) {
  Attribute value;
  switch (attribute.type()) {
  case AttributeProto::FLOAT:
    value = b.getF32FloatAttr(attribute.f());
    break;
  case AttributeProto::INT:
    value = b.getI64IntegerAttr(attribute.i());
    break;
  case AttributeProto::STRING:
    value = stringAttr(context(), attribute.s());
    break;
  case AttributeProto::FLOATS:
    value =
        b.getDenseF32ArrayAttr(ArrayRef<float>(attribute.floats().data(), attribute.floats_size()));
    break;
  case AttributeProto::INTS:
    value = b.getDenseI64ArrayAttr(
        SmallVector<int64_t>(attribute.ints().begin(), attribute.ints().end()));
    break;
  case AttributeProto::STRINGS: {
    SmallVector<Attribute> strings;
    for (const std::string &text : attribute.strings())
      strings.push_back(stringAttr(context(), text));
    value = b.getArrayAttr(strings);
    break;
  }
  case AttributeProto::TENSOR:
    value = tensorAttr(attribute.t(), why);
    break;
  case AttributeProto::TENSORS: {
    SmallVector<Attribute> tensors;
    for (const TensorProto &tensor : attribute.tensors()) {
      Attribute one = tensorAttr(tensor, why);
      if (!one)
        return failure();
      tensors.push_back(one);
    }
    value = b.getArrayAttr(tensors);
    break;
  }
  case AttributeProto::TYPE_PROTO:
    value = TypeAttr::get(importType(attribute.tp(), context()));
    break;
  case AttributeProto::SPARSE_TENSOR: {
    const auto &sparse = attribute.sparse_tensor();
    Attribute values = tensorAttr(sparse.values(), why);
    Attribute indices = values ? tensorAttr(sparse.indices(), why) : Attribute();
    if (!indices)
      return failure();
    auto type =
        RankedTensorType::get(SmallVector<int64_t>(sparse.dims().begin(), sparse.dims().end()),
                              ir::elementType(sparse.values().data_type(), context()));
    value = ir::SparseElementsAttr::get(context(), type, values, indices);
    break;
  }
  case AttributeProto::GRAPH:
    graphs.push_back(&attribute.g());
    return success();
  case AttributeProto::GRAPHS:
    for (const GraphProto &graph : attribute.graphs())
      graphs.push_back(&graph);
    return success();
  default:
    why = "attribute '" + attribute.name() + "' has a type that acc does not know";
    return failure();
  }
  if (!value)
    return failure();
  list.set(attribute.name(), value);
  return success();
}

LogicalResult GraphBuilder::initializers(const GraphProto &graph) {
  for (const TensorProto &tensor : graph.initializer()) {
    RankedTensorType type;
    std::string why;
    Attribute value = importTensor(tensor, model, type, why);
    if (!value)
      return model.error() << why;
    Operation *op =
        ir::createOp(b, named(tensor.name()), "Weight", type, {}, b.getNamedAttr("value", value));
    values[tensor.name()] = op->getResult(0);
    scope.push_back(tensor.name());
  }
  for (const auto &sparse : graph.sparse_initializer()) {
    AttributeProto proto;
    proto.set_name("sparse_value");
    proto.set_type(AttributeProto::SPARSE_TENSOR);
    *proto.mutable_sparse_tensor() = sparse;
    NamedAttrList list;
    std::vector<const GraphProto *> none;
    std::string why;
    if (failed(attribute(proto, list, none, why)))
      return model.error() << why;
    auto value = cast<ir::SparseElementsAttr>(list.get("sparse_value"));
    const std::string &name = sparse.values().name();
    Operation *op =
        ir::createOp(b, named(name), "Constant", ir::SparseType::get(context(), value.getType()),
                     {}, list.getAttrs());
    values[name] = op->getResult(0);
    scope.push_back(name);
  }
  return success();
}

FailureOr<Operation *> GraphBuilder::constant(const NodeProto &node, Location loc,
                                              StringRef label) {
  if (node.attribute_size() != 1)
    return static_cast<Operation *>(nullptr);
  const AttributeProto &attribute = node.attribute(0);
  RankedTensorType type;
  Attribute value;
  std::string why;
  auto vector = [&](Type element, int64_t size, bool scalar) {
    return RankedTensorType::get(scalar ? ArrayRef<int64_t>() : ArrayRef<int64_t>(size), element);
  };
  switch (attribute.type()) {
  case AttributeProto::TENSOR:
    value = importTensor(attribute.t(), model, type, why);
    if (!value)
      return model.error(node.name()) << "node \"" << label << "\" (Constant): " << why;
    break;
  case AttributeProto::INT:
  case AttributeProto::INTS: {
    bool scalar = attribute.type() == AttributeProto::INT;
    SmallVector<int64_t> ints(attribute.ints().begin(), attribute.ints().end());
    if (scalar)
      ints = {attribute.i()};
    type = vector(b.getI64Type(), ints.size(), scalar);
    auto *bytes = reinterpret_cast<const char *>(ints.data());
    value = ir::makeConstant(type, std::vector<char>(bytes, bytes + 8 * ints.size()));
    break;
  }
  case AttributeProto::FLOAT:
  case AttributeProto::FLOATS: {
    bool scalar = attribute.type() == AttributeProto::FLOAT;
    SmallVector<float> floats(attribute.floats().begin(), attribute.floats().end());
    if (scalar)
      floats = {attribute.f()};
    type = vector(b.getF32Type(), floats.size(), scalar);
    auto *bytes = reinterpret_cast<const char *>(floats.data());
    value = ir::makeConstant(type, std::vector<char>(bytes, bytes + 4 * floats.size()));
    break;
  }
  case AttributeProto::STRING:
  case AttributeProto::STRINGS: {
    bool scalar = attribute.type() == AttributeProto::STRING;
    SmallVector<StringRef> strings;
    for (const std::string &text : attribute.strings())
      strings.push_back(text);
    if (scalar)
      strings = {attribute.s()};
    type = vector(ir::StringType::get(context()), strings.size(), scalar);
    value = DenseStringElementsAttr::get(type, strings);
    break;
  }
  default:
    return static_cast<Operation *>(nullptr);
  }
  return ir::createOp(b, loc, "Weight", type, {}, b.getNamedAttr("value", value));
}

LogicalResult GraphBuilder::subgraph(const GraphProto &graph, Region &region) {
  OpBuilder::InsertionGuard guard(b);
  size_t mark = scope.size();
  collectTypes(graph);
  Block *block = b.createBlock(&region);
  for (const auto &input : graph.input()) {
    values[input.name()] = block->addArgument(typeOf(input.name()), named(input.name()));
    scope.push_back(input.name());
  }
  if (failed(initializers(graph)))
    return failure();
  for (int i = 0; i < graph.node_size(); ++i)
    if (failed(node(graph.node(i), i)))
      return failure();
  SmallVector<Value> outputs;
  for (const auto &output : graph.output())
    outputs.push_back(values.lookup(output.name()));
  ir::createOp(b, named(graph.name().empty() ? "yield" : graph.name()), "Yield", {}, outputs);
  for (; scope.size() > mark; scope.pop_back()) {
    values.erase(scope.back());
    types.erase(scope.back());
  }
  noneBlock = nullptr;
  return success();
}

LogicalResult GraphBuilder::node(const NodeProto &node, int index, std::optional<Location> at) {
  std::string label = nodeLabel(node, index);
  // The operator stands behind the name: for the nodes of the artifact.
  Location loc = at ? *at : NameLoc::get(StringAttr::get(context(), label), named(node.op_type()));
  auto refuse = [&](const Twine &why) -> LogicalResult {
    return model.error(node.name())
           << "node \"" << label << "\" (" << node.op_type() << "): " << why.str();
  };
  bool isOnnx = isOnnxDomain(node.domain());
  const OpSchema *schema =
      isOnnx ? ::onnx::OpSchemaRegistry::Schema(node.op_type(), kOpset) : nullptr;
  if (isOnnx && !schema)
    return refuse("ONNX's opset 27 has no such operator; express it by others");
  if (isOnnx && node.op_type() == "Constant") {
    FailureOr<Operation *> made = constant(node, loc, label);
    if (failed(made))
      return failure();
    if (*made) {
      values[node.output(0)] = (*made)->getResult(0);
      scope.push_back(node.output(0));
      return success();
    }
  }

  SmallVector<Value> operands;
  for (const std::string &input : node.input()) {
    Value value = input.empty() ? none() : values.lookup(input);
    if (!value)
      return refuse("reads '" + input + "', which nothing provides");
    operands.push_back(value);
  }
  SmallVector<Type> types;
  for (const std::string &output : node.output())
    types.push_back(output.empty() ? Type(b.getNoneType()) : typeOf(output));
  for (auto [type, output] : llvm::zip(types, node.output()))
    if (auto tensor = dyn_cast<RankedTensorType>(type); tensor && isTooLarge(tensor.getShape()))
      return refuse("its result '" + output + "' would have more than 2^48 elements");
  if (isOnnx) {
    // All positions but a variadic last one are always there.
    auto fixed = [](const std::vector<OpSchema::FormalParameter> &list) {
      return list.size() - (!list.empty() && list.back().GetOption() == OpSchema::Variadic);
    };
    while (operands.size() < fixed(schema->inputs()))
      operands.push_back(none());
    while (types.size() < fixed(schema->outputs()))
      types.push_back(b.getNoneType());
  }

  NamedAttrList attributes;
  std::vector<const GraphProto *> graphs;
  std::vector<const AttributeProto *> sorted;
  for (const AttributeProto &attribute : node.attribute())
    sorted.push_back(&attribute);
  llvm::sort(sorted, [](auto *a, auto *b) { return a->name() < b->name(); });
  std::string why;
  for (const AttributeProto *attribute : sorted)
    if (failed(this->attribute(*attribute, attributes, graphs, why)))
      return refuse(why);
  if (!isOnnx) {
    NamedAttrList outer;
    outer.set("domain", b.getStringAttr(node.domain()));
    outer.set("op_type", b.getStringAttr(node.op_type()));
    if (!node.overload().empty())
      outer.set("overload", b.getStringAttr(node.overload()));
    if (!attributes.empty())
      outer.set("fields", attributes.getDictionary(context()));
    std::vector<Attribute> names, lists;
    for (const AttributeProto *attribute : sorted) {
      Attribute name = b.getStringAttr(attribute->name());
      bool isList = attribute->type() == AttributeProto::GRAPHS;
      if (isList)
        lists.push_back(name);
      if (isList || attribute->type() == AttributeProto::GRAPH)
        names.insert(names.end(), isList ? attribute->graphs_size() : 1, name);
    }
    if (!names.empty())
      outer.set("graph_names", b.getArrayAttr(names));
    if (!lists.empty())
      outer.set("graph_lists", b.getArrayAttr(lists));
    attributes = outer;
  }

  OperationState state(loc, "onnx." + (isOnnx ? node.op_type() : "Custom"));
  ir::buildOp(state, types, operands, attributes.getAttrs());
  for (size_t i = 0; i < graphs.size(); ++i)
    state.addRegion();
  Operation *op = b.create(state);
  for (auto [graph, region] : llvm::zip(graphs, op->getRegions()))
    if (failed(subgraph(*graph, region)))
      return failure();
  for (int i = 0; i < node.output_size(); ++i)
    if (!node.output(i).empty()) {
      values[node.output(i)] = op->getResult(i);
      scope.push_back(node.output(i));
    }
  return success();
}

OwningOpRef<ModuleOp> GraphBuilder::module() {
  const GraphProto &graph = model.proto.graph();
  Location loc = FileLineColLoc::get(context(), model.path, 0, 0);
  OwningOpRef<ModuleOp> module(ModuleOp::create(loc));
  (*module)->setAttr("onnx.opset", b.getI64IntegerAttr(kOpset));
  (*module)->setAttr("onnx.ir_version", b.getI64IntegerAttr(model.proto.ir_version()));
  (*module)->setAttr("onnx.model", b.getStringAttr(model.path));
  if (!model.proto.producer_name().empty())
    (*module)->setAttr("onnx.producer", b.getStringAttr(model.proto.producer_name()));
  NamedAttrList domains;
  for (const auto &import : model.proto.opset_import())
    if (!isOnnxDomain(import.domain()))
      domains.set(import.domain(), b.getI64IntegerAttr(import.version()));
  if (!domains.empty())
    (*module)->setAttr("onnx.domains", domains.getDictionary(context()));

  collectTypes(graph);
  llvm::StringMap<bool> constants; // old models list initialisers as inputs too
  for (const TensorProto &tensor : graph.initializer())
    constants[tensor.name()] = true;
  for (const auto &tensor : graph.sparse_initializer())
    constants[tensor.values().name()] = true;
  SmallVector<Type> inputs;
  SmallVector<const ::onnx::ValueInfoProto *> inputInfos;
  for (const auto &input : graph.input())
    if (!constants.count(input.name())) {
      inputs.push_back(typeOf(input.name()));
      inputInfos.push_back(&input);
    }

  b.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(b, loc, "main", b.getFunctionType(inputs, {}));
  Block *entry = function.addEntryBlock();
  auto describe = [&](const ::onnx::ValueInfoProto &info) {
    NamedAttrList list;
    list.set("onnx.name", b.getStringAttr(info.name()));
    auto type = types.find(info.name());
    if (type != types.end() && type->second)
      if (ArrayAttr names = dimNames(*type->second, context()))
        list.set("onnx.dims", names);
    return list.getDictionary(context());
  };
  for (auto [i, info] : llvm::enumerate(inputInfos)) {
    values[info->name()] = entry->getArgument(i);
    function.setArgAttrs(i, describe(*info));
  }
  b.setInsertionPointToEnd(entry);
  if (failed(initializers(graph)))
    return nullptr;
  for (int i = 0; i < graph.node_size(); ++i)
    if (failed(node(graph.node(i), i)))
      return nullptr;
  SmallVector<Value> results;
  for (const auto &output : graph.output())
    results.push_back(values.lookup(output.name()));
  func::ReturnOp::create(b, loc, results);
  function.setType(b.getFunctionType(inputs, ValueRange(results).getTypes()));
  for (auto [i, info] : llvm::enumerate(graph.output()))
    function.setResultAttrs(i, describe(info));
  return module;
}

} // namespace

OwningOpRef<ModuleOp> accel::import::buildModule(Model &model) {
  OpBuilder builder(model.context);
  return GraphBuilder(model, builder).module();
}

LogicalResult accel::import::importNodes(Model &model, OpBuilder &builder,
                                         const google::protobuf::RepeatedPtrField<NodeProto> &nodes,
                                         llvm::StringMap<Value> &names,
                                         const llvm::StringMap<const TypeProto *> &types,
                                         Location loc) {
  GraphBuilder graph(model, builder);
  for (const auto &entry : names)
    graph.values[entry.getKey()] = entry.getValue();
  for (const auto &entry : types)
    graph.types[entry.getKey()] = entry.getValue();
  for (int i = 0; i < nodes.size(); ++i)
    if (failed(graph.node(nodes.Get(i), i, loc)))
      return failure();
  for (const auto &entry : graph.values)
    names[entry.getKey()] = entry.getValue();
  return success();
}
