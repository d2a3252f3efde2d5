//===- Shapes.cpp - --dim and ONNX's shape inference ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"

#include "onnx/defs/schema.h"
#include "onnx/shape_inference/implementation.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::GraphProto;
using ::onnx::TypeProto;

FailureOr<DimBinding> accel::parseDimBinding(StringRef text, std::string &error) {
  auto [name, number] = text.rsplit('=');
  DimBinding binding;
  binding.name = name.str();
  // INPUT[AXIS] is another spelling of INPUT:AXIS.
  if (name.ends_with("]"))
    if (auto [input, axis] = name.drop_back().rsplit('['); !axis.empty())
      binding.name = (input + ":" + axis).str();
  if (name.empty() || number.getAsInteger(10, binding.value) || binding.value <= 0) {
    error = ("--dim " + text + ": expected NAME=N or INPUT:AXIS=N with N of at least 1").str();
    return failure();
  }
  return binding;
}

static void bindType(TypeProto &type, const llvm::StringMap<int64_t> &names,
                     llvm::StringMap<bool> &used) {
  if (type.has_sequence_type())
    return bindType(*type.mutable_sequence_type()->mutable_elem_type(), names, used);
  if (type.has_optional_type())
    return bindType(*type.mutable_optional_type()->mutable_elem_type(), names, used);
  if (!type.has_tensor_type() || !type.tensor_type().has_shape())
    return;
  for (auto &dim : *type.mutable_tensor_type()->mutable_shape()->mutable_dim())
    if (auto found = names.find(dim.dim_param()); dim.has_dim_param() && found != names.end()) {
      used[dim.dim_param()] = true;
      dim.set_dim_value(found->second);
    }
}

/// Drops shapes that the exporter recorded inside the graph: with a dimension
/// bound, inference finds them again, and a stale number would contradict.
/// Outputs of other domains keep theirs, for nothing else knows them.
static void bindGraph(GraphProto &graph, const llvm::StringMap<int64_t> &names,
                      llvm::StringMap<bool> &used) {
  for (auto &value : *graph.mutable_input())
    bindType(*value.mutable_type(), names, used);
  for (auto &value : *graph.mutable_output())
    bindType(*value.mutable_type(), names, used);
  llvm::StringMap<bool> custom;
  for (auto &node : *graph.mutable_node()) {
    if (!isOnnxDomain(node.domain()))
      for (const std::string &output : node.output())
        custom[output] = true;
    for (GraphProto *inner : subgraphsOf(node))
      bindGraph(*inner, names, used);
  }
  auto *values = graph.mutable_value_info();
  int kept = 0;
  for (int i = 0; i < values->size(); ++i) {
    bindType(*values->Mutable(i)->mutable_type(), names, used);
    if (custom.count(values->Get(i).name()))
      values->SwapElements(kept++, i);
  }
  values->DeleteSubrange(kept, values->size() - kept);
}

LogicalResult accel::import::bindDims(Model &model, ArrayRef<DimBinding> dims) {
  GraphProto &graph = *model.proto.mutable_graph();
  if (dims.empty())
    return success();
  // Some exporters write -1 for "unknown". Inputs must be bound; outputs follow from them.
  for (auto &value : *graph.mutable_output())
    if (value.type().has_tensor_type() && value.type().tensor_type().has_shape())
      for (auto &dim : *value.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim())
        if (dim.has_dim_value() && dim.dim_value() < 0)
          dim.clear_value();
  llvm::StringMap<int64_t> names;
  llvm::StringMap<bool> used;
  // INPUT:AXIS first: it may name an axis whose symbol then stands for a number.
  for (const DimBinding &binding : dims) {
    auto [inputName, axisText] = StringRef(binding.name).rsplit(':');
    int64_t axis;
    auto *inputs = graph.mutable_input();
    auto input = llvm::find_if(
        *inputs, [&](const auto &value) { return !axisText.empty() && value.name() == inputName; });
    if (input == inputs->end() || axisText.getAsInteger(10, axis)) {
      auto [entry, isNew] = names.try_emplace(binding.name, binding.value);
      if (!isNew && entry->second != binding.value)
        return model.error() << "--dim " << binding.name << " is given twice, as " << entry->second
                             << " and as " << binding.value;
      continue;
    }
    auto *tensor = input->mutable_type()->mutable_tensor_type();
    int64_t rank = tensor->shape().dim_size();
    if (axis < 0 || axis >= rank)
      return model.error() << "--dim " << binding.name << ": input '" << inputName << "' has rank "
                           << rank << ", so the axis must be 0 to " << rank - 1;
    auto *dim = tensor->mutable_shape()->mutable_dim(axis);
    if (dim->has_dim_value() && dim->dim_value() >= 0 && dim->dim_value() != binding.value)
      return model.error() << "--dim " << binding.name << '=' << binding.value << ": axis " << axis
                           << " of input '" << inputName << "' is fixed to " << dim->dim_value()
                           << " in the model";
    if (isDimName(dim->dim_param())) {
      auto [entry, isNew] = names.try_emplace(dim->dim_param(), binding.value);
      if (!isNew && entry->second != binding.value)
        return model.error() << "--dim " << binding.name << '=' << binding.value << ": axis "
                             << axis << " of input '" << inputName << "' is called '"
                             << dim->dim_param() << "', which another --dim binds to "
                             << entry->second;
    }
    dim->set_dim_value(binding.value);
  }
  bindGraph(graph, names, used);
  for (const DimBinding &binding : dims)
    if (names.count(binding.name) && !used.count(binding.name)) {
      llvm::StringMap<bool> symbols;
      for (const auto &input : model.proto.graph().input())
        for (const auto &dim : input.type().tensor_type().shape().dim())
          if (isDimName(dim.dim_param()))
            symbols[dim.dim_param()] = true;
      std::vector<std::string> known;
      for (const auto &entry : symbols)
        known.push_back("'" + entry.getKey().str() + "'");
      llvm::sort(known);
      return model.error() << "--dim " << binding.name
                           << ": the model has no such symbolic dimension ("
                           << (known.empty() ? "none at all" : "it has " + llvm::join(known, ", "))
                           << "); INPUT:AXIS=N binds an axis by position";
    }
  return success();
}

/// Inference by function body binds only attributes that are written down and
/// fails on the others (MeanVarianceNormalization without axes): write them.
static void writeFunctionDefaults(GraphProto &graph, int opset) {
  for (auto &node : *graph.mutable_node()) {
    for (GraphProto *inner : subgraphsOf(node))
      writeFunctionDefaults(*inner, opset);
    const auto *schema = isOnnxDomain(node.domain())
                             ? ::onnx::OpSchemaRegistry::Schema(node.op_type(), opset)
                             : nullptr;
    if (!schema || schema->has_type_and_shape_inference_function() || !schema->HasFunction())
      continue;
    for (const auto &[name, attribute] : schema->attributes()) {
      bool given = llvm::any_of(node.attribute(), [&](const auto &a) { return a.name() == name; });
      if (given || attribute.default_value.type() == ::onnx::AttributeProto::UNDEFINED)
        continue;
      auto *added = node.add_attribute();
      *added = attribute.default_value;
      added->set_name(name);
    }
  }
}

LogicalResult accel::import::inferShapes(Model &model) {
  std::string what;
  // ONNX takes every short integer tensor for a shape and refuses arithmetic that shapes
  // do not have (rows - columns of a mask). Such a model is inferred without values;
  // simplify-onnx finds what then stays unknown.
  for (bool propagateValues : {true, false}) {
    try {
      writeFunctionDefaults(*model.proto.mutable_graph(), int(opsetOf(model.proto)));
      ::onnx::ShapeInferenceOptions options(/*check_type=*/true, /*strict_mode=*/1,
                                            propagateValues);
      ::onnx::shape_inference::DataValueMap values;
      ::onnx::shape_inference::InferShapes(model.proto, ::onnx::OpSchemaRegistry::Instance(),
                                           options, &values);
      return success();
    } catch (const std::exception &exception) {
      if (what.empty())
        what = exception.what();
    }
  }
  std::string node = nodeOfMessage(what);
  return model.error() << (node.empty() ? "" : node + ": ") << plainMessage(what.c_str())
                       << " (ONNX shape inference); types and shapes in the model contradict "
                          "each other";
}
