//===- Model.h - a model on its way from file to IR --------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of the importer, in the order in which Import.cpp calls them. Each
// reports one error through Errors. Exceptions of ONNX are caught inside.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_LIB_IMPORT_MODEL_H
#define ACC_LIB_IMPORT_MODEL_H

#include "acc/Import/Import.h"
#include "onnx/Onnx.h"

#include "onnx/onnx_pb.h"

namespace accel::import {

/// The dialect; ONNX's own namespace has the same name.
namespace ir = ::accel::onnx;

/// Every operator is brought to this version of the domain ai.onnx.
inline constexpr int kOpset = 27;
/// Versions before 7 work where the converter knows their operators.
inline constexpr int kOldestOpset = 1;

/// Elements of one tensor above which nothing on this machine is meaningful.
inline constexpr int64_t kMaxElements = int64_t(1) << 48;
/// Whether a product of sizes goes beyond that; negative (unknown) ones do not count.
bool isTooLarge(llvm::ArrayRef<int64_t> dims);

/// A model and where its large tensors are.
struct Model {
  std::string path;
  ::onnx::ModelProto proto;          // large tensors hold tokens
  std::vector<ir::FileAttr> tensors; // token number -> bytes
  mlir::MLIRContext *context = nullptr;
  std::string node; // being converted, for errors

  /// One diagnostic at the file; `node` is the ONNX node's name, may be empty.
  mlir::InFlightDiagnostic error(llvm::StringRef nodeName = "");
};

/// Name of a node for people and locations: its own, else `Conv_12`.
std::string nodeLabel(const ::onnx::NodeProto &node, int index);
/// `node "conv1" (Conv)`
std::string nodeText(const ::onnx::NodeProto &node, int index);
bool isOnnxDomain(llvm::StringRef domain);
/// Graphs in the attributes of a node, single ones and those of lists.
std::vector<::onnx::GraphProto *> subgraphsOf(::onnx::NodeProto &node);
std::vector<const ::onnx::GraphProto *> subgraphsOf(const ::onnx::NodeProto &node);
/// Version of ai.onnx that a model imports, 0 if none.
int64_t opsetOf(const ::onnx::ModelProto &model);

/// First line of what an exception of ONNX says, without its decoration.
std::string plainMessage(const char *what);
/// Node name and operator that such a message names, if any.
std::string nodeOfMessage(llvm::StringRef what);

// Steps.
mlir::LogicalResult loadModel(Model &model);
mlir::LogicalResult checkStructure(Model &model);
/// Operators that the checker refuses because ONNX withdrew them.
mlir::LogicalResult replaceWithdrawn(Model &model);
mlir::LogicalResult checkSchemas(Model &model);
mlir::LogicalResult inlineFunctions(Model &model);
mlir::LogicalResult bindDims(Model &model, llvm::ArrayRef<DimBinding> dims);
mlir::LogicalResult inferShapes(Model &model);
mlir::LogicalResult upgradeOpset(Model &model, bool &changed);
mlir::OwningOpRef<mlir::ModuleOp> buildModule(Model &model);
/// Rewrites a Scan of opset 8 in place; false if it cannot be expressed.
bool upgradeScan8(::onnx::NodeProto &node, const std::string &label,
                  llvm::function_ref<const ::onnx::TypeProto *(llvm::StringRef)> typeOf);
/// Where ONNX's converter is wrong: Hardmax before 13, Resize and Upsample before 11.
std::vector<::onnx::NodeProto> upgradeHardmax(const ::onnx::NodeProto &node,
                                              const std::string &label);
void keepOldCoordinates(::onnx::NodeProto &resize, const ::onnx::GraphProto &graph);

// Conversions between ONNX and MLIR.
mlir::Type importType(const ::onnx::TypeProto &type, mlir::MLIRContext *context);
void exportType(mlir::Type type, ::onnx::TypeProto &proto);
/// Whether it names a dimension. Some exporters call every unknown one `?`, and
/// shape inference invents names of its own.
bool isDimName(llvm::StringRef name);
/// Symbolic names of a tensor type's dimensions; null if it has none.
mlir::ArrayAttr dimNames(const ::onnx::TypeProto &type, mlir::MLIRContext *context);
/// Value of a tensor (dense or file) and its type; null with `why` on failure.
mlir::Attribute importTensor(const ::onnx::TensorProto &tensor, const Model &model,
                             mlir::RankedTensorType &type, std::string &why);
/// False with `why` if the bytes cannot be read.
bool exportTensor(mlir::Attribute value, mlir::ShapedType type, ::onnx::TensorProto &tensor,
                  std::string &why);

/// Turns one operation into a node with the given names; attributes and types
/// only, regions too where `graphs` is set.
mlir::LogicalResult exportAttributes(mlir::Operation *op, ::onnx::NodeProto &node);

/// Imports the nodes of a function body in front of `op`. `names` binds the
/// body's inputs; outputs are found in it afterwards.
mlir::LogicalResult importNodes(Model &model, mlir::OpBuilder &builder,
                                const google::protobuf::RepeatedPtrField<::onnx::NodeProto> &nodes,
                                llvm::StringMap<mlir::Value> &names,
                                const llvm::StringMap<const ::onnx::TypeProto *> &types,
                                mlir::Location loc);

} // namespace accel::import

#endif // ACC_LIB_IMPORT_MODEL_H
