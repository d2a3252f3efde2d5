//===- RoundTrip.h - does a model survive the onnx dialect? ------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_TOOLS_TRANSLATE_ROUNDTRIP_H
#define ACC_TOOLS_TRANSLATE_ROUNDTRIP_H

#include "acc/Import/Import.h"

namespace accel {

/// Imports each model, prints it, parses the text in a context of its own,
/// verifies, prints again and compares; then exports what was parsed to
/// `<folder>/<position>.onnx` if a folder is given. One line of JSON for each
/// model on the standard output: `{"model": ..., "errors": [...]}`. Returns the
/// number of models with errors.
unsigned roundTrip(llvm::ArrayRef<std::string> models, const ImportOptions &options,
                   llvm::StringRef folder);

} // namespace accel

#endif // ACC_TOOLS_TRANSLATE_ROUNDTRIP_H
