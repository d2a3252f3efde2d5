//===- Contributed.h - operators of com.microsoft by bodies ------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX Runtime's quantiser and its optimiser of transformers write operators of
// their own domain. Each has a body here as ONNX's composite operators have one:
// nodes of ai.onnx (opset 27) that compute the same. Their meanings are those of
// ONNX Runtime's ContribOperators.md; where that leaves something open, of its
// CPU kernels.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_LIB_IMPORT_CONTRIBUTED_H
#define ACC_LIB_IMPORT_CONTRIBUTED_H

#include "NodeContext.h"

#include "onnx/defs/function.h"

#include "llvm/Support/FormatVariadic.h"

namespace accel::import {

inline constexpr llvm::StringLiteral kContributedDomain = "com.microsoft";

/// A body while it is written. Operands are i0, i1, ... by position (an absent one
/// may be named, and is absent there too), results o0, o1, ...; a result that is not
/// computed must have no reader.
class Body {
public:
  Body(const ::onnx::NodeProto &node, const std::vector<::onnx::TypeProto> &types,
       ::onnx::FunctionProto &function)
      : node(node), types(types), function(function), builder(function) {}

  // -- The node --
  bool has(int input) const { return input < node.input_size() && !node.input(input).empty(); }
  bool gives(int output) const {
    return output < node.output_size() && !node.output(output).empty();
  }
  int inputs() const { return node.input_size(); }
  llvm::StringRef kind() const { return node.op_type(); }
  int64_t integer(llvm::StringRef attribute, int64_t missing) const;
  float real(llvm::StringRef attribute, float missing) const;
  std::string text(llvm::StringRef attribute) const;
  std::vector<float> reals(llvm::StringRef attribute) const;
  std::vector<int64_t> integers(llvm::StringRef attribute) const;
  /// Sizes of an operand; empty where they are not all known.
  std::vector<int64_t> shape(int input) const;
  int elementType(int input) const; // TensorProto.DataType

  // -- Writing --
  /// Nodes as ONNX's text form has them; {0}, {1}, ... are the arguments.
  template <typename... Args> Body &add(const char *format, Args &&...args) {
    builder.Add(llvm::formatv(format, std::forward<Args>(args)...).str().c_str());
    return *this;
  }
  /// An attribute of the node added last.
  template <typename T> Body &with(const char *attribute, const T &value) {
    builder.AddAttributeToNode(attribute, value);
    return *this;
  }
  /// Those of this node's attributes that are given, on the node added last.
  Body &copy(std::initializer_list<llvm::StringRef> attributes);
  Body &ints(const std::string &name, const std::vector<int64_t> &values);
  Body &bytes(const std::string &name, const std::vector<int> &values); // uint8
  /// A number of operand 0's element type.
  Body &number(const std::string &name, float value);
  /// `to` = `from`, with whatever FusedConv's kind of attributes asks for behind it.
  bool activation(llvm::StringRef from, llvm::StringRef to, llvm::StringRef kind,
                  const std::vector<float> &parameters);
  /// False, with the reason why the node has no body.
  bool refuse(const llvm::Twine &reason) {
    why = reason.str();
    return false;
  }
  std::string why;

private:
  const ::onnx::NodeProto &node;
  const std::vector<::onnx::TypeProto> &types;
  ::onnx::FunctionProto &function;
  ::onnx::FunctionBuilder builder;

  const ::onnx::AttributeProto *find(llvm::StringRef attribute) const;
};

using WriteBody = bool (*)(Body &);
struct ContributedOp {
  llvm::StringLiteral kind;
  WriteBody write;
};
// Tables of the files, joined in Contributed.cpp.
llvm::ArrayRef<ContributedOp> quantisedOps();
llvm::ArrayRef<ContributedOp> fusedOps();
llvm::ArrayRef<ContributedOp> transformerOps();

/// Whether the node's operator has a body here.
bool isContributed(const ::onnx::NodeProto &node);
/// Writes it; false with `why` if it has none for these operands or attributes.
bool writeContributed(const NodeContext &context, ::onnx::FunctionProto &function,
                      std::string &why);

} // namespace accel::import

#endif // ACC_LIB_IMPORT_CONTRIBUTED_H
