//===- AccelOps.td - every operation of the dialect ------------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACCEL_OPS_TD
#define ACCEL_OPS_TD

include "AccelTensorOps.td"
include "AccelTileOps.td"
include "AccelSchedule.td"

#endif
