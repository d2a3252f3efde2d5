//===- OnnxDialect.td - the ONNX operator set as a dialect -----*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_ONNX_DIALECT_TD
#define ACC_ONNX_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/OpBase.td"

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::accel::onnx";
  let summary = "the ONNX operator set, generated from ONNX's own schemas";
  let description = [{
    One operation for each operator of the domain ai.onnx, in its newest version
    up to opset 27, written by `onnx-dialect-generator` from the schema registry
    when acc is built. Operands and results stand at their ONNX positions; an
    absent optional one has type `none`. Attributes keep ONNX's names and are
    present only if the model writes them; a graph attribute is a region. All
    operations share one syntax:

    ```
    %r = onnx.Conv(%x, %w, %none) {strides = array<i64: 2, 2>} : (types) -> type
    ```
  }];
  // A dictionary of attributes: a struct of properties for each of 200 operators
  // would double the time to compile the dialect, and the stages that read it
  // look attributes up by ONNX name.
  let usePropertiesForAttributes = 0;
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  // One model of memory effects serves all operations.
  let hasOperationInterfaceFallback = 1;
  let extraClassDeclaration = [{
    /// Bytes of the tensors that the IR only names.
    WeightFiles &weightFiles() { return *files; }

    std::optional<ParseOpHook> getParseOperationHook(::llvm::StringRef opName) const override;
    ::llvm::unique_function<void(::mlir::Operation *, ::mlir::OpAsmPrinter &)>
    getOperationPrinter(::mlir::Operation *op) const override;

  private:
    std::unique_ptr<WeightFiles> files;
    void registerTypes();
    void registerAttributes();
    void registerOps(); // in the translation unit that sees the 200 classes

  public:
  }];
  let hasNonDefaultDestructor = 1;
}

//===----------------------------------------------------------------------===//
// Types that the builtin dialect lacks
//===----------------------------------------------------------------------===//

class Onnx_TypeDef<string name, string mnem, string text> : TypeDef<Onnx_Dialect, name> {
  let mnemonic = mnem;
  let summary = text;
}
def Onnx_StringType : Onnx_TypeDef<"String", "string", "element of a tensor of strings">;
def Onnx_UnknownType : Onnx_TypeDef<"Unknown", "unknown",
    "a value whose type nothing in the model tells (behind a custom operator)">;
class Onnx_WrapperType<string name, string mnem, string text> : Onnx_TypeDef<name, mnem, text> {
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
}
def Onnx_SeqType : Onnx_WrapperType<"Seq", "seq", "sequence of values of one type">;
def Onnx_OptionalType : Onnx_WrapperType<"Optional", "optional", "a value or none">;
def Onnx_SparseType : Onnx_WrapperType<"Sparse", "sparse", "sparse tensor, coordinate form">;
def Onnx_MapType : Onnx_TypeDef<"Map", "map", "map from integers or strings to values"> {
  let parameters = (ins "::mlir::Type":$key, "::mlir::Type":$value);
  let assemblyFormat = "`<` $key `,` $value `>`";
}
def Onnx_OpaqueType : Onnx_TypeDef<"Opaque", "opaque", "a type of another domain"> {
  let parameters = (ins StringRefParameter<>:$domain, StringRefParameter<>:$name);
  let assemblyFormat = "`<` $domain `,` $name `>`";
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

def Onnx_FileAttr : AttrDef<Onnx_Dialect, "File"> {
  let mnemonic = "file";
  let summary = "bytes of a tensor in a file";
  let description = [{
    `offset` and `length` are bytes. The file is mapped when somebody asks for the
    bytes (`WeightFiles`), so text that was written by one process is read by
    another. Paths that begin with `memory:` name buffers of this process.
  }];
  let parameters = (ins "::mlir::StringAttr":$path, "int64_t":$offset, "int64_t":$length);
  let assemblyFormat = "`<` $path `,` $offset `,` $length `>`";
  let genVerifyDecl = 1;
}

def Onnx_SparseAttr : AttrDef<Onnx_Dialect, "SparseElements"> {
  let mnemonic = "sparse";
  let summary = "values and indices of a sparse tensor";
  let parameters = (ins "::mlir::RankedTensorType":$type, "::mlir::Attribute":$values,
                        "::mlir::Attribute":$indices);
  let assemblyFormat = "`<` $type `,` $values `,` $indices `>`";
}

//===----------------------------------------------------------------------===//
// What generated operators are made of
//===----------------------------------------------------------------------===//

// A value of one of the types that a schema allows; bit e of a mask stands for
// TensorProto.DataType e. An unknown type is always allowed.
class Onnx_Value<string masks, string text>
    : Type<CPred<"::accel::onnx::isAllowed($_self, " # masks # ")">, text>;

def Onnx_TensorValue : Attr<CPred<"::accel::onnx::isTensorValue($_self)">,
                            "tensor value (dense, sparse or in a file)"> {
  let storageType = "::mlir::Attribute";
  let returnType = "::mlir::Attribute";
  let convertFromStorage = "$_self";
}

// Checks what the generated constraints leave open: attributes that the operator
// does not have, and the inputs and outputs of its subgraphs.
def Onnx_Operator : NativeOpTrait<"Operator"> {
  let cppNamespace = "::accel::onnx";
}

class Onnx_Op<string mnemonic, list<Trait> traits = []>
    : Op<Onnx_Dialect, mnemonic, !listconcat(traits, [Onnx_Operator])> {
  let skipDefaultBuilders = 1; // one is enough and compiles in half the time
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$types, "::mlir::ValueRange":$operands,
                                 CArg<"::llvm::ArrayRef<::mlir::NamedAttribute>", "{}">:$attributes), [{
    ::accel::onnx::buildOp($_state, types, operands, attributes);
  }]>];
}

#endif // ACC_ONNX_DIALECT_TD
