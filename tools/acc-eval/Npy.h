//===- Npy.h - numpy files as host tensors -----------------------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_EVAL_NPY_H
#define ACC_EVAL_NPY_H

#include "acc/Graph/HostTensor.h"

#include "llvm/Support/Error.h"

namespace accel {

/// Reads a C-ordered .npy file whose type and shape are those of `type`.
llvm::Expected<HostTensor> readNpy(llvm::StringRef path, mlir::RankedTensorType type);
llvm::Error writeNpy(llvm::StringRef path, const HostTensor &tensor);

} // namespace accel

#endif // ACC_EVAL_NPY_H
