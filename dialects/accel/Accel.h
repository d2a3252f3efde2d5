//===- Accel.h - the accelerator dialect ----------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that a user of the dialect includes. The forms of the dialect
// (tensor, grouped, tile) are described in AccelDialect.td.
//
//===----------------------------------------------------------------------===//

#ifndef ACCEL_DIALECT_ACCEL_H
#define ACCEL_DIALECT_ACCEL_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "accel/AccelDialect.h.inc"
#include "accel/AccelEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "accel/AccelAttrs.h.inc"

#include "accel/AccelInterfaces.h.inc"

#define GET_OP_CLASSES
#include "accel/AccelOps.h.inc"

#endif // ACCEL_DIALECT_ACCEL_H
