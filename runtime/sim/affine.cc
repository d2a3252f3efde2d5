//===- affine.cc - What the verifier knows about a register's value -------===//
#include "affine.h"
#include "stream_box.h"
#include <algorithm>
#include <numeric>

namespace accel::rt {
namespace {

/// Coefficients stay so small that twelve products with 64-bit ends fit 128
/// bits.
constexpr int64_t kMaxCoef = int64_t(1) << 58;
constexpr Wide kMin64 = std::numeric_limits<int64_t>::min(),
               kMax64 = std::numeric_limits<int64_t>::max();
/// Replacements of one proof. Real programs need tens; a hostile one gets a
/// refusal in bounded time.
constexpr int kProofSteps = 500;

uint8_t LowBit(int64_t v) { return v == 0 ? 8 : uint8_t(std::min<uint64_t>(uint64_t(v) & -uint64_t(v), 8)); }

Interval Clamped(Wide lo, Wide hi) {
  if (lo < kMin64 || hi > kMax64 || lo > hi)
    return {};
  return {int64_t(lo), int64_t(hi)};
}

} // namespace

Residue Residue::Times(int64_t factor) const {
  const uint8_t s = uint8_t(std::min(8, step * LowBit(factor)));
  return {s, uint8_t((uint64_t(offset) * uint64_t(factor)) & (s - 1))};
}

Residue Residue::Plus(Residue o) const {
  const uint8_t s = std::min(step, o.step);
  return {s, uint8_t((offset + o.offset) & (s - 1))};
}

Residue Residue::Join(Residue o) const {
  const uint8_t s = std::min({step, o.step, LowBit(int64_t(offset) - int64_t(o.offset))});
  return {s, uint8_t(offset & (s - 1))};
}

bool Form::operator==(const Form &o) const {
  return constant == o.constant && count == o.count && std::equal(term, term + count, o.term);
}

bool Form::Add(const Form &other, int64_t factor) {
  Form sum;
  if (__builtin_mul_overflow(other.constant, factor, &sum.constant) ||
      __builtin_add_overflow(sum.constant, constant, &sum.constant))
    return false;
  int i = 0, j = 0;
  while (i < count || j < other.count) {
    Term t;
    int64_t added = 0;
    if (j < other.count && (i == count || other.term[j].atom <= term[i].atom)) {
      if (__builtin_mul_overflow(other.term[j].coef, factor, &added))
        return false;
      t = {other.term[j].atom, added};
      if (i < count && term[i].atom == t.atom)
        if (__builtin_add_overflow(t.coef, term[i++].coef, &t.coef))
          return false;
      ++j;
    } else {
      t = term[i++];
    }
    if (t.coef == 0)
      continue;
    if (t.coef > kMaxCoef || t.coef < -kMaxCoef || sum.count == kTerms)
      return false;
    sum.term[sum.count++] = t;
  }
  *this = sum;
  return true;
}

Form Atoms::New(Atom atom) {
  atoms_.push_back(std::move(atom));
  return Form::OfAtom(uint32_t(atoms_.size() - 1));
}

Form Atoms::Free(Interval range, Residue residue) {
  if (range.constant())
    return Form::Of(range.lo);
  Atom a;
  a.range = range;
  a.residue = residue;
  return New(a);
}

Form Atoms::Counter(int64_t most, const Form &limit) {
  Atom a;
  a.kind = Kind::Counter;
  a.range = {0, std::max<int64_t>(most, 0)};
  if (a.range.constant())
    return Form::Of(0);
  a.a = limit;
  return New(a);
}

Form Atoms::Min(const Form &a, const Form &b) {
  if (AtMost(a, b))
    return a;
  if (AtMost(b, a))
    return b;
  Atom atom;
  atom.kind = Kind::Min;
  atom.range = Clamped(std::min(Lowest(a), Lowest(b)), std::min(Highest(a), Highest(b)));
  atom.residue = ResidueOf(a).Join(ResidueOf(b));
  atom.a = a;
  atom.b = b;
  return New(atom);
}

Form Atoms::Max(const Form &a, const Form &b) {
  if (AtMost(a, b))
    return b;
  if (AtMost(b, a))
    return a;
  Atom atom;
  atom.kind = Kind::Max;
  atom.range = Clamped(std::max(Lowest(a), Lowest(b)), std::max(Highest(a), Highest(b)));
  atom.residue = ResidueOf(a).Join(ResidueOf(b));
  atom.a = a;
  atom.b = b;
  return New(atom);
}

Form Atoms::Divide(const Form &a, int64_t d) {
  if (d == 1)
    return a;
  bool exact = true; // but for the constant
  for (int i = 0; i < a.count; ++i)
    exact &= a.term[i].coef % d == 0;
  if (exact) {
    Form f = a;
    f.constant = FloorDivide(a.constant, d);
    for (int i = 0; i < f.count; ++i)
      f.term[i].coef /= d;
    return f;
  }
  Atom atom;
  atom.kind = Kind::Divide;
  Interval r = Clamped(Lowest(a), Highest(a));
  atom.range = {FloorDivide(r.lo, d), FloorDivide(r.hi, d)};
  atom.divisor = d;
  atom.a = a;
  return New(atom);
}

Form Atoms::Compare(Kind kind, const Form &a, const Form &b) {
  Atom atom;
  atom.kind = kind;
  atom.range = {0, 1};
  atom.a = a;
  atom.b = b;
  return New(atom);
}
Form Atoms::Less(const Form &a, const Form &b) { return Compare(Kind::Less, a, b); }
Form Atoms::Equal(const Form &a, const Form &b) { return Compare(Kind::Equal, a, b); }

Wide Atoms::Highest(const Form &f) const {
  Wide sum = f.constant;
  for (int i = 0; i < f.count; ++i) {
    const Interval &r = atoms_[f.term[i].atom].range;
    sum += Wide(f.term[i].coef) * (f.term[i].coef > 0 ? r.hi : r.lo);
  }
  return sum;
}

Wide Atoms::Lowest(const Form &f) const {
  Wide sum = f.constant;
  for (int i = 0; i < f.count; ++i) {
    const Interval &r = atoms_[f.term[i].atom].range;
    sum += Wide(f.term[i].coef) * (f.term[i].coef > 0 ? r.lo : r.hi);
  }
  return sum;
}

Residue Atoms::ResidueOf(const Form &f) const {
  Residue r = Residue::OfConstant(f.constant);
  for (int i = 0; i < f.count; ++i)
    r = r.Plus(atoms_[f.term[i].atom].residue.Times(f.term[i].coef));
  return r;
}

bool Atoms::AtMost(const Form &a, const Form &b, const std::vector<Form> &positive) {
  Form f = a;
  return f.Add(b, -1) && AtMostZero(f, positive);
}

bool Atoms::AtMostZero(const Form &f, const std::vector<Form> &positive) {
  if (Highest(f) <= 0)
    return true;
  int budget = int(std::min<int64_t>(kProofSteps, work_));
  const int given = budget;
  const bool proven = Prove({f, positive}, budget);
  work_ -= given - std::max(budget, 0);
  return proven;
}

/// The goal with `value` in the place of the atom.
bool Atoms::With(const Goal &goal, uint32_t atom, const Form &value, int &budget) {
  auto replace = [&](Form &f) {
    for (int i = 0; i < f.count; ++i)
      if (f.term[i].atom == atom) {
        const int64_t coef = f.term[i].coef;
        return f.Add(Form::OfAtom(atom), -coef) && f.Add(value, coef);
      }
    return true;
  };
  Goal next = goal;
  if (!replace(next.f))
    return false;
  for (Form &p : next.positive) {
    if (!replace(p))
      p = Form::Of(1);         // says nothing any more
    else if (Highest(p) < 1)
      return true; // cannot be: nothing is touched
  }
  return Prove(next, budget);
}

bool Atoms::Prove(const Goal &goal, int &budget) {
  if (Highest(goal.f) <= 0)
    return true;
  if (goal.f.isConstant() || --budget < 0)
    return false;
  const Form::Term t = goal.f.term[goal.f.count - 1];
  const Atom atom = atoms_[t.atom];
  const bool up = t.coef > 0;
  auto with = [&](const Form &value) { return With(goal, t.atom, value, budget); };
  switch (atom.kind) {
  case Kind::Counter:
    if (up && !atom.a.isConstant() && with(atom.a))
      return true;
    break;
  case Kind::Min:
  case Kind::Max:
    // A min is at most either value, and one of them.
    if ((atom.kind == Kind::Min) == up ? with(atom.a) || with(atom.b)
                                       : with(atom.a) && with(atom.b))
      return true;
    break;
  case Kind::Divide: {
    // a − d + 1 ≤ d · ⌊a / d⌋ ≤ a
    if (t.coef % atom.divisor)
      break;
    Goal next = goal;
    Form multiple = atom.a;
    if (!up)
      multiple.constant -= atom.divisor - 1;
    if (next.f.Add(Form::OfAtom(t.atom), -t.coef) &&
        next.f.Add(multiple, t.coef / atom.divisor) && Prove(next, budget))
      return true;
    break;
  }
  default:
    break;
  }
  return with(Form::Of(up ? atom.range.hi : atom.range.lo));
}

void Atoms::NarrowAtMostZero(const Form &f, std::vector<Narrowed> &log) {
  if (f.count != 1 || f.constant == kMin64)
    return;
  const uint32_t atom = f.term[0].atom;
  const int64_t c = f.term[0].coef;
  Interval r = atoms_[atom].range;
  if (c > 0)
    r.hi = std::min(r.hi, FloorDivide(-f.constant, c));
  else
    r.lo = std::max(r.lo, -FloorDivide(-f.constant, -c));
  if (r.lo > r.hi)
    return; // the body is never executed
  log.push_back({atom, atoms_[atom].range});
  atoms_[atom].range = r;
}

void Atoms::Assume(const Form &condition, std::vector<Narrowed> &log) {
  const bool isTrue = condition.count == 1 && condition.constant == 0 && condition.term[0].coef == 1;
  const bool isFalse =
      condition.count == 1 && condition.constant == 1 && condition.term[0].coef == -1;
  if (!isTrue && !isFalse)
    return;
  const Atom atom = atoms_[condition.term[0].atom];
  if (atom.kind != Kind::Less && atom.kind != Kind::Equal)
    return;
  Form difference = atom.a, opposite = atom.b;
  if (!difference.Add(atom.b, -1) || !opposite.Add(atom.a, -1))
    return;
  if (atom.kind == Kind::Less) {
    if (isFalse)
      return NarrowAtMostZero(opposite, log); // b ≤ a
    if (difference.Add(Form::Of(1)))
      NarrowAtMostZero(difference, log); // a + 1 ≤ b
  } else if (isTrue) {
    NarrowAtMostZero(difference, log);
    NarrowAtMostZero(opposite, log);
  }
}

void Atoms::Undo(std::vector<Narrowed> &log) {
  for (; !log.empty(); log.pop_back())
    atoms_[log.back().atom].range = log.back().before;
}

} // namespace accel::rt
