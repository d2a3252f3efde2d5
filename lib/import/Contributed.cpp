//===- Contributed.cpp - writing bodies of com.microsoft ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Contributed.h"
#include "acc/Import/Import.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::AttributeProto;
using ::onnx::TensorProto;

//===----------------------------------------------------------------------===//
// The node
//===----------------------------------------------------------------------===//

const AttributeProto *Body::find(StringRef attribute) const {
  for (const AttributeProto &candidate : node.attribute())
    if (candidate.name() == attribute)
      return &candidate;
  return nullptr;
}

int64_t Body::integer(StringRef attribute, int64_t missing) const {
  const AttributeProto *found = find(attribute);
  return found ? found->i() : missing;
}
float Body::real(StringRef attribute, float missing) const {
  const AttributeProto *found = find(attribute);
  return found ? found->f() : missing;
}
std::string Body::text(StringRef attribute) const {
  const AttributeProto *found = find(attribute);
  return found ? found->s() : std::string();
}
std::vector<float> Body::reals(StringRef attribute) const {
  const AttributeProto *found = find(attribute);
  return found ? std::vector<float>(found->floats().begin(), found->floats().end())
               : std::vector<float>();
}
std::vector<int64_t> Body::integers(StringRef attribute) const {
  const AttributeProto *found = find(attribute);
  return found ? std::vector<int64_t>(found->ints().begin(), found->ints().end())
               : std::vector<int64_t>();
}

std::vector<int64_t> Body::shape(int input) const {
  std::vector<int64_t> sizes;
  if (!has(input) || !types[input].has_tensor_type() || !types[input].tensor_type().has_shape())
    return sizes;
  for (const auto &dim : types[input].tensor_type().shape().dim()) {
    if (!dim.has_dim_value())
      return {};
    sizes.push_back(dim.dim_value());
  }
  return sizes;
}

int Body::elementType(int input) const {
  return has(input) && types[input].has_tensor_type() ? types[input].tensor_type().elem_type()
                                                      : int(TensorProto::UNDEFINED);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

Body &Body::copy(std::initializer_list<StringRef> attributes) {
  for (StringRef name : attributes)
    if (const AttributeProto *found = find(name))
      *function.mutable_node(function.node_size() - 1)->add_attribute() = *found;
  return *this;
}

Body &Body::ints(const std::string &name, const std::vector<int64_t> &values) {
  builder.Const(name, values);
  return *this;
}

Body &Body::bytes(const std::string &name, const std::vector<int> &values) {
  TensorProto tensor;
  tensor.set_data_type(TensorProto::UINT8);
  tensor.add_dims(values.size());
  for (int value : values)
    tensor.add_int32_data(value);
  builder.Const(name, tensor);
  return *this;
}

Body &Body::number(const std::string &name, float value) {
  builder.Const(name + "_f32", value);
  return add("{0} = CastLike({0}_f32, i0)", name);
}

bool Body::activation(StringRef from, StringRef to, StringRef kind,
                      const std::vector<float> &parameters) {
  auto parameter = [&](size_t i, float missing) {
    return i < parameters.size() ? parameters[i] : missing;
  };
  if (kind.empty()) {
    add("{0} = Identity({1})", to, from);
  } else if (kind == "Relu" || kind == "Tanh" || kind == "Sigmoid") {
    add("{0} = {1}({2})", to, kind, from);
  } else if (kind == "LeakyRelu") {
    add("{0} = LeakyRelu({1})", to, from).with("alpha", parameter(0, 0.01f));
  } else if (kind == "HardSigmoid") {
    add("{0} = HardSigmoid({1})", to, from).with("alpha", parameter(0, 0.2f));
    with("beta", parameter(1, 0.5f));
  } else if (kind == "Clip" && parameters.size() == 2) {
    number("low", parameters[0]).number("high", parameters[1]);
    add("{0} = Clip({1}, low, high)", to, from);
  } else {
    return refuse("activation '" + kind + "'; " + "Relu, Tanh, Sigmoid, LeakyRelu, HardSigmoid " +
                  "and Clip are possible");
  }
  return true;
}

//===----------------------------------------------------------------------===//
// All operators
//===----------------------------------------------------------------------===//

static std::vector<ContributedOp> allOps() {
  std::vector<ContributedOp> all;
  for (ArrayRef<ContributedOp> table : {quantisedOps(), fusedOps(), transformerOps()})
    llvm::append_range(all, table);
  return all;
}

static WriteBody find(const ::onnx::NodeProto &node) {
  static const std::vector<ContributedOp> all = allOps();
  if (node.domain() != kContributedDomain)
    return nullptr;
  for (const ContributedOp &op : all)
    if (op.kind == node.op_type())
      return op.write;
  return nullptr;
}

bool accel::import::isContributed(const ::onnx::NodeProto &node) { return find(node) != nullptr; }

bool accel::import::writeContributed(const NodeContext &context, ::onnx::FunctionProto &function,
                                     std::string &why) {
  WriteBody write = find(context.node);
  if (!write)
    return false;
  constexpr int kMostInputs = 16; // of operators whose absent operands a body names
  for (int i = 0; i < std::max(context.node.input_size(), kMostInputs); ++i)
    function.add_input("i" + std::to_string(i));
  for (int i = 0; i < context.node.output_size(); ++i)
    function.add_output("o" + std::to_string(i));
  auto *opset = function.add_opset_import();
  opset->set_version(kOpset);
  Body body(context.node, context.types, function);
  if (write(body))
    return true;
  why = body.why;
  return false;
}

std::vector<std::string> accel::contributedOps() {
  std::vector<std::string> names;
  for (const ContributedOp &op : allOps())
    names.push_back(op.kind.str());
  llvm::sort(names);
  return names;
}
