//===- AccelDialect.cpp - registration of the dialect ---------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "accel/Accel.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace accel;

#include "accel/AccelDialect.cpp.inc"
#include "accel/AccelEnums.cpp.inc"
#include "accel/AccelInterfaces.cpp.inc"

/// `[1, 2]`, also an empty list, which a scalar's layout has.
static ParseResult parseIntegers(AsmParser &parser, SmallVector<int64_t> &numbers) {
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Square, [&] { return parser.parseInteger(numbers.emplace_back()); });
}

static void printIntegers(AsmPrinter &printer, ArrayRef<int64_t> numbers) {
  printer << '[';
  llvm::interleaveComma(numbers, printer);
  printer << ']';
}

#define GET_ATTRDEF_CLASSES
#include "accel/AccelAttrs.cpp.inc"

void AccelDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "accel/AccelAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "accel/AccelOps.cpp.inc"
      >();
}
