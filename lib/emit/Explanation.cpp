//===- Explanation.cpp - what reports are made of --------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Explanation.h"

#include "acc/Memory/Addresses.h"
#include "accel/Accel.h"

using namespace mlir;

namespace accel::emit {

static int64_t number(DictionaryAttr fields, StringRef name, int64_t otherwise = 0) {
  auto value = fields.getAs<IntegerAttr>(name);
  return value ? value.getInt() : otherwise;
}

static std::string text(DictionaryAttr fields, StringRef name) {
  auto value = fields.getAs<StringAttr>(name);
  return value ? value.str() : "";
}

static rt::GroupInfo groupOf(DictionaryAttr fields, const NodeTable &nodes) {
  rt::GroupInfo group;
  group.bytes = number(fields, "bytes");
  group.leastBytes = number(fields, "least");
  group.sramBytes = number(fields, "sram");
  group.sramSpace = number(fields, "space");
  if (auto members = fields.getAs<ArrayAttr>("members"))
    for (StringAttr name : members.getAsRange<StringAttr>())
      if (uint32_t node = nodes.named(name.getValue());
          node != rt::kNone && !llvm::is_contained(group.nodes, node))
        group.nodes.push_back(node);
  if (auto alternatives = fields.getAs<ArrayAttr>("alternatives"))
    for (Attribute attr : alternatives)
      if (auto other = dyn_cast<DictionaryAttr>(attr))
        group.alternatives.push_back({text(other, "what"), number(other, "bytes", -1),
                                      number(other, "now"), number(other, "more"),
                                      text(other, "obstacle")});
  return group;
}

LogicalResult addExplanation(ModuleOp module, const NodeTable &nodes,
                             const llvm::StringMap<uint32_t> &tensors, rt::ArtifactData &data) {
  auto groups = module->getAttrOfType<ArrayAttr>("accel.groups");
  auto entries = module->getAttrOfType<ArrayAttr>("accel.explanation");
  if (!groups || !entries)
    return success();
  for (Attribute attr : groups) {
    auto fields = dyn_cast<DictionaryAttr>(attr);
    if (!fields)
      return module.emitError("emit: an entry of accel.groups is no dictionary: ") << attr;
    data.groups.push_back(groupOf(fields, nodes));
  }
  for (Attribute attr : entries) {
    auto fields = dyn_cast<DictionaryAttr>(attr);
    auto cause = fields ? fields.getAs<CauseAttr>("cause") : CauseAttr();
    auto tensor = cause ? tensors.find(text(fields, "tensor")) : tensors.end();
    if (tensor == tensors.end())
      return module.emitError("emit: an entry of accel.explanation lacks a cause or names no "
                              "tensor in DRAM: ")
             << attr;
    auto write = fields.getAs<BoolAttr>("write");
    data.explanations.push_back({tensor->second, uint32_t(number(fields, "group")),
                                 nodes.named(text(fields, "node")), write && write.getValue(),
                                 rt::Cause(cause.getValue()), number(fields, "bytes"),
                                 number(fields, "more"), text(fields, "text")});
  }
  for (const memory::Occupant &occupant : memory::sramOccupancy(module))
    data.occupants.push_back({occupant.name, occupant.offset, occupant.bytes,
                              uint32_t(occupant.begin), uint32_t(occupant.end)});
  return success();
}

} // namespace accel::emit
