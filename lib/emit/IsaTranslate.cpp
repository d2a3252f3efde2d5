//===- IsaTranslate.cpp - artifacts as the isa dialect and back ------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Emit/IsaTranslate.h"
#include "IsaTables.h"

#include "isa/Isa.h"
#include "isa/IsaWords.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

#include <filesystem>

using namespace mlir;

namespace accel::emit {
namespace {

/// Symbols for routines: their names where these differ.
std::vector<std::string> routineSymbols(const rt::ArtifactData &data) {
  llvm::StringSet<> taken;
  std::vector<std::string> symbols;
  for (auto [index, routine] : llvm::enumerate(data.routines)) {
    std::string symbol = routine.name.empty() ? "routine" : routine.name;
    if (!taken.insert(symbol).second) {
      symbol += "_" + std::to_string(index);
      while (!taken.insert(symbol).second)
        symbol += "_";
    }
    symbols.push_back(std::move(symbol));
  }
  // Vector programs share the symbol table.
  for (size_t i = 0; i < data.vprogs.size(); ++i)
    if (taken.contains("vprog" + std::to_string(i)))
      return {};
  return symbols;
}

/// A routine's locations: node names of main are those of the table; a shared
/// routine has none of its own.
SmallVector<Location> locationsOf(const rt::ArtifactData &data, const rt::RoutineInfo &routine,
                                  bool isMain, Location fallback) {
  SmallVector<Location> locations;
  if (isMain)
    for (uint32_t node : routine.nodeOfPc)
      locations.push_back(node < data.nodes.size()
                              ? Location(NameLoc::get(
                                    StringAttr::get(fallback.getContext(), data.nodes[node].name)))
                              : fallback);
  return locations;
}

} // namespace

OwningOpRef<ModuleOp> isaFromArtifact(const rt::Artifact &artifact, StringRef source,
                                      MLIRContext *context) {
  context->loadDialect<instr::IsaDialect>();
  const rt::ArtifactData &data = artifact.data;
  Location location = source.empty() ? Location(UnknownLoc::get(context))
                                     : Location(FileLineColLoc::get(context, source, 0, 0));
  std::vector<std::string> symbols = routineSymbols(data), programs;
  if (symbols.empty())
    return emitError(location, "a routine has the name of a vector program"), nullptr;
  OwningOpRef<ModuleOp> module = ModuleOp::create(location);
  OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
  auto program = instr::ProgramOp::create(b, location, tablesOf(data, source, context));
  Block &top = program.getBody().emplaceBlock();
  b.setInsertionPointToEnd(&top);
  for (auto [index, bytes] : llvm::enumerate(data.vprogs)) {
    absl::StatusOr<rt::isa::VectorProgram> decoded = rt::isa::DecodeProgram(bytes);
    if (!decoded.ok())
      return emitError(location, "vector program ")
                 << index << ": " << std::string(decoded.status().message()),
             nullptr;
    programs.push_back("vprog" + std::to_string(index));
    instr::VprogOp::create(b, location, programs.back(),
                           instr::VectorProgramAttr::get(context, *decoded));
  }
  for (auto [index, info] : llvm::enumerate(data.routines)) {
    ArrayAttr registers;
    SmallVector<Attribute> ranges;
    for (const rt::RegisterRange &r : data.registers)
      if (r.routine == index)
        ranges.push_back(r.step == 1 ? b.getDenseI64ArrayAttr({r.reg, r.min, r.max})
                                     : b.getDenseI64ArrayAttr({r.reg, r.min, r.max, r.step}));
    if (!ranges.empty())
      registers = b.getArrayAttr(ranges);
    DenseI32ArrayAttr nodes;
    if (!info.nodeOfPc.empty())
      nodes =
          b.getDenseI32ArrayAttr(SmallVector<int32_t>(info.nodeOfPc.begin(), info.nodeOfPc.end()));
    auto routine = instr::RoutineOp::create(
        b, location, b.getStringAttr(symbols[index]),
        symbols[index] == info.name ? StringAttr() : b.getStringAttr(info.name), registers, nodes,
        StringAttr());
    FailureOr<bool> needsSlots = instr::decodeRoutine(info.code, info.slots, symbols, programs,
                                                      locationsOf(data, info, index == 0, location),
                                                      routine.getBody().emplaceBlock(), location);
    if (failed(needsSlots))
      return emitError(location, "routine \"") << info.name << "\" cannot be read", nullptr;
    if (*needsSlots)
      routine.setSlots(llvm::toHex(
          StringRef(reinterpret_cast<const char *>(info.slots.data()), info.slots.size())));
  }
  return module;
}

OwningOpRef<ModuleOp> isaFromFile(StringRef path, StringRef textFolder, MLIRContext *context) {
  absl::StatusOr<rt::Artifact> artifact = rt::OpenArtifact(path.str());
  if (!artifact.ok()) {
    emitError(FileLineColLoc::get(context, path, 0, 0)) << std::string(artifact.status().message());
    return nullptr;
  }
  std::string source = path.str();
  if (!llvm::sys::path::is_absolute(path)) {
    namespace fs = std::filesystem;
    std::error_code code; // what does not exist stays as it is written
    fs::path here = fs::current_path(code);
    source = fs::weakly_canonical(here / source, code)
                 .lexically_relative(fs::weakly_canonical(here / textFolder.str(), code))
                 .string();
  }
  return isaFromArtifact(*artifact, source, context);
}

LogicalResult artifactFromIsa(ModuleOp module, StringRef textFolder, rt::ArtifactBuilder &builder) {
  auto found = module.getOps<instr::ProgramOp>();
  if (found.empty() || std::next(found.begin()) != found.end())
    return module.emitError("emit: expected one isa.program");
  instr::ProgramOp program = *found.begin();
  FailureOr<Tables> tables = readTables(program.getTables(), program.getLoc());
  if (failed(tables))
    return failure();
  std::vector<rt::WeightChunk> chunks = std::move(tables->data.chunks);
  builder.data = std::move(tables->data);
  builder.data.chunks.clear();
  instr::SymbolNumbers numbers(program);
  for (Operation &op : program.getBody().getOps()) {
    if (auto vprog = dyn_cast<instr::VprogOp>(op)) {
      builder.data.vprogs.push_back(rt::isa::EncodeProgram(vprog.getProgram().getProgram()));
      continue;
    }
    auto routine = cast<instr::RoutineOp>(op);
    FailureOr<instr::RoutineWords> words = instr::encodeRoutine(routine, numbers);
    if (failed(words))
      return failure();
    rt::RoutineInfo info;
    info.name = routine.getLabel().value_or(routine.getSymName()).str();
    info.code = std::move(words->code);
    info.slots = std::move(words->slots);
    if (auto nodes = routine.getNodes())
      info.nodeOfPc.assign(nodes->begin(), nodes->end());
    uint32_t index = uint32_t(builder.data.routines.size());
    if (auto registers = routine.getRegisters())
      for (Attribute row : *registers) {
        auto range = dyn_cast<DenseI64ArrayAttr>(row);
        if (!range || range.size() < 3 || range.size() > 4)
          return routine.emitOpError(
              "registers: expected array<i64: register, least, greatest, step>");
        builder.data.registers.push_back(
            {index, uint8_t(range[0]), range[1], range[2], range.size() == 4 ? range[3] : 1});
      }
    builder.data.routines.push_back(std::move(info));
  }

  std::shared_ptr<rt::FileBytes> file;
  for (const rt::WeightChunk &c : chunks) {
    if (!c.external.empty()) {
      builder.AddExternalWeights(c.region, c.offset, c.bytes, c.external.path, c.external.offset);
      continue;
    }
    if (tables->source.empty())
      return program.emitError("emit: the text names no file with its weights: text on standard "
                               "output has none, write it to a file");
    if (!file) {
      SmallString<128> path(textFolder);
      llvm::sys::path::append(path, tables->source);
      if (llvm::sys::path::is_absolute(tables->source))
        path = tables->source;
      auto mapped = rt::FileBytes::Map(path.str().str());
      if (!mapped.ok())
        return program.emitError("emit: weights of '")
               << tables->source << "': " << std::string(mapped.status().message());
      file = *mapped;
    }
    if (c.segmentOffset < 0 || c.bytes < 0 || uint64_t(c.segmentOffset) > file->size() ||
        uint64_t(c.bytes) > file->size() - uint64_t(c.segmentOffset))
      return program.emitError("emit: weights at ")
             << c.segmentOffset << ", " << c.bytes << " bytes, reach out of '" << tables->source
             << "'";
    builder.AddWeights(c.region, c.offset, c.bytes,
                       [file, at = c.segmentOffset, bytes = c.bytes](rt::WeightSink &sink) {
                         return sink.Append(file->data() + at, size_t(bytes));
                       });
  }
  return success();
}

} // namespace accel::emit
