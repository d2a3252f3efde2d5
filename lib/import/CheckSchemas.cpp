//===- CheckSchemas.cpp - ONNX's checker and opset limits ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"

#include "onnx/checker.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::GraphProto;
using ::onnx::TensorProto;

/// The checker wants data of packed types in full, but a large tensor holds a
/// token only: for its eyes such a tensor is one of bytes.
static void disguisePacked(GraphProto &graph,
                           std::vector<std::pair<TensorProto *, int>> &disguised) {
  auto visit = [&](TensorProto &tensor) {
    switch (tensor.data_type()) {
    case TensorProto::INT4:
    case TensorProto::UINT4:
    case TensorProto::INT2:
    case TensorProto::UINT2:
    case TensorProto::FLOAT4E2M1:
      if (tensor.raw_data().size() == 16) {
        disguised.emplace_back(&tensor, tensor.data_type());
        tensor.set_data_type(TensorProto::UINT8);
      }
    }
  };
  for (TensorProto &tensor : *graph.mutable_initializer())
    visit(tensor);
  for (auto &node : *graph.mutable_node()) {
    for (auto &attribute : *node.mutable_attribute())
      if (attribute.has_t())
        visit(*attribute.mutable_t());
    for (GraphProto *inner : subgraphsOf(node))
      disguisePacked(*inner, disguised);
  }
}

LogicalResult accel::import::checkSchemas(Model &model) {
  int64_t opset = opsetOf(model.proto);
  // 7 to 27 is what is promised; older ones are tried.
  bool usesOnnx = llvm::any_of(model.proto.graph().node(),
                               [](const auto &node) { return isOnnxDomain(node.domain()); });
  if (!opset && usesOnnx)
    return model.error() << "the model names no version of the operator set ai.onnx; export it "
                            "again with opset 7 to "
                         << kOpset;
  if (opset != 0 && (opset < kOldestOpset || opset > kOpset))
    return model.error() << "the model uses opset " << opset << " of ai.onnx; versions 7 to "
                         << kOpset << " are understood: convert it with onnx.version_converter";

  for (const auto &import : model.proto.opset_import())
    if (isOnnxDomain(import.domain()) && import.version() != opset)
      return model.error() << "the model imports ai.onnx twice, in versions " << opset << " and "
                           << import.version() << "; keep one";

  std::vector<std::pair<TensorProto *, int>> disguised;
  disguisePacked(*model.proto.mutable_graph(), disguised);
  // It also wants a shape of every output; many models leave it to inference.
  std::vector<::onnx::TypeProto_Tensor *> shapeless;
  for (auto &output : *model.proto.mutable_graph()->mutable_output())
    if (output.type().has_tensor_type() && !output.type().tensor_type().has_shape()) {
      shapeless.push_back(output.mutable_type()->mutable_tensor_type());
      shapeless.back()->mutable_shape();
    }
  std::string what;
  try {
    ::onnx::checker::check_model(model.proto);
  } catch (const std::exception &exception) {
    what = exception.what();
  }
  for (auto [tensor, type] : disguised)
    tensor->set_data_type(type);
  for (auto *type : shapeless)
    type->clear_shape();
  if (what.empty())
    return success();
  std::string node = nodeOfMessage(what);
  return model.error() << (node.empty() ? "" : node + ": ") << plainMessage(what.c_str())
                       << " (ONNX checker); correct the model or export it again";
}
