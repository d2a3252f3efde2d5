//===- InferOp.cpp - shape inference of one operation ---------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NodeContext.h"

#include "onnx/defs/schema.h"
#include "onnx/shape_inference/implementation.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::TensorProto;
using ::onnx::TypeProto;

LogicalResult NodeContext::init(Operation *op) {
  if (failed(exportAttributes(op, node)))
    return failure();
  for (auto [i, value] : llvm::enumerate(op->getOperands())) {
    bool absent = isa<NoneType>(value.getType());
    node.add_input(absent ? "" : "i" + std::to_string(i));
    types.emplace_back();
    if (!absent)
      exportType(value.getType(), types.back());
  }
  for (auto [i, value] : llvm::enumerate(op->getResults()))
    node.add_output(isa<NoneType>(value.getType()) ? "" : "o" + std::to_string(i));
  while (node.input_size() && node.input(node.input_size() - 1).empty())
    node.mutable_input()->RemoveLast();
  while (node.output_size() && node.output(node.output_size() - 1).empty())
    node.mutable_output()->RemoveLast();
  return success();
}

/// The more precise of two types that must agree; null if they contradict.
static Type refine(Type known, Type inferred) {
  if (isa<ir::UnknownType>(known))
    return inferred;
  if (isa<ir::UnknownType>(inferred))
    return known;
  auto a = dyn_cast<TensorType>(known), b = dyn_cast<TensorType>(inferred);
  if (!a || !b)
    return known; // containers: ONNX checked them
  if (a.getElementType() != b.getElementType())
    return {};
  if (!a.hasRank() || !b.hasRank())
    return a.hasRank() ? known : inferred;
  if (a.getRank() != b.getRank())
    return {};
  SmallVector<int64_t> dims;
  for (auto [x, y] : llvm::zip(a.getShape(), b.getShape())) {
    if (!ShapedType::isDynamic(x) && !ShapedType::isDynamic(y) && x != y)
      return {};
    dims.push_back(ShapedType::isDynamic(x) ? y : x);
  }
  return RankedTensorType::get(dims, a.getElementType());
}

LogicalResult accel::inferOnnxOp(Operation *op, function_ref<DenseElementsAttr(Value)> constantOf) {
  StringRef kind = op->getName().stripDialect();
  const auto *schema = ::onnx::OpSchemaRegistry::Schema(kind.str(), kOpset);
  // Subgraphs have inferred their own types at import; their outputs do not
  // depend on constants outside.
  if (!schema || op->getNumRegions() || kind == "Custom")
    return success();
  NodeContext context;
  if (failed(context.init(op)))
    return failure();

  std::unordered_map<std::string, TypeProto *> types;
  std::unordered_map<std::string, const TensorProto *> data;
  std::vector<std::unique_ptr<TensorProto>> tensors;
  for (auto [i, value] : llvm::enumerate(op->getOperands())) {
    std::string name = "i" + std::to_string(i);
    if (context.types[i].value_case() != TypeProto::VALUE_NOT_SET)
      types[name] = &context.types[i];
    DenseElementsAttr constant =
        isa<TensorType>(value.getType()) ? constantOf(value) : DenseElementsAttr();
    std::string why;
    auto tensor = std::make_unique<TensorProto>();
    if (constant && exportTensor(constant, constant.getType(), *tensor, why)) {
      data[name] = tensor.get();
      tensors.push_back(std::move(tensor));
    }
  }
  SmallVector<Type> inferred;
  try {
    ::onnx::ShapeInferenceOptions options(true, 1, true);
    ::onnx::shape_inference::DataValueMap values;
    ::onnx::shape_inference::SymbolTableImpl symbols;
    ::onnx::shape_inference::InferenceContextImpl inference(context.node, types, data, {}, options,
                                                            &values);
    if (schema->has_type_and_shape_inference_function()) {
      schema->GetTypeAndShapeInferenceFunction()(inference);
    } else if (schema->HasFunction()) {
      ::onnx::shape_inference::InferShapeForFunctionNode(*schema->GetFunction(),
                                                         ::onnx::OpSchemaRegistry::Instance(),
                                                         inference, options, {}, &symbols, &values);
    }
    for (int i = 0; i < context.node.output_size(); ++i)
      inferred.push_back(importType(*inference.getOutputType(i), op->getContext()));
  } catch (const std::exception &exception) {
    return op->emitError() << "(" << kind << "): " << plainMessage(exception.what())
                           << " (ONNX shape inference)";
  }
  for (auto [result, type] : llvm::zip(op->getResults(), inferred)) {
    if (isa<NoneType>(result.getType()))
      continue;
    Type refined = refine(result.getType(), type);
    if (!refined)
      return op->emitError() << "(" << kind << "): result " << result.getResultNumber()
                             << " is declared as " << result.getType() << ", but inference gives "
                             << type;
    auto tensor = dyn_cast<RankedTensorType>(refined);
    if (tensor && isTooLarge(tensor.getShape()))
      return op->emitError() << "(" << kind << "): result " << result.getResultNumber()
                             << " would have more than 2^48 elements";
    result.setType(refined);
  }
  return success();
}
