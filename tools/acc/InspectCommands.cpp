//===- InspectCommands.cpp - acc dump, acc targets, acc list-ops ----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Commands.h"
#include "TensorFiles.h"

#include "acc/Graph/Lowering.h"
#include "acc/Target/Target.h"
#include "acc/runtime/simulator.h"

#include <cstdio>
#include <iostream>
#include <memory>

using namespace accel;

static int dumpArtifact(const std::string &path) {
  absl::StatusOr<rt::Artifact> artifact = rt::OpenArtifact(path);
  if (!artifact.ok())
    return tool::fail(std::string(artifact.status().message()));
  const rt::ArtifactData &data = artifact->data;
  std::printf("artifact   %s, made by %s for %s, ISA version %u\n", path.c_str(),
              data.producer.c_str(), data.target.name.c_str(), data.isaVersion);
  std::printf("code       %lld bytes, %zu routines, %zu vector programs\n",
              (long long)artifact->codeBytes, data.routines.size(), data.vprogs.size());
  std::printf("work       %lld MACs, %zu nodes\n", (long long)data.macs, data.nodes.size());
  std::printf("compulsory %lld bytes\n", (long long)data.compulsoryBytes);
  auto list = [](const char *what, const std::vector<rt::IoInfo> &all) {
    for (const rt::IoInfo &io : all) {
      std::printf("%-10s %s %s[", what, io.name.c_str(), tool::onnxTypeName(io.dtype));
      for (size_t d = 0; d < io.dims.size(); ++d)
        std::printf("%s%lld", d ? ", " : "", (long long)io.dims[d]);
      std::printf("]\n");
    }
  };
  list("input", data.inputs);
  list("output", data.outputs);
  for (const rt::RegionInfo &region : data.regions)
    std::printf("region     %u %s, %lld bytes\n", region.id, rt::RegionKindName(region.kind),
                (long long)region.bytes);
  for (const rt::PredictionInfo &p : data.predictions) {
    long long bytes = 0;
    for (const auto &term : p.terms)
      bytes += term.counters.empty() ? term.coef : 0;
    std::printf("%-10s %12lld bytes  %-18s %s\n", p.write ? "writes" : "reads", bytes,
                rt::ReasonName(p.reason), data.tensors[p.tensor].name.c_str());
  }
  return tool::kGood;
}

void tool::addDump(CLI::App &app, std::function<int()> &run) {
  CLI::App *command = app.add_subcommand("dump", "Shows what an artifact contains");
  auto path = std::make_shared<std::string>();
  command->add_option("artifact", *path, "artifact of acc compile")->required();
  command->callback([path, &run] { run = [path] { return dumpArtifact(*path); }; });
}

static int showTarget(const std::string &name) {
  std::string error;
  std::optional<Target> target = loadTarget(name, error);
  if (!target)
    return tool::fail(error);
  std::printf("%s: %s\n", target->name.c_str(), target->summary.c_str());
  for (const TargetKey &key : targetSchema()) {
    std::string full = std::string(key.table) + "." + key.key;
    std::printf("  %-28s %14.10g %-16s %s\n", full.c_str(),
                target->figure(std::string(key.table) + "_" + key.key), key.unit, key.meaning);
  }
  return tool::kGood;
}

/// What a target file must give: a line of tab-separated cells for each key.
static int showSchema() {
  for (const TargetKey &key : targetSchema())
    std::printf("%s.%s\t%s\t%s\t%.15g\t%.15g\t%s\n", key.table, key.key,
                key.integer ? "integer" : "number", key.unit, key.min, key.max, key.meaning);
  return tool::kGood;
}

void tool::addTargets(CLI::App &app, std::function<int()> &run) {
  CLI::App *command = app.add_subcommand("targets", "Lists machines, or shows one");
  auto name = std::make_shared<std::string>();
  auto schema = std::make_shared<bool>(false);
  command->add_option("target", *name, "name or TOML file");
  command->add_flag("--schema", *schema,
                    "the keys of a target file: name, kind, unit, least, greatest, meaning");
  command->callback([name, schema, &run] {
    run = [name, schema] {
      if (*schema)
        return showSchema();
      if (!name->empty())
        return showTarget(*name);
      for (const BuiltinTarget &builtin : builtinTargets()) {
        std::string error;
        std::optional<Target> target = loadTarget(builtin.name, error);
        if (!target)
          return fail(error);
        std::printf("%-10s %s\n", target->name.c_str(), target->summary.c_str());
      }
      return int(kGood);
    };
  });
}

void tool::addListOps(CLI::App &app, std::function<int()> &run) {
  CLI::App *command =
      app.add_subcommand("list-ops", "Lists the ONNX operators that compile, and how");
  command->callback([&run] {
    run = [] {
      for (const SupportedOp &op : supportedOps())
        std::printf("%-28s %s\n", op.kind.c_str(), op.how.c_str());
      return int(kGood);
    };
  });
}
