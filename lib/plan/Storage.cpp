//===- Storage.cpp - which stored tensor holds a value --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Plan/Storage.h"

#include "acc/Plan/Access.h"

using namespace mlir;
using namespace accel;

static bool isProducer(Operation *op) {
  return isa_and_nonnull<ComputeOpInterface, GroupOp, func::CallOp>(op);
}

unsigned Storage::addRoot(RootKind kind, Value value, unsigned index) {
  roots.push_back({kind, value, cast<RankedTensorType>(value.getType()), index});
  return roots.size() - 1;
}

/// Whether the producers behind `value` can write it into `root` under
/// `layout`; with `apply` records that they do.
bool Storage::place(Value value, unsigned root, const Layout &layout, bool apply) {
  Operation *op = value.getDefiningOp();
  if (!op || placements.contains(value))
    return false;
  if (isa<TransposeOp, ReshapeOp>(op)) {
    std::optional<Layout> before = layoutBeforeView(op, layout);
    if (!before || !place(op->getOperand(0), root, *before, apply))
      return false;
  } else if (!isProducer(op) && !isa<ConcatOp>(op)) {
    return false;
  }
  if (apply) {
    placements[value] = {root, layout};
    if (auto concat = dyn_cast<ConcatOp>(op))
      for (OpOperand &use : concat->getOpOperands())
        if (auto part = layoutOfPart(concat, use.getOperandNumber(), layout))
          placeOrCopy(use, root, *part);
  }
  // Each part of a concatenation must have a layout of its own.
  if (auto concat = dyn_cast<ConcatOp>(op); concat && !apply)
    for (unsigned i = 0; i < concat.getInputs().size(); ++i)
      if (!layoutOfPart(concat, i, layout))
        return false;
  return true;
}

Value Storage::insertCopy(OpOperand &use) {
  Operation *user = use.getOwner();
  Value value = use.get();
  OpBuilder builder(user);
  // It is there for its reader, unless that is the end of the model.
  Location loc = isa<func::ReturnOp>(user) ? value.getLoc() : user->getLoc();
  auto copy =
      CopyOp::create(builder, loc, value.getType(), value, ValueRange(), builder.getArrayAttr({}));
  Block *body = builder.createBlock(&copy.getBody());
  Type element = cast<RankedTensorType>(value.getType()).getElementType();
  Value argument = body->addArgument(element, loc);
  YieldOp::create(builder, loc, argument);
  use.set(copy.getResult());
  copies = true;
  return copy.getResult();
}

void Storage::placeOrCopy(OpOperand &use, unsigned root, const Layout &layout) {
  if (place(use.get(), root, layout, /*apply=*/false)) {
    place(use.get(), root, layout, /*apply=*/true);
    return;
  }
  Value copy = insertCopy(use);
  placements[copy] = {root, layout};
}

Storage Storage::analyse(func::FuncOp main) {
  Storage storage;
  Block &body = main.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    unsigned root = storage.addRoot(RootKind::Input, argument, argument.getArgNumber());
    storage.placements[argument] = {root, Layout::dense(storage.roots[root].type.getShape())};
  }
  // Model outputs are where they have to be; then concatenations, the outer
  // ones first, so that the inner ones land in them.
  for (OpOperand &use : body.getTerminator()->getOpOperands()) {
    unsigned root = storage.addRoot(RootKind::Output, use.get(), use.getOperandNumber());
    storage.placeOrCopy(use, root, Layout::dense(storage.roots[root].type.getShape()));
  }
  SmallVector<ConcatOp> concats(body.getOps<ConcatOp>());
  for (ConcatOp concat : llvm::reverse(concats)) {
    Value value = concat.getResult();
    if (storage.placements.contains(value))
      continue;
    unsigned root = storage.addRoot(RootKind::Workspace, value);
    storage.place(value, root, Layout::dense(storage.roots[root].type.getShape()), true);
  }
  for (Operation &op : llvm::make_early_inc_range(body.without_terminator())) {
    if (isView(&op)) {
      Value result = op.getResult(0);
      if (storage.placements.contains(result))
        continue;
      Layout input = storage.of(op.getOperand(0)).layout;
      unsigned root = storage.of(op.getOperand(0)).root;
      std::optional<Layout> layout = layoutOfView(&op, input);
      if (!layout) {
        Value copy = storage.insertCopy(op.getOpOperand(0));
        root = storage.addRoot(RootKind::Workspace, copy);
        Layout dense = Layout::dense(storage.roots[root].type.getShape());
        storage.placements[copy] = {root, dense};
        layout = layoutOfView(&op, dense);
      }
      storage.placements[result] = {root, *layout};
      continue;
    }
    for (Value result : op.getResults()) {
      if (!isa<RankedTensorType>(result.getType()) || storage.placements.contains(result))
        continue;
      unsigned root =
          storage.addRoot(isa<ConstantOp>(op) ? RootKind::Weights : RootKind::Workspace, result);
      storage.placements[result] = {root, Layout::dense(storage.roots[root].type.getShape())};
    }
  }
  return storage;
}

void Storage::rename(Value before, Value now) {
  Placement place = placements.find(before)->second;
  placements.erase(before);
  if (roots[place.root].value == before)
    roots[place.root].value = now;
  placements[now] = place;
}
