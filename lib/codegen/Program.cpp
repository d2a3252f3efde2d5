//===- Program.cpp - from main and its routines to a program ---------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Codegen/Program.h"
#include "acc/Codegen/Lowering.h"
#include "acc/Codegen/Registers.h"
#include "acc/Memory/Addresses.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace accel::codegen {

std::optional<int32_t> regionOf(StringRef kind) {
  return llvm::StringSwitch<std::optional<int32_t>>(kind)
      .Case("weights", 0)
      .Case("input", 1)
      .Case("output", 2)
      .Case("workspace", 3)
      .Case("state", 4)
      .Default(std::nullopt);
}

namespace {

/// Where an operand of a call lies: its tensor or buffer and offsets into it.
FailureOr<Extent> extentOf(func::CallOp call, Value operand) {
  auto type = dyn_cast<MemRefType>(operand.getType());
  if (!type)
    return call.emitError("codegen: an operand of type ") << operand.getType() << " is no memref";
  Extent extent;
  extent.space = memory::spaceOf(type);
  while (auto offset = operand.getDefiningOp<OffsetOp>()) {
    extent.address += int64_t(offset.getBytes());
    operand = offset.getSource();
  }
  std::optional<uint64_t> address;
  if (auto tensor = operand.getDefiningOp<TensorOp>()) {
    address = tensor.getAddress();
    std::optional<int32_t> region = regionOf(tensor.getKind());
    if (!region)
      return tensor.emitError("codegen: no DRAM region for tensors of kind '")
             << tensor.getKind() << "'";
    extent.region = *region;
  } else if (auto alloc = operand.getDefiningOp<AllocOp>()) {
    address = alloc.getAddress();
    extent.region = extent.space == Space::Dram ? *regionOf("workspace") : 0;
  } else {
    return call.emitError("codegen: an operand is neither an accel.tensor nor an accel.alloc");
  }
  if (!address)
    return call.emitError("codegen: an operand has no address; run assign-addresses before");
  // A pointer without an extent reaches to the end of its buffer.
  auto whole = cast<MemRefType>(operand.getType());
  extent.bytes =
      type.hasStaticShape() ? memory::bytesOf(type) : memory::bytesOf(whole) - extent.address;
  extent.address += int64_t(*address);
  return extent;
}

bool overlap(const Extent &a, const Extent &b) {
  return a.space == b.space && a.region == b.region && a.address < b.address + b.bytes &&
         b.address < a.address + a.bytes;
}

/// A routine for one combination of its arguments' regions.
using Instance = std::pair<Operation *, SmallVector<int32_t>>;
using Aliases = SmallVector<std::pair<int32_t, int32_t>>;

/// The function as a routine of the program, for all calls that hand it these
/// regions or, with the addresses in the code, for `only` one. Its number, none
/// if it needs too many registers.
FailureOr<std::optional<int32_t>> lowerInstance(const Instance &instance, const Aliases &aliases,
                                                const Call *only, Program &program) {
  // Sums of base registers take instructions in inner loops, so they come second.
  for (unsigned baseRegs : {maxBaseRegs, 1u}) {
    auto routine = std::make_unique<Routine>();
    routine->aliases = aliases;
    if (failed(lowerRoutine(cast<func::FuncOp>(instance.first), instance.second, only, baseRegs,
                            *routine, program.programs)))
      return failure();
    std::vector<Effect> effects = effectsOf(*routine);
    // Synchronisation adds no registers: those first, to know whether the
    // routine stays as it is.
    if (allocateRegisters(*routine) > usableRegisters)
      continue;
    synchronise(*routine, program.semaphores);
    program.routines.push_back(std::move(routine));
    program.effects.push_back(std::move(effects));
    return std::optional<int32_t>(program.routines.size() - 1);
  }
  return std::optional<int32_t>();
}

/// The routines of an instance: one, or where its arguments alone fill the
/// registers, one for each call.
LogicalResult lowerCalls(const Instance &instance, const Aliases &aliases, ArrayRef<unsigned> calls,
                         Program &program) {
  FailureOr<std::optional<int32_t>> shared = lowerInstance(instance, aliases, nullptr, program);
  if (failed(shared))
    return failure();
  for (unsigned index : calls) {
    Call &call = program.calls[index];
    FailureOr<std::optional<int32_t>> routine =
        *shared ? shared : lowerInstance(instance, aliases, &call, program);
    if (failed(routine))
      return failure();
    if (!*routine)
      return instance.first->emitError("codegen: needs more than the ")
             << usableRegisters
             << " registers of the machine; plan with fewer loops or buffers in the group";
    call.routine = **routine;
  }
  return success();
}

} // namespace

FailureOr<std::unique_ptr<Program>> buildProgram(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return module.emitError("codegen: has no function @main with a body"), failure();
  auto program = std::make_unique<Program>();
  SymbolTable symbols(module);
  struct Calls {
    Aliases aliases;
    SmallVector<unsigned> indices;
  };
  llvm::MapVector<Instance, Calls, std::map<Instance, unsigned>> instances;
  for (Operation &op : main.front()) {
    if (isa<TensorOp, AllocOp, OffsetOp, func::ReturnOp>(op))
      continue;
    auto callOp = dyn_cast<func::CallOp>(op);
    if (!callOp)
      return op.emitError("codegen: main consists of tensors, buffers and calls"), failure();
    auto callee = symbols.lookup<func::FuncOp>(callOp.getCallee());
    if (!callee || callee.isExternal())
      return callOp.emitError("codegen: no routine @") << callOp.getCallee(), failure();
    Call call;
    call.op = callOp;
    if (auto frame = callOp->getAttrOfType<IntegerAttr>("accel.frame"))
      call.frame = frame.getInt();
    SmallVector<int32_t> regions;
    for (Value operand : callOp.getOperands()) {
      FailureOr<Extent> extent = extentOf(callOp, operand);
      if (failed(extent))
        return failure();
      call.arguments.push_back(*extent);
      regions.push_back(extent->region);
    }
    auto &[aliases, indices] = instances[{callee, regions}];
    for (size_t a = 0; a < call.arguments.size(); ++a)
      for (size_t b = a + 1; b < call.arguments.size(); ++b)
        if (overlap(call.arguments[a], call.arguments[b])) {
          std::pair<int32_t, int32_t> pair{int32_t(a), int32_t(b)};
          if (!llvm::is_contained(aliases, pair))
            aliases.push_back(pair);
        }
    indices.push_back(program->calls.size());
    program->calls.push_back(std::move(call));
  }
  for (auto &[instance, calls] : instances)
    if (failed(lowerCalls(instance, calls.aliases, calls.indices, *program)))
      return failure();
  synchroniseCalls(*program);
  if (program->semaphores.exhausted())
    return module.emitError("codegen: needs ")
               << program->semaphores.used() << " semaphores, the machine has " << Semaphores::limit
               << "; plan with less nesting",
           failure();
  return program;
}

} // namespace accel::codegen
