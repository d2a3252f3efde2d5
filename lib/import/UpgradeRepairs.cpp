//===- UpgradeRepairs.cpp - what ONNX's version converter gets wrong ------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"

#include "llvm/Support/Endian.h"

using namespace accel::import;
using llvm::LogicalResult;
using llvm::success;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;

static NodeProto makeNode(const char *kind, const std::string &name,
                          std::vector<std::string> inputs, const std::string &output) {
  NodeProto made;
  made.set_op_type(kind);
  made.set_name(name);
  for (const std::string &input : inputs)
    made.add_input(input);
  made.add_output(output);
  return made;
}

/// Until 12, Hardmax flattened its operand at `axis` and took the maximum over all
/// axes behind it. The converter, which knows that of Softmax, leaves it alone:
///
///   Hardmax_1(x; axis)  ->  Reshape(Hardmax(Flatten(x; axis); -1), Shape(x))
std::vector<NodeProto> accel::import::upgradeHardmax(const NodeProto &node,
                                                     const std::string &label) {
  int64_t axis = 1;
  for (const AttributeProto &attribute : node.attribute())
    if (attribute.name() == "axis")
      axis = attribute.i();
  auto make = [&](const char *kind, std::vector<std::string> inputs, const std::string &output) {
    return makeNode(kind, label, std::move(inputs), output);
  };
  auto setAxis = [](NodeProto &made, int64_t value) {
    AttributeProto &attribute = *made.add_attribute();
    attribute.set_name("axis");
    attribute.set_type(AttributeProto::INT);
    attribute.set_i(value);
  };
  std::string shape = label + "/shape", flat = label + "/flat", hard = label + "/hard";
  std::vector<NodeProto> nodes = {
      make("Shape", {node.input(0)}, shape), make("Flatten", {node.input(0)}, flat),
      make("Hardmax", {flat}, hard), make("Reshape", {hard, shape}, node.output(0))};
  setAxis(nodes[1], axis);
  setAxis(nodes[2], -1);
  return nodes;
}

/// GroupNormalization of 18 to 20 has a scale and a bias for each group, not for
/// each channel. ONNX withdrew it: its checker refuses what exporters of that time
/// wrote. Groups are the channels of another operator:
///
///   GroupNormalization_18(x, scale, bias; G)
///     ->  Reshape(InstanceNormalization(Reshape(x, [0, G, -1]), scale, bias), Shape(x))
static void replaceGroupNormalization(GraphProto &graph) {
  google::protobuf::RepeatedPtrField<NodeProto> nodes;
  nodes.Swap(graph.mutable_node());
  for (int i = 0; i < nodes.size(); ++i) {
    NodeProto &node = *nodes.Mutable(i);
    for (GraphProto *inner : subgraphsOf(node))
      replaceGroupNormalization(*inner);
    const AttributeProto *groups = nullptr, *epsilon = nullptr;
    for (const AttributeProto &attribute : node.attribute())
      (attribute.name() == "num_groups" ? groups : epsilon) = &attribute;
    if (node.op_type() != "GroupNormalization" || !isOnnxDomain(node.domain()) || !groups ||
        node.attribute_size() > 1 + (epsilon && epsilon->name() == "epsilon") ||
        node.input_size() != 3 || node.output_size() != 1) {
      graph.mutable_node()->Add()->Swap(&node);
      continue;
    }
    std::string label = nodeLabel(node, i), shape = label + "/shape", grouped = label + "/grouped",
                sizes = label + "/sizes", normal = label + "/normal";
    NodeProto constant = makeNode("Constant", label, {}, sizes);
    AttributeProto &value = *constant.add_attribute();
    value.set_name("value_ints");
    value.set_type(AttributeProto::INTS);
    for (int64_t size : {int64_t(0), groups->i(), int64_t(-1)})
      value.add_ints(size);
    NodeProto norm =
        makeNode("InstanceNormalization", label, {grouped, node.input(1), node.input(2)}, normal);
    if (epsilon)
      *norm.add_attribute() = *epsilon;
    for (const NodeProto &part : {makeNode("Shape", label, {node.input(0)}, shape), constant,
                                  makeNode("Reshape", label, {node.input(0), sizes}, grouped), norm,
                                  makeNode("Reshape", label, {normal, shape}, node.output(0))})
      *graph.add_node() = part;
  }
}

LogicalResult accel::import::replaceWithdrawn(Model &model) {
  int64_t opset = opsetOf(model.proto);
  if (opset >= 18 && opset <= 20)
    replaceGroupNormalization(*model.proto.mutable_graph());
  return success();
}

/// Values of a float initialiser or Constant node of this graph; empty if unknown.
static std::vector<float> floatsOf(const GraphProto &graph, const std::string &name) {
  const TensorProto *tensor = nullptr;
  for (const TensorProto &initializer : graph.initializer())
    if (initializer.name() == name)
      tensor = &initializer;
  for (const NodeProto &node : graph.node())
    if (node.op_type() == "Constant" && node.output(0) == name && node.attribute_size() == 1 &&
        node.attribute(0).has_t())
      tensor = &node.attribute(0).t();
  std::vector<float> values;
  if (!tensor || tensor->data_type() != TensorProto::FLOAT)
    return values;
  values.assign(tensor->float_data().begin(), tensor->float_data().end());
  const std::string &raw = tensor->raw_data();
  for (size_t at = 0; at + 4 <= raw.size(); at += 4)
    values.push_back(llvm::bit_cast<float>(llvm::support::endian::read32le(raw.data() + at)));
  return values;
}

/// Until 10, Resize and Upsample read at `out / scale`, and nearest meant the
/// pixel before (when enlarging) or behind (when shrinking). The converter leaves
/// the defaults of 11, half-pixel coordinates.
void accel::import::keepOldCoordinates(NodeProto &resize, const GraphProto &graph) {
  auto set = [&](const char *name, const char *text) {
    for (const AttributeProto &attribute : resize.attribute())
      if (attribute.name() == name)
        return;
    AttributeProto &attribute = *resize.add_attribute();
    attribute.set_name(name);
    attribute.set_type(AttributeProto::STRING);
    attribute.set_s(text);
  };
  set("coordinate_transformation_mode", "asymmetric");
  std::vector<float> scales;
  if (resize.input_size() > 2)
    scales = floatsOf(graph, resize.input(2));
  bool shrinks = llvm::any_of(scales, [](float scale) { return scale < 1; }) &&
                 llvm::all_of(scales, [](float scale) { return scale <= 1; });
  set("nearest_mode", shrinks ? "ceil" : "floor");
}
