//===- Export.cpp - the onnx dialect to an ONNX file ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"
#include "acc/Import/WriteFile.h"

#include "onnx/defs/schema.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;

static std::string locationName(Location loc) {
  if (auto named = dyn_cast<NameLoc>(loc))
    return named.getName().str();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string name = locationName(part); !name.empty())
        return name;
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return locationName(call.getCallee());
  return "";
}

static LogicalResult exportAttribute(Operation *op, StringRef name, Attribute value,
                                     NodeProto &node) {
  AttributeProto &proto = *node.add_attribute();
  proto.set_name(name.str());
  std::string why;
  auto tensor = [&](ElementsAttr elements, TensorProto &result) {
    return exportTensor(elements, elements.getShapedType(), result, why);
  };
  if (auto number = dyn_cast<FloatAttr>(value)) {
    proto.set_type(AttributeProto::FLOAT);
    proto.set_f(float(number.getValueAsDouble()));
  } else if (auto number = dyn_cast<IntegerAttr>(value)) {
    proto.set_type(AttributeProto::INT);
    proto.set_i(number.getValue().getSExtValue());
  } else if (auto text = dyn_cast<StringAttr>(value)) {
    proto.set_type(AttributeProto::STRING);
    proto.set_s(text.getValue().str());
  } else if (auto floats = dyn_cast<DenseF32ArrayAttr>(value)) {
    proto.set_type(AttributeProto::FLOATS);
    for (float number : floats.asArrayRef())
      proto.add_floats(number);
  } else if (auto ints = dyn_cast<DenseI64ArrayAttr>(value)) {
    proto.set_type(AttributeProto::INTS);
    for (int64_t number : ints.asArrayRef())
      proto.add_ints(number);
  } else if (auto type = dyn_cast<TypeAttr>(value)) {
    proto.set_type(AttributeProto::TYPE_PROTO);
    exportType(type.getValue(), *proto.mutable_tp());
  } else if (auto sparse = dyn_cast<ir::SparseElementsAttr>(value)) {
    proto.set_type(AttributeProto::SPARSE_TENSOR);
    auto &result = *proto.mutable_sparse_tensor();
    for (int64_t dim : sparse.getType().getShape())
      result.add_dims(dim);
    auto values = dyn_cast<ElementsAttr>(sparse.getValues());
    auto indices = dyn_cast<ElementsAttr>(sparse.getIndices());
    if (!values || !indices || !tensor(values, *result.mutable_values()) ||
        !tensor(indices, *result.mutable_indices()))
      return op->emitError() << "attribute '" << name << "' cannot be exported: " << why;
  } else if (auto elements = dyn_cast<ElementsAttr>(value)) {
    proto.set_type(AttributeProto::TENSOR);
    if (!tensor(elements, *proto.mutable_t()))
      return op->emitError() << "attribute '" << name << "' cannot be exported: " << why;
  } else if (auto array = dyn_cast<ArrayAttr>(value)) {
    proto.set_type(AttributeProto::STRINGS);
    for (Attribute element : array) {
      if (auto text = dyn_cast<StringAttr>(element)) {
        proto.add_strings(text.getValue().str());
      } else if (auto elements = dyn_cast<ElementsAttr>(element)) {
        proto.set_type(AttributeProto::TENSORS);
        if (!tensor(elements, *proto.add_tensors()))
          return op->emitError() << "attribute '" << name << "' cannot be exported: " << why;
      }
    }
  } else {
    return op->emitError() << "attribute '" << name << "' has no form in ONNX";
  }
  return success();
}

LogicalResult accel::import::exportAttributes(Operation *op, NodeProto &node) {
  bool custom = op->getName().getStringRef() == "onnx.Custom";
  if (custom) {
    auto text = [&](StringRef name) {
      auto attr = op->getAttrOfType<StringAttr>(name);
      return attr ? attr.getValue().str() : std::string();
    };
    node.set_domain(text("domain"));
    node.set_op_type(text("op_type"));
    if (std::string overload = text("overload"); !overload.empty())
      node.set_overload(overload);
  } else {
    node.set_op_type(op->getName().stripDialect().str());
  }
  auto fields = op->getAttrOfType<DictionaryAttr>("fields");
  ArrayRef<NamedAttribute> list = !custom  ? op->getAttrs()
                                  : fields ? fields.getValue()
                                           : ArrayRef<NamedAttribute>();
  for (NamedAttribute attr : list) {
    if (!custom && attr.getName().getValue().contains('.'))
      continue; // of another dialect: nothing of ONNX
    if (failed(exportAttribute(op, attr.getName(), attr.getValue(), node)))
      return failure();
  }
  return success();
}

/// The graph of one region: an attribute of its own, or an entry of a list.
static GraphProto &addSubgraph(NodeProto &node, const std::string &name, ArrayAttr lists) {
  if (lists && llvm::is_contained(lists, StringAttr::get(lists.getContext(), name)))
    for (AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.name() == name)
        return *attribute.add_graphs();
  AttributeProto &attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(AttributeProto::GRAPH);
  return *attribute.mutable_g();
}

namespace {

class Exporter {
public:
  Exporter(ModuleOp module, StringRef path) : module(module), path(path.str()) {}
  LogicalResult run();

private:
  ModuleOp module;
  std::string path;
  ::onnx::ModelProto model;
  DenseMap<Value, std::string> names;
  llvm::StringSet<> taken, takenNodes; // values and nodes have names of their own
  bool external = false;
  std::vector<std::pair<Attribute, int64_t>> externalWeights; // value, offset
  int64_t externalEnd = 0;

  static std::string unique(std::string name, llvm::StringSet<> &taken) {
    std::string result = name;
    for (int i = 1; !taken.insert(result).second; ++i)
      result = name + "_" + std::to_string(i);
    return result;
  }
  std::string unique(const std::string &name) {
    return unique(name.empty() ? "value" : name, taken);
  }
  std::string nameOf(Value value) {
    return isa<NoneType>(value.getType()) ? std::string() : names.lookup(value);
  }
  void valueInfo(::onnx::ValueInfoProto &info, StringRef name, Type type, ArrayAttr dims);
  LogicalResult weight(Operation *op, GraphProto &graph);
  LogicalResult block(Block &block, GraphProto &graph);
  LogicalResult write();
};

void Exporter::valueInfo(::onnx::ValueInfoProto &info, StringRef name, Type type, ArrayAttr dims) {
  info.set_name(name.str());
  exportType(type, *info.mutable_type());
  if (!info.type().has_tensor_type() || !info.type().tensor_type().has_shape())
    return;
  auto &shape = *info.mutable_type()->mutable_tensor_type()->mutable_shape();
  for (int i = 0; dims && i < shape.dim_size() && i < int(dims.size()); ++i)
    if (auto text = dyn_cast<StringAttr>(dims[i]); text && !shape.dim(i).has_dim_value())
      shape.mutable_dim(i)->set_dim_param(text.getValue().str());
}

LogicalResult Exporter::weight(Operation *op, GraphProto &graph) {
  auto type = dyn_cast<ShapedType>(op->getResult(0).getType());
  Attribute value = op->getAttr("value");
  TensorProto &tensor = *graph.add_initializer();
  std::string name = names[op->getResult(0)] = unique(locationName(op->getLoc()));
  tensor.set_name(name);
  std::string why;
  auto file = dyn_cast_or_null<ir::FileAttr>(value);
  if (external && file) {
    tensor.set_data_type(ir::elementNumber(type.getElementType()));
    for (int64_t dim : type.getShape())
      tensor.add_dims(dim);
    externalEnd = (externalEnd + 4095) / 4096 * 4096;
    tensor.set_data_location(TensorProto::EXTERNAL);
    auto entry = [&](const char *key, std::string text) {
      auto *added = tensor.add_external_data();
      added->set_key(key);
      added->set_value(std::move(text));
    };
    entry("location", llvm::sys::path::filename(path).str() + ".data");
    entry("offset", std::to_string(externalEnd));
    entry("length", std::to_string(file.getLength()));
    externalWeights.emplace_back(file, externalEnd);
    externalEnd += file.getLength();
    return success();
  }
  if (!type || !value || !exportTensor(value, type, tensor, why))
    return op->emitError() << "weight '" << name << "' cannot be exported: " << why;
  return success();
}

LogicalResult Exporter::block(Block &block, GraphProto &graph) {
  for (Operation &op : block) {
    StringRef kind = op.getName().stripDialect();
    if (isa<func::ReturnOp>(op))
      continue;
    if (op.getName().getDialectNamespace() != "onnx")
      return op.emitError() << "'" << op.getName()
                            << "' has no form in ONNX; only the onnx dialect can be exported";
    if (kind == "None" || kind == "Yield")
      continue;
    if (kind == "Weight") {
      if (failed(weight(&op, graph)))
        return failure();
      continue;
    }
    NodeProto &node = *graph.add_node();
    std::string name = locationName(op.getLoc());
    if (!name.empty()) // several nodes may come from one of the model
      node.set_name(unique(name, takenNodes));
    if (failed(exportAttributes(&op, node)))
      return failure();
    for (Value operand : op.getOperands())
      node.add_input(nameOf(operand));
    while (node.input_size() && node.input(node.input_size() - 1).empty())
      node.mutable_input()->RemoveLast();
    for (OpResult result : op.getResults()) {
      if (isa<NoneType>(result.getType())) {
        node.add_output("");
        continue;
      }
      auto [entry, isNew] = names.try_emplace(result);
      if (isNew)
        entry->second =
            unique(name + (result.getResultNumber() ? ":" + std::to_string(result.getResultNumber())
                                                    : ""));
      std::string output = entry->second;
      node.add_output(output);
      // Shapes for readers, and types where nothing else tells them.
      if (!isa<ir::UnknownType>(result.getType()))
        valueInfo(*graph.add_value_info(), output, result.getType(), {});
    }
    while (node.output_size() && node.output(node.output_size() - 1).empty())
      node.mutable_output()->RemoveLast();

    SmallVector<std::string> graphNames;
    auto graphLists = op.getAttrOfType<ArrayAttr>("graph_lists");
    // A list without graphs is an attribute too.
    for (Attribute list : graphLists ? graphLists.getValue() : ArrayRef<Attribute>()) {
      AttributeProto &attribute = *node.add_attribute();
      attribute.set_name(cast<StringAttr>(list).str());
      attribute.set_type(AttributeProto::GRAPHS);
    }
    if (auto listed = op.getAttrOfType<ArrayAttr>("graph_names")) {
      for (Attribute text : listed)
        graphNames.push_back(cast<StringAttr>(text).getValue().str());
    } else if (const auto *schema = ::onnx::OpSchemaRegistry::Schema(kind.str(), kOpset)) {
      for (const auto &[attribute, description] : schema->attributes())
        if (description.type == AttributeProto::GRAPH)
          graphNames.push_back(attribute);
    }
    if (graphNames.size() != op.getNumRegions())
      return op.emitError() << "has " << op.getNumRegions() << " subgraphs, ONNX expects "
                            << graphNames.size();
    for (auto [graphName, region] : llvm::zip(graphNames, op.getRegions())) {
      if (!region.hasOneBlock())
        return op.emitError() << "subgraph '" << graphName << "' must be one block";
      GraphProto &inner = addSubgraph(node, graphName, graphLists);
      inner.set_name(unique(graphName));
      for (BlockArgument argument : region.getArguments()) {
        std::string text = names[argument] = unique(locationName(argument.getLoc()));
        valueInfo(*inner.add_input(), text, argument.getType(), {});
      }
      if (failed(this->block(region.front(), inner)))
        return failure();
      Operation &yield = region.front().back();
      for (Value value : yield.getOperands()) {
        std::string text = nameOf(value);
        // An output must be written inside: pass outer values through Identity.
        if (value.getParentRegion() != &region || isa<BlockArgument>(value)) {
          NodeProto &copy = *inner.add_node();
          copy.set_op_type("Identity");
          copy.add_input(text);
          text = unique(text + "_copy");
          copy.add_output(text);
        }
        valueInfo(*inner.add_output(), text, value.getType(), {});
      }
    }
  }
  return success();
}

LogicalResult Exporter::run() {
  auto function = module.lookupSymbol<func::FuncOp>("main");
  if (!function || function.isExternal())
    return module.emitError() << "no function @main to export";
  auto integer = [&](StringRef name, int64_t missing) {
    auto attr = module->getAttrOfType<IntegerAttr>(name);
    return attr ? attr.getInt() : missing;
  };
  // Opset 27 needs the IR version that came with it.
  model.set_ir_version(std::max<int64_t>(integer("onnx.ir_version", 0), 10));
  model.set_producer_name("acc");
  auto *opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(integer("onnx.opset", kOpset));
  if (auto domains = module->getAttrOfType<DictionaryAttr>("onnx.domains"))
    for (NamedAttribute domain : domains) {
      auto *added = model.add_opset_import();
      added->set_domain(domain.getName().str());
      added->set_version(cast<IntegerAttr>(domain.getValue()).getInt());
    }
  int64_t total = 0;
  module->walk([&](Operation *op) {
    if (auto file = op->getAttrOfType<ir::FileAttr>("value"))
      total += file.getLength();
  });
  external = total > (int64_t(1) << 30);

  GraphProto &graph = *model.mutable_graph();
  graph.set_name("main");
  auto nameAttr = [](DictionaryAttr attrs) {
    auto name = attrs ? attrs.getAs<StringAttr>("onnx.name") : StringAttr();
    return name ? name.getValue().str() : std::string();
  };
  auto dimsAttr = [](DictionaryAttr attrs) {
    return attrs ? attrs.getAs<ArrayAttr>("onnx.dims") : ArrayAttr();
  };
  // Names of inputs and outputs are fixed; all others make way.
  Operation *terminator = function.getBody().front().getTerminator();
  SmallVector<std::string> outputs;
  for (BlockArgument argument : function.getArguments()) {
    std::string given = nameAttr(function.getArgAttrDict(argument.getArgNumber()));
    names[argument] = unique(given.empty() ? "input" : given);
  }
  for (auto [i, value] : llvm::enumerate(terminator->getOperands())) {
    std::string given = nameAttr(function.getResultAttrDict(i));
    if (given.empty())
      given = "output";
    // The value may be an input, a weight or returned twice.
    bool own = isa<OpResult>(value) && !names.count(value) &&
               value.getDefiningOp()->getName().getStringRef() != "onnx.Weight";
    outputs.push_back(!own && names.lookup(value) == given ? given : unique(given));
    if (own)
      names[value] = outputs.back();
  }
  for (BlockArgument argument : function.getArguments())
    valueInfo(*graph.add_input(), names[argument], argument.getType(),
              dimsAttr(function.getArgAttrDict(argument.getArgNumber())));
  if (failed(block(function.getBody().front(), graph)))
    return failure();
  for (auto [i, value] : llvm::enumerate(terminator->getOperands())) {
    if (names[value] != outputs[i]) {
      NodeProto &copy = *graph.add_node();
      copy.set_op_type("Identity");
      copy.add_input(names[value]);
      copy.add_output(outputs[i]);
    }
    valueInfo(*graph.add_output(), outputs[i], value.getType(),
              dimsAttr(function.getResultAttrDict(i)));
  }
  // A value is described once: as an output or inside the graph.
  llvm::StringSet<> described;
  for (const auto &output : graph.output())
    described.insert(output.name());
  auto *infos = graph.mutable_value_info();
  int kept = 0;
  for (int i = 0; i < infos->size(); ++i)
    if (!described.count(infos->Get(i).name()))
      infos->SwapElements(kept++, i);
  infos->DeleteSubrange(kept, infos->size() - kept);
  return write();
}

static LogicalResult writeAside(ModuleOp module, StringRef path,
                                function_ref<bool(llvm::raw_ostream &)> fill) {
  WriteResult result = writeFile(path, fill);
  if (result.good || result.reason.empty()) // `fill` has said why it gave up
    return success(result.good);
  return module.emitError() << result.reason;
}

LogicalResult Exporter::write() {
  if (!externalWeights.empty()) {
    auto &files = ir::WeightFiles::of(module.getContext());
    auto fill = [&](llvm::raw_ostream &out) {
      for (auto [value, offset] : externalWeights) {
        std::string why;
        auto bytes = files.bytes(cast<ir::FileAttr>(value), &why);
        if (!bytes) {
          module.emitError() << why;
          return false;
        }
        out.write_zeros(offset - out.tell());
        out.write(bytes->data(), bytes->size());
      }
      return true;
    };
    if (failed(writeAside(module, path + ".data", fill)))
      return failure();
  }
  std::string text;
  if (!model.SerializeToString(&text))
    return module.emitError() << "the model is too large for one ONNX file";
  return writeAside(module, path, [&](llvm::raw_ostream &out) {
    out << text;
    return true;
  });
}

} // namespace

LogicalResult accel::exportOnnx(ModuleOp module, StringRef path) {
  try {
    return Exporter(module, path).run();
  } catch (const std::exception &exception) {
    return module.emitError() << "cannot be exported: " << plainMessage(exception.what());
  }
}
