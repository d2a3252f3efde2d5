//===- register_state.cc - What scalar instructions make of registers -----===//
#include "register_state.h"
#include "stream_box.h"
#include <algorithm>

namespace accel::rt {
namespace {

constexpr Wide kLeast = std::numeric_limits<int64_t>::min(),
               kGreatest = std::numeric_limits<int64_t>::max();

/// Register arithmetic wraps: what may leave 64 bits is unknown.
Interval Fit(Wide lo, Wide hi) {
  if (lo < kLeast || hi > kGreatest)
    return {};
  return {int64_t(lo), int64_t(hi)};
}

} // namespace

Interval State::RangeOf(int reg) const {
  const Value &v = reg_[reg];
  return v.isForm ? Fit(atoms_->Lowest(v.form), atoms_->Highest(v.form)) : v.range;
}

void State::Set(uint8_t reg, Interval range, Residue residue) {
  if (!reg)
    return;
  defined.set(reg);
  Value &v = reg_[reg];
  v.isForm = range.constant();
  v.form = Form::Of(range.lo);
  v.range = range;
  v.residue = residue;
}

bool State::SetForm(uint8_t reg, const Form &form) {
  if (!reg)
    return true;
  if (atoms_->Lowest(form) < kLeast || atoms_->Highest(form) > kGreatest) {
    Forget(reg);
    return false;
  }
  defined.set(reg);
  reg_[reg].isForm = true;
  reg_[reg].form = form;
  return true;
}

void State::Join(const State &o) {
  for (int r = 1; r < kRegisters; ++r) {
    const Value &a = reg_[r], &b = o.reg_[r];
    if (a.isForm && b.isForm && a.form == b.form)
      continue;
    const Interval x = RangeOf(r), y = o.RangeOf(r);
    const Residue residue = ResidueOf(r).Join(o.ResidueOf(r));
    const bool wasDefined = defined[size_t(r)];
    Set(uint8_t(r), {std::min(x.lo, y.lo), std::max(x.hi, y.hi)}, residue);
    defined[size_t(r)] = wasDefined;
  }
  defined &= o.defined;
}

Form State::Product(const Form &a, const Form &b) {
  Form f;
  if (b.isConstant() ? f.Add(a, b.constant) : a.isConstant() && f.Add(b, a.constant))
    return f;
  const Interval x = Fit(atoms_->Lowest(a), atoms_->Highest(a)),
                 y = Fit(atoms_->Lowest(b), atoms_->Highest(b));
  const Wide p[4] = {Wide(x.lo) * y.lo, Wide(x.lo) * y.hi, Wide(x.hi) * y.lo, Wide(x.hi) * y.hi};
  return Unknown(Fit(*std::min_element(p, p + 4), *std::max_element(p, p + 4)));
}

/// a − d · ⌊a / d⌋
Form State::Modulo(const Form &a, int64_t d) {
  if (d <= 0)
    return Unknown({});
  const Wide lo = atoms_->Lowest(a), hi = atoms_->Highest(a);
  if (lo >= kLeast && hi <= kGreatest) {
    const int64_t turn = FloorDivide(int64_t(lo), d);
    Form f = a;
    if (turn == FloorDivide(int64_t(hi), d) && f.Add(Form::Of(d), -turn))
      return f;
  }
  Residue residue = atoms_->ResidueOf(a).Join(
      atoms_->ResidueOf(a).Plus(Residue::OfConstant(d & 7))); // a is known up to multiples of d
  return Unknown({0, d - 1}, residue);
}

void State::Scalar(const InstrCode &in) {
  if (!in.rd)
    return;
  Form a = Get(in.ra), b = Get(in.rb), imm = Form::Of(in.imm), f;
  bool isForm = true; // f is the value
  auto shift = [&] { return b.isConstant() && b.constant >= 0 && b.constant < 63; };
  switch (in.op) {
  case Op::Li:
    f = imm;
    break;
  case Op::Add:
  case Op::AddI:
    f = a;
    isForm = f.Add(in.op == Op::Add ? b : imm);
    break;
  case Op::Sub:
    f = a;
    isForm = f.Add(b, -1);
    break;
  case Op::Mul:
    f = Product(a, b);
    break;
  case Op::MulI:
    f = Product(a, imm);
    break;
  case Op::Div:
  case Op::DivI: {
    const Form &d = in.op == Op::Div ? b : imm;
    isForm = d.isConstant() && d.constant > 0;
    if (isForm)
      f = atoms_->Divide(a, d.constant);
    break;
  }
  case Op::Mod:
  case Op::ModI: {
    const Form &d = in.op == Op::Mod ? b : imm;
    isForm = d.isConstant();
    if (isForm)
      f = Modulo(a, d.constant);
    break;
  }
  case Op::Min:
  case Op::MinI:
    f = atoms_->Min(a, in.op == Op::Min ? b : imm);
    break;
  case Op::Max:
  case Op::MaxI:
    f = atoms_->Max(a, in.op == Op::Max ? b : imm);
    break;
  case Op::CmpLt:
  case Op::CmpLtI:
    f = atoms_->Less(a, in.op == Op::CmpLt ? b : imm);
    break;
  case Op::CmpEq:
  case Op::CmpEqI:
    f = atoms_->Equal(a, in.op == Op::CmpEq ? b : imm);
    break;
  case Op::And: {
    const Interval x = RangeOf(in.ra), y = RangeOf(in.rb);
    isForm = x.lo >= 0 || y.lo >= 0;
    if (isForm)
      f = Unknown({0, x.lo < 0 ? y.hi : y.lo < 0 ? x.hi : std::min(x.hi, y.hi)});
    break;
  }
  case Op::Or:
  case Op::Xor: {
    const Interval x = RangeOf(in.ra), y = RangeOf(in.rb);
    isForm = x.lo >= 0 && y.lo >= 0;
    int64_t bits = x.hi | y.hi; // no bit above the highest of either
    for (int i = 1; i < 64; i *= 2)
      bits |= bits >> i;
    if (isForm)
      f = Unknown({0, bits});
    break;
  }
  case Op::Shl:
    isForm = shift() && b.constant < 58;
    if (isForm)
      f = Product(a, Form::Of(int64_t(1) << b.constant));
    break;
  case Op::Shr:
    isForm = shift();
    if (isForm)
      f = atoms_->Divide(a, int64_t(1) << b.constant);
    break;
  default:
    isForm = false;
    break;
  }
  if (isForm)
    SetForm(in.rd, f);
  else
    Forget(in.rd);
}

} // namespace accel::rt
