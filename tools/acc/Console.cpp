//===- Console.cpp - what acc says ----------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Console.h"
#include "Commands.h"

#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace accel;
using tool::Console;

/// Nothing is shown of what is done by then.
static constexpr std::chrono::milliseconds kPatience(1000), kTick(100);

/// A message and where it belongs to.
struct Console::Message {
  const char *type;
  std::string text, file, node;
  int64_t line = 0, column = 0;
};

Console::Console(bool json) : json(json), terminal(!json && isatty(STDERR_FILENO)) {}

Console::~Console() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    done = true;
  }
  woken.notify_all();
  if (painter.joinable())
    painter.join();
  wipe();
}

double Console::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void Console::doing(const std::string &stage, const std::string &file) {
  if (json) {
    nlohmann::ordered_json entry{{"type", "stage"}, {"name", stage}, {"seconds", seconds()}};
    std::fprintf(stderr, "%s\n", entry.dump().c_str());
  }
  if (!terminal)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  current = file + ": " + stage;
  if (!painter.joinable())
    painter = std::thread([this] {
      std::unique_lock<std::mutex> lock(mutex);
      while (!woken.wait_for(lock, kTick, [this] { return done; }))
        paint();
    });
}

void Console::rest() {
  std::lock_guard<std::mutex> lock(mutex);
  current.clear();
  wipe();
}

void Console::paint() {
  if (current.empty() || seconds() * 1000 < double(kPatience.count()))
    return;
  std::fprintf(stderr, "\r\x1b[K  %s, %.0f s", current.c_str(), seconds());
  std::fflush(stderr);
  painted = true;
}

void Console::wipe() {
  if (painted)
    std::fputs("\r\x1b[K", stderr);
  painted = false;
}

void Console::print(const Message &message) {
  std::lock_guard<std::mutex> lock(mutex);
  wipe();
  errors += std::string_view(message.type) == "error";
  if (json) {
    nlohmann::ordered_json entry{{"type", message.type}, {"text", message.text}};
    if (!message.node.empty())
      entry["node"] = message.node;
    if (!message.file.empty()) {
      entry["file"] = message.file;
      if (message.line) { // a binary file has none
        entry["line"] = message.line;
        entry["column"] = message.column;
      }
    }
    // Names in a model need not be UTF-8.
    std::string line = entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::fprintf(stderr, "%s\n", line.c_str());
    return;
  }
  std::string where = message.file;
  if (message.line) // a binary file has none
    where += ":" + std::to_string(message.line) + ":" + std::to_string(message.column);
  if (!where.empty())
    where += ": ";
  std::string quoted = '"' + message.node + '"';
  if (!message.node.empty() && message.text.find(quoted) == std::string::npos)
    where += quoted + ": ";
  std::fprintf(stderr, "acc: %s: %s%s\n", message.type, where.c_str(), message.text.c_str());
}

int Console::fail(const std::string &text) {
  print({"error", text, "", ""});
  return kInputFault;
}

void Console::diagnostic(mlir::Diagnostic &diagnostic, const std::string &input) {
  Message message;
  switch (diagnostic.getSeverity()) {
  case mlir::DiagnosticSeverity::Error:
    message.type = "error";
    break;
  case mlir::DiagnosticSeverity::Warning:
    message.type = "warning";
    break;
  default:
    message.type = "note";
  }
  message.text = diagnostic.str();
  if (!llvm::isa<mlir::UnknownLoc>(diagnostic.getLocation()))
    message.file = input;
  diagnostic.getLocation()->walk([&](mlir::Location inner) {
    if (auto file = llvm::dyn_cast<mlir::FileLineColLoc>(inner)) {
      message.file = file.getFilename().str();
      message.line = file.getLine();
      message.column = file.getColumn();
    } else if (auto name = llvm::dyn_cast<mlir::NameLoc>(inner); name && message.node.empty()) {
      message.node = name.getName().str();
    }
    return mlir::WalkResult::advance();
  });
  print(message);
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    print({"note", note.str(), "", ""});
}
