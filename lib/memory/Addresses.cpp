//===- Addresses.cpp - from lifetimes in the IR to packing problems --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lifetimes. Positions count the engine operations of a routine in text order,
// or the calls of main. A buffer that stands in a loop is live over the whole
// loop, so that iterations can overlap. If a frame does not fit so, buffers are
// live only between their first and last use in an iteration: those of depth 1
// and those of loops that run once first, then all. That is correct as well
// (codegen orders whatever shares bytes), but then the next iteration waits for
// the sharers.
//===----------------------------------------------------------------------===//

#include "acc/Memory/Addresses.h"
#include "acc/Memory/Pack.h"
#include "accel/Forms.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <tuple>

using namespace mlir;

namespace accel::memory {

int64_t bytesOf(MemRefType type) {
  Type element = type.getElementType();
  int64_t bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  return type.getNumElements() * int64_t(llvm::divideCeil(bits, 8));
}

int64_t slotBytes(MemRefType type) { return llvm::alignTo(bytesOf(type), bufferAlignment); }

Space spaceOf(MemRefType type) {
  if (auto space = dyn_cast_or_null<SpaceAttr>(type.getMemorySpace()))
    return space.getValue();
  return Space::Dram;
}

bool runsOnce(Operation *op) {
  auto loop = dyn_cast<scf::ForOp>(op);
  if (!loop)
    return false;
  IntegerAttr lower, upper, step;
  return matchPattern(loop.getLowerBound(), m_Constant(&lower)) &&
         matchPattern(loop.getUpperBound(), m_Constant(&upper)) &&
         matchPattern(loop.getStep(), m_Constant(&step)) && lower.getInt() < upper.getInt() &&
         upper.getInt() - lower.getInt() <= step.getInt();
}

namespace {

struct Range {
  Position begin = std::numeric_limits<Position>::max(), end = 0;
  void add(Range other) {
    begin = std::min(begin, other.begin);
    end = std::max(end, other.end);
  }
  bool empty() const { return begin >= end; }
};

bool isEngineOp(Operation *op) { return isa<DmaOp, MxuOp, VecOp>(op); }

/// Numbers the engine operations of a routine; a structured operation covers
/// those inside of it.
llvm::DenseMap<Operation *, Range> numberOperations(func::FuncOp routine) {
  llvm::DenseMap<Operation *, Range> ranges;
  Position next = 0;
  routine.walk([&](Operation *op) {
    if (!isEngineOp(op))
      return;
    Range here{next, next + 1};
    ++next;
    for (Operation *at = op; at != routine; at = at->getParentOp())
      ranges[at].add(here);
  });
  return ranges;
}

/// The block whose iterations rotate a buffer: a loop's body or the routine.
Block *lifetimeBlock(Operation *alloc) {
  Block *block = alloc->getBlock();
  while (isa<scf::IfOp>(block->getParentOp()) || runsOnce(block->getParentOp()))
    block = block->getParentOp()->getBlock();
  return block;
}

/// Which buffers of loops are live only where an iteration uses them.
enum class Tight { None, Single, All };

Range liveRange(AllocOp alloc, const llvm::DenseMap<Operation *, Range> &ranges, Tight tight) {
  Block *block = lifetimeBlock(alloc);
  Operation *parent = block->getParentOp();
  bool single = alloc.getDepth() == 1 || runsOnce(alloc->getParentOp());
  if (isa<LoopLikeOpInterface>(parent) &&
      (tight == Tight::None || (tight == Tight::Single && !single)))
    return ranges.lookup(parent);
  Range range;
  for (Operation *user : alloc.getResult().getUsers())
    if (Operation *item = block->findAncestorOpInBlock(*user))
      range.add(ranges.lookup(item));
  return range;
}

/// How long pack() searches: programs that come near to the capacity and are
/// not proved to be above it may cost a second, before plan is asked for less.
constexpr Effort effort{16};

/// What one routine needs of SRAM or of the accumulators.
struct Frame {
  SmallVector<AllocOp> allocs;
  Result result;
};

Buffer bufferOf(AllocOp alloc, Range range) {
  if (range.empty())
    return {0, 1, 0, bufferAlignment, std::nullopt};
  return {range.begin, range.end, slotBytes(alloc.getType()) * int64_t(alloc.getDepth()),
          bufferAlignment, std::nullopt};
}

Problem frameProblem(ArrayRef<AllocOp> allocs, const llvm::DenseMap<Operation *, Range> &ranges,
                     Tight tight, int64_t capacity) {
  Problem problem{{}, capacity};
  for (AllocOp alloc : allocs)
    problem.buffers.push_back(bufferOf(alloc, liveRange(alloc, ranges, tight)));
  return problem;
}

void packFrame(Frame &frame, const llvm::DenseMap<Operation *, Range> &ranges, int64_t capacity) {
  for (Tight tight : {Tight::None, Tight::Single, Tight::All}) {
    frame.result = pack(frameProblem(frame.allocs, ranges, tight, capacity), effort);
    if (frame.result.solution)
      return;
  }
}

SmallVector<AllocOp> allocsOf(func::FuncOp routine, Space space) {
  SmallVector<AllocOp> allocs;
  routine.walk([&](AllocOp alloc) {
    if (spaceOf(alloc.getType()) == space)
      allocs.push_back(alloc);
  });
  return allocs;
}

void setAddress(Operation *op, int64_t address) {
  op->setAttr("address", Builder(op->getContext()).getI64IntegerAttr(address));
}

/// `sramBytes`: what residents leave at each call.
LogicalResult packRoutine(func::FuncOp routine, const Limits &limits, int64_t sramBytes,
                          PackingFailure &failure) {
  Frame sram{allocsOf(routine, Space::Sram), {}}, acc{allocsOf(routine, Space::Acc), {}};
  auto ranges = numberOperations(routine);
  Builder builder(routine.getContext());
  for (auto [frame, space, capacity, attribute] :
       {std::tuple{&sram, Space::Sram, sramBytes, "accel.frame_bytes"},
        std::tuple{&acc, Space::Acc, limits.accBytes, "accel.acc_bytes"}}) {
    packFrame(*frame, ranges, capacity);
    // Then @main does not pack, and says what is in the way.
    if (!frame->result.solution && space == Space::Sram && sramBytes < limits.sramBytes)
      packFrame(*frame, ranges, limits.sramBytes);
    if (!frame->result.solution) {
      failure = {routine.getName().str(),
                 space,
                 frame->result.needed,
                 space == Space::Sram ? limits.sramBytes : capacity,
                 {}};
      for (size_t i : frame->result.clash)
        failure.clash.push_back(frame->allocs[i]);
      return mlir::failure();
    }
    for (auto [alloc, address] : llvm::zip(frame->allocs, frame->result.solution->offsets))
      setAddress(alloc, address);
    routine->setAttr(attribute, builder.getI64IntegerAttr(llvm::alignTo(
                                    frame->result.solution->height, bufferAlignment)));
  }
  return success();
}

/// The tensor, alloc or argument behind offsets.
Value rootOf(Value value) {
  while (auto offset = value.getDefiningOp<OffsetOp>())
    value = offset.getSource();
  return value;
}

/// What lies in SRAM and in the DRAM workspace along the calls of main.
struct MainBuffers {
  SmallVector<Operation *> sramOps, workspaceOps; ///< allocs, tensors, calls (their frames)
  Problem sram, workspace;
};

MainBuffers buffersOfMain(ModuleOp module, func::FuncOp main, int64_t sramBytes) {
  MainBuffers result;
  result.sram.capacity = sramBytes;
  result.workspace.capacity = std::numeric_limits<int64_t>::max();
  llvm::DenseMap<Operation *, Range> live;
  SmallVector<func::CallOp> calls(main.getOps<func::CallOp>());
  for (auto [position, call] : llvm::enumerate(calls)) {
    Range here{Position(position), Position(position) + 1};
    live[call].add(here);
    for (Value operand : call.getOperands())
      if (Operation *root = rootOf(operand).getDefiningOp())
        live[root].add(here);
  }

  for (Operation &op : main.front()) {
    Range range = live.lookup(&op);
    if (auto alloc = dyn_cast<AllocOp>(op)) {
      bool inSram = spaceOf(alloc.getType()) == Space::Sram;
      (inSram ? result.sram : result.workspace).buffers.push_back(bufferOf(alloc, range));
      (inSram ? result.sramOps : result.workspaceOps).push_back(&op);
    } else if (auto tensor = dyn_cast<TensorOp>(op); tensor && tensor.getKind() == "workspace") {
      Buffer buffer{0, 1, 0, bufferAlignment, std::nullopt};
      if (!range.empty())
        buffer = {range.begin, range.end, bytesOf(tensor.getResult().getType()), bufferAlignment,
                  std::nullopt};
      result.workspace.buffers.push_back(buffer);
      result.workspaceOps.push_back(&op);
    } else if (auto call = dyn_cast<func::CallOp>(op)) {
      auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
      auto frame = callee ? callee->getAttrOfType<IntegerAttr>("accel.frame_bytes") : nullptr;
      result.sram.buffers.push_back(
          {range.begin, range.end, frame ? frame.getInt() : 0, bufferAlignment, std::nullopt});
      result.sramOps.push_back(&op);
    }
  }
  return result;
}

/// SRAM that residents leave to each routine at the fullest of its calls.
llvm::StringMap<int64_t> spaceOfRoutines(ModuleOp module, func::FuncOp main, int64_t sramBytes) {
  MainBuffers buffers = buffersOfMain(module, main, sramBytes);
  SmallVector<func::CallOp> calls(main.getOps<func::CallOp>());
  // Lives begin and end; between them the sum stays.
  SmallVector<int64_t> change(calls.size() + 1, 0);
  for (auto [op, buffer] : llvm::zip(buffers.sramOps, buffers.sram.buffers))
    if (isa<AllocOp>(op)) {
      change[buffer.begin] += llvm::alignTo(buffer.bytes, bufferAlignment);
      change[std::min<size_t>(buffer.end, calls.size())] -=
          llvm::alignTo(buffer.bytes, bufferAlignment);
    }
  llvm::StringMap<int64_t> space;
  int64_t residents = 0;
  for (auto [position, call] : llvm::enumerate(calls)) {
    residents += change[position];
    int64_t left = std::max<int64_t>(0, sramBytes - residents);
    auto [it, isNew] = space.try_emplace(call.getCallee(), left);
    if (!isNew)
      it->second = std::min(it->second, left);
  }
  return space;
}

/// Weights, inputs, outputs and state, one after another. Equal constants (same
/// bytes, same layout) lie in the region once.
llvm::StringMap<int64_t> placeTensors(func::FuncOp main) {
  llvm::StringMap<int64_t> regionBytes;
  llvm::DenseMap<std::pair<std::pair<Attribute, Attribute>, Type>, int64_t> constants;
  auto append = [&](StringRef region, int64_t bytes) {
    int64_t at = llvm::alignTo(regionBytes[region], bufferAlignment);
    regionBytes[region] = at + bytes;
    return at;
  };
  for (auto tensor : main.front().getOps<TensorOp>()) {
    int64_t bytes = bytesOf(tensor.getResult().getType());
    if (tensor.getKind() == "workspace")
      continue;
    if (tensor.getKind() == "weights" && tensor.getValueAttr()) {
      auto key = std::pair(std::pair(tensor.getValueAttr(), Attribute(tensor.getPackAttr())),
                           Type(tensor.getResult().getType()));
      auto [it, isNew] = constants.try_emplace(key, 0);
      if (isNew)
        it->second = append("weights", bytes);
      setAddress(tensor, it->second);
    } else {
      setAddress(tensor, append(tensor.getKind(), bytes));
    }
  }
  return regionBytes;
}

/// Packs frames and residents in SRAM and workspace tensors in DRAM along the
/// calls of main.
LogicalResult packMain(ModuleOp module, func::FuncOp main, const Limits &limits,
                       PackingFailure &failure) {
  Builder builder(module.getContext());
  MainBuffers buffers = buffersOfMain(module, main, limits.sramBytes);
  Result packed = pack(buffers.sram, effort);
  if (!packed.solution) {
    failure = {main.getName().str(), Space::Sram, packed.needed, limits.sramBytes, {}};
    for (size_t i : packed.clash)
      failure.clash.push_back(buffers.sramOps[i]);
    return mlir::failure();
  }
  for (auto [op, address] : llvm::zip(buffers.sramOps, packed.solution->offsets)) {
    if (isa<func::CallOp>(op))
      op->setAttr("accel.frame", builder.getI64IntegerAttr(address));
    else
      setAddress(op, address);
  }
  // DRAM has no capacity here: the first order fits.
  Result spilled = pack(buffers.workspace, effort);
  for (auto [op, address] : llvm::zip(buffers.workspaceOps, spilled.solution->offsets))
    setAddress(op, address);
  llvm::StringMap<int64_t> regionBytes = placeTensors(main);
  regionBytes["workspace"] = spilled.solution->height;

  SmallVector<NamedAttribute> regions;
  for (StringRef kind : {"weights", "input", "output", "workspace", "state"})
    regions.push_back(builder.getNamedAttr(kind, builder.getI64IntegerAttr(regionBytes[kind])));
  module->setAttr("accel.region_bytes", builder.getDictionaryAttr(regions));
  module->setAttr("accel.sram_peak", builder.getI64IntegerAttr(packed.solution->height));
  return success();
}

/// Offsets as they stand in the IR; the operation that has none otherwise.
FailureOr<Solution> addressesOf(ArrayRef<Operation *> ops, const Problem &problem,
                                Operation *&without) {
  Solution solution;
  for (auto [op, buffer] : llvm::zip(ops, problem.buffers)) {
    auto address =
        op->getAttrOfType<IntegerAttr>(isa<func::CallOp>(op) ? "accel.frame" : "address");
    if (!address) {
      without = op;
      return failure();
    }
    solution.offsets.push_back(address.getInt());
    solution.height = std::max(solution.height, address.getInt() + buffer.bytes);
  }
  return solution;
}

std::string nameOf(Operation *op) {
  if (auto call = dyn_cast<func::CallOp>(op))
    return ("the frame of @" + call.getCallee()).str();
  if (auto tensor = dyn_cast<TensorOp>(op))
    return tensor.getName().str();
  auto name = op->getAttrOfType<StringAttr>("name");
  return name ? name.str() : "a buffer";
}

int64_t figure(Operation *op, StringRef name) {
  auto attr = op->getAttrOfType<IntegerAttr>(name);
  return attr ? attr.getInt() : 0;
}

LogicalResult verifyAddresses(ArrayRef<Operation *> ops, const Problem &problem, StringRef where) {
  Operation *without = nullptr;
  FailureOr<Solution> solution = addressesOf(ops, problem, without);
  if (failed(solution))
    return without->emitError(nameOf(without)) << " has no address in " << where;
  std::optional<Violation> broken = firstViolation(problem, *solution);
  if (!broken)
    return success();
  Operation *at = ops[broken->buffer];
  InFlightDiagnostic error = at->emitError(nameOf(at)) << " in " << where << ": " << broken->what;
  if (broken->other)
    error.attachNote(ops[*broken->other]->getLoc()) << "the other: " << nameOf(ops[*broken->other]);
  return error;
}

SmallVector<Occupant> occupants(ArrayRef<Operation *> ops, const Problem &problem) {
  SmallVector<Occupant> result;
  Operation *without = nullptr;
  FailureOr<Solution> solution = addressesOf(ops, problem, without);
  if (failed(solution))
    return result;
  for (auto [op, buffer, offset] : llvm::zip(ops, problem.buffers, solution->offsets))
    if (buffer.bytes > 0)
      result.push_back({nameOf(op), offset, buffer.bytes, buffer.begin, buffer.end});
  return result;
}

SmallVector<Operation *> asOperations(ArrayRef<AllocOp> allocs) {
  return SmallVector<Operation *>(allocs.begin(), allocs.end());
}

} // namespace

SmallVector<Occupant> sramOccupancy(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return {};
  MainBuffers buffers = buffersOfMain(module, main, figure(module, "accel.sram_peak"));
  return occupants(buffers.sramOps, buffers.sram);
}

SmallVector<Occupant> frameOccupancy(func::FuncOp routine, Space space) {
  SmallVector<AllocOp> allocs = allocsOf(routine, space);
  auto ranges = numberOperations(routine);
  Operation *without = nullptr;
  int64_t capacity = figure(routine, space == Space::Acc ? "accel.acc_bytes" : "accel.frame_bytes");
  // The ranges that the addresses were made for: the loosest that they satisfy.
  for (Tight tight : {Tight::None, Tight::Single, Tight::All}) {
    Problem problem = frameProblem(allocs, ranges, tight, capacity);
    FailureOr<Solution> solution = addressesOf(asOperations(allocs), problem, without);
    if (failed(solution))
      return {};
    if (tight == Tight::All || !firstViolation(problem, *solution))
      return occupants(asOperations(allocs), problem);
  }
  return {};
}

LogicalResult verifyPacking(ModuleOp module) {
  FailureOr<func::FuncOp> main = requireForm(module, Form::Tile);
  if (failed(main))
    return failure();
  for (auto routine : module.getOps<func::FuncOp>()) {
    if (routine == *main || routine.isExternal())
      continue;
    auto ranges = numberOperations(routine);
    for (auto [space, attribute] :
         {std::pair{Space::Sram, "accel.frame_bytes"}, std::pair{Space::Acc, "accel.acc_bytes"}}) {
      SmallVector<AllocOp> allocs = allocsOf(routine, space);
      Problem problem = frameProblem(allocs, ranges, Tight::All, figure(routine, attribute));
      if (failed(verifyAddresses(asOperations(allocs), problem,
                                 (stringifySpace(space) + " of @" + routine.getName()).str())))
        return failure();
    }
  }
  MainBuffers buffers = buffersOfMain(module, *main, figure(module, "accel.sram_peak"));
  auto regions = module->getAttrOfType<DictionaryAttr>("accel.region_bytes");
  auto workspace = regions ? regions.getAs<IntegerAttr>("workspace") : nullptr;
  buffers.workspace.capacity = workspace ? workspace.getInt() : 0;
  return success(
      succeeded(verifyAddresses(buffers.sramOps, buffers.sram, "sram of @main")) &&
      succeeded(verifyAddresses(buffers.workspaceOps, buffers.workspace, "the workspace")));
}

LogicalResult assignAddresses(ModuleOp module, const Limits &limits, PackingFailure &failure) {
  FailureOr<func::FuncOp> main = requireForm(module, Form::Tile);
  if (failed(main))
    return mlir::failure();
  int64_t accPeak = 0;
  llvm::StringMap<int64_t> space = spaceOfRoutines(module, *main, limits.sramBytes);
  for (auto routine : module.getOps<func::FuncOp>()) {
    if (routine == *main || routine.isExternal())
      continue;
    auto left = space.find(routine.getName());
    int64_t sramBytes = left == space.end() ? limits.sramBytes : left->second;
    if (failed(packRoutine(routine, limits, sramBytes, failure)))
      return mlir::failure();
    accPeak = std::max(accPeak, routine->getAttrOfType<IntegerAttr>("accel.acc_bytes").getInt());
  }
  module->setAttr("accel.acc_peak", Builder(module.getContext()).getI64IntegerAttr(accPeak));
  return packMain(module, *main, limits, failure);
}

void report(ModuleOp module, const PackingFailure &failure) {
  Operation *at = module.lookupSymbol(failure.function);
  InFlightDiagnostic diagnostic = (at ? at : module.getOperation())->emitError();
  diagnostic << "@" << failure.function << " needs " << failure.needed << " bytes of "
             << stringifySpace(failure.space) << ", the target has " << failure.capacity
             << "; plan with smaller tiles, fewer residents or less buffering";
  for (Operation *op : failure.clash) {
    if (auto alloc = dyn_cast<AllocOp>(op))
      diagnostic.attachNote(op->getLoc())
          << "live there: " << (alloc.getName() ? *alloc.getName() : "a buffer") << ", "
          << slotBytes(alloc.getType()) << " bytes, depth " << alloc.getDepth();
    else if (auto call = dyn_cast<func::CallOp>(op))
      diagnostic.attachNote(op->getLoc()) << "live there: the frame of @" << call.getCallee();
  }
}

} // namespace accel::memory
