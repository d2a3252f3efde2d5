//===- Nodes.cpp - which ONNX nodes instructions belong to -----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A routine is shared by equal layers, so an instruction has a local number: the
// position of its node among the names in the location of the routine's first
// call. At every call, the names in that call's location at the same positions
// are the nodes meant.
//===----------------------------------------------------------------------===//

#include "Nodes.h"

#include "acc/Emit/Emit.h"

using namespace mlir;

namespace accel::emit {

static void collect(Location location, SmallVectorImpl<NameLoc> &nodes) {
  if (auto named = dyn_cast<NameLoc>(location)) {
    if (llvm::none_of(nodes, [&](NameLoc n) { return n.getName() == named.getName(); }))
      nodes.push_back(named);
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collect(part, nodes);
  } else if (auto site = dyn_cast<CallSiteLoc>(location)) {
    collect(site.getCallee(), nodes);
  }
}

static SmallVector<NameLoc> nodesOf(Location location) {
  SmallVector<NameLoc> nodes;
  collect(location, nodes);
  return nodes;
}

/// The position in `nodes` of the first node that `location` names and that is
/// there.
static std::optional<size_t> positionIn(ArrayRef<NameLoc> nodes, Location location) {
  for (NameLoc node : nodesOf(location))
    for (auto [i, known] : llvm::enumerate(nodes))
      if (known.getName() == node.getName())
        return i;
  return std::nullopt;
}

uint32_t NodeTable::indexOf(NameLoc node) {
  auto [it, isNew] = indices.try_emplace(node.getName().getValue(), uint32_t(data.nodes.size()));
  if (isNew) {
    // The importer writes the operator behind the name.
    auto op = dyn_cast<NameLoc>(node.getChildLoc());
    data.nodes.push_back({node.getName().str(), op ? op.getName().str() : "", 0});
  }
  return it->second;
}

void NodeTable::addMacs(const codegen::EncodedProgram::Place &call, func::FuncOp routine) {
  auto macs = routine->getAttrOfType<DenseI64ArrayAttr>("accel.macs");
  auto members = routine->getAttrOfType<ArrayAttr>("accel.macs_of");
  if (!macs || !members || members.size() != size_t(macs.size()))
    return;
  SmallVector<NameLoc> nodes = nodesOf(call.op->getLoc());
  for (auto [count, member] : llvm::zip(macs.asArrayRef(), members)) {
    data.macs += count;
    auto location = dyn_cast<LocationAttr>(member);
    auto position = location ? positionIn(locals[call.routine], location) : std::nullopt;
    if (position && !nodes.empty())
      data.nodes[indexOf(nodes[std::min(*position, nodes.size() - 1)])].macs += count;
  }
}

void NodeTable::addBounds(ArrayAttr bounds) {
  for (Attribute attr : bounds) {
    auto entry = dyn_cast<DictionaryAttr>(attr);
    auto name = entry ? entry.getAs<StringAttr>("node") : nullptr;
    auto it = name ? indices.find(name.getValue()) : indices.end();
    if (it == indices.end())
      continue; // nothing is left of the node in the program
    auto number = [&](StringRef key) {
      auto value = entry.getAs<IntegerAttr>(key);
      return value ? value.getInt() : 0;
    };
    data.nodes[it->second].compulsoryBytes += number("compulsory");
    data.nodes[it->second].boundBytes += number("bound");
  }
}

void NodeTable::addDebugMap(const codegen::EncodedProgram &program) {
  locals.resize(program.routines.size());
  std::vector<bool> seen(program.routines.size(), false);
  std::vector<uint32_t> &main = data.routines[0].nodeOfPc;
  main.assign(program.routines[0].locations.size(), rt::kNone);
  for (const codegen::EncodedProgram::Place &call : program.calls) {
    SmallVector<NameLoc> nodes = nodesOf(call.op->getLoc());
    if (!seen[call.routine])
      locals[call.routine] = nodes;
    seen[call.routine] = true;
    rt::CallNodes map;
    map.pc = call.call;
    for (size_t i = 0; i < locals[call.routine].size(); ++i)
      map.nodes.push_back(nodes.empty() ? rt::kNone
                                        : indexOf(nodes[std::min(i, nodes.size() - 1)]));
    if (!nodes.empty())
      for (uint32_t pc = call.first; pc <= call.last; ++pc)
        main[pc] = indexOf(nodes.front());
    data.calls.push_back(std::move(map));
  }
  for (size_t r = 1; r < program.routines.size(); ++r)
    for (Location location : program.routines[r].locations)
      data.routines[r].nodeOfPc.push_back(positionIn(locals[r], location).value_or(rt::kNone));
}

} // namespace accel::emit
