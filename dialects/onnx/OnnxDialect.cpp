//===- OnnxDialect.cpp - types, attributes and the shared syntax ----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "onnx/Onnx.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace accel::onnx;

#include "onnx/OnnxDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "onnx/OnnxTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "onnx/OnnxAttrs.cpp.inc"

void OnnxDialect::initialize() {
  files = std::make_unique<WeightFiles>();
  registerTypes();
  registerAttributes();
  registerOps();
}

OnnxDialect::~OnnxDialect() = default;

void OnnxDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "onnx/OnnxTypes.cpp.inc"
      >();
}

void OnnxDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "onnx/OnnxAttrs.cpp.inc"
      >();
}

LogicalResult FileAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringAttr path,
                               int64_t offset, int64_t length) {
  if (offset < 0 || length < 0)
    return emitError() << "#onnx.file: offset " << offset << " and length " << length
                       << " must not be negative";
  if (!path || path.getValue().empty())
    return emitError() << "#onnx.file: the path is empty";
  return success();
}

//===----------------------------------------------------------------------===//
// Type constraints
//===----------------------------------------------------------------------===//

int accel::onnx::elementNumber(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    if (integer.isSigned())
      return 0;
    switch (integer.getWidth()) {
    case 1:
      return isUnsigned ? 0 : 9;
    case 2:
      return isUnsigned ? 25 : 26;
    case 4:
      return isUnsigned ? 21 : 22;
    case 8:
      return isUnsigned ? 2 : 3;
    case 16:
      return isUnsigned ? 4 : 5;
    case 32:
      return isUnsigned ? 12 : 6;
    case 64:
      return isUnsigned ? 13 : 7;
    default:
      return 0;
    }
  }
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF32() ? 14 : complex.getElementType().isF64() ? 15 : 0;
  return llvm::TypeSwitch<Type, int>(type)
      .Case<Float32Type>([](auto) { return 1; })
      .Case<StringType>([](auto) { return 8; })
      .Case<Float16Type>([](auto) { return 10; })
      .Case<Float64Type>([](auto) { return 11; })
      .Case<BFloat16Type>([](auto) { return 16; })
      .Case<Float8E4M3FNType>([](auto) { return 17; })
      .Case<Float8E4M3FNUZType>([](auto) { return 18; })
      .Case<Float8E5M2Type>([](auto) { return 19; })
      .Case<Float8E5M2FNUZType>([](auto) { return 20; })
      .Case<Float4E2M1FNType>([](auto) { return 23; })
      .Case<Float8E8M0FNUType>([](auto) { return 24; })
      .Default([](auto) { return 0; });
}

Type accel::onnx::elementType(int number, MLIRContext *context) {
  auto integer = [&](unsigned width, bool isUnsigned) {
    return IntegerType::get(context, width,
                            isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  };
  switch (number) {
  case 1:
    return Float32Type::get(context);
  case 2:
    return integer(8, true);
  case 3:
    return integer(8, false);
  case 4:
    return integer(16, true);
  case 5:
    return integer(16, false);
  case 6:
    return integer(32, false);
  case 7:
    return integer(64, false);
  case 8:
    return StringType::get(context);
  case 9:
    return integer(1, false);
  case 10:
    return Float16Type::get(context);
  case 11:
    return Float64Type::get(context);
  case 12:
    return integer(32, true);
  case 13:
    return integer(64, true);
  case 14:
    return ComplexType::get(Float32Type::get(context));
  case 15:
    return ComplexType::get(Float64Type::get(context));
  case 16:
    return BFloat16Type::get(context);
  case 17:
    return Float8E4M3FNType::get(context);
  case 18:
    return Float8E4M3FNUZType::get(context);
  case 19:
    return Float8E5M2Type::get(context);
  case 20:
    return Float8E5M2FNUZType::get(context);
  case 21:
    return integer(4, true);
  case 22:
    return integer(4, false);
  case 23:
    return Float4E2M1FNType::get(context);
  case 24:
    return Float8E8M0FNUType::get(context);
  case 25:
    return integer(2, true);
  case 26:
    return integer(2, false);
  default:
    return {};
  }
}

static bool isTensorOf(Type type, uint64_t mask) {
  auto tensor = dyn_cast<TensorType>(type);
  return tensor && (mask >> elementNumber(tensor.getElementType()) & 1);
}

bool accel::onnx::isAllowed(Type type, uint64_t tensors, uint64_t sequences, uint64_t optionals,
                            uint64_t optionalSequences, uint64_t others) {
  constexpr uint64_t kMap = 1, kSparse = 2, kNone = 4, kNested = 8;
  if (isTensorOf(type, tensors) || isa<UnknownType, OpaqueType>(type))
    return true;
  if (isa<NoneType>(type))
    return others & kNone;
  if (isa<MapType>(type))
    return others & (kMap | kNested);
  if (isa<SparseType>(type)) // wherever the dense form is allowed too: Constant
    return (others & kSparse) || tensors;
  if (auto sequence = dyn_cast<SeqType>(type)) {
    Type element = sequence.getElement();
    return isTensorOf(element, sequences) || (isa<UnknownType>(element) && sequences) ||
           (!isa<TensorType>(element) && (others & kNested));
  }
  if (auto optional = dyn_cast<OptionalType>(type)) {
    Type element = optional.getElement();
    if (auto sequence = dyn_cast<SeqType>(element))
      return isTensorOf(sequence.getElement(), optionalSequences);
    return isTensorOf(element, optionals) || isa<UnknownType>(element) || (others & kNested);
  }
  return false;
}

bool accel::onnx::isTensorValue(Attribute attribute) {
  return isa<ElementsAttr, FileAttr, SparseElementsAttr>(attribute);
}

//===----------------------------------------------------------------------===//
// One syntax for all operations:
//   onnx.Op(%operands) ({regions}) {attributes} : (types) -> types
//   onnx.Weight {attributes} : type                 without operands
//===----------------------------------------------------------------------===//

static ParseResult parseOp(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  Type type;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands, OpAsmParser::Delimiter::OptionalParen))
    return failure();
  if (succeeded(parser.parseOptionalLParen())) {
    do {
      if (parser.parseRegion(*result.addRegion()))
        return failure();
    } while (succeeded(parser.parseOptionalComma()));
    if (parser.parseRParen())
      return failure();
  }
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(type))
    return failure();
  auto function = dyn_cast<FunctionType>(type);
  TypeRange inputs = function ? function.getInputs() : TypeRange();
  if (parser.resolveOperands(operands, inputs, loc, result.operands))
    return failure();
  result.addTypes(function ? function.getResults() : TypeRange(type));
  return success();
}

static void printOp(Operation *op, OpAsmPrinter &printer) {
  bool plain = op->getNumOperands() == 0 && op->getNumRegions() == 0 && op->getNumResults() == 1;
  if (!plain) {
    printer << '(';
    printer.printOperands(op->getOperands());
    printer << ')';
  }
  if (op->getNumRegions()) {
    printer << " (";
    llvm::interleaveComma(op->getRegions(), printer, [&](Region &region) {
      printer.printRegion(region, /*printEntryBlockArgs=*/true);
    });
    printer << ')';
  }
  printer.printOptionalAttrDict(op->getAttrs());
  printer << " : ";
  if (plain)
    printer << op->getResult(0).getType();
  else
    printer.printFunctionalType(op);
}

std::optional<Dialect::ParseOpHook> OnnxDialect::getParseOperationHook(StringRef opName) const {
  return ParseOpHook(parseOp);
}

llvm::unique_function<void(Operation *, OpAsmPrinter &)>
OnnxDialect::getOperationPrinter(Operation *op) const {
  return printOp;
}

void accel::onnx::buildOp(OperationState &state, TypeRange types, ValueRange operands,
                          ArrayRef<NamedAttribute> attributes) {
  state.addTypes(types);
  state.addOperands(operands);
  state.addAttributes(attributes);
}

Operation *accel::onnx::createOp(OpBuilder &builder, Location loc, StringRef kind, TypeRange types,
                                 ValueRange operands, ArrayRef<NamedAttribute> attributes) {
  OperationState state(loc, ("onnx." + kind).str());
  buildOp(state, types, operands, attributes);
  return builder.create(state);
}

//===----------------------------------------------------------------------===//
// Verification that the generated constraints leave open
//===----------------------------------------------------------------------===//

LogicalResult accel::onnx::verifyAttributes(Operation *op) {
  ArrayRef<StringAttr> known = op->getName().getRegisteredInfo()->getAttributeNames();
  for (NamedAttribute attribute : op->getAttrs()) {
    // Names with a dot belong to other dialects.
    if (llvm::is_contained(known, attribute.getName()) ||
        attribute.getName().getValue().contains('.'))
      continue;
    InFlightDiagnostic error = op->emitOpError()
                               << "has the unknown attribute '" << attribute.getName().getValue()
                               << "'; " << op->getName() << " has ";
    if (known.empty())
      error << "none";
    llvm::interleaveComma(known, error, [&](StringAttr name) { error << name.getValue(); });
    return error;
  }
  return success();
}

LogicalResult accel::onnx::verifySubgraphs(Operation *op) {
  StringRef kind = op->getName().stripDialect();
  if (!op->getNumRegions() || kind == "Custom")
    return success();
  // A branch of If takes nothing; Loop's body also takes the iteration and the
  // condition (which stand at the operands' places of trip count and condition)
  // and gives the next condition.
  unsigned takes = kind == "If" ? 0 : op->getNumOperands();
  unsigned gives = op->getNumResults() + (kind == "Loop");
  for (Region &region : op->getRegions()) {
    unsigned number = region.getRegionNumber();
    if (!region.hasOneBlock() || region.front().empty() ||
        region.front().back().getName().getStringRef() != "onnx.Yield")
      return op->emitOpError() << "subgraph " << number
                               << " must be one block that ends in onnx.Yield";
    if (unsigned count = region.getNumArguments(); count != takes)
      return op->emitOpError() << "subgraph " << number << " takes " << count << " values, "
                               << takes << " are expected";
    if (unsigned count = region.front().back().getNumOperands(); count != gives)
      return op->emitOpError() << "subgraph " << number << " gives " << count << " values, "
                               << gives << " are expected";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Memory effects: none but for random numbers
//===----------------------------------------------------------------------===//

namespace {
/// Lets upstream's CSE and dead code elimination work on every operation
/// without two interface models in each of 200 classes.
struct OnnxEffects : MemoryEffectOpInterface::FallbackModel<OnnxEffects> {
  void
  getEffects(Operation *op,
             SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) const {
    StringRef kind = op->getName().stripDialect();
    bool random = kind.starts_with("Random") || kind == "Bernoulli" || kind == "Multinomial" ||
                  kind == "Dropout" || kind == "Custom" || op->getNumRegions();
    if (random)
      effects.emplace_back(MemoryEffects::Write::get());
  }
};
} // namespace

void *OnnxDialect::getRegisteredInterfaceForOp(TypeID interfaceID, OperationName opName) {
  static OnnxEffects effects;
  if (interfaceID == MemoryEffectOpInterface::getInterfaceID())
    return &effects;
  return nullptr;
}
