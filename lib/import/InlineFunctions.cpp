//===- InlineFunctions.cpp - functions that the model brings along --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's inliner, after a look at what it is about to do: functions that call
// themselves never end, and a short file can stand for more nodes than there are
// atoms.
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "onnx/inliner/inliner.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;
using ::onnx::FunctionProto;
using ::onnx::NodeProto;

namespace {

/// Nodes that a model may have once its functions are inlined.
constexpr uint64_t kMaxNodes = 1'000'000;

class InlinedSize {
public:
  explicit InlinedSize(Model &model) : model(model) {
    for (const FunctionProto &function : model.proto.functions())
      functions[key(function.domain(), function.name(), function.overload())] = {&function};
  }

  /// Adds what these nodes become to `total`.
  LogicalResult add(const google::protobuf::RepeatedPtrField<NodeProto> &nodes, uint64_t &total);

private:
  struct Function {
    const FunctionProto *proto = nullptr;
    bool entered = false;
    std::optional<uint64_t> nodes;
  };
  Model &model;
  llvm::StringMap<Function> functions;

  static std::string key(const std::string &domain, const std::string &name,
                         const std::string &overload) {
    return domain + '\0' + name + '\0' + overload;
  }
};

LogicalResult InlinedSize::add(const google::protobuf::RepeatedPtrField<NodeProto> &nodes,
                               uint64_t &total) {
  for (const NodeProto &node : nodes) {
    for (const ::onnx::GraphProto *graph : subgraphsOf(node))
      if (failed(add(graph->node(), total)))
        return failure();
    auto found = functions.find(key(node.domain(), node.op_type(), node.overload()));
    if (found == functions.end()) {
      total = llvm::SaturatingAdd(total, uint64_t(1));
      continue;
    }
    Function &function = found->second;
    if (!function.nodes) {
      if (function.entered)
        return model.error() << "function '" << node.op_type() << "' of the domain '"
                             << node.domain()
                             << "' calls itself, directly or through others; ONNX forbids that";
      function.entered = true;
      uint64_t inside = 0;
      if (failed(add(function.proto->node(), inside)))
        return failure();
      function.nodes = inside;
    }
    total = llvm::SaturatingAdd(total, *function.nodes);
    if (total > kMaxNodes)
      return model.error() << "with function '" << node.op_type() << "' of the domain '"
                           << node.domain() << "' inlined the model has more than " << kMaxNodes
                           << " nodes; export it without nested functions";
  }
  return success();
}

} // namespace

LogicalResult accel::import::inlineFunctions(Model &model) {
  if (model.proto.functions_size() == 0)
    return success();
  InlinedSize size(model);
  uint64_t total = 0;
  // Functions that nobody calls are looked at too: the inliner removes them.
  if (failed(size.add(model.proto.graph().node(), total)))
    return failure();
  for (const FunctionProto &function : model.proto.functions())
    if (uint64_t unused = 0; failed(size.add(function.node(), unused)))
      return failure();
  try {
    ::onnx::inliner::InlineLocalFunctions(model.proto, /*convert_version=*/true);
    return success();
  } catch (const std::exception &exception) {
    return model.error() << "a function of the model cannot be inlined: "
                         << plainMessage(exception.what());
  }
}
