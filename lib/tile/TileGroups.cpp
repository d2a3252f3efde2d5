//===- TileGroups.cpp - routines and @main in tile form -------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GroupEmitter.h"

#include "acc/Plan/Routine.h"
#include "acc/Tile/Passes.h"

namespace accel {
#define GEN_PASS_DEF_TILEGROUPS
#include "acc/Tile/Passes.h.inc"
} // namespace accel

using namespace mlir;
using namespace accel;

namespace {
struct TileGroups : accel::impl::TileGroupsBase<TileGroups> {
  void runOnOperation() override;

private:
  LogicalResult tileRoutine(func::FuncOp routine, const Limits &limits);
  LogicalResult tileMain(func::FuncOp main);
};
} // namespace

/// Stored tensors are handed to routines as so many elements from an address.
static MemRefType pointerTo(Type element, Space space) {
  return MemRefType::get({ShapedType::kDynamic}, element, MemRefLayoutAttrInterface(),
                         SpaceAttr::get(element.getContext(), space));
}

LogicalResult TileGroups::tileRoutine(func::FuncOp routine, const Limits &limits) {
  GroupOps ops = describeRoutine(routine);
  auto schedule = routine->getAttrOfType<ScheduleAttr>(kScheduleAttr);
  std::string error;
  std::optional<GroupModel> model = GroupModel::build(ops, schedule, limits, error);
  if (!model)
    return routine.emitError("schedule is not possible on this target: ") << error;

  // The new body takes the addresses of inputs and outputs.
  Block &old = routine.getBody().front();
  OpBuilder builder(&getContext());
  Block *body = builder.createBlock(&routine.getBody(), routine.getBody().end());
  SmallVector<Type> types;
  SmallVector<Argument> inputs, outputs;
  SmallVector<DictionaryAttr> argAttrs;
  auto argument = [&](const External &e, DictionaryAttr attrs, SmallVector<Argument> &into) {
    Type element = cast<RankedTensorType>(e.value.getType()).getElementType();
    MemRefType type = pointerTo(element, e.inSram ? Space::Sram : Space::Dram);
    types.push_back(type);
    into.push_back({body->addArgument(type, e.value.getLoc()),
                    cast<ReasonAttr>(attrs.get(kReasonAttr)).getValue(), Value()});
    // What the routine needs from here on: the region, and which way bytes go.
    NamedAttrList kept;
    kept.set(kKindAttr, attrs.get(kKindAttr));
    kept.set("accel.writes", builder.getBoolAttr(&into == &outputs));
    argAttrs.push_back(kept.getDictionary(&getContext()));
  };
  for (auto [i, input] : llvm::enumerate(ops.inputs))
    argument(input, routine.getArgAttrDict(i), inputs);
  for (auto [i, output] : llvm::enumerate(ops.outputs))
    argument(output, routine.getResultAttrDict(i), outputs);
  // Behind them the parts that are in SRAM, in the same order.
  auto part = [&](const External &e, Argument &into) {
    if (!e.rows)
      return;
    types.push_back(
        pointerTo(cast<RankedTensorType>(e.value.getType()).getElementType(), Space::Sram));
    into.rows = body->addArgument(types.back(), e.value.getLoc());
    argAttrs.push_back(argAttrs[cast<BlockArgument>(into.memref).getArgNumber()]);
  };
  for (auto [input, into] : llvm::zip(ops.inputs, inputs))
    part(input, into);
  for (auto [output, into] : llvm::zip(ops.outputs, outputs))
    part(output, into);

  builder.setInsertionPointToEnd(body);
  Operation *end = func::ReturnOp::create(builder, routine.getLoc());
  builder.setInsertionPoint(end);
  GroupEmitter emitter(ops, *model, builder, inputs, outputs);
  if (failed(emitter.emit()))
    return failure();
  // Whose multiply-accumulates they are: for the nodes of the artifact.
  SmallVector<int64_t> macs;
  SmallVector<Attribute> members;
  for (Operation *op : ops.members)
    if (int64_t count = macsOf(op)) {
      macs.push_back(count);
      members.push_back(op->getLoc());
    }
  routine->setAttr("accel.macs", builder.getDenseI64ArrayAttr(macs));
  routine->setAttr("accel.macs_of", builder.getArrayAttr(members));
  old.dropAllReferences();
  old.dropAllDefinedValueUses();
  old.erase();
  routine.setFunctionType(builder.getFunctionType(types, {}));
  routine.setAllArgAttrs(argAttrs);
  routine->removeAttr(routine.getResAttrsAttrName());
  return success();
}

LogicalResult TileGroups::tileMain(func::FuncOp main) {
  Storage storage = Storage::analyse(main);
  if (storage.insertedCopies())
    return main.emitError("has a view without a layout; run plan-groups first");
  ModuleOp module = getOperation();
  MLIRContext *context = &getContext();
  Block &old = main.getBody().front();
  OpBuilder builder(context);
  Block *body = builder.createBlock(&main.getBody(), main.getBody().end());
  builder.setInsertionPointToEnd(body);
  Operation *end = func::ReturnOp::create(builder, main.getLoc());
  builder.setInsertionPoint(end);

  // Memories of stored tensors: what the calls say.
  SmallVector<Space> spaces(storage.numRoots(), Space::Dram);
  SmallVector<bool> used(storage.numRoots(), false);
  SmallVector<int64_t> rows(storage.numRoots(), 0); ///< in SRAM, of those in DRAM
  llvm::DenseMap<unsigned, unsigned> taken;         // a root in the memory of another
  for (auto call : old.getOps<func::CallOp>()) {
    auto routine = module.lookupSymbol<func::FuncOp>(call.getCallee());
    for (Value operand : call.getOperands())
      used[storage.of(operand).root] = true;
    for (auto [i, result] : llvm::enumerate(call.getResults())) {
      unsigned root = storage.of(result).root;
      used[root] = true;
      spaces[root] = routine.getResultAttrOfType<SpaceAttr>(i, kSpaceAttr).getValue();
      if (auto attr = routine.getResultAttrOfType<IntegerAttr>(i, kRowsAttr))
        rows[root] = attr.getInt();
    }
    auto schedule = routine->getAttrOfType<ScheduleAttr>(kScheduleAttr);
    for (auto [result, operand] : llvm::zip(schedule.getResident(), schedule.getTakes()))
      if (operand >= 0)
        taken[storage.of(call.getResult(result)).root] = storage.of(call.getOperand(operand)).root;
  }
  SmallVector<Value> memory(storage.numRoots());
  auto storedTensor = [&](unsigned index) -> Value {
    for (auto it = taken.find(index); it != taken.end(); it = taken.find(index))
      index = it->second;
    const Root &root = storage.root(index);
    if (memory[index])
      return memory[index];
    auto type =
        MemRefType::get(root.type.getShape(), root.type.getElementType(),
                        MemRefLayoutAttrInterface(), SpaceAttr::get(context, spaces[index]));
    Location loc = Value(root.value).getLoc();
    std::string name = rootName(storage, index);
    if (spaces[index] == Space::Sram) {
      memory[index] =
          AllocOp::create(builder, loc, type, 1, 1, IntegerAttr(), builder.getStringAttr(name));
      return memory[index];
    }
    Attribute value;
    PackAttr pack;
    if (auto constant = Value(root.value).getDefiningOp<ConstantOp>()) {
      value = constant.getValue();
      pack = constant.getPackAttr();
    }
    IntegerAttr number;
    TypeAttr logical;
    if (root.kind == RootKind::Input || root.kind == RootKind::Output) {
      number = builder.getI64IntegerAttr(root.index);
      logical = TypeAttr::get(root.type);
    }
    memory[index] = TensorOp::create(builder, loc, type, kindName(root.kind), name, number, value,
                                     pack, logical, IntegerAttr());
    return memory[index];
  };
  DenseMap<unsigned, Value> parts;
  auto storedRows = [&](unsigned index) -> Value {
    Value &part = parts[index];
    if (part)
      return part;
    const Root &root = storage.root(index);
    SmallVector<int64_t> shape(root.type.getShape());
    shape[rowDimension(root.value)] = rows[index];
    auto type = MemRefType::get(shape, root.type.getElementType(), MemRefLayoutAttrInterface(),
                                SpaceAttr::get(context, Space::Sram));
    part = AllocOp::create(builder, Value(root.value).getLoc(), type, 1, 1, IntegerAttr(),
                           builder.getStringAttr(rootName(storage, index) + ":rows"));
    return part;
  };
  // Inputs and outputs exist in any case, in order.
  for (unsigned i = 0; i < storage.numRoots(); ++i)
    if (storage.root(i).kind == RootKind::Input || storage.root(i).kind == RootKind::Output)
      storedTensor(i);
  for (auto call : old.getOps<func::CallOp>()) {
    SmallVector<Value> operands;
    auto pass = [&](Value value) {
      const Placement &place = storage.of(value);
      Value root = storedTensor(place.root);
      Type element = storage.root(place.root).type.getElementType();
      operands.push_back(OffsetOp::create(builder, call.getLoc(),
                                          pointerTo(element, spaces[place.root]), root,
                                          place.layout.offset * byteWidth(element)));
    };
    for (Value operand : call.getOperands())
      pass(operand);
    for (Value result : call.getResults())
      pass(result);
    auto passRows = [&](Value value) {
      const Placement &place = storage.of(value);
      Type element = storage.root(place.root).type.getElementType();
      if (rows[place.root])
        operands.push_back(OffsetOp::create(builder, call.getLoc(), pointerTo(element, Space::Sram),
                                            storedRows(place.root), 0));
    };
    for (Value operand : call.getOperands())
      passRows(operand);
    for (Value result : call.getResults())
      passRows(result);
    func::CallOp::create(builder, call.getLoc(), call.getCallee(), TypeRange(), operands);
  }
  old.dropAllReferences();
  old.dropAllDefinedValueUses();
  old.erase();
  main.setFunctionType(builder.getFunctionType({}, {}));
  main.setAllArgAttrs(ArrayRef<DictionaryAttr>());
  main->removeAttr(main.getArgAttrsAttrName());
  main->removeAttr(main.getResAttrsAttrName());
  return success();
}

void TileGroups::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<Limits> limits = limitsOf(module);
  if (failed(limits))
    return signalPassFailure();
  FailureOr<func::FuncOp> main = requireForm(module, Form::Routines);
  if (failed(main) || failed(tileMain(*main)))
    return signalPassFailure();
  for (auto routine : module.getOps<func::FuncOp>())
    if (routine->hasAttr(kScheduleAttr) && failed(tileRoutine(routine, *limits)))
      return signalPassFailure();
}
