//===- WeightFiles.h - bytes of large tensors, outside the IR ----*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The IR holds `#onnx.file<"path", offset, length>` where a tensor has more than
// kDenseLimit bytes. This table maps the named files read-only on first use and
// also owns buffers that constant folding made; those have paths that begin
// with `memory:` and exist in this process only.
//
//===----------------------------------------------------------------------===//

#ifndef ACC_DIALECTS_ONNX_WEIGHTFILES_H
#define ACC_DIALECTS_ONNX_WEIGHTFILES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace accel::onnx {

class FileAttr;

/// Tensors of up to this many bytes are dense attributes in the IR.
inline constexpr int64_t kDenseLimit = 1024;

class WeightFiles {
public:
  /// The table of a context (the onnx dialect is loaded if necessary).
  static WeightFiles &of(mlir::MLIRContext *context);

  WeightFiles();
  ~WeightFiles();

  /// The bytes that an attribute names, valid as long as the context. Without a
  /// value, `error` (if given) says why: file missing or too short.
  std::optional<llvm::ArrayRef<char>> bytes(FileAttr attr, std::string *error = nullptr);

  /// Relative paths begin here; the current folder if this is empty.
  void setFolder(llvm::StringRef path) { folder = path.str(); }
  llvm::StringRef getFolder() const { return folder; }

  /// A whole file, mapped.
  std::optional<llvm::ArrayRef<char>> map(llvm::StringRef path, std::string *error = nullptr);

  /// Takes over a buffer; the attribute refers to all of it.
  FileAttr own(mlir::MLIRContext *context, std::vector<char> buffer);

private:
  struct Mapping;
  std::mutex mutex;
  std::string folder;
  llvm::StringMap<std::unique_ptr<Mapping>> mappings;      // by path
  std::vector<std::unique_ptr<std::vector<char>>> buffers; // memory:N
};

/// Bytes of a tensor of this type as ONNX stores it raw: little endian, row
/// major, bool one byte, types below a byte packed from the low bits. -1 if the
/// shape is dynamic, the element has no fixed size, or the product overflows.
int64_t rawByteSize(mlir::ShapedType type);

/// Dense attribute from raw ONNX bytes and back. `makeConstant` chooses between
/// a dense attribute and a buffer of the table by kDenseLimit.
mlir::DenseElementsAttr denseFromRaw(mlir::ShapedType type, llvm::ArrayRef<char> raw);
std::vector<char> rawFromDense(mlir::DenseElementsAttr attr);
mlir::Attribute makeConstant(mlir::ShapedType type, std::vector<char> raw);

/// Raw bytes of a constant attribute: dense (converted into `storage`) or file.
std::optional<llvm::ArrayRef<char>> rawBytes(mlir::Attribute value, mlir::MLIRContext *context,
                                             std::vector<char> &storage,
                                             std::string *error = nullptr);

/// Before IR is printed for another process: writes every `memory:` buffer that
/// `module` refers to into one file and names that file instead, relative to its
/// folder, where the text will be too. Nothing is written if there are none.
mlir::LogicalResult spillOwnedWeights(mlir::ModuleOp module, llvm::StringRef path);

/// The same without a file: the buffers become dense attributes.
void inlineOwnedWeights(mlir::ModuleOp module);

/// Before IR is printed into a file: relative paths, which begin at the table's
/// folder, become relative to `folder`, where the text will be.
void relateFiles(mlir::ModuleOp module, llvm::StringRef folder);

/// Whether every file that a module refers to is there and long enough; one
/// diagnostic if not.
mlir::LogicalResult checkFiles(mlir::ModuleOp module);

} // namespace accel::onnx

#endif // ACC_DIALECTS_ONNX_WEIGHTFILES_H
