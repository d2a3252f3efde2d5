//===- ExpandFunction.cpp - a composite operator by its function body -----===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Contributed.h"

#include "onnx/defs/schema.h"
#include "onnx/shape_inference/attribute_binder.h"
#include "onnx/shape_inference/implementation.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::FunctionProto;
using ::onnx::OpSchema;
using ::onnx::TypeProto;

static const OpSchema *schemaOf(Operation *op) {
  if (op->getName().getDialectNamespace() != "onnx")
    return nullptr;
  return ::onnx::OpSchemaRegistry::Schema(op->getName().stripDialect().str(), kOpset);
}

/// An operator of com.microsoft that has a body here.
static bool isContributedOp(Operation *op) {
  NodeContext context;
  return op->getName().getStringRef() == "onnx.Custom" && !op->getNumRegions() &&
         succeeded(context.init(op)) && isContributed(context.node);
}

bool accel::hasOnnxFunction(Operation *op) {
  if (isContributedOp(op))
    return true;
  const OpSchema *schema = schemaOf(op);
  return schema && (schema->HasFunction() || schema->HasContextDependentFunction());
}

/// The body for these operand types, with its attribute references bound.
static bool buildBody(const OpSchema &schema, NodeContext &context, FunctionProto &body) {
  if (schema.HasContextDependentFunction()) {
    ::onnx::FunctionBodyBuildContextImpl build(context.node, context.types);
    std::vector<int> versions = schema.context_dependent_function_opset_versions();
    int version = versions.empty() ? schema.since_version()
                                   : *std::max_element(versions.begin(), versions.end());
    if (!schema.BuildContextDependentFunction(build, body,
                                              std::max(version, schema.since_version())))
      return false;
  } else if (const FunctionProto *stored = schema.GetFunction()) {
    body = *stored;
  } else {
    return false;
  }
  // Attributes that the node leaves to their defaults.
  ::onnx::NodeProto caller = context.node;
  for (const auto &[name, attribute] : schema.attributes()) {
    bool given = llvm::any_of(caller.attribute(), [&](const auto &a) { return a.name() == name; });
    if (!given && attribute.default_value.type() != ::onnx::AttributeProto::UNDEFINED) {
      auto *added = caller.add_attribute();
      *added = attribute.default_value;
      added->set_name(name);
    }
  }
  ::onnx::internal::AttributeBinder::BindAttributes(caller, body);
  return true;
}

LogicalResult accel::expandOnnxFunction(RewriterBase &rewriter, Operation *op) {
  const OpSchema *schema = schemaOf(op);
  NodeContext context;
  if (!hasOnnxFunction(op) || op->getNumRegions() || failed(context.init(op)))
    return failure();

  Model model;
  model.path = "<function body of " + op->getName().stripDialect().str() + ">";
  model.context = op->getContext();
  // Errors inside are the caller's business: it reports the operator itself.
  ScopedDiagnosticHandler silence(op->getContext(), [](Diagnostic &) { return success(); });
  try {
    FunctionProto body;
    std::string why;
    bool isBuilt = isContributed(context.node) ? writeContributed(context, body, why)
                                               : schema && buildBody(*schema, context, body);
    if (!isBuilt)
      return failure();
    // As a graph of its own it passes through the same upgrade and inference as
    // a whole model.
    model.proto.set_ir_version(10);
    for (const auto &import : body.opset_import())
      *model.proto.add_opset_import() = import;
    if (!opsetOf(model.proto)) {
      auto *opset = model.proto.add_opset_import();
      opset->set_domain("");
      opset->set_version(schema->since_version());
    }
    auto &graph = *model.proto.mutable_graph();
    graph.set_name("body");
    llvm::StringMap<Value> names;
    llvm::StringMap<bool> absent;
    for (int i = 0; i < body.input_size(); ++i) {
      const std::string &name = body.input(i);
      if (i >= context.node.input_size() || context.node.input(i).empty()) {
        absent[name] = true;
        continue;
      }
      auto *input = graph.add_input();
      input->set_name(name);
      *input->mutable_type() = context.types[i];
      names[name] = op->getOperand(i);
    }
    for (const auto &node : body.node()) {
      auto *added = graph.add_node();
      *added = node;
      for (std::string &input : *added->mutable_input())
        if (absent.count(input))
          input.clear();
    }
    for (const std::string &output : body.output())
      graph.add_output()->set_name(output);
    bool changed = false;
    if (failed(inferShapes(model)) || failed(upgradeOpset(model, changed)) ||
        (changed && failed(inferShapes(model))))
      return failure();
    for (const auto &node : graph.node())
      if (!isOnnxDomain(node.domain())) // the upgrade kept it as it was
        return failure();

    llvm::StringMap<const TypeProto *> types;
    for (const auto &list : {&graph.value_info(), &graph.input(), &graph.output()})
      for (const auto &value : *list)
        if (value.has_type())
          types[value.name()] = &value.type();
    rewriter.setInsertionPoint(op);
    OpBuilder builder(op);
    Operation *before = op->getPrevNode();
    auto undo = [&] {
      while (op->getPrevNode() != before && op->getPrevNode())
        op->getPrevNode()->erase();
      return failure();
    };
    for (const auto &tensor : graph.initializer()) { // made by the upgrade
      RankedTensorType type;
      std::string why;
      Attribute value = importTensor(tensor, model, type, why);
      if (!value)
        return undo();
      names[tensor.name()] = ir::createOp(builder, op->getLoc(), "Weight", type, {},
                                          builder.getNamedAttr("value", value))
                                 ->getResult(0);
    }
    if (failed(importNodes(model, builder, graph.node(), names, types, op->getLoc())))
      return undo();
    SmallVector<Value> results;
    for (OpResult result : op->getResults()) {
      int i = result.getResultNumber();
      Value value = i < body.output_size() ? names.lookup(body.output(i)) : Value();
      if (!value) {
        if (!result.use_empty())
          return undo();
        value =
            ir::createOp(builder, op->getLoc(), "None", builder.getNoneType(), {})->getResult(0);
      }
      // A model's own types may be more precise than what the body tells.
      if (value.getType() != result.getType() && !isa<NoneType>(value.getType()) &&
          isa<OpResult>(value))
        value.setType(result.getType());
      results.push_back(value);
    }
    rewriter.replaceOp(op, results);
    return success();
  } catch (const std::exception &) {
    return failure();
  }
}

std::string accel::whyNotExpanded(Operation *op) {
  NodeContext context;
  std::string why;
  if (op->getName().getStringRef() != "onnx.Custom" || failed(context.init(op)) ||
      !isContributed(context.node))
    return "";
  try {
    FunctionProto body;
    if (writeContributed(context, body, why))
      why = "its operands do not fit the operator, or a result is used that acc does not compute";
  } catch (const std::exception &exception) {
    why = plainMessage(exception.what());
  }
  return why;
}
