//===- ScheduleDiff.cpp - what differs between two schedules --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Both schedules cover the operations of one program in its order. They are
// compared in the parts between cuts that both have.
//
//===----------------------------------------------------------------------===//

#include "acc/Driver/Schedules.h"
#include "acc/Plan/Routine.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace accel;

namespace {

/// A group of a schedule with what it moves.
struct Group {
  unsigned first = 0, last = 0; ///< operations
  std::vector<std::string> members, inputs, outputs;
  ScheduleAttr schedule;
  std::vector<int64_t> loads, stores; ///< bytes
  std::vector<bool> loadsInSram, storesInSram;
  int64_t bytes = 0, sram = 0;
};

class Diff {
public:
  std::string run(ArrayRef<Group> a, StringRef nameA, ArrayRef<Group> b, StringRef nameB);

private:
  void compare(const Group &a, const Group &b);
  void cuts(ArrayRef<Group> a, ArrayRef<Group> b);
  void line(const std::string &what, const std::string &a, const std::string &b);
  std::string out;
  llvm::raw_string_ostream os{out};
};

} // namespace

static std::string title(const Group &group) {
  std::string text = "\"" + group.members.front() + "\"";
  if (group.members.size() > 1)
    text += " to \"" + group.members.back() + "\"";
  return text;
}

template <typename T> static std::string list(ArrayRef<T> items) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(items, os, [&](T item) {
    if constexpr (std::is_same_v<T, LoopAttr>)
      os << '<' << item.getDim() << " : " << item.getTile() << '>';
    else
      os << item;
  });
  os << ']';
  return text;
}

static std::string bytesText(int64_t bytes) { return std::to_string(bytes) + " bytes"; }

static std::vector<Group> groupsOf(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  Storage storage = Storage::analyse(main);
  std::vector<Group> groups;
  unsigned next = 0;
  for (GroupOp op : main.getOps<GroupOp>()) {
    Group group;
    GroupOps ops = describeGroup(op);
    group.first = next;
    next += ops.members.size();
    group.last = next - 1;
    group.schedule = op.getScheduleAttr();
    std::string error;
    std::optional<GroupModel> model =
        GroupModel::build(ops, group.schedule, {INT64_MAX / 2, INT64_MAX / 2}, error);
    for (Operation *member : ops.members)
      group.members.push_back(memberName(member));
    for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
      group.inputs.push_back(rootTitle(storage, storage.of(operand).root));
      group.loads.push_back(model ? model->loads[i].bytes : 0);
      group.loadsInSram.push_back(ops.inputs[i].inSram);
    }
    for (auto [i, output] : llvm::enumerate(ops.outputs)) {
      group.outputs.push_back(memberName(output.value.getDefiningOp()));
      group.stores.push_back(model ? model->storeBytes[i] : 0);
      group.storesInSram.push_back(output.inSram);
    }
    if (model) {
      group.bytes = model->dramBytes;
      group.sram = model->sramBytes;
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

void Diff::line(const std::string &what, const std::string &a, const std::string &b) {
  if (a != b)
    os << "  " << llvm::left_justify(what, 38) << ' ' << a << "  ->  " << b << '\n';
}

static std::string place(bool inSram, int64_t bytes) {
  return inSram ? "stays in SRAM" : bytesText(bytes);
}

/// One group of the same operations in both.
void Diff::compare(const Group &a, const Group &b) {
  os << "\n"
     << title(a) << ": " << bytesText(a.bytes) << " in " << a.sram << " of SRAM  ->  "
     << bytesText(b.bytes) << " in " << b.sram << '\n';
  ScheduleAttr x = a.schedule, y = b.schedule;
  auto member = [&](int64_t index) {
    return index >= 0 && index < int64_t(a.members.size()) ? "\"" + a.members[index] + "\""
                                                           : std::to_string(index);
  };
  line("anchor", member(x.getAnchor()), member(y.getAnchor()));
  line("group loops", list(x.getLoops()), list(y.getLoops()));
  for (auto [name, p, q] : llvm::zip(a.members, x.getMembers(), y.getMembers())) {
    std::string of = "\"" + name + "\" ";
    line(of + "loops", list(p.getLoops()), list(q.getLoops()));
    line(of + "rolling", p.getRolling() ? "true" : "false", q.getRolling() ? "true" : "false");
    line(of + "level", std::to_string(p.getLevel()), std::to_string(q.getLevel()));
    line(of + "depth", std::to_string(p.getDepth()), std::to_string(q.getDepth()));
    line(of + "inplace", std::to_string(p.getInplace()), std::to_string(q.getInplace()));
  }
  for (unsigned i = 0; i < std::min(a.inputs.size(), b.inputs.size()); ++i) {
    OperandAttr p = x.getInputs()[i], q = y.getInputs()[i];
    std::string of = "load of " + a.inputs[i] + " ";
    line(of + "level", std::to_string(p.getLevel()), std::to_string(q.getLevel()));
    line(of + "depth", std::to_string(p.getDepth()), std::to_string(q.getDepth()));
    line(of + "rolling", p.getRolling() ? "true" : "false", q.getRolling() ? "true" : "false");
    line(of, place(a.loadsInSram[i], a.loads[i]), place(b.loadsInSram[i], b.loads[i]));
  }
  for (unsigned i = 0; i < std::min(a.outputs.size(), b.outputs.size()); ++i)
    line("store of \"" + a.outputs[i] + "\"", place(a.storesInSram[i], a.stores[i]),
         place(b.storesInSram[i], b.stores[i]));
  line("resident", list(x.getResident()), list(y.getResident()));
  line("takes", list(x.getTakes()), list(y.getTakes()));
}

/// The same operations in other groups.
void Diff::cuts(ArrayRef<Group> a, ArrayRef<Group> b) {
  auto sum = [](ArrayRef<Group> groups) {
    int64_t bytes = 0;
    for (const Group &group : groups)
      bytes += group.bytes;
    return bytes;
  };
  os << "\n\"" << a.front().members.front() << "\" to \"" << a.back().members.back()
     << "\": " << a.size() << (a.size() == 1 ? " group, " : " groups, ") << bytesText(sum(a))
     << "  ->  " << b.size() << (b.size() == 1 ? " group, " : " groups, ") << bytesText(sum(b))
     << '\n';
  for (auto [mark, groups] : {std::pair("-", a), std::pair("+", b)})
    for (const Group &group : groups)
      os << "  " << mark << ' ' << title(group) << ": loops " << list(group.schedule.getLoops())
         << ", " << bytesText(group.bytes) << " in " << group.sram << " of SRAM\n";
}

std::string Diff::run(ArrayRef<Group> a, StringRef nameA, ArrayRef<Group> b, StringRef nameB) {
  int64_t bytesA = 0, bytesB = 0;
  for (const Group &group : a)
    bytesA += group.bytes;
  for (const Group &group : b)
    bytesB += group.bytes;
  auto count = [](size_t groups) {
    return std::to_string(groups) + (groups == 1 ? " group, " : " groups, ");
  };
  os << nameA << ": " << count(a.size()) << bytesText(bytesA) << '\n'
     << nameB << ": " << count(b.size()) << bytesText(bytesB);
  if (bytesA != bytesB)
    os << ", " << std::abs(bytesB - bytesA) << (bytesB > bytesA ? " more" : " fewer");
  os << '\n';
  unsigned equal = 0;
  for (unsigned i = 0, j = 0; i < a.size() && j < b.size();) {
    unsigned endA = i + 1, endB = j + 1;
    while (a[endA - 1].last != b[endB - 1].last)
      (a[endA - 1].last < b[endB - 1].last ? endA : endB)++;
    const Group &x = a[i], &y = b[j];
    if (endA - i > 1 || endB - j > 1)
      cuts(a.slice(i, endA - i), b.slice(j, endB - j));
    else if (x.schedule == y.schedule && x.loadsInSram == y.loadsInSram)
      ++equal;
    else
      compare(x, y);
    i = endA;
    j = endB;
  }
  if (equal == a.size())
    os << "the schedules are equal\n";
  else if (equal)
    os << "\n" << equal << " groups are equal\n";
  return out;
}

std::string accel::diffSchedules(ModuleOp a, StringRef nameA, ModuleOp b, StringRef nameB) {
  return Diff().run(groupsOf(a), nameA, groupsOf(b), nameB);
}
