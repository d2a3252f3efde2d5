//===- RunCommand.cpp - acc run -------------------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Commands.h"
#include "Console.h"
#include "TensorFiles.h"

#include "acc/runtime/files.h"
#include "acc/runtime/simulator.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

using namespace accel;

namespace {
struct Arguments {
  std::string artifact, outputDir, format = "npy", stats;
  std::vector<std::string> inputs;
  rt::SimOptions options;
  bool json = false;
};
} // namespace

namespace {
/// The folder for outputs; those that it had to make go again unless outputs are in it.
class OutputFolder {
public:
  ~OutputFolder() {
    for (size_t i = made.size(); i-- > 0 && !keep;)
      llvm::sys::fs::remove(made[i]);
  }
  /// The error, if there is one.
  std::error_code create(const std::string &path) {
    for (llvm::StringRef at = path; !at.empty() && !llvm::sys::fs::exists(at);
         at = llvm::sys::path::parent_path(at))
      made.insert(made.begin(), at.str());
    return llvm::sys::fs::create_directories(path, /*IgnoreExisting=*/true,
                                             llvm::sys::fs::perms::all_all);
  }
  bool keep = false;

private:
  std::vector<std::string> made;
};
} // namespace

/// All files of a run, or none (contract C8).
static absl::Status writeResults(const Arguments &arguments, const rt::Simulator &simulator,
                                 const rt::ArtifactData &data, const std::string &stats) {
  std::vector<std::pair<std::string, std::string>> files;
  std::set<std::string> names;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  if (!arguments.outputDir.empty()) {
    for (rt::IoInfo output : data.outputs) {
      auto bytes = simulator.Output(output.name);
      auto dims = simulator.OutputDims(output.name);
      if (!bytes.ok() || !dims.ok())
        return bytes.ok() ? dims.status() : bytes.status();
      output.dims = *dims;
      // Names that differ only in what a file name cannot have.
      std::string stem = tool::fileName(output.name), file = stem + "." + arguments.format;
      for (int n = 2; !names.insert(file).second; ++n)
        file = stem + "_" + std::to_string(n) + "." + arguments.format;
      files.emplace_back(arguments.outputDir + "/" + file, arguments.format == "npy"
                                                               ? tool::npyFile(output, *bytes)
                                                               : tool::pbFile(output, *bytes));
      list.push_back({{"name", output.name},
                      {"file", file},
                      {"type", tool::onnxTypeName(output.dtype)},
                      {"shape", output.dims}});
    }
    files.emplace_back(arguments.outputDir + "/outputs.json",
                       list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  if (!arguments.stats.empty() && arguments.stats != "-")
    files.emplace_back(arguments.stats, stats + "\n");
  std::vector<rt::FileContent> contents;
  for (const auto &[path, content] : files)
    contents.push_back({path, content});
  return rt::WriteFiles(contents);
}

/// `NAME=FILE` arguments become inputs of the simulator; every input must be given.
static absl::Status setInputs(const Arguments &arguments, const rt::Program &program,
                              rt::Simulator &simulator) {
  const std::vector<rt::IoInfo> &inputs = program.data().inputs;
  std::vector<bool> given(inputs.size());
  for (const std::string &text : arguments.inputs) {
    size_t at = text.rfind('=');
    if (at == std::string::npos)
      return absl::InvalidArgumentError("--input " + text + ": is not NAME=FILE");
    if (at + 1 == text.size())
      return absl::InvalidArgumentError("--input " + text + ": names no file");
    std::string name = text.substr(0, at), names;
    const rt::IoInfo *io = nullptr;
    for (const rt::IoInfo &input : inputs) {
      names += (names.empty() ? "'" : ", '") + input.name + "'";
      if (input.name == name)
        io = &input;
    }
    if (!io)
      return absl::InvalidArgumentError("--input " + text + ": the model has no input '" + name +
                                        "', it has " + (names.empty() ? "none" : names));
    if (given[io - inputs.data()])
      return absl::InvalidArgumentError("--input " + text + ": '" + name + "' is given twice");
    auto tensor = tool::readTensor(text.substr(at + 1), *io);
    if (!tensor.ok())
      return tensor.status();
    if (absl::Status status = simulator.SetInput(name, tensor->bytes, tensor->dims); !status.ok())
      return status;
    given[io - inputs.data()] = true;
  }
  for (size_t i = 0; i < given.size() && !arguments.options.timingOnly; ++i)
    if (!given[i])
      return absl::InvalidArgumentError("input '" + inputs[i].name +
                                        "' is not given: add --input " + inputs[i].name +
                                        "=FILE.npy");
  return absl::OkStatus();
}

static int runArtifact(const Arguments &arguments) {
  tool::Console console(arguments.json);
  auto fail = [&](const absl::Status &status) {
    return console.fail(std::string(status.message()));
  };
  console.doing("loading", arguments.artifact);
  absl::StatusOr<rt::Program> program = rt::Program::Load(arguments.artifact);
  if (!program.ok())
    return fail(program.status());
  rt::Simulator simulator(*program, arguments.options);
  if (absl::Status status = setInputs(arguments, *program, simulator); !status.ok())
    return fail(status);
  OutputFolder folder;
  if (!arguments.outputDir.empty())
    if (std::error_code problem = folder.create(arguments.outputDir))
      return console.fail(arguments.outputDir + ": " + problem.message());
  console.doing("running", arguments.artifact);
  if (absl::Status status = simulator.Run(); !status.ok())
    return fail(status);
  console.rest();
  std::string json = simulator.stats().Json(program->data());
  if (absl::Status status = writeResults(arguments, simulator, program->data(), json); !status.ok())
    return fail(status);
  folder.keep = true;
  if (arguments.json || arguments.stats == "-")
    std::cout << json << '\n';
  return tool::kGood;
}

void tool::addRun(CLI::App &app, std::function<int()> &run) {
  CLI::App *command = app.add_subcommand("run", "Runs an artifact on the simulator");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("artifact", arguments->artifact, "artifact of acc compile")
      ->required()
      ->check(kNotEmpty);
  command->add_option("--input", arguments->inputs, "NAME=FILE, a .npy or TensorProto .pb file")
      ->allow_extra_args(false);
  command->add_option("--output-dir", arguments->outputDir, "folder for outputs and outputs.json")
      ->check(kNotEmpty);
  command->add_option("--output-format", arguments->format, "npy or pb")
      ->check(CLI::IsMember({"npy", "pb"}));
  command->add_option("--stats", arguments->stats, "statistics, JSON; - for standard output")
      ->check(kNotEmpty);
  command->add_option("--threads", arguments->options.threads, "threads of the host")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--max-instructions", arguments->options.maxInstructions,
                   "ends the run after so many instructions")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--sanitize", arguments->options.sanitize,
                    "checks hazards, initialisation, bounds and deadlock");
  CLI::Option *timing = command->add_flag("--timing", arguments->options.timing,
                                          "simulates time too: cycles, utilization, stalls");
  command
      ->add_flag("--timing-only", arguments->options.timingOnly,
                 "simulates time without data: no inputs, no outputs, no memory for them")
      ->excludes(timing)
      ->excludes("--input")
      ->excludes("--output-dir")
      ->excludes("--sanitize");
  command->add_flag("--json", arguments->json, "statistics on standard output, messages as JSON");
  command->footer(
      "Each output goes to NAME.npy, where characters outside [A-Za-z0-9._-] become _.\n\n"
      "Examples:\n"
      "  acc run net.acc --input x=x.npy --output-dir out --stats stats.json\n"
      "  acc run net.acc --input x=x.npy --sanitize --json\n"
      "  acc run net.acc --timing-only --stats -\n"
      "  acc run net.acc --input x=x.pb --output-dir out --output-format pb --threads 2");
  command->callback([arguments, &run] { run = [arguments] { return runArtifact(*arguments); }; });
}
