//===- WriteFile.cpp - a file is written whole or not at all --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Import/WriteFile.h"

#include "acc/runtime/byte_output.h"

using namespace accel;

namespace {
/// Keeps the first error; what follows it is dropped.
class OutputStream : public llvm::raw_ostream {
public:
  explicit OutputStream(rt::ByteOutput &output) : output(output) {}
  ~OutputStream() override { flush(); }
  absl::Status status;

private:
  void write_impl(const char *data, size_t bytes) override {
    if (status.ok())
      status = output.Append(data, bytes);
  }
  uint64_t current_pos() const override { return output.position(); }
  rt::ByteOutput &output;
};
} // namespace

static WriteResult writeStandardOutput(llvm::function_ref<bool(llvm::raw_ostream &)> fill) {
  llvm::raw_fd_ostream &out = llvm::outs();
  if (!fill(out))
    return {false, ""};
  out.flush();
  std::error_code code = out.error();
  out.clear_error(); // or the process ends with a report of its own
  return {!code, code ? "standard output: " + code.message() : ""};
}

WriteResult accel::writeFile(llvm::StringRef path,
                             llvm::function_ref<bool(llvm::raw_ostream &)> fill) {
  if (path == "-")
    return writeStandardOutput(fill);
  absl::StatusOr<std::unique_ptr<rt::ByteOutput>> file = rt::FileOutput(path.str());
  absl::Status status = file.status();
  if (status.ok()) {
    OutputStream out(**file);
    if (!fill(out))
      return {false, ""};
    out.flush();
    status = out.status;
  }
  if (status.ok())
    status = (*file)->Commit();
  return {status.ok(), std::string(status.message())};
}
