//===- WeightFiles.cpp - mapped files and owned buffers -------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "onnx/WeightFiles.h"
#include "onnx/Onnx.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir;
using namespace accel::onnx;

static constexpr StringLiteral kMemory = "memory:";

struct WeightFiles::Mapping {
  char *data = nullptr;
  size_t size = 0;

  ~Mapping() {
    if (data)
      munmap(data, size);
  }
};

WeightFiles::WeightFiles() = default;
WeightFiles::~WeightFiles() = default;

WeightFiles &WeightFiles::of(MLIRContext *context) {
  return context->getOrLoadDialect<OnnxDialect>()->weightFiles();
}

std::optional<ArrayRef<char>> WeightFiles::map(StringRef path, std::string *error) {
  auto refuse = [&](const Twine &why) {
    if (error)
      *error = ("'" + path + "' " + why).str();
    return std::nullopt;
  };
  std::lock_guard<std::mutex> lock(mutex);
  auto found = mappings.find(path);
  if (found == mappings.end()) {
    // Not blocking, so that a named pipe is refused instead of waited for.
    SmallString<256> from(folder);
    if (llvm::sys::path::is_absolute(path))
      from.clear();
    llvm::sys::path::append(from, path);
    int fd = open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
      return refuse(Twine("cannot be opened: ") + std::strerror(errno));
    struct stat info;
    auto mapping = std::make_unique<Mapping>();
    std::string why;
    if (fstat(fd, &info) != 0)
      why = std::strerror(errno);
    else if (!S_ISREG(info.st_mode))
      why = S_ISDIR(info.st_mode) ? "is a folder" : "is not a regular file";
    else if ((mapping->size = info.st_size)) {
      void *data = mmap(nullptr, mapping->size, PROT_READ, MAP_PRIVATE, fd, 0);
      if (data == MAP_FAILED)
        why = std::string("cannot be mapped: ") + std::strerror(errno);
      else
        mapping->data = static_cast<char *>(data);
    }
    close(fd);
    if (!why.empty())
      return refuse(why);
    found = mappings.try_emplace(path, std::move(mapping)).first;
  }
  return ArrayRef<char>(found->second->data, found->second->size);
}

std::optional<ArrayRef<char>> WeightFiles::bytes(FileAttr attr, std::string *error) {
  StringRef path = attr.getPath().getValue(), number = path;
  std::optional<ArrayRef<char>> whole;
  if (number.consume_front(kMemory)) {
    size_t index;
    std::lock_guard<std::mutex> lock(mutex);
    if (number.getAsInteger(10, index) || index >= buffers.size()) {
      if (error)
        *error = ("'" + path +
                  "' belonged to another process; write the weights to a file "
                  "before printing the IR")
                     .str();
      return std::nullopt;
    }
    whole = ArrayRef<char>(*buffers[index]);
  } else if (!(whole = map(path, error))) {
    return std::nullopt;
  }
  uint64_t offset = attr.getOffset(), length = attr.getLength();
  if (offset > whole->size() || length > whole->size() - offset) {
    if (error)
      *error = ("'" + path + "' has " + Twine(whole->size()) + " bytes, but bytes " +
                Twine(offset) + " to " + Twine(offset + length) + " are needed")
                   .str();
    return std::nullopt;
  }
  return whole->slice(offset, length);
}

FileAttr WeightFiles::own(MLIRContext *context, std::vector<char> buffer) {
  std::lock_guard<std::mutex> lock(mutex);
  int64_t size = buffer.size();
  buffers.push_back(std::make_unique<std::vector<char>>(std::move(buffer)));
  auto path = StringAttr::get(context, kMemory + Twine(buffers.size() - 1));
  return FileAttr::get(context, path, 0, size);
}

//===----------------------------------------------------------------------===//
// For text that another process reads
//===----------------------------------------------------------------------===//

LogicalResult accel::onnx::spillOwnedWeights(ModuleOp module, StringRef path) {
  WeightFiles &files = WeightFiles::of(module.getContext());
  llvm::MapVector<FileAttr, FileAttr> moved;
  int64_t end = 0;
  auto target = StringAttr::get(module.getContext(), llvm::sys::path::filename(path));
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](FileAttr attr) -> std::optional<Attribute> {
    if (!attr.getPath().getValue().starts_with(kMemory))
      return attr;
    FileAttr &now = moved[attr];
    if (!now) {
      end = (end + 63) / 64 * 64; // so that consumers may map aligned elements
      now = FileAttr::get(attr.getContext(), target, end, attr.getLength());
      end += attr.getLength();
    }
    return now;
  });
  module->walk([&](Operation *op) { replacer.replaceElementsIn(op); });
  if (moved.empty())
    return success();

  SmallString<128> aside;
  int fd;
  if (std::error_code code = llvm::sys::fs::createUniqueFile(path + ".%%%%%%", fd, aside))
    return module.emitError() << "cannot write weights to '" << path << "': " << code.message();
  llvm::raw_fd_ostream out(fd, /*shouldClose=*/true);
  for (auto [from, to] : moved) {
    out.write_zeros(to.getOffset() - out.tell());
    ArrayRef<char> bytes = *files.bytes(from);
    out.write(bytes.data(), bytes.size());
  }
  out.close();
  std::error_code code = out.error();
  out.clear_error();
  if (!code)
    code = llvm::sys::fs::rename(aside, path);
  if (!code)
    return success();
  llvm::sys::fs::remove(aside);
  return module.emitError() << "cannot write weights to '" << path << "': " << code.message();
}

void accel::onnx::inlineOwnedWeights(ModuleOp module) {
  WeightFiles &files = WeightFiles::of(module.getContext());
  module->walk([&](Operation *op) {
    if (op->getNumResults() != 1)
      return;
    auto type = dyn_cast<ShapedType>(op->getResult(0).getType());
    auto file = op->getAttrOfType<FileAttr>("value");
    if (!type || !file || !file.getPath().getValue().starts_with(kMemory))
      return;
    auto bytes = files.bytes(file);
    if (bytes && rawByteSize(type) == int64_t(bytes->size()))
      op->setAttr("value", denseFromRaw(type, *bytes));
  });
}

void accel::onnx::relateFiles(ModuleOp module, StringRef folder) {
  namespace fs = std::filesystem;
  std::error_code code; // what does not exist stays as it is written
  fs::path here = fs::current_path(code);
  fs::path from = here / WeightFiles::of(module.getContext()).getFolder().str();
  fs::path to = fs::weakly_canonical(here / folder.str(), code);
  llvm::StringMap<StringAttr> moved;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](FileAttr attr) -> std::optional<Attribute> {
    StringRef path = attr.getPath().getValue();
    if (path.starts_with(kMemory) || llvm::sys::path::is_absolute(path))
      return attr;
    StringAttr &now = moved[path];
    if (!now) {
      fs::path whole = fs::weakly_canonical(from / path.str(), code);
      now = StringAttr::get(attr.getContext(), whole.lexically_relative(to).string());
    }
    return FileAttr::get(attr.getContext(), now, attr.getOffset(), attr.getLength());
  });
  module->walk([&](Operation *op) { replacer.replaceElementsIn(op); });
}

LogicalResult accel::onnx::checkFiles(ModuleOp module) {
  WeightFiles &files = WeightFiles::of(module.getContext());
  WalkResult result = module->walk([&](Operation *op) {
    std::string why;
    op->getAttrDictionary().walk([&](FileAttr attr) {
      if (why.empty())
        (void)files.bytes(attr, &why);
    });
    if (why.empty())
      return WalkResult::advance();
    op->emitError() << why << "; the text needs the weights that it was written beside";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}
