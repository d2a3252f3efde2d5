//===- Target.cpp - machine descriptions ----------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Target/Target.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"

#include <sstream>
#include <toml++/toml.h>

using namespace accel;

static constexpr double kTera = 1e12;
static constexpr TargetKey kSchema[] = {
    {"clock", "hz", true, 1e5, 1e11, "Hz", "clock of all engines"},
    {"mxu", "rows", true, 1, 65536, "elements", "rows of the systolic array (reduction)"},
    {"mxu", "columns", true, 1, 65536, "elements", "columns of the systolic array (outputs)"},
    {"mxu", "int8_macs", true, 1, 1e9, "MAC/cycle", "peak with int8 or fp8 operands"},
    {"mxu", "f16_macs", true, 1, 1e9, "MAC/cycle", "peak with f16 or bf16 operands"},
    {"mxu", "f32_macs", true, 1, 1e9, "MAC/cycle", "peak with f32 operands"},
    {"mxu", "depthwise_macs", true, 1, 1e9, "MAC/cycle",
     "peak of depthwise convolutions with int8; other types have the same share of it as of the "
     "other peaks"},
    {"mxu", "load_bytes_per_cycle", true, 1, 1e6, "bytes/cycle",
     "at which the array takes the operand that it holds"},
    {"acc", "bytes", true, 256, kTera, "bytes", "accumulators, 4 bytes each"},
    {"vec", "lanes", true, 1, 1e6, "elements/cycle", "f32 lanes of the vector engine"},
    {"vec", "transcendental_divisor", true, 1, 1024, "cycles",
     "cycles of exp, tanh, ... relative to an addition"},
    {"vec", "steps", true, 1, 1024, "steps",
     "of a vector program that a lane carries out in a cycle: units in a chain"},
    {"vec", "wide_divisor", true, 1, 1024, "cycles",
     "cycles of a step on i64 or f64 relative to one on 32 bits"},
    {"vec", "latency_cycles", true, 0, 1e6, "cycles", "from a step to one that needs its result"},
    {"sram", "bytes", true, 1024, kTera, "bytes", "scratchpad"},
    {"sram", "banks", true, 1, 4096, "banks", "banks of the scratchpad"},
    {"sram", "bank_bytes", true, 1, 65536, "bytes/cycle",
     "word that a bank gives or takes a cycle"},
    {"sram", "latency_cycles", true, 0, 1e6, "cycles", "first word of an access"},
    {"imem", "bytes", true, 1024, kTera, "bytes", "instruction memory: the code of one routine"},
    {"dram", "bytes_per_cycle", false, 1e-3, 1e5, "bytes/cycle", "bandwidth"},
    {"dram", "burst_bytes", true, 1, 65536, "bytes", "smallest transfer"},
    {"dram", "latency_cycles", true, 0, 1e9, "cycles", "first byte of a transfer"},
    {"dram", "write_latency_cycles", true, 0, 1e9, "cycles",
     "last byte of a transfer until it is there"},
    {"dram", "row_bytes", true, 1, 1e9, "bytes", "row of a bank"},
    {"dram", "row_cycles", false, 0, 1e6, "cycles",
     "between the openings of two rows, over all banks and channels"},
    {"dma", "bytes_per_cycle", true, 1, 1e6, "bytes/cycle",
     "port of a load or store engine to the scratchpad"},
    {"dma", "setup_cycles", true, 0, 1e6, "cycles", "of an engine for each transfer"},
    {"dma", "outstanding", true, 1, 65536, "transfers", "that an engine has on the way at once"},
    {"ctrl", "scalar_cycles", true, 0, 1e6, "cycles", "of an instruction of the sequencer"},
    {"ctrl", "slot_cycles", true, 0, 1e6, "cycles",
     "for each descriptor slot that the sequencer sends"},
    {"semaphore", "latency_cycles", true, 0, 1e6, "cycles",
     "from a signal to the engine that waits"},
    {"queue", "depth", true, 1, 65536, "instructions", "queue of each engine"},
};

llvm::ArrayRef<TargetKey> accel::targetSchema() { return kSchema; }

double Target::figure(llvm::StringRef key) const {
  for (const Figure &figure : figures)
    if (figure.key == key)
      return figure.value;
  return 0;
}

mlir::DictionaryAttr Target::attribute(mlir::MLIRContext *context) const {
  mlir::Builder builder(context);
  llvm::SmallVector<mlir::NamedAttribute> attributes{
      builder.getNamedAttr("name", builder.getStringAttr(name)),
      builder.getNamedAttr("digest", builder.getStringAttr(digest))};
  for (const Figure &figure : figures)
    attributes.push_back(builder.getNamedAttr(
        figure.key, figure.integer
                        ? mlir::Attribute(builder.getI64IntegerAttr(int64_t(figure.value)))
                        : mlir::Attribute(builder.getF64FloatAttr(figure.value))));
  return builder.getDictionaryAttr(attributes);
}

/// The name in the schema that differs least from a misspelt one.
static std::string nearest(llvm::StringRef table, llvm::StringRef key) {
  std::string best;
  unsigned distance = 4;
  for (const TargetKey &known : kSchema) {
    std::string full = std::string(known.table) + "." + known.key;
    unsigned d = llvm::StringRef(full).edit_distance((table + "." + key).str());
    if (d < distance) {
      distance = d;
      best = full;
    }
  }
  return best.empty() ? "" : "; did you mean '" + best + "'?";
}

/// A number with an optional binary unit: 1.5, 128KiB, 2MiB, 1GiB.
static bool setNumber(toml::table &table, llvm::StringRef key, llvm::StringRef value) {
  int64_t unit = value.consume_back("KiB")   ? int64_t(1) << 10
                 : value.consume_back("MiB") ? int64_t(1) << 20
                 : value.consume_back("GiB") ? int64_t(1) << 30
                                             : 1;
  int64_t integer;
  double number;
  if (!value.getAsInteger(10, integer) && std::abs(integer) <= int64_t(kTera))
    table.insert_or_assign(key.str(), integer * unit);
  else if (!value.getAsDouble(number))
    table.insert_or_assign(key.str(), number * double(unit));
  else
    return false;
  return true;
}

/// Puts TABLE.KEY=VALUE in place of what the file says.
static std::string override(toml::table &root, llvm::StringRef setting) {
  auto [full, value] = setting.split('=');
  auto [table, key] = full.split('.');
  if (table.empty() || key.empty() || value.empty())
    return "must be TABLE.KEY=VALUE, as in sram.bytes=128KiB";
  const TargetKey *known =
      llvm::find_if(kSchema, [&](const TargetKey &k) { return table == k.table && key == k.key; });
  if (known == std::end(kSchema))
    return "unknown key '" + full.str() + "'" + nearest(table, key);
  if (!root[table.str()].is_table())
    root.insert_or_assign(table.str(), toml::table{});
  if (!setNumber(*root[table.str()].as_table(), key, value))
    return "'" + value.str() + "' is not a number (in " + known->unit +
           "; KiB, MiB and GiB are possible)";
  return "";
}

static std::optional<Target> parse(llvm::StringRef text, llvm::StringRef file,
                                   llvm::ArrayRef<std::string> settings, std::string &error) {
  toml::table root;
  auto at = [&](const toml::source_region &region) {
    std::ostringstream os;
    os << file.str();
    if (region.begin.line)
      os << ':' << region.begin.line << ':' << region.begin.column;
    return os.str() + ": ";
  };
  try {
    root = toml::parse(std::string_view(text.data(), text.size()),
                       std::string_view(file.data(), file.size()));
  } catch (const toml::parse_error &problem) {
    error = at(problem.source()) + std::string(problem.description());
    return std::nullopt;
  }
  for (const std::string &setting : settings)
    if (std::string wrong = override(root, setting); !wrong.empty()) {
      error = "--set " + setting + ": " + wrong;
      return std::nullopt;
    }
  Target target;
  std::string described = text.str();
  for (const std::string &setting : settings)
    described += "\n" + setting;
  target.digest = llvm::utohexstr(llvm::xxh3_64bits(described), /*LowerCase=*/true, 16);
  // What is there must be known.
  for (auto &&[table, node] : root) {
    std::string name(table.str());
    if (name == "name" || name == "summary" || name == "source") {
      if (!node.is_string()) {
        error = at(node.source()) + "'" + name + "' must be a string";
        return std::nullopt;
      }
      continue;
    }
    if (llvm::none_of(kSchema, [&](const TargetKey &key) { return name == key.table; })) {
      error = at(node.source()) + "unknown table or key '" + name + "'";
      return std::nullopt;
    }
    if (!node.is_table()) {
      error = at(node.source()) + "'" + name + "' must be a table: [" + name + "]";
      return std::nullopt;
    }
    for (auto &&[key, value] : *node.as_table()) {
      std::string k(key.str());
      if (llvm::none_of(kSchema,
                        [&](const TargetKey &s) { return name == s.table && k == s.key; })) {
        error = at(value.source()) + "unknown key '" + name + "." + k + "'" + nearest(name, k);
        return std::nullopt;
      }
    }
  }
  // What must be there is, in its range.
  for (const TargetKey &key : kSchema) {
    std::string full = std::string(key.table) + "." + key.key;
    toml::node_view<toml::node> value = root[key.table][key.key];
    if (!value) {
      error = file.str() + ": '" + full + "' is missing (" + key.meaning + ", in " + key.unit + ")";
      return std::nullopt;
    }
    std::optional<double> number;
    if (value.is_integer())
      number = double(*value.value<int64_t>());
    else if (!key.integer && value.is_floating_point())
      number = *value.value<double>();
    if (!number) {
      std::ostringstream os;
      os << "'" << full << "' must be " << (key.integer ? "an integer" : "a number") << " in "
         << key.unit << ", it is a" << (value.is_array() || value.is_integer() ? "n " : " ")
         << value.type();
      error = at(value.node()->source()) + os.str();
      return std::nullopt;
    }
    if (!(*number >= key.min && *number <= key.max)) {
      std::ostringstream os;
      os.precision(15);
      os << "'" << full << "' is " << *number << " " << key.unit << ", possible are " << key.min
         << " to " << key.max;
      error = at(value.node()->source()) + os.str();
      return std::nullopt;
    }
    target.figures.push_back({std::string(key.table) + "_" + key.key, *number, key.integer});
  }
  if (double rows = target.figure("mxu_rows"), columns = target.figure("mxu_columns");
      target.figure("mxu_f32_macs") > rows * columns ||
      target.figure("mxu_f16_macs") > rows * columns) {
    error = file.str() + ": mxu.f32_macs and mxu.f16_macs cannot exceed mxu.rows x mxu.columns";
    return std::nullopt;
  }
  if (int64_t burst = int64_t(target.figure("dram_burst_bytes")); burst & (burst - 1)) {
    error = file.str() + ": dram.burst_bytes must be a power of two";
    return std::nullopt;
  }
  if (int64_t banks = int64_t(target.figure("sram_banks"));
      int64_t(target.figure("sram_bytes")) % banks) {
    error = file.str() + ": sram.bytes must be a multiple of sram.banks";
    return std::nullopt;
  }
  target.name = root["name"].value_or(std::string());
  target.summary = root["summary"].value_or(std::string());
  target.source = root["source"].value_or(std::string());
  if (target.name.empty()) {
    error = file.str() + ": 'name' is missing";
    return std::nullopt;
  }
  return target;
}

std::optional<Target> accel::loadTarget(llvm::StringRef nameOrPath, std::string &error,
                                        llvm::ArrayRef<std::string> settings) {
  for (const BuiltinTarget &target : builtinTargets())
    if (target.name == nameOrPath)
      return parse(target.text, (target.name + ".toml").str(), settings, error);
  auto buffer = llvm::MemoryBuffer::getFile(nameOrPath, /*IsText=*/true);
  if (!buffer) {
    error = "target '" + nameOrPath.str() + "': " + buffer.getError().message() +
            "; give a TOML file or one of:";
    for (const BuiltinTarget &target : builtinTargets())
      error += " " + target.name.str();
    return std::nullopt;
  }
  return parse((*buffer)->getBuffer(), nameOrPath, settings, error);
}
