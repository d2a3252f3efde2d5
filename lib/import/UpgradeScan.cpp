//===- UpgradeScan.cpp - Scan of opset 8 to the one without a batch axis --===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Until opset 8, Scan went over axis 1 and repeated itself for each entry of the
// batch axis 0. ONNX's converter forgets the latter. Here it becomes a scan of
// its own:
//
//   y, ys = Scan_8(s, xs)    ->    y, ys = Scan_9(s, xs; axis 0) {
//                                    (s_b, xs_b) -> Scan_9(s_b, xs_b; axis 0) {body}
//                                  }
//
//===----------------------------------------------------------------------===//

#include "Model.h"

using namespace accel::import;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::TypeProto;

/// A value of one batch entry: the type without its first dimension.
static void addEntry(::onnx::ValueInfoProto &info, const std::string &name,
                     const TypeProto *whole) {
  info.set_name(name);
  if (!whole || !whole->has_tensor_type())
    return;
  auto &tensor = *info.mutable_type()->mutable_tensor_type();
  tensor = whole->tensor_type();
  if (tensor.has_shape() && tensor.shape().dim_size())
    tensor.mutable_shape()->mutable_dim()->DeleteSubrange(0, 1);
  else
    tensor.clear_shape();
}

static AttributeProto &addAttribute(NodeProto &node, const char *name,
                                    AttributeProto::AttributeType type) {
  AttributeProto &attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

bool accel::import::upgradeScan8(NodeProto &node, const std::string &label,
                                 llvm::function_ref<const TypeProto *(llvm::StringRef)> typeOf) {
  // Entries of different lengths have no counterpart.
  if (node.input_size() < 2 || !node.input(0).empty())
    return false;
  NodeProto inner;
  inner.set_op_type("Scan");
  inner.set_name(label + "/entry");
  for (AttributeProto &attribute : *node.mutable_attribute()) {
    inner.add_attribute()->Swap(&attribute);
    AttributeProto &moved = *inner.mutable_attribute(inner.attribute_size() - 1);
    if (moved.name() == "directions")
      moved.set_name("scan_input_directions");
  }
  NodeProto outer;
  outer.set_op_type("Scan");
  outer.set_name(label);
  addAttribute(outer, "num_scan_inputs", AttributeProto::INT).set_i(node.input_size() - 1);
  GraphProto &body = *addAttribute(outer, "body", AttributeProto::GRAPH).mutable_g();
  body.set_name(label + "/batch");
  for (int i = 1; i < node.input_size(); ++i) {
    std::string name = label + "/entry_in_" + std::to_string(i);
    outer.add_input(node.input(i));
    inner.add_input(name);
    addEntry(*body.add_input(), name, typeOf(node.input(i)));
  }
  for (int i = 0; i < node.output_size(); ++i) {
    std::string name = label + "/entry_out_" + std::to_string(i);
    outer.add_output(node.output(i));
    inner.add_output(name);
    addEntry(*body.add_output(), name, typeOf(node.output(i)));
  }
  *body.add_node() = std::move(inner);
  node = std::move(outer);
  return true;
}
