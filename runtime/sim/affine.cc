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
constexpr int kProofSteps = 4000;

uint8_t LowBit(int64_t v) {
  return v == 0 ? 8 : uint8_t(std::min<uint64_t>(uint64_t(v) & -uint64_t(v), 8));
}

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
  return Defined(Kind::Min, a, b, 1,
                 Clamped(std::min(Lowest(a), Lowest(b)), std::min(Highest(a), Highest(b))),
                 ResidueOf(a).Join(ResidueOf(b)));
}

Form Atoms::Max(const Form &a, const Form &b) {
  if (AtMost(a, b))
    return b;
  if (AtMost(b, a))
    return a;
  return Defined(Kind::Max, a, b, 1,
                 Clamped(std::max(Lowest(a), Lowest(b)), std::max(Highest(a), Highest(b))),
                 ResidueOf(a).Join(ResidueOf(b)));
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
  const Interval r = Clamped(Lowest(a), Highest(a));
  return Defined(Kind::Divide, a, Form(), d, {FloorDivide(r.lo, d), FloorDivide(r.hi, d)}, {});
}

Form Atoms::Compare(Kind kind, const Form &a, const Form &b) {
  return Defined(kind, a, b, 1, {0, 1}, {});
}

/// The atom of this definition, which there may be already. Its interval then
/// holds where it was made, maybe under a condition, and here.
Form Atoms::Defined(Kind kind, const Form &a, const Form &b, int64_t divisor, Interval range,
                    Residue residue) {
  uint64_t hash = uint64_t(kind) + uint64_t(divisor) * 31;
  for (const Form *f : {&a, &b}) {
    hash = hash * 0x9E3779B97F4A7C15 + uint64_t(f->constant);
    for (int i = 0; i < f->count; ++i)
      hash = (hash * 0x9E3779B97F4A7C15 + f->term[i].atom) * 31 + uint64_t(f->term[i].coef);
  }
  auto [begin, end] = known_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    Atom &o = atoms_[it->second];
    if (o.kind != kind || o.divisor != divisor || !(o.a == a) || !(o.b == b))
      continue;
    o.range = {std::min(o.range.lo, range.lo), std::max(o.range.hi, range.hi)};
    return Form::OfAtom(it->second);
  }
  Atom atom;
  atom.kind = kind;
  atom.range = range;
  atom.residue = residue;
  atom.divisor = divisor;
  atom.a = a;
  atom.b = b;
  known_.emplace(hash, uint32_t(atoms_.size()));
  return New(atom);
}

Form Atoms::Less(const Form &a, const Form &b) { return Compare(Kind::Less, a, b); }
Form Atoms::Equal(const Form &a, const Form &b) { return Compare(Kind::Equal, a, b); }

Wide Atoms::Extreme(const Form &f, bool highest) const {
  Wide sum = f.constant;
  for (int i = 0; i < f.count; ++i) {
    const Interval &r = atoms_[f.term[i].atom].range;
    sum += Wide(f.term[i].coef) * ((f.term[i].coef > 0) == highest ? r.hi : r.lo);
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
  if (f.isConstant())
    return false;
  const Goal goal = {f, positive};
  int budget = int(std::min<int64_t>(kProofSteps, work_));
  const int given = budget;
  const bool proven = Prove(goal, First::Newest, budget) || Prove(goal, First::Cases, budget) ||
                      Parts(goal, CountersOf(f), 0, budget);
  work_ -= given - std::max(budget, 0);
  return proven;
}

bool Atoms::HasCases(const Form &f, int most) const {
  std::vector<uint32_t> open, seen;
  int cases = 0;
  auto visit = [&](const Form &g) {
    for (int i = 0; i < g.count; ++i)
      if (std::find(seen.begin(), seen.end(), g.term[i].atom) == seen.end()) {
        seen.push_back(g.term[i].atom);
        open.push_back(g.term[i].atom);
      }
  };
  visit(f);
  while (!open.empty() && seen.size() < 64) {
    const Atom &atom = atoms_[open.back()];
    open.pop_back();
    cases += atom.kind == Kind::Min || atom.kind == Kind::Max;
    if (atom.kind == Kind::Divide || cases > most)
      return true;
    visit(atom.a);
    visit(atom.b);
  }
  return seen.size() >= 64;
}

/// The counters that f depends on, the newest few.
std::vector<uint32_t> Atoms::CountersOf(const Form &f) const {
  std::vector<uint32_t> found, open;
  std::vector<uint32_t> seen;
  auto visit = [&](const Form &g) {
    for (int i = 0; i < g.count; ++i)
      if (std::find(seen.begin(), seen.end(), g.term[i].atom) == seen.end()) {
        seen.push_back(g.term[i].atom);
        open.push_back(g.term[i].atom);
      }
  };
  visit(f);
  while (!open.empty() && seen.size() < 64) {
    const Atom &atom = atoms_[open.back()];
    if (atom.kind == Kind::Counter && !atom.range.constant())
      found.push_back(open.back());
    open.pop_back();
    visit(atom.a);
    visit(atom.b);
  }
  std::sort(found.rbegin(), found.rend());
  if (found.size() > 3)
    found.resize(3);
  return found;
}

/// The goal for the first trip, the last, and those between, of each counter.
bool Atoms::Parts(const Goal &goal, const std::vector<uint32_t> &counters, std::size_t next,
                  int &budget) {
  if (next == counters.size())
    return false;
  const uint32_t atom = counters[next];
  const Interval whole = atoms_[atom].range;
  const Interval parts[] = {
      {whole.lo, whole.lo}, {whole.lo + 1, whole.hi - 1}, {whole.hi, whole.hi}};
  bool all = true;
  for (const Interval &part : parts) {
    if (!all || part.lo > part.hi)
      continue;
    atoms_[atom].range = part;
    all = Prove(goal, First::Newest, budget) || Prove(goal, First::Cases, budget) ||
          Parts(goal, counters, next + 1, budget);
  }
  atoms_[atom].range = whole;
  return all;
}

/// The goal with `value` in the place of the atom.
bool Atoms::With(const Goal &goal, uint32_t atom, const Form &value, First first, int &budget) {
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
      p = Form::Of(1); // says nothing any more
    else if (Highest(p) < 1)
      return true; // cannot be: nothing is touched
  }
  return Prove(next, first, budget);
}

/// Whether a min or max of the two can have this value.
bool Atoms::CanBe(Kind kind, const Form &value, const Form &other) const {
  Form difference = value;
  return !difference.Add(other, -1) ||
         (kind == Kind::Max ? Highest(difference) >= 0 : Lowest(difference) <= 0);
}

/// Which term to replace: the newest atom, or before all others one whose two
/// values are cases.
int Atoms::Choose(const Form &f, First first) const {
  if (first == First::Cases)
    for (int i = f.count - 1; i >= 0; --i)
      if (atoms_[f.term[i].atom].kind == (f.term[i].coef > 0 ? Kind::Max : Kind::Min))
        return i;
  return f.count - 1;
}

bool Atoms::Prove(const Goal &goal, First first, int &budget) {
  if (Highest(goal.f) <= 0)
    return true;
  if (goal.f.isConstant() || --budget < 0)
    return false;
  const Form::Term t = goal.f.term[Choose(goal.f, first)];
  const Atom atom = atoms_[t.atom];
  const bool up = t.coef > 0;
  auto with = [&](const Form &value) { return With(goal, t.atom, value, first, budget); };
  switch (atom.kind) {
  case Kind::Counter:
    if (up && !atom.a.isConstant() && with(atom.a))
      return true;
    break;
  case Kind::Min:
  case Kind::Max:
    // A min is at most either value, and it is one of them.
    if ((atom.kind == Kind::Min) == up ? with(atom.a) || with(atom.b)
                                       : (!CanBe(atom.kind, atom.a, atom.b) || with(atom.a)) &&
                                             (!CanBe(atom.kind, atom.b, atom.a) || with(atom.b)))
      return true;
    break;
  case Kind::Divide: {
    // a − d + 1 ≤ d · ⌊a / d⌋ ≤ a; and f ≤ 0 if d · f ≤ d − 1, f being whole.
    Goal next = goal;
    int64_t coef = t.coef;
    if (coef % atom.divisor) {
      next.f = Form::Of(1 - atom.divisor);
      if (!next.f.Add(goal.f, atom.divisor))
        break;
      coef *= atom.divisor;
    }
    Form multiple = atom.a;
    if ((up || multiple.Add(Form::Of(1 - atom.divisor))) &&
        next.f.Add(Form::OfAtom(t.atom), -coef) && next.f.Add(multiple, coef / atom.divisor) &&
        Prove(next, first, budget))
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
  const bool isTrue =
      condition.count == 1 && condition.constant == 0 && condition.term[0].coef == 1;
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
