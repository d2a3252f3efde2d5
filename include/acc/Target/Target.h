//===- Target.h - machine descriptions ------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A target is a TOML file of figures, each with unit and range in one schema.
// The compiler carries it as the module attribute `accel.target`, a dictionary
// with a key `table_key` for each `[table] key`; the artifact carries the
// figures on, so that a run needs no target file.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_TARGET_TARGET_H
#define ACC_TARGET_TARGET_H

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace accel {

/// One figure that a target file must give.
struct TargetKey {
  const char *table, *key;
  bool integer;
  double min, max;
  const char *unit, *meaning;
};

/// Every key of a target file, in the order of the reference.
llvm::ArrayRef<TargetKey> targetSchema();

/// A target that comes with acc.
struct BuiltinTarget {
  llvm::StringRef name, text;
};
llvm::ArrayRef<BuiltinTarget> builtinTargets();

struct Target {
  std::string name, summary;
  std::string source; ///< where its figures are from
  std::string digest; ///< of the text, hexadecimal
  struct Figure {
    std::string key; ///< table_key
    double value;
    bool integer;
  };
  std::vector<Figure> figures;

  double figure(llvm::StringRef key) const;
  mlir::DictionaryAttr attribute(mlir::MLIRContext *context) const;
};

/// A target by name (one that comes with acc) or by the path of a TOML file, with
/// single figures replaced by `settings` (TABLE.KEY=VALUE, in order). On failure
/// `error` says what is wrong, where (file, line, key) and what to do.
std::optional<Target> loadTarget(llvm::StringRef nameOrPath, std::string &error,
                                 llvm::ArrayRef<std::string> settings = {});

} // namespace accel

#endif // ACC_TARGET_TARGET_H
