//===- Emit.cpp - a program becomes an artifact ----------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Emit/Emit.h"
#include "Explanation.h"
#include "Nodes.h"
#include "Weights.h"

#include "acc/Memory/Addresses.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace accel::emit {
namespace {

int64_t numberIn(DictionaryAttr attributes, StringRef key) {
  auto value = attributes ? attributes.getAs<IntegerAttr>(key) : nullptr;
  return value ? value.getInt() : 0;
}

void addTarget(ModuleOp module, rt::TargetInfo &target) {
  auto attributes = module->getAttrOfType<DictionaryAttr>("accel.target");
  if (!attributes)
    return;
  if (auto name = attributes.getAs<StringAttr>("name"))
    target.name = name.str();
  if (auto digest = attributes.getAs<StringAttr>("digest"))
    target.digest = digest.str();
  target.sramBytes = numberIn(attributes, "sram_bytes");
  target.accBytes = numberIn(attributes, "acc_bytes");
  target.imemBytes = numberIn(attributes, "imem_bytes");
  target.queueDepth = numberIn(attributes, "queue_depth");
  if (int64_t burst = numberIn(attributes, "dram_burst_bytes"))
    target.burstBytes = burst;
  for (NamedAttribute figure : attributes) {
    if (auto number = dyn_cast<FloatAttr>(figure.getValue()))
      target.figures.push_back({figure.getName().str(), number.getValueAsDouble()});
    else if (auto number = dyn_cast<IntegerAttr>(figure.getValue()))
      target.figures.push_back({figure.getName().str(), double(number.getInt())});
  }
}

std::optional<rt::RegionKind> kindOf(StringRef kind) {
  for (int k = 0; k < rt::kRegionKinds; ++k)
    if (kind == rt::RegionKindName(rt::RegionKind(k)))
      return rt::RegionKind(k);
  return std::nullopt;
}

class Emitter {
public:
  Emitter(ModuleOp module, const codegen::EncodedProgram &program, const EmitOptions &options,
          rt::ArtifactBuilder &builder)
      : module(module), program(program), options(options), builder(builder), data(builder.data),
        nodes(builder.data) {}

  LogicalResult run() {
    data.producer = options.producer;
    addTarget(module, data.target);
    addCode();
    nodes.addDebugMap(program);
    if (failed(addRegions()))
      return failure();
    findLives();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main)
      return module.emitError("emit: has no function @main");
    for (auto tensor : main.getOps<TensorOp>())
      if (failed(addTensor(tensor)))
        return failure();
    for (auto *list : {&inputs, &outputs}) {
      llvm::sort(*list, [](auto &a, auto &b) { return a.first < b.first; });
      for (auto &[index, io] : *list)
        (list == &inputs ? data.inputs : data.outputs).push_back(io);
    }
    auto number = [&](StringRef key) {
      auto value = module->getAttrOfType<IntegerAttr>(key);
      return value ? value.getInt() : 0;
    };
    data.compulsoryBytes = number("accel.compulsory_bytes");
    data.boundBytes = number("accel.bound_bytes");
    if (auto bounds = module->getAttrOfType<ArrayAttr>("accel.node_bounds"))
      nodes.addBounds(bounds);
    countMacs();
    data.sramPeak = number("accel.sram_peak");
    if (failed(addPrediction()))
      return failure();
    return addExplanation(module, nodes, tensorIndex, data);
  }

private:
  void addCode() {
    for (auto [index, routine] : llvm::enumerate(program.routines)) {
      rt::RoutineInfo info;
      info.name = routine.name;
      info.code = routine.code;
      info.slots = routine.slots;
      data.routines.push_back(std::move(info));
      for (auto &range : routine.ranges)
        data.registers.push_back(
            {uint32_t(index), range.reg, range.min, range.max, std::max<int64_t>(range.step, 1)});
    }
    data.vprogs = program.programs;
  }

  LogicalResult addRegions() {
    auto bytes = module->getAttrOfType<DictionaryAttr>("accel.region_bytes");
    for (StringRef kind : {"weights", "input", "output", "workspace", "state"})
      if (int64_t size = numberIn(bytes, kind)) {
        if (size > rt::kMaxRegionBytes)
          return module.emitError("emit: DRAM region '")
                 << kind << "' needs " << size << " bytes, an artifact can have "
                 << rt::kMaxRegionBytes << "; bind smaller dimensions";
        data.regions.push_back({uint8_t(*codegen::regionOf(kind)), *kindOf(kind), size, {}});
      }
    return success();
  }

  /// Instructions of main during which each tensor is used.
  void findLives() {
    for (codegen::EncodedProgram::Place call : program.calls)
      for (Value operand : call.op->getOperands()) {
        while (auto offset = operand.getDefiningOp<OffsetOp>())
          operand = offset.getSource();
        auto [it, isNew] =
            lives.try_emplace(operand.getDefiningOp(), std::pair(call.first, call.last));
        it->second.second = call.last;
      }
  }

  /// The routines say how many each call does.
  void countMacs() {
    for (codegen::EncodedProgram::Place call : program.calls)
      if (auto callee = module.lookupSymbol<func::FuncOp>(call.op.getCallee()))
        nodes.addMacs(call, callee);
  }

  LogicalResult addTensor(TensorOp tensor) {
    if (!tensor.getAddress())
      return tensor.emitError("emit: no address; run assign-addresses before");
    auto memref = cast<MemRefType>(tensor.getResult().getType());
    rt::TensorInfo info;
    info.name = tensor.getName().str();
    info.region = uint8_t(codegen::regionOf(tensor.getKind()).value_or(3));
    info.offset = int64_t(*tensor.getAddress());
    info.bytes = memory::bytesOf(memref);
    info.dtype = codegen::dtypeOf(memref.getElementType());
    info.dims.assign(memref.getShape().begin(), memref.getShape().end());
    StringRef kind = tensor.getKind();
    auto life = lives.find(tensor);
    if (kind == "workspace") {
      if (life == lives.end())
        return success(); // never used: it has no bytes
      info.liveBegin = life->second.first;
      info.liveEnd = life->second.second;
    }
    if (kind == "input" || kind == "output")
      addIo(tensor, info);
    if (kind == "weights") {
      // Equal constants share their bytes: one tensor, written once.
      auto [it, isNew] = weights.try_emplace(info.offset, uint32_t(data.tensors.size()));
      if (!isNew) {
        tensorIndex[info.name] = it->second;
        return success();
      }
      if (tensor.getValueAttr() && failed(addWeights(tensor, info, options.reader, builder)))
        return failure();
    }
    if (!info.bytes)
      return success();
    tensorIndex[info.name] = uint32_t(data.tensors.size());
    data.tensors.push_back(std::move(info));
    return success();
  }

  void addIo(TensorOp tensor, const rt::TensorInfo &info) {
    rt::IoInfo io;
    io.name = info.name;
    io.dtype = info.dtype;
    io.dims = info.dims;
    if (std::optional<Type> logical = tensor.getType())
      if (auto shaped = dyn_cast<ShapedType>(*logical)) {
        io.dtype = codegen::dtypeOf(shaped.getElementType());
        io.dims.assign(shaped.getShape().begin(), shaped.getShape().end());
      }
    io.region = info.region;
    io.offset = info.offset;
    io.bytes = info.bytes;
    (tensor.getKind() == "input" ? inputs : outputs)
        .emplace_back(int64_t(tensor.getIndex().value_or(0)), std::move(io));
  }

  LogicalResult addPrediction() {
    auto prediction = module->getAttrOfType<ArrayAttr>("accel.prediction");
    if (!prediction)
      return success();
    // Entries of equal (tensor, reason, direction) add up: equal constants share
    // a tensor.
    llvm::MapVector<std::tuple<uint32_t, int, bool>, int64_t,
                    std::map<std::tuple<uint32_t, int, bool>, unsigned>>
        sums;
    for (Attribute attr : prediction) {
      auto entry = dyn_cast<DictionaryAttr>(attr);
      auto tensor = entry ? entry.getAs<StringAttr>("tensor") : nullptr;
      auto reason = entry ? entry.getAs<ReasonAttr>("reason") : nullptr;
      if (!tensor || !reason)
        return module.emitError("emit: an entry of accel.prediction lacks tensor or reason: ")
               << attr;
      auto it = tensorIndex.find(tensor.getValue());
      if (it == tensorIndex.end())
        return module.emitError("emit: accel.prediction names the tensor '")
               << tensor.getValue() << "', which is not in DRAM";
      auto writes = entry.get("write");
      bool write = writes && !(isa<BoolAttr>(writes) && !cast<BoolAttr>(writes).getValue());
      sums[{it->second, int(reason.getValue()), write}] += numberIn(entry, "bytes");
    }
    for (auto &[key, bytes] : sums) {
      auto [tensor, reason, write] = key;
      data.predictions.push_back({tensor, rt::Reason(reason), write, {{bytes, {}}}});
    }
    return success();
  }

  ModuleOp module;
  const codegen::EncodedProgram &program;
  const EmitOptions &options;
  rt::ArtifactBuilder &builder;
  rt::ArtifactData &data;
  NodeTable nodes;
  llvm::DenseMap<Operation *, std::pair<uint32_t, uint32_t>> lives;
  std::map<int64_t, uint32_t> weights; ///< offset -> tensor
  llvm::StringMap<uint32_t> tensorIndex;
  SmallVector<std::pair<int64_t, rt::IoInfo>> inputs, outputs;
};

} // namespace

LogicalResult emitArtifact(ModuleOp module, const codegen::EncodedProgram &program,
                           const EmitOptions &options, rt::ArtifactBuilder &builder) {
  return Emitter(module, program, options, builder).run();
}

} // namespace accel::emit
