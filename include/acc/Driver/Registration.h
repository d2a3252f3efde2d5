//===- Registration.h - dialects and passes of acc ------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_DRIVER_REGISTRATION_H
#define ACC_DRIVER_REGISTRATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace accel {

/// Dialects of acc and the upstream dialects that its stages use.
void registerDialects(mlir::DialectRegistry &registry);

/// Every pass of every stage.
void registerPasses();

} // namespace accel

#endif // ACC_DRIVER_REGISTRATION_H
