//===- RegistersTest.cpp - routines with more values than registers --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Codegen/Registers.h"

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <random>

namespace accel::codegen {
namespace {

class RegistersTest : public testing::Test {
protected:
  mlir::MLIRContext context;
  mlir::Location location = mlir::UnknownLoc::get(&context);

  Reg scalar(Routine &routine, Block &block, Opcode opcode, Reg ra, Reg rb, int64_t imm) {
    auto item = std::make_unique<Item>(location);
    Instruction &in = item->instruction;
    in.opcode = opcode;
    in.ra = ra;
    in.rb = rb;
    in.imm = imm;
    Reg rd = in.rd = routine.newReg();
    block.append(std::move(item));
    return rd;
  }

  /// An engine instruction that reads the registers.
  void reads(Block &block, llvm::ArrayRef<Reg> regs) {
    auto item = std::make_unique<Item>(location);
    item->instruction.opcode = Opcode::Dma;
    item->instruction.descriptor = std::make_unique<Descriptor>();
    for (size_t i = 0; i < regs.size(); i += 4)
      item->instruction.descriptor->streams.emplace_back().baseRegs.assign(
          regs.begin() + i, regs.begin() + std::min(regs.size(), i + 4));
    block.append(std::move(item));
  }

  Block &loop(Routine &routine, Block &block, int64_t bound, Reg trips = 0) {
    auto item = std::make_unique<Item>(Item::Loop, location);
    item->bound = bound;
    item->trips = trips;
    item->counter = routine.newReg();
    item->body = std::make_unique<Block>();
    item->body->owner = item.get();
    item->body->depth = block.depth + 1;
    return *block.append(std::move(item)).body;
  }

  /// What the engine instructions read, in the order of execution.
  static void execute(const Block &block, std::map<Reg, int64_t> &values,
                      std::vector<int64_t> &trace) {
    for (auto &item : block.items) {
      const Instruction &in = item->instruction;
      if (item->kind == Item::Loop) {
        int64_t trips = item->trips ? std::min(values[item->trips], item->bound) : item->bound;
        for (int64_t i = 0; i < trips; ++i) {
          values[item->counter] = i;
          execute(*item->body, values, trace);
        }
      } else if (in.descriptor) {
        for (Reg reg : in.descriptor->sizeRegs)
          if (reg)
            trace.push_back(values[reg]);
        if (in.descriptor->initReg)
          trace.push_back(values[in.descriptor->initReg]);
        for (const Stream &stream : in.descriptor->streams) {
          for (Reg reg : stream.baseRegs)
            trace.push_back(values[reg]);
          for (const Coordinate &c : stream.window)
            trace.insert(trace.end(), {values[c.startReg], values[c.originReg]});
        }
      } else {
        int64_t a = values[in.ra], b = values[in.rb];
        values[in.rd] = in.opcode == Opcode::Li     ? in.imm
                        : in.opcode == Opcode::Add  ? a + b
                        : in.opcode == Opcode::MulI ? a * in.imm
                                                    : a + in.imm;
      }
    }
  }

  static std::vector<int64_t> execute(const Routine &routine) {
    std::map<Reg, int64_t> values;
    for (Reg reg = 1; reg <= routine.frameReg; ++reg)
      values[reg] = 1000000 * reg;
    std::vector<int64_t> trace;
    execute(routine.body, values, trace);
    return trace;
  }

  static void namesOnly(const Block &block, int most) {
    for (auto &item : block.items) {
      EXPECT_LE(std::max({item->counter, item->trips, item->instruction.rd, item->instruction.ra,
                          item->instruction.rb}),
                most);
      if (item->instruction.descriptor)
        for (const Stream &stream : item->instruction.descriptor->streams)
          for (Reg reg : stream.baseRegs)
            EXPECT_LE(reg, most);
      if (item->body)
        namesOnly(*item->body, most);
    }
  }
};

// 200 values are computed, then read one after the other inside of a loop.
TEST_F(RegistersTest, ComputesAgainWhatDoesNotFit) {
  Routine routine;
  Reg base = routine.newReg();
  routine.frameReg = routine.newReg();
  Block &outer = loop(routine, routine.body, 3);
  std::vector<Reg> values;
  for (int i = 0; i < 200; ++i) {
    Reg product = scalar(routine, outer, Opcode::MulI, outer.owner->counter, 0, 7 + i);
    values.push_back(scalar(routine, outer, Opcode::Add, product, base, 0));
  }
  Block &inner = loop(routine, outer, 2);
  for (Reg value : values)
    reads(inner, {value, routine.frameReg});
  std::vector<int64_t> want = execute(routine);
  ASSERT_EQ(want.size(), 3u * 2 * 200 * 2);
  int used = allocateRegisters(routine);
  EXPECT_LE(used, usableRegisters);
  namesOnly(routine.body, usableRegisters);
  EXPECT_EQ(execute(routine), want);
}

// What fits stays as it is: nothing is computed twice.
TEST_F(RegistersTest, KeepsWhatFits) {
  Routine routine;
  routine.frameReg = routine.newReg();
  std::vector<Reg> values;
  for (int i = 0; i < 62; ++i)
    values.push_back(scalar(routine, routine.body, Opcode::AddI, routine.frameReg, 0, i));
  for (Reg value : values)
    reads(routine.body, {value, routine.frameReg});
  EXPECT_EQ(allocateRegisters(routine), usableRegisters);
  EXPECT_EQ(routine.body.items.size(), 62u + 62u);
}

// One instruction reads more values than there are registers: nothing helps.
TEST_F(RegistersTest, SaysWhatNothingHelps) {
  Routine routine;
  routine.frameReg = routine.newReg();
  std::vector<Reg> values;
  for (int i = 0; i < 70; ++i)
    values.push_back(scalar(routine, routine.body, Opcode::AddI, routine.frameReg, 0, i));
  reads(routine.body, values);
  EXPECT_GT(allocateRegisters(routine), usableRegisters);
}

// The instruction that reads most, 37 values that all depend on 8 counters, fits
// beside the counters, which are read again behind it. A schedule cannot ask for more.
TEST_F(RegistersTest, EveryInstructionFits) {
  Routine routine;
  routine.frameReg = routine.newReg(); // not read: the addresses of one call are numbers
  Block *block = &routine.body;
  std::vector<Reg> counters;
  for (int i = 0; i < rt::isa::kNestingLimit; ++i) {
    block = &loop(routine, *block, 2);
    counters.push_back(block->owner->counter);
  }
  auto value = [&](int seed) {
    Reg sum = scalar(routine, *block, Opcode::Li, 0, 0, seed);
    for (size_t i = 0; i < counters.size(); ++i) {
      Reg part = scalar(routine, *block, Opcode::MulI, counters[i], 0, seed * 8 + int64_t(i));
      sum = scalar(routine, *block, Opcode::Add, sum, part, 0);
    }
    return sum;
  };
  std::vector<Reg> values;
  for (int i = 0; i < 37; ++i)
    values.push_back(value(i + 1));
  auto item = std::make_unique<Item>(location);
  item->instruction.opcode = Opcode::Vec;
  item->instruction.descriptor = std::make_unique<Descriptor>();
  Descriptor &d = *item->instruction.descriptor;
  auto next = values.begin();
  for (Reg &reg : d.sizeRegs)
    reg = *next++;
  d.initReg = *next++;
  for (int i = 0; i < rt::isa::kStreamLimit; ++i) {
    Stream &stream = d.streams.emplace_back();
    stream.baseRegs = {*next++};
    for (Coordinate *c : {&stream.window.emplace_back(), &stream.window.emplace_back()}) {
      c->startReg = *next++;
      c->originReg = *next++;
    }
  }
  ASSERT_EQ(next, values.end());
  block->append(std::move(item));
  reads(*block, counters);
  std::vector<int64_t> want = execute(routine);
  EXPECT_LE(allocateRegisters(routine), usableRegisters);
  EXPECT_EQ(execute(routine), want);
}

TEST_F(RegistersTest, ArgumentsThatAreNotReadTakeNoRegister) {
  Routine routine;
  for (int i = 0; i < 100; ++i)
    routine.newReg();
  routine.frameReg = routine.newReg();
  reads(routine.body, {scalar(routine, routine.body, Opcode::Li, 0, 0, 5)});
  EXPECT_EQ(allocateRegisters(routine), 1);
}

/// Random code in random nests: the same values are read in the same order.
TEST_F(RegistersTest, NeverChangesWhatIsRead) {
  for (unsigned seed = 0; seed < 15; ++seed) {
    std::mt19937 random(seed);
    Routine routine;
    std::vector<Reg> alive;
    std::map<Reg, int> height; // of the expression that gives the value
    for (unsigned i = 0; i <= random() % 8; ++i)
      alive.push_back(routine.newReg());
    routine.frameReg = alive.back();
    auto any = [&] { return alive[random() % alive.size()]; };
    auto low = [&] {
      Reg reg = any();
      while (height[reg] > 3)
        reg = any();
      return reg;
    };
    std::function<void(Block &)> fill = [&](Block &block) {
      size_t outside = alive.size();
      for (unsigned i = 0; i < 60; ++i) {
        unsigned what = random() % 32;
        if (what == 0 && block.depth < 3) {
          Reg trips = 0;
          if (random() % 2) // few trips, whatever the register holds
            trips = scalar(routine, block, Opcode::Li, 0, 0, random() % 3);
          Block &body = loop(routine, block, 1 + random() % 2, trips);
          alive.push_back(body.owner->counter);
          fill(body);
        } else if (what < 24) {
          Opcode opcodes[] = {Opcode::Add, Opcode::MulI, Opcode::AddI, Opcode::Li};
          Opcode opcode = opcodes[random() % 4];
          Reg a = opcode == Opcode::Li ? 0 : low(), b = opcode == Opcode::Add ? low() : 0;
          Reg reg = scalar(routine, block, opcode, a, b, random() % 5);
          height[reg] = 1 + std::max(height[a], height[b]);
          alive.push_back(reg);
        } else {
          reads(block, {any(), any(), any(), any()});
        }
      }
      if (block.depth)
        alive.resize(outside - 1); // and the loop's counter
    };
    fill(routine.body);
    std::vector<int64_t> want = execute(routine);
    ASSERT_LE(allocateRegisters(routine), usableRegisters) << "seed " << seed;
    ASSERT_EQ(execute(routine), want) << "seed " << seed;
  }
}

} // namespace
} // namespace accel::codegen
