//===- InspectCommands.cpp - acc targets, acc list-ops --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Commands.h"
#include "Console.h"

#include "acc/Graph/Lowering.h"
#include "acc/Import/Import.h"
#include "acc/Target/Target.h"

#include <cstdio>
#include <memory>

using namespace accel;

static int showTarget(const std::string &name, const std::vector<std::string> &settings) {
  std::string error;
  std::optional<Target> target = loadTarget(name, error, settings);
  if (!target)
    return tool::Console(false).fail(error);
  std::printf("%s: %s\n", target->name.c_str(), target->summary.c_str());
  std::printf("source: %s\n", target->source.empty() ? "not given" : target->source.c_str());
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
  auto settings = std::make_shared<std::vector<std::string>>();
  auto schema = std::make_shared<bool>(false);
  CLI::Option *target = command->add_option("target", *name, "name or TOML file");
  command
      ->add_option("--set", *settings,
                   "TABLE.KEY=VALUE replaces a figure: sram.bytes=128KiB (KiB, MiB, GiB)")
      ->allow_extra_args(false)
      ->needs(target);
  command->add_flag("--schema", *schema,
                    "the keys of a target file: name, kind, unit, least, greatest, meaning");
  command->footer("Examples:\n"
                  "  acc targets              machines that come with acc\n"
                  "  acc targets edge         every figure with its unit, and where they are from\n"
                  "  acc targets mine.toml    the same of a file, which is checked\n"
                  "  acc targets edge --set sram.bytes=128KiB\n"
                  "                           one figure replaced, as compile and check do it\n"
                  "  acc targets --schema     what such a file must give");
  command->callback([name, settings, schema, &run] {
    run = [name, settings, schema] {
      if (*schema)
        return showSchema();
      if (!name->empty())
        return showTarget(*name, *settings);
      for (const BuiltinTarget &builtin : builtinTargets()) {
        std::string error;
        std::optional<Target> target = loadTarget(builtin.name, error);
        if (!target)
          return Console(false).fail(error);
        std::printf("%-10s %s\n", target->name.c_str(), target->summary.c_str());
      }
      return int(kGood);
    };
  });
}

void tool::addListOps(CLI::App &app, std::function<int()> &run) {
  CLI::App *command =
      app.add_subcommand("list-ops", "Lists the ONNX operators that compile, and how");
  command->footer("Examples:\n"
                  "  acc list-ops\n"
                  "  acc list-ops | grep Conv\n"
                  "  acc check net.onnx       whether all nodes of a model can be compiled");
  command->callback([&run] {
    run = [] {
      for (const SupportedOp &op : supportedOps())
        std::printf("%-28s %s\n", op.kind.c_str(), op.how.c_str());
      for (const std::string &name : contributedOps())
        std::printf("%-46s  nodes of ai.onnx\n", ("com.microsoft." + name).c_str());
      return int(kGood);
    };
  });
}
