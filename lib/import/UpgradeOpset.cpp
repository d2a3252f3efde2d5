//===- UpgradeOpset.cpp - every operator to opset 27 ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's version converter, node by node: only nodes whose operator changed are
// taken apart, converted in a model of their own and put back. So one operator
// that the converter cannot handle is named, and a chain of 100,000 nodes costs
// no more than its old operators. A node that cannot be converted is kept as an
// operator of the domain ai.onnx.vN: it imports, and the lowering names it.
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "onnx/defs/schema.h"
#include "onnx/version_converter/convert.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::OpSchema;
using ::onnx::OpSchemaRegistry;
using ::onnx::TypeProto;
using ::onnx::version_conversion::CompatibleAdapter;
using ::onnx::version_conversion::DefaultVersionConverter;

namespace {

/// What must be done to bring an operator from one version to kOpset.
enum class Path {
  Unchanged, // same operator in both versions
  Nothing,   // changed, but the node stays as it is
  Convert,
  NoAdapter
};

class Converter : public DefaultVersionConverter {
public:
  Path path(const std::string &op, int from) const {
    if (op == "Scan" && from < 9)
      return Path::NoAdapter; // the adapter forgets the batch axis of version 8
    auto known = all_schemas.find(op);
    if (known == all_schemas.end())
      return Path::NoAdapter;
    auto domain = known->second.find("");
    if (domain == known->second.end())
      return Path::NoAdapter;
    Path result = Path::Nothing;
    for (int version = from; version < kOpset; ++version) {
      if (!domain->second.count(version + 1))
        continue; // unchanged in this step
      const ::onnx::version_conversion::Adapter *adapter = find(op, version);
      if (!adapter)
        return Path::NoAdapter;
      if (!dynamic_cast<const CompatibleAdapter *>(adapter))
        result = Path::Convert;
    }
    return result;
  }

private:
  const ::onnx::version_conversion::Adapter *find(const std::string &op, int version) const {
    using ::onnx::OpSetID;
    auto byOp = adapters.find(op);
    if (byOp == adapters.end())
      return nullptr;
    auto from = byOp->second.find(OpSetID(version).toString());
    if (from == byOp->second.end())
      return nullptr;
    auto to = from->second.find(OpSetID(version + 1).toString());
    return to == from->second.end() ? nullptr : to->second.get();
  }
};

class Upgrade {
public:
  explicit Upgrade(int from) : from(from) {}
  void graph(GraphProto &graph);
  bool changed = false, keptOld = false;

private:
  int from;
  llvm::StringMap<Path> paths;
  llvm::StringMap<const TypeProto *> types; // of visible values
  int fresh = 0;

  static const Converter &converter() {
    static const Converter instance;
    return instance;
  }
  Path pathOf(const std::string &op) {
    auto [entry, isNew] = paths.try_emplace(op, Path::Unchanged);
    if (isNew) {
      const OpSchema *now = OpSchemaRegistry::Schema(op, kOpset);
      const OpSchema *then = OpSchemaRegistry::Schema(op, from);
      bool same = now && then && now->since_version() == then->since_version();
      entry->second = same ? Path::Unchanged : converter().path(op, from);
    }
    return entry->second;
  }
  bool convert(const NodeProto &node, int index,
               google::protobuf::RepeatedPtrField<NodeProto> &result, GraphProto &owner);
};

bool Upgrade::convert(const NodeProto &node, int index,
                      google::protobuf::RepeatedPtrField<NodeProto> &result, GraphProto &owner) {
  ModelProto single;
  single.set_ir_version(8);
  auto *opset = single.add_opset_import();
  opset->set_domain("");
  opset->set_version(from);
  GraphProto &graph = *single.mutable_graph();
  graph.set_name("node");
  llvm::StringMap<bool> given;
  for (const std::string &input : node.input()) {
    if (input.empty() || !given.try_emplace(input, true).second)
      continue;
    auto *value = graph.add_input();
    value->set_name(input);
    if (auto type = types.find(input); type != types.end() && type->second)
      *value->mutable_type() = *type->second;
  }
  *graph.add_node() = node;
  for (const std::string &output : node.output()) {
    if (output.empty())
      continue;
    auto *value = graph.add_output();
    value->set_name(output);
    if (auto type = types.find(output); type != types.end() && type->second)
      *value->mutable_type() = *type->second;
  }
  ModelProto converted;
  try {
    converted = converter().convert_version(single, ::onnx::OpSetID(from), ::onnx::OpSetID(kOpset));
  } catch (const std::exception &) {
    return false;
  }
  // Names that the converter invented are unique in its small model only.
  llvm::StringMap<std::string> renamed;
  auto rename = [&](const std::string &name) -> std::string {
    if (name.empty() || given.count(name) || llvm::is_contained(node.output(), name))
      return name;
    std::string &now = renamed[name];
    if (now.empty())
      do
        now = nodeLabel(node, index) + "/upgrade_" + std::to_string(fresh++);
      while (types.count(now));
    return now;
  };
  GraphProto &made = *converted.mutable_graph();
  for (auto &tensor : *made.mutable_initializer()) {
    auto *added = owner.add_initializer();
    *added = tensor;
    added->set_name(rename(tensor.name()));
  }
  for (auto &part : *made.mutable_node()) {
    if (part.op_type() == "Undefined" || part.op_type() == "Captured")
      continue;
    for (auto &input : *part.mutable_input())
      input = rename(input);
    for (auto &output : *part.mutable_output())
      output = rename(output);
    if (part.name().empty() || part.op_type() != node.op_type())
      part.set_name(nodeLabel(node, index));
    if (part.op_type() == "Resize" && from < 11)
      keepOldCoordinates(part, owner);
    *result.Add() = part;
  }
  return true;
}

void Upgrade::graph(GraphProto &graph) {
  for (const auto &values : {&graph.input(), &graph.value_info(), &graph.output()})
    for (const auto &value : *values)
      types[value.name()] = &value.type();
  std::vector<std::unique_ptr<TypeProto>> initializerTypes;
  for (const auto &tensor : graph.initializer())
    if (!types.count(tensor.name())) {
      auto type = std::make_unique<TypeProto>();
      type->mutable_tensor_type()->set_elem_type(tensor.data_type());
      auto *shape = type->mutable_tensor_type()->mutable_shape();
      for (int64_t dim : tensor.dims())
        shape->add_dim()->set_dim_value(dim);
      types[tensor.name()] = type.get();
      initializerTypes.push_back(std::move(type));
    }

  llvm::StringMap<bool> outdated;
  google::protobuf::RepeatedPtrField<NodeProto> nodes;
  nodes.Swap(graph.mutable_node());
  for (int i = 0; i < nodes.size(); ++i) {
    NodeProto &node = *nodes.Mutable(i);
    for (GraphProto *inner : subgraphsOf(node))
      this->graph(*inner);
    Path path = isOnnxDomain(node.domain()) ? pathOf(node.op_type()) : Path::Unchanged;
    changed |= path != Path::Unchanged;
    auto typeOf = [&](StringRef name) { return types.lookup(name); };
    if (path == Path::NoAdapter && node.op_type() == "Scan" &&
        upgradeScan8(node, nodeLabel(node, i), typeOf))
      path = Path::Nothing;
    if (path != Path::Unchanged && node.op_type() == "Hardmax" && from < 13) {
      for (NodeProto &part : upgradeHardmax(node, nodeLabel(node, i)))
        graph.mutable_node()->Add()->Swap(&part);
      continue;
    }
    // Positions of nameless nodes stay those of the file.
    bool kept = path == Path::NoAdapter ||
                (path == Path::Convert && !convert(node, i, *graph.mutable_node(), graph));
    if (path != Path::Unchanged && !kept)
      // Types may change with the operator (Dropout's mask became bool).
      for (const std::string &output : node.output())
        outdated[output] = true;
    if (path == Path::Convert && !kept)
      continue;
    if (kept) {
      keptOld = true;
      node.set_domain("ai.onnx.v" + std::to_string(from));
    }
    if (node.name().empty())
      node.set_name(nodeLabel(node, i));
    graph.mutable_node()->Add()->Swap(&node);
  }
  // What is inferred again must not meet its old self; nothing may point to it.
  for (const auto &tensor : graph.initializer())
    types.erase(tensor.name());
  for (const auto &value : graph.value_info())
    types.erase(value.name());
  auto *values = graph.mutable_value_info();
  int kept = 0;
  for (int i = 0; i < values->size(); ++i)
    if (!outdated.count(values->Get(i).name()))
      values->SwapElements(kept++, i);
  values->DeleteSubrange(kept, values->size() - kept);
}

} // namespace

LogicalResult accel::import::upgradeOpset(Model &model, bool &changed) {
  int64_t opset = opsetOf(model.proto);
  changed = false;
  if (opset && opset != kOpset) {
    Upgrade upgrade(opset);
    upgrade.graph(*model.proto.mutable_graph());
    changed = upgrade.changed;
    if (upgrade.keptOld) {
      auto *old = model.proto.add_opset_import();
      old->set_domain("ai.onnx.v" + std::to_string(opset));
      old->set_version(opset);
    }
  }
  for (auto &import : *model.proto.mutable_opset_import())
    if (isOnnxDomain(import.domain()))
      import.set_version(kOpset);
  return success();
}
