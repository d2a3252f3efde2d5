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

static void collectNames(Location location, SmallVectorImpl<StringRef> &names) {
  if (auto named = dyn_cast<NameLoc>(location)) {
    if (!llvm::is_contained(names, named.getName().getValue()))
      names.push_back(named.getName().getValue());
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collectNames(part, names);
  } else if (auto site = dyn_cast<CallSiteLoc>(location)) {
    collectNames(site.getCallee(), names);
  }
}

SmallVector<StringRef> nodeNames(Location location) {
  SmallVector<StringRef> names;
  collectNames(location, names);
  return names;
}

NodeTable::NodeTable(ModuleOp module, rt::ArtifactData &data) : data(data) {
  if (auto nodes = module->getAttrOfType<ArrayAttr>("accel.nodes"))
    for (Attribute attr : nodes)
      if (auto node = dyn_cast<DictionaryAttr>(attr)) {
        auto name = node.getAs<StringAttr>("name"), op = node.getAs<StringAttr>("op");
        auto macs = node.getAs<IntegerAttr>("macs");
        uint32_t index = indexOf(name ? name.getValue() : "");
        data.nodes[index].op = op ? op.str() : "";
        data.nodes[index].macs = macs ? macs.getInt() : 0;
      }
}

uint32_t NodeTable::indexOf(StringRef name) {
  auto [it, isNew] = indices.try_emplace(name, uint32_t(data.nodes.size()));
  if (isNew)
    data.nodes.push_back({name.str(), "", 0});
  return it->second;
}

void NodeTable::addMacs(func::CallOp call, int64_t macs) {
  SmallVector<StringRef> names = nodeNames(call.getLoc());
  if (!names.empty())
    data.nodes[indexOf(names.front())].macs += macs;
}

void NodeTable::addDebugMap(const codegen::EncodedProgram &program) {
  // Local numbers of each routine, by the names in its first call.
  std::vector<SmallVector<StringRef>> locals(program.routines.size());
  std::vector<bool> seen(program.routines.size(), false);
  std::vector<uint32_t> &main = data.routines[0].nodeOfPc;
  main.assign(program.routines[0].locations.size(), rt::kNone);
  for (const codegen::EncodedProgram::Place &call : program.calls) {
    SmallVector<StringRef> names = nodeNames(call.op->getLoc());
    if (!seen[call.routine])
      locals[call.routine] = names;
    seen[call.routine] = true;
    rt::CallNodes nodes;
    nodes.pc = call.call;
    for (size_t i = 0; i < locals[call.routine].size(); ++i)
      nodes.nodes.push_back(names.empty() ? rt::kNone
                                          : indexOf(names[std::min(i, names.size() - 1)]));
    if (!names.empty())
      for (uint32_t pc = call.first; pc <= call.last; ++pc)
        main[pc] = indexOf(names.front());
    data.calls.push_back(std::move(nodes));
  }
  for (size_t r = 1; r < program.routines.size(); ++r)
    for (Location location : program.routines[r].locations) {
      uint32_t local = rt::kNone;
      for (StringRef name : nodeNames(location)) {
        auto it = llvm::find(locals[r], name);
        if (it != locals[r].end()) {
          local = uint32_t(it - locals[r].begin());
          break;
        }
      }
      data.routines[r].nodeOfPc.push_back(local);
    }
}

} // namespace accel::emit
