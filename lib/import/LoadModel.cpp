//===- LoadModel.cpp - file to protobuf skeleton, external data -----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"
#include "WireScan.h"

#include "mlir/IR/Location.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <google/protobuf/io/coded_stream.h>

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::TensorProto;

InFlightDiagnostic Model::error(StringRef nodeName) {
  Location loc = FileLineColLoc::get(context, path, 0, 0);
  if (!nodeName.empty())
    loc = NameLoc::get(StringAttr::get(context, nodeName), loc);
  return emitError(loc);
}

std::string accel::import::nodeLabel(const ::onnx::NodeProto &node, int index) {
  return node.name().empty() ? node.op_type() + "_" + std::to_string(index) : node.name();
}

std::string accel::import::nodeText(const ::onnx::NodeProto &node, int index) {
  return "node \"" + nodeLabel(node, index) + "\" (" + node.op_type() + ")";
}

std::vector<const ::onnx::GraphProto *> accel::import::subgraphsOf(const ::onnx::NodeProto &node) {
  std::vector<const ::onnx::GraphProto *> graphs;
  for (const auto &attribute : node.attribute()) {
    if (attribute.has_g())
      graphs.push_back(&attribute.g());
    for (const auto &graph : attribute.graphs())
      graphs.push_back(&graph);
  }
  return graphs;
}

std::vector<::onnx::GraphProto *> accel::import::subgraphsOf(::onnx::NodeProto &node) {
  std::vector<::onnx::GraphProto *> graphs;
  for (auto &attribute : *node.mutable_attribute()) {
    if (attribute.has_g())
      graphs.push_back(attribute.mutable_g());
    for (auto &graph : *attribute.mutable_graphs())
      graphs.push_back(&graph);
  }
  return graphs;
}

bool accel::import::isOnnxDomain(StringRef domain) { return domain.empty() || domain == "ai.onnx"; }

int64_t accel::import::opsetOf(const ::onnx::ModelProto &model) {
  for (const auto &import : model.opset_import())
    if (isOnnxDomain(import.domain()))
      return import.version();
  return 0;
}

std::string accel::import::plainMessage(const char *what) {
  StringRef text = StringRef(what).split("\n\n==> Context:").first.trim();
  for (StringRef prefix : {"[ShapeInferenceError]", "[TypeInferenceError]", "Inference error(s):"})
    while (text.consume_front(prefix))
      text = text.ltrim();
  if (text.consume_front("(op_type:")) // the caller names the node
    text = text.split("): ").second;
  for (StringRef prefix : {"[ShapeInferenceError]", "[TypeInferenceError]"})
    while (text.consume_front(prefix))
      text = text.ltrim();
  std::string line;
  for (char c : text.take_front(400))
    line += llvm::isPrint(c) ? c : ' ';
  return line;
}

std::string accel::import::nodeOfMessage(StringRef what) {
  auto between = [&](StringRef begin, StringRef end) {
    size_t at = what.find(begin);
    if (at == StringRef::npos)
      return StringRef();
    StringRef rest = what.drop_front(at + begin.size());
    return rest.take_front(rest.find(end)).trim();
  };
  // ONNX names the node as "(op_type:Conv, node name: conv1): ...".
  StringRef head = between("(op_type:", "): ");
  auto [type, name] = head.split(", node name: ");
  if (what.contains("Bad node spec for node. Name: ")) {
    name = between("Bad node spec for node. Name: ", " OpType:");
    type = between(" OpType: ", "\n");
  }
  if (name.empty())
    return type.empty() ? "" : ("a node of type " + type).str();
  return ("node \"" + name + "\"" + (type.empty() ? "" : " (" + type + ")")).str();
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

namespace {

/// Visits every tensor of a model, also those in attributes and subgraphs.
template <typename Fn> bool forTensors(::onnx::GraphProto &graph, const Fn &visit);

template <typename Fn> bool forTensors(::onnx::NodeProto &node, const Fn &visit) {
  for (auto &attribute : *node.mutable_attribute()) {
    if (attribute.has_t() && !visit(*attribute.mutable_t()))
      return false;
    for (auto &tensor : *attribute.mutable_tensors())
      if (!visit(tensor))
        return false;
    if (attribute.has_g() && !forTensors(*attribute.mutable_g(), visit))
      return false;
    for (auto &graph : *attribute.mutable_graphs())
      if (!forTensors(graph, visit))
        return false;
  }
  return true;
}

template <typename Fn> bool forTensors(::onnx::GraphProto &graph, const Fn &visit) {
  for (auto &tensor : *graph.mutable_initializer())
    if (!visit(tensor))
      return false;
  for (auto &node : *graph.mutable_node())
    if (!forTensors(node, visit))
      return false;
  return true;
}

class ExternalData {
public:
  explicit ExternalData(Model &model) : model(model) {
    StringRef folder = llvm::sys::path::parent_path(model.path);
    base = folder.empty() ? "." : folder.str();
  }
  bool load(TensorProto &tensor);

private:
  Model &model;
  std::string base;
  llvm::StringMap<std::string> resolved; // location -> path

  bool fail(const TensorProto &tensor, const Twine &what) {
    model.error() << "tensor '" << tensor.name() << "': " << what.str();
    return false;
  }
  const std::string *resolve(const TensorProto &tensor, StringRef location);
};

const std::string *ExternalData::resolve(const TensorProto &tensor, StringRef location) {
  auto [entry, isNew] = resolved.try_emplace(location);
  if (!isNew)
    return entry->second.empty() ? nullptr : &entry->second;
  auto refuse = [&](const Twine &what) {
    fail(tensor, "external data '" + location + "' " + what);
    return nullptr;
  };
  if (location.empty())
    return refuse("has an empty location");
  if (llvm::sys::path::is_absolute(location) || location.contains('\0'))
    return refuse("is an absolute path; it must be relative to the model's folder");
  for (auto part = llvm::sys::path::begin(location); part != llvm::sys::path::end(location); ++part)
    if (*part == "..")
      return refuse("leaves the model's folder; it must stay inside");
  SmallString<256> path(base), realBase, realPath;
  llvm::sys::path::append(path, location);
  if (std::error_code code = llvm::sys::fs::real_path(path, realPath))
    return refuse("cannot be read: " + code.message() + "; place it beside the model");
  if (llvm::sys::fs::real_path(base, realBase))
    return refuse("cannot be resolved");
  // Also through symbolic links.
  if (!realBase.ends_with("/"))
    realBase += '/';
  if (!StringRef(realPath).starts_with(realBase))
    return refuse("leads out of the model's folder through a symbolic link; copy the file there");
  std::string text = base == "." ? location.str() : std::string(path);
  if (StringRef(text).starts_with("memory:")) // that names buffers of this process
    text = "./" + text;
  entry->second = text;
  return &entry->second;
}

bool ExternalData::load(TensorProto &tensor) {
  if (tensor.data_location() != TensorProto::EXTERNAL)
    return true;
  StringRef location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
  bool hasLocation = false;
  for (const auto &entry : tensor.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    uint64_t number = 0;
    if (key == "location") {
      location = value, hasLocation = true;
    } else if (key == "offset" || key == "length") {
      if (value.getAsInteger(10, number))
        return fail(tensor, "external data has the " + key + " '" + value +
                                "', which is not a number of bytes");
      if (key == "offset")
        offset = number;
      else
        length = number;
    }
  }
  if (!hasLocation)
    return fail(tensor, "is stored externally, but no location is given");
  const std::string *path = resolve(tensor, location);
  if (!path)
    return false;
  std::string why;
  auto file = ir::WeightFiles::of(model.context).map(*path, &why);
  if (!file)
    return fail(tensor, "external data " + why);
  // The size that type and shape ask for.
  SmallVector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  for (int64_t dim : dims)
    if (dim < 0)
      return fail(tensor, "has the negative dimension " + Twine(dim));
  Type element = ir::elementType(tensor.data_type(), model.context);
  int64_t needed = element ? ir::rawByteSize(RankedTensorType::get(dims, element)) : -1;
  if (needed < 0)
    return fail(tensor, "is stored externally, but its type and shape give no size in bytes");
  if (length && *length != uint64_t(needed))
    return fail(tensor, "external data has " + Twine(*length) + " bytes, but type and shape need " +
                            Twine(needed));
  if (offset > file->size() || uint64_t(needed) > file->size() - offset)
    return fail(tensor, "external data '" + location + "' has " + Twine(file->size()) +
                            " bytes, but bytes " + Twine(offset) + " to " + Twine(offset + needed) +
                            " are needed");
  tensor.clear_external_data();
  tensor.clear_data_location();
  bool forShapes =
      (tensor.data_type() == TensorProto::INT64 || tensor.data_type() == TensorProto::INT32) &&
      uint64_t(needed) <= kShapeDataLimit;
  if (forShapes || needed <= ir::kDenseLimit) {
    tensor.set_raw_data(file->data() + offset, needed);
  } else {
    tensor.set_raw_data(tensorToken(model.tensors.size()));
    model.tensors.push_back(
        ir::FileAttr::get(model.context, StringAttr::get(model.context, *path), offset, needed));
  }
  return true;
}

} // namespace

LogicalResult accel::import::loadModel(Model &model) {
  auto &files = ir::WeightFiles::of(model.context);
  std::string why;
  auto file = files.map(model.path, &why);
  if (!file)
    return model.error() << why;
  Skeleton skeleton = scanModel(*file);
  if (!skeleton.error.empty())
    return model.error() << "'" << model.path << "' " << skeleton.error;

  constexpr uint64_t kProtobufLimit = INT32_MAX;
  if (skeleton.bytes.size() > kProtobufLimit)
    return model.error() << "'" << model.path << "' has " << skeleton.bytes.size()
                         << " bytes without its tensors; protobuf reads 2 GiB at most";
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(skeleton.bytes.data()), int(skeleton.bytes.size()));
  stream.SetRecursionLimit(4 * kMaxNesting + 64);
  stream.SetTotalBytesLimit(INT32_MAX);
  if (!model.proto.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    return model.error() << "'" << model.path
                         << "' is not an ONNX model: protobuf cannot read it; export it again";
  if (!model.proto.has_graph())
    return model.error() << "'" << model.path << "' is not an ONNX model: it has no graph";

  auto path = StringAttr::get(model.context, model.path);
  for (CutTensor &cut : skeleton.tensors)
    model.tensors.push_back(cut.length
                                ? ir::FileAttr::get(model.context, path, cut.offset, cut.length)
                                : files.own(model.context, std::move(cut.decoded)));

  ExternalData external(model);
  auto load = [&](TensorProto &tensor) { return external.load(tensor); };
  if (!forTensors(*model.proto.mutable_graph(), load))
    return failure();
  for (auto &function : *model.proto.mutable_functions())
    for (auto &node : *function.mutable_node())
      if (!forTensors(node, load))
        return failure();
  return success();
}
