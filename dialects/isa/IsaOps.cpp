//===- IsaOps.cpp - operations: operands as text, checks -------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "isa/Isa.h"
#include "isa/IsaText.h"
#include "isa/IsaWords.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
namespace ri = accel::rt::isa;

namespace accel::instr {
namespace {

ParseResult parseReg(OpAsmParser &parser, IntegerAttr &reg) {
  uint8_t number = 0;
  if (parseNumbered(parser, "r", ri::kRegisterCount - 1, number))
    return failure();
  reg = parser.getBuilder().getI32IntegerAttr(number);
  return success();
}
void printReg(OpAsmPrinter &p, Operation *, IntegerAttr reg) { p << "r" << reg.getInt(); }

ParseResult parseNumber(OpAsmParser &parser, IntegerAttr &number) {
  int64_t value = 0;
  if (parser.parseInteger(value))
    return failure();
  number = parser.getBuilder().getI64IntegerAttr(value);
  return success();
}
void printNumber(OpAsmPrinter &p, Operation *, IntegerAttr number) { p << number.getInt(); }

/// `8`, or `r4 max 8`
ParseResult parseTrips(OpAsmParser &parser, IntegerAttr &reg, IntegerAttr &bound) {
  int64_t value = 0;
  OptionalParseResult number = parser.parseOptionalInteger(value);
  if (number.has_value()) {
    reg = parser.getBuilder().getI32IntegerAttr(0);
    bound = parser.getBuilder().getI64IntegerAttr(value);
    return *number;
  }
  return failure(parseReg(parser, reg) || parser.parseKeyword("max") || parseNumber(parser, bound));
}
void printTrips(OpAsmPrinter &p, Operation *, IntegerAttr reg, IntegerAttr bound) {
  if (reg.getInt())
    p << "r" << reg.getInt() << " max ";
  p << bound.getInt();
}

ParseResult parseElementType(OpAsmParser &parser, IntegerAttr &type) {
  uint8_t value = 0;
  if (parseEnum(parser, ri::kDTypeInfo, value))
    return failure();
  type = parser.getBuilder().getI32IntegerAttr(value);
  return success();
}
void printElementType(OpAsmPrinter &p, Operation *, IntegerAttr type) {
  const char *name = ri::EnumName(ri::kDTypeInfo, uint8_t(type.getInt()));
  p << (name ? name : "none");
}

ParseResult parseSteps(OpAsmParser &parser, VectorProgramAttr &program) {
  if (parser.parseLBrace())
    return failure();
  FailureOr<ri::VectorProgram> parsed = parseProgram(parser);
  if (failed(parsed) || parser.parseRBrace())
    return failure();
  program = VectorProgramAttr::get(parser.getContext(), *parsed);
  return success();
}
void printSteps(OpAsmPrinter &p, Operation *, VectorProgramAttr program) {
  p << "{";
  printProgram(p, program.getProgram(), "\n    ");
  p.printNewline();
  p << "}";
}

/// ` wait [s3: 1, s5: 2]`; the first of two that is not used but the second is
/// is s0: 0.
void printTokens(OpAsmPrinter &p, StringRef what, ArrayRef<int32_t> tokens) {
  int count = tokens[2] || tokens[3] ? 2 : tokens[0] || tokens[1] ? 1 : 0;
  if (!count)
    return;
  p << " " << what << " [";
  for (int i = 0; i < count; ++i)
    p << (i ? ", s" : "s") << tokens[2 * i] << ": " << tokens[2 * i + 1];
  p << "]";
}
ParseResult parseTokens(OpAsmParser &parser, StringRef what, MutableArrayRef<int32_t> tokens) {
  if (failed(parser.parseOptionalKeyword(what)))
    return success();
  size_t i = 0;
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
    llvm::SMLoc at = parser.getCurrentLocation();
    uint8_t semaphore = 0;
    int64_t count = 0;
    if (parseNumbered(parser, "s", ri::kSemaphoreCount - 1, semaphore) || parser.parseColon() ||
        parser.parseInteger(count))
      return failure();
    if (i == 4)
      return parser.emitError(at) << "an instruction has two of them; isa.sync has more";
    if (count < 0 || count > 255)
      return parser.emitError(at) << "a count is 0 to 255";
    tokens[i++] = semaphore;
    tokens[i++] = int32_t(count);
    return success();
  });
}

/// dma ld0 halo wait [..] signal [..] slot 3 op<..> stream<..> stream<..>
void printEngineWord(OpAsmPrinter &p, Operation *, IntegerAttr engine, IntegerAttr reason,
                     DenseI32ArrayAttr tokens, FlatSymbolRefAttr program, IntegerAttr slot,
                     OpDescAttr desc, ArrayAttr streams) {
  const char *name = ri::EnumName(ri::kEngineInfo, uint8_t(engine.getInt()));
  p << (name ? name : "none");
  if (program) {
    p << " ";
    p.printAttributeWithoutType(program);
  }
  if (reason.getInt())
    p << " " << ri::EnumName(ri::kReasonInfo, uint8_t(reason.getInt()));
  printTokens(p, "wait", tokens.asArrayRef().take_front(4));
  printTokens(p, "signal", tokens.asArrayRef().drop_front(4));
  if (slot)
    p << " slot " << slot.getInt();
  if (desc) {
    p << " op";
    printOpDesc(p, desc.getDesc());
  }
  if (streams)
    for (auto stream : streams.getAsRange<StreamAttr>()) {
      p.printNewline();
      p << "    stream";
      printStream(p, stream.getStream());
    }
}

ParseResult parseEngineWord(OpAsmParser &parser, IntegerAttr &engine, IntegerAttr &reason,
                            DenseI32ArrayAttr &tokens, FlatSymbolRefAttr &program,
                            IntegerAttr &slot, OpDescAttr &desc, ArrayAttr &streams) {
  Builder &b = parser.getBuilder();
  uint8_t value = 0, why = 0;
  if (parseEnum(parser, ri::kEngineInfo, value))
    return failure();
  StringAttr symbol;
  if (succeeded(parser.parseOptionalSymbolName(symbol)))
    program = FlatSymbolRefAttr::get(symbol);
  for (int i = 0; i < ri::kReasonInfo.count; ++i)
    if (succeeded(parser.parseOptionalKeyword(ri::kReasonInfo.cases[i].name)))
      why = ri::kReasonInfo.cases[i].value;
  int32_t list[8] = {};
  if (parseTokens(parser, "wait", MutableArrayRef(list, 4)) ||
      parseTokens(parser, "signal", MutableArrayRef(list + 4, 4)))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("slot"))) {
    int32_t number = 0;
    if (parser.parseInteger(number))
      return failure();
    slot = b.getI32IntegerAttr(number);
  }
  if (succeeded(parser.parseOptionalKeyword("op"))) {
    FailureOr<ri::OpDesc> parsed = parseOpDesc(parser);
    if (failed(parsed))
      return failure();
    desc = OpDescAttr::get(parser.getContext(), *parsed);
    SmallVector<Attribute> found;
    while (succeeded(parser.parseOptionalKeyword("stream"))) {
      FailureOr<ri::Stream> stream = parseStream(parser);
      if (failed(stream))
        return failure();
      found.push_back(StreamAttr::get(parser.getContext(), *stream));
    }
    streams = b.getArrayAttr(found);
  }
  engine = b.getI32IntegerAttr(value);
  reason = b.getI32IntegerAttr(why);
  tokens = b.getDenseI32ArrayAttr(list);
  return success();
}

} // namespace

LogicalResult VprogOp::verify() {
  absl::Status status = ri::VerifyProgram(getProgram().getProgram());
  if (!status.ok())
    return emitOpError() << std::string(status.message());
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  bool hasRoutine = false;
  for (Operation &op : getBody().getOps()) {
    if (!isa<RoutineOp, VprogOp>(op))
      return op.emitOpError("cannot stand in an isa.program");
    hasRoutine |= isa<RoutineOp>(op);
  }
  return hasRoutine ? success() : emitOpError("has no routine");
}

LogicalResult RoutineOp::verifyRegions() {
  auto program = cast<ProgramOp>((*this)->getParentOp());
  SymbolNumbers numbers(program);
  bool isMain = numbers.routines.lookup(getSymName()) == 0;
  Operation *last =
      getBody().empty() || getBody().front().empty() ? nullptr : &getBody().front().back();
  if (isMain ? !isa_and_nonnull<HaltOp>(last) : !isa_and_nonnull<RetOp>(last))
    return emitOpError(isMain ? "is main and must end with isa.halt" : "must end with isa.ret");
  return failed(encodeRoutine(*this, numbers)) ? failure() : success();
}

} // namespace accel::instr

using namespace accel::instr;
#define GET_OP_CLASSES
#include "isa/IsaOps.cpp.inc"
