//===- ExplainCommand.cpp - acc explain ------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Commands.h"
#include "Console.h"

#include "acc/Import/WriteFile.h"
#include "acc/Report/Report.h"

#include "llvm/Support/FileSystem.h"

#include <cstdio>
#include <memory>

using namespace accel;

namespace {
struct Arguments {
  std::string artifact, file;
  report::TextOptions text;
  bool json = false;
};
} // namespace

static int explain(const Arguments &arguments) {
  tool::Console console(arguments.json);
  absl::StatusOr<rt::Artifact> artifact = rt::OpenArtifact(arguments.artifact);
  if (!artifact.ok())
    return console.fail(std::string(artifact.status().message()));
  absl::StatusOr<report::Report> report = report::makeReport(artifact->data, arguments.artifact);
  if (!report.ok())
    return console.fail(std::string(report.status().message()));
  if (!arguments.file.empty()) {
    if (llvm::sys::fs::equivalent(arguments.file, arguments.artifact))
      return console.fail("'" + arguments.file + "' is read and cannot be written over");
    WriteResult written = writeFile(arguments.file, [&](llvm::raw_ostream &os) {
      os << report::render(*report, arguments.file);
      return true;
    });
    return written.good ? int(tool::kGood) : console.fail(written.reason);
  }
  std::string text = arguments.json ? asJson(*report) : asText(*report, arguments.text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return tool::kGood;
}

void tool::addExplain(CLI::App &app, std::function<int()> &run) {
  CLI::App *command = app.add_subcommand("explain", "Says why each byte of a program moves");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("artifact", arguments->artifact, "artifact of acc compile")
      ->required()
      ->check(kNotEmpty);
  command->add_option("--report", arguments->file, "writes the report to a file, .json or .html")
      ->check(kReportFile);
  command->add_option("--rows", arguments->text.rows, "rows of each table, 0 for all")
      ->capture_default_str();
  command->add_option("--tensor", arguments->text.tensor, "only tensors whose name has this in it");
  command->add_option("--node", arguments->text.node, "only nodes whose name has this in it");
  command->add_flag("--json", arguments->json, "the whole report as JSON");
  command->footer("docs/explain.md says what the reasons mean.\n\n"
                  "Examples:\n"
                  "  acc explain net.acc\n"
                  "  acc explain net.acc --node conv1 --rows 0\n"
                  "  acc explain net.acc --report net.html     charts and a table, works offline\n"
                  "  acc explain net.acc --json | jq '.causes'");
  command->callback([arguments, &run] { run = [arguments] { return explain(*arguments); }; });
}
