//===- VectorPrograms.cpp - bodies of accel.vec as micro-programs ----------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One step for each scalar operation, in the order of the body, so that the
// result bits are those that the body spells out: nothing is fused or
// reassociated. Stored types exist only at the ends: loading widens to the
// compute type, storing rounds and saturates (floats) or wraps (integers), so
// most conversions in a body cost no step.
//===----------------------------------------------------------------------===//

#include "acc/Codegen/VectorPrograms.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/bit.h"

using namespace mlir;

namespace accel::codegen {

VecType vecTypeOf(Type type) {
  if (isa<FloatType>(type))
    return type.isF64() ? VecType::F64 : VecType::F32;
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  // u32 needs more than an i32.
  return bits > 32 || (bits == 32 && type.isUnsignedInteger()) ? VecType::I64 : VecType::I32;
}

namespace {

/// A step over unlimited registers.
struct RawStep {
  std::string op;
  int dst, a, b, c;
  VecType type;
  uint64_t imm;
};

StringRef unaryMnemonic(Operation *op) {
  return llvm::StringSwitch<StringRef>(op->getName().getStringRef())
      .Case("arith.negf", "neg")
      .Cases({"math.absf", "math.absi"}, "abs")
      .Case("math.sqrt", "sqrt")
      .Case("math.rsqrt", "rsqrt")
      .Case("math.exp", "exp")
      .Case("math.log", "log")
      .Case("math.tanh", "tanh")
      .Case("math.erf", "erf")
      .Case("math.floor", "floor")
      .Case("math.ceil", "ceil")
      .Case("math.roundeven", "rne")
      .Case("math.trunc", "trunc")
      .Case("math.sin", "sin")
      .Case("math.cos", "cos")
      .Case("math.atan", "atan")
      .Case("math.isnan", "isnan")
      .Case("math.isinf", "isinf")
      .Case("accel.sigmoid", "sigmoid")
      .Case("accel.recip", "recip")
      .Default("");
}

StringRef binaryMnemonic(Operation *op) {
  return llvm::StringSwitch<StringRef>(op->getName().getStringRef())
      .Cases({"arith.addf", "arith.addi"}, "add")
      .Cases({"arith.subf", "arith.subi"}, "sub")
      .Cases({"arith.mulf", "arith.muli"}, "mul")
      .Cases({"arith.divf", "arith.divsi"}, "div")
      .Cases({"arith.remf", "arith.remsi"}, "fmod")
      .Cases({"arith.maximumf", "arith.maxsi", "arith.maxnumf"}, "max")
      .Cases({"arith.minimumf", "arith.minsi", "arith.minnumf"}, "min")
      .Case("arith.andi", "and")
      .Case("arith.ori", "or")
      .Case("arith.xori", "xor")
      .Case("arith.shli", "shl")
      .Case("arith.shrsi", "sar")
      .Case("arith.shrui", "shr")
      .Case("math.powf", "pow")
      .Default("");
}

class Translator {
public:
  explicit Translator(VecOp op) : op(op) {}

  FailureOr<VectorProgram> run() {
    mlir::Block &body = op.getBody().front();
    bool reduces = !op.getReduced().empty();
    unsigned outputs = unsigned(op.getOutputs());
    unsigned bodyOutputs = reduces ? unsigned(op.getBodyOutputs()) : outputs;
    size_t inputs = body.getNumArguments();

    for (size_t i = 0; i < inputs; ++i) {
      auto stream = cast<StreamAttr>(op.getStreams()[outputs + i]);
      program.inputs.push_back({uint8_t(i), vecTypeOf(stream.getType())});
      define(body.getArgument(i), int(i));
    }
    next = int(inputs);

    Operation *yield = body.getTerminator();
    markNeeded(body);
    if (failed(emitBlock(body)))
      return failure();
    SmallVector<int> bodyRegs, reduced;
    for (unsigned i = 0; i < bodyOutputs; ++i) {
      bodyRegs.push_back(registerOf(yield->getOperand(i)));
      outputTypes.push_back(vecTypeOf(yield->getOperand(i).getType()));
    }
    std::vector<RawStep> bodySteps;
    if (!reduces) {
      bodySteps = std::move(steps);
      return finish(bodySteps, {}, bodyRegs, {}, {}, inputs, false);
    }
    SmallVector<VecType> reducedTypes;
    for (size_t i = bodyOutputs; i < yield->getNumOperands(); ++i) {
      reduced.push_back(registerOf(yield->getOperand(i)));
      reducedTypes.push_back(vecTypeOf(yield->getOperand(i).getType()));
    }
    bodySteps = std::move(steps);
    steps.clear();
    constants.clear(); // post runs at other points: nothing of the body is left

    mlir::Block &post = op.getPost().front();
    if (post.getNumArguments() != reduced.size() + inputs &&
        post.getNumArguments() != reduced.size())
      return op.emitError("codegen: post takes ")
             << reduced.size() << " reduced values and " << inputs << " inputs, not "
             << post.getNumArguments() << " values";
    SmallVector<int> results;
    for (size_t i = 0; i < reduced.size(); ++i) {
      results.push_back(next++);
      define(post.getArgument(i), results.back());
    }
    for (size_t i = reduced.size(); i < post.getNumArguments(); ++i)
      define(post.getArgument(i), int(i - reduced.size()));
    markNeeded(post);
    if (failed(emitBlock(post)))
      return failure();
    SmallVector<int> postRegs;
    for (Value value : post.getTerminator()->getOperands()) {
      postRegs.push_back(registerOf(value));
      outputTypes.push_back(vecTypeOf(value.getType()));
    }
    for (auto [i, kind] : llvm::enumerate(op.getKinds()))
      program.reductions.push_back(
          {0, 0, cast<ReduceKindAttr>(kind).getValue(), op.getLanes(), reducedTypes[i]});
    return finish(bodySteps, steps, bodyRegs, reduced, postRegs, inputs, true, results);
  }

private:
  void define(Value value, int reg) { registers[value] = reg; }

  int step(StringRef name, VecType type, int a = 0, int b = 0, int c = 0, uint64_t imm = 0) {
    steps.push_back({name.str(), next, a, b, c, type, imm});
    return next++;
  }

  int constant(VecType type, double value) {
    uint64_t bits = type == VecType::F32 || type == VecType::F64 ? llvm::bit_cast<uint64_t>(value)
                                                                 : uint64_t(int64_t(value));
    return constantBits(type, bits);
  }
  int constantBits(VecType type, uint64_t bits) {
    auto [it, isNew] = constants.try_emplace({type, bits}, 0);
    if (isNew)
      it->second = step("imm", type, 0, 0, 0, bits);
    return it->second;
  }

  /// Constants become steps where they are first used.
  int registerOf(Value value) {
    auto it = registers.find(value);
    if (it != registers.end())
      return it->second;
    auto op = cast<arith::ConstantOp>(value.getDefiningOp());
    VecType type = vecTypeOf(value.getType());
    if (auto number = dyn_cast<FloatAttr>(op.getValue()))
      return constantBits(type, llvm::bit_cast<uint64_t>(number.getValueAsDouble()));
    auto number = cast<IntegerAttr>(op.getValue());
    bool isBit = value.getType().isInteger(1);
    return constantBits(type, isBit ? number.getValue().getZExtValue()
                                    : uint64_t(number.getValue().getSExtValue()));
  }

  void markNeeded(mlir::Block &block) {
    SmallVector<Value> todo(block.getTerminator()->getOperands());
    while (!todo.empty()) {
      Operation *def = todo.pop_back_val().getDefiningOp();
      if (def && needed.insert(def).second)
        llvm::append_range(todo, def->getOperands());
    }
  }

  LogicalResult emitBlock(mlir::Block &block) {
    for (Operation &inner : block.without_terminator()) {
      if (!needed.contains(&inner) || isa<arith::ConstantOp>(inner))
        continue;
      FailureOr<int> reg = emit(&inner);
      if (failed(reg))
        return failure();
      define(inner.getResult(0), *reg);
    }
    return success();
  }

  FailureOr<int> emit(Operation *inner) {
    SmallVector<int, 3> in;
    for (Value operand : inner->getOperands())
      in.push_back(registerOf(operand));
    Type result = inner->getResult(0).getType();
    VecType type = vecTypeOf(inner->getOperand(0).getType());
    if (StringRef name = unaryMnemonic(inner); !name.empty())
      return step(name, type, in[0]);
    if (StringRef name = binaryMnemonic(inner); !name.empty())
      return step(name, type, in[0], in[1]);
    if (isa<math::FmaOp>(inner))
      return step("fma", type, in[0], in[1], in[2]);
    if (isa<arith::SelectOp>(inner))
      return step("select", vecTypeOf(result), in[0], in[1], in[2]);
    if (auto cmp = dyn_cast<arith::CmpIOp>(inner))
      return compare(cmp.getPredicate(), type, in[0], in[1]);
    if (auto cmp = dyn_cast<arith::CmpFOp>(inner))
      return compare(cmp.getPredicate(), type, in[0], in[1]);
    if (auto convert = dyn_cast<ConvertOp>(inner))
      return convertTo(inner, in[0], convert.getIn().getType(), result, convert.getSaturate());
    if (isa<arith::ExtFOp, arith::TruncFOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp,
            arith::SIToFPOp, arith::UIToFPOp, arith::FPToSIOp, arith::IndexCastOp>(inner))
      return convertTo(inner, in[0], inner->getOperand(0).getType(), result, false);
    return op.emitError("codegen: the vector unit has no step for ")
           << inner->getName() << "; split the operation or rewrite it in graph";
  }

  FailureOr<int> compare(arith::CmpIPredicate predicate, VecType type, int a, int b) {
    using P = arith::CmpIPredicate;
    switch (predicate) {
    case P::eq:
      return step("eq", type, a, b);
    case P::ne:
      return step("ne", type, a, b);
    case P::slt:
    case P::ult:
      return step("lt", type, a, b);
    case P::sle:
    case P::ule:
      return step("le", type, a, b);
    case P::sgt:
    case P::ugt:
      return step("gt", type, a, b);
    case P::sge:
    case P::uge:
      return step("ge", type, a, b);
    }
    return failure();
  }

  int opposite(int bit) { return step("xor", VecType::I32, bit, constant(VecType::I32, 1)); }

  /// Steps compare as ordered, except ne, which is true for NaN.
  FailureOr<int> compare(arith::CmpFPredicate predicate, VecType type, int a, int b) {
    using P = arith::CmpFPredicate;
    auto either = [&](int x, int y) { return step("or", VecType::I32, x, y); };
    switch (predicate) {
    case P::OEQ:
      return step("eq", type, a, b);
    case P::UNE:
      return step("ne", type, a, b);
    case P::OLT:
      return step("lt", type, a, b);
    case P::OLE:
      return step("le", type, a, b);
    case P::OGT:
      return step("gt", type, a, b);
    case P::OGE:
      return step("ge", type, a, b);
    case P::ULT:
      return opposite(step("ge", type, a, b));
    case P::ULE:
      return opposite(step("gt", type, a, b));
    case P::UGT:
      return opposite(step("le", type, a, b));
    case P::UGE:
      return opposite(step("lt", type, a, b));
    case P::ONE: {
      int less = step("lt", type, a, b);
      return either(less, step("gt", type, a, b));
    }
    case P::UEQ: {
      int less = step("lt", type, a, b);
      return opposite(either(less, step("gt", type, a, b)));
    }
    case P::UNO:
    case P::ORD: {
      int first = step("isnan", type, a);
      int any = either(first, step("isnan", type, b));
      return predicate == P::UNO ? any : opposite(any);
    }
    case P::AlwaysFalse:
      return constant(VecType::I32, 0);
    case P::AlwaysTrue:
      return constant(VecType::I32, 1);
    }
    return failure();
  }

  static bool onlyStored(Operation *inner) {
    return llvm::all_of(inner->getUsers(), [](Operation *user) { return isa<YieldOp>(user); });
  }

  /// Rounded already, perhaps plus a zero point: a sum of whole numbers in f32 is one.
  static bool isWhole(Value value) {
    Operation *def = value.getDefiningOp();
    if (auto sum = dyn_cast_or_null<arith::AddFOp>(def))
      return isWhole(sum.getLhs()) && isWhole(sum.getRhs());
    if (auto number = dyn_cast_or_null<arith::ConstantOp>(def)) {
      auto real = dyn_cast<FloatAttr>(number.getValue());
      return real && real.getValue().isInteger();
    }
    return isa_and_nonnull<math::RoundEvenOp>(def);
  }

  FailureOr<int> convertTo(Operation *inner, int in, Type from, Type to, bool saturate) {
    VecType a = vecTypeOf(from), b = vecTypeOf(to);
    auto cvt = [&](int reg, VecType source, VecType target) {
      return source == target ? reg : step("cvt", target, reg, int(source));
    };
    if (isa<FloatType>(to)) {
      if (!isa<FloatType>(from) || to.getIntOrFloatBitWidth() >= from.getIntOrFloatBitWidth())
        return cvt(in, a, b);
      if (to.isF32())
        return cvt(in, a, b);
      // The store rounds. In between it would have to be a step of its own.
      if (!onlyStored(inner))
        return op.emitError("codegen: rounds to ")
               << to << " within a body; compute in f32 and convert what is stored";
      return cvt(in, a, b);
    }
    unsigned bits = to.getIntOrFloatBitWidth();
    if (bits == 1) {
      if (from.isInteger(1))
        return in;
      return step("ne", a, in, constant(a, 0));
    }
    bool isUnsigned = to.isUnsignedInteger();
    double low = isUnsigned ? 0 : -std::ldexp(1.0, int(bits) - 1);
    double high = std::ldexp(1.0, int(bits) - (isUnsigned ? 0 : 1)) - 1;
    if (isa<FloatType>(from)) {
      if (!saturate)
        return cvt(step("trunc", a, in), a, b);
      if (bits <= 16) {
        // What rounds to nearest even within the range is exact in f32.
        int rounded = isWhole(inner->getOperand(0)) ? in : step("rne", a, in);
        int clamped = step("min", a, step("max", a, rounded, constant(a, low)), constant(a, high));
        return cvt(clamped, a, b);
      }
      return cvt(step("rne", a, in), a, b); // cvt saturates
    }
    unsigned fromBits = from.isIndex() ? 64 : from.getIntOrFloatBitWidth();
    bool fits = fromBits < bits && (!isUnsigned || from.isUnsignedInteger() || fromBits == 1);
    if (saturate && bits <= 32 && !fits) {
      int clamped = step("min", a, step("max", a, in, constant(a, low)), constant(a, high));
      return cvt(clamped, a, b);
    }
    int out = cvt(in, a, b);
    if (bits >= 32 || fits || onlyStored(inner))
      return out; // the store wraps
    if (isUnsigned)
      return step("and", b, out, constant(b, high));
    int amount = constant(b, 32 - int(bits));
    return step("sar", b, step("shl", b, out, amount), amount);
  }

  /// Gives machine registers. Inputs hold registers 0.. and keep them if there
  /// is a post phase; reduced values have registers that the body leaves alone.
  FailureOr<VectorProgram> finish(const std::vector<RawStep> &body,
                                  const std::vector<RawStep> &post, ArrayRef<int> bodyRegs,
                                  ArrayRef<int> reduced, ArrayRef<int> postRegs, size_t inputs,
                                  bool reduces, ArrayRef<int> results = {}) {
    unsigned used = unsigned(inputs);
    std::vector<int> machine(next, -1);
    for (size_t i = 0; i < inputs; ++i)
      machine[i] = int(i);
    for (int reg : results)
      machine[reg] = int(used++);
    unsigned fixed = used;

    auto assign = [&](const std::vector<RawStep> &from, ArrayRef<int> kept,
                      std::vector<VectorProgram::Step> &to) -> LogicalResult {
      std::vector<int> last(next, -1);
      auto reads = [](const RawStep &s, auto visit) {
        if (s.op == "imm")
          return;
        visit(s.a);
        if (s.op != "cvt" && !isUnary(s.op)) // b of cvt is a type
          visit(s.b);
        if (s.op == "fma" || s.op == "select")
          visit(s.c);
      };
      for (size_t i = 0; i < from.size(); ++i)
        reads(from[i], [&](int reg) { last[reg] = int(i); });
      for (int reg : kept)
        last[reg] = int(from.size());
      std::vector<bool> busy(VectorProgram::maxRegs * 4, false);
      for (unsigned r = 0; r < fixed; ++r)
        busy[r] = true;
      for (size_t i = 0; i < from.size(); ++i) {
        const RawStep &s = from[i];
        VectorProgram::Step out;
        out.op = s.op;
        out.type = s.type;
        out.imm = s.imm;
        int position = 0;
        uint8_t *fields[] = {&out.a, &out.b, &out.c};
        reads(s, [&](int reg) { *fields[position++] = uint8_t(machine[reg]); });
        if (s.op == "cvt")
          out.b = uint8_t(s.b);
        reads(s, [&](int reg) {
          bool isFixed = machine[reg] < int(fixed) && (reduces || reg >= int(inputs));
          if (last[reg] == int(i) && !isFixed)
            busy[machine[reg]] = false;
        });
        unsigned r = 0;
        while (r < busy.size() && busy[r])
          ++r;
        if (r >= VectorProgram::maxRegs)
          return op.emitError("codegen: its vector program needs more than ")
                 << VectorProgram::maxRegs << " registers; split the fused operations";
        machine[s.dst] = int(r);
        busy[r] = last[s.dst] > int(i);
        used = std::max(used, r + 1);
        out.dst = uint8_t(r);
        to.push_back(std::move(out));
      }
      if (to.size() > VectorProgram::maxSteps)
        return op.emitError("codegen: its vector program has ")
               << to.size() << " steps, the machine takes " << VectorProgram::maxSteps
               << "; split the fused operations";
      return success();
    };

    SmallVector<int> kept(bodyRegs);
    kept.append(reduced.begin(), reduced.end());
    if (failed(assign(body, kept, program.body)))
      return failure();
    size_t index = 0;
    for (int reg : bodyRegs)
      program.outputs.push_back({uint8_t(machine[reg]), false, outputTypes[index++]});
    for (auto [i, reg] : llvm::enumerate(reduced)) {
      program.reductions[i].src = uint8_t(machine[reg]);
      program.reductions[i].dst = uint8_t(machine[results[i]]);
    }
    if (reduces) {
      if (failed(assign(post, postRegs, program.post)))
        return failure();
      for (int reg : postRegs)
        program.outputs.push_back({uint8_t(machine[reg]), true, outputTypes[index++]});
    }
    program.registers = uint8_t(used);
    return program;
  }

  static bool isUnary(StringRef name) {
    static constexpr StringRef names[] = {
        "neg",   "abs",  "sqrt", "rsqrt", "recip", "exp", "log",  "tanh",  "erf",  "sigmoid",
        "floor", "ceil", "rne",  "trunc", "sin",   "cos", "atan", "isnan", "isinf"};
    return llvm::is_contained(names, name);
  }

  VecOp op;
  VectorProgram program;
  llvm::DenseMap<Value, int> registers;
  llvm::SmallPtrSet<Operation *, 16> needed;
  std::map<std::pair<VecType, uint64_t>, int> constants;
  std::vector<RawStep> steps;
  SmallVector<VecType> outputTypes;
  int next = 0;
};

} // namespace

FailureOr<VectorProgram> translate(VecOp op) { return Translator(op).run(); }

FailureOr<int32_t> VectorPrograms::add(VecOp op) {
  FailureOr<VectorProgram> program = translate(op);
  if (failed(program))
    return failure();
  auto [it, isNew] = index.try_emplace(*program, int32_t(programs.size()));
  if (isNew)
    programs.push_back(std::move(*program));
  return it->second;
}

} // namespace accel::codegen
