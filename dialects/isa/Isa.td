//===- Isa.td - the instruction set of acc ---------------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that acc-tblgen reads. How to add to it: docs/add-an-instruction.md.
//===----------------------------------------------------------------------===//

include "IsaMachine.td"
include "IsaLayouts.td"
include "IsaControl.td"
include "IsaEngines.td"
include "IsaSteps.td"
