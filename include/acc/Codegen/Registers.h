//===- Registers.h - from virtual to machine registers ---------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_CODEGEN_REGISTERS_H
#define ACC_CODEGEN_REGISTERS_H

#include "acc/Codegen/Tree.h"

namespace accel::codegen {

/// r1..r63; r0 is zero. A constant of the ISA.
constexpr int usableRegisters = 63;

/// Replaces every virtual register of the routine by a machine register, by
/// linear scan over the text (a value used in a loop that it is defined outside
/// of lives until the loop ends), computing values again where too many would
/// live at once. Arguments keep their numbers. Returns how many registers are
/// needed at the fullest place; above usableRegisters nothing is renamed.
int allocateRegisters(Routine &routine);

} // namespace accel::codegen

#endif
