//===- affine.h - What the verifier knows about a register's value --------===//
//
// A value is an affine form over atoms: loop counters, registers that a routine
// receives, results of min, max and division. So the verifier sees that a base
// and a size move together: with size = min(16, 55 − i) at base 4·i the last
// byte is 4·i + 4·size ≤ 4·i + 4·(55 − i).
//
// An atom's definition names older atoms only, and equal definitions are one
// atom. To prove f ≤ 0 the newest atom of f is replaced by what is known about it
// (a bound, or each of the two values that a min can have), until intervals show
// it. Where that fails the first and the last trip of loops are looked at apart
// from those between: tiles differ at the borders of a tensor.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_AFFINE_H
#define ACC_RUNTIME_SIM_AFFINE_H

#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

namespace accel::rt {

using Wide = __int128;

struct Interval {
  int64_t lo = std::numeric_limits<int64_t>::min();
  int64_t hi = std::numeric_limits<int64_t>::max();
  bool constant() const { return lo == hi; }
};

/// value ≡ offset modulo step; step is 1, 2, 4 or 8: what alignment needs.
struct Residue {
  uint8_t step = 1, offset = 0;
  static Residue OfConstant(int64_t v) { return {8, uint8_t(v & 7)}; }
  Residue Times(int64_t factor) const;
  Residue Plus(Residue o) const;
  Residue Join(Residue o) const;
  bool IsMultipleOf(int64_t bytes) const { return step % bytes == 0 && offset % bytes == 0; }
};

/// constant + Σ coef · atom, atoms ascending.
struct Form {
  static constexpr int kTerms = 12;
  struct Term {
    uint32_t atom;
    int64_t coef;
    bool operator==(const Term &) const = default;
  };
  int64_t constant = 0;
  int count = 0;
  Term term[kTerms];

  static Form Of(int64_t constant) {
    Form f;
    f.constant = constant;
    return f;
  }
  static Form OfAtom(uint32_t atom) {
    Form f;
    f.count = 1;
    f.term[0] = {atom, 1};
    return f;
  }
  bool isConstant() const { return count == 0; }
  bool operator==(const Form &o) const;
  /// this + factor · other; false if a coefficient or the number of terms gets
  /// out of hand (then this is unchanged).
  bool Add(const Form &other, int64_t factor = 1);
};

class Atoms {
public:
  /// Steps that all proofs together may take.
  explicit Atoms(int64_t work) : work_(work) {}
  void Clear() {
    atoms_.clear();
    known_.clear();
  }

  /// A value of which only this is known.
  Form Free(Interval range, Residue residue = {});
  /// A loop counter: 0 up to `most`, and at most `limit`.
  Form Counter(int64_t most, const Form &limit);
  Form Min(const Form &a, const Form &b);
  Form Max(const Form &a, const Form &b);
  /// ⌊a / d⌋, d > 0.
  Form Divide(const Form &a, int64_t d);
  /// 1 if a < b (a = b), else 0.
  Form Less(const Form &a, const Form &b);
  Form Equal(const Form &a, const Form &b);

  /// The hull, by the atoms' intervals alone.
  Wide Highest(const Form &f) const { return Extreme(f, true); }
  Wide Lowest(const Form &f) const { return Extreme(f, false); }
  Residue ResidueOf(const Form &f) const;

  /// Whether a quotient or more than `most` minima and maxima are part of the value:
  /// proofs about them are incomplete.
  bool HasCases(const Form &f, int most) const;

  /// Whether f ≤ 0 is proven, where every form of `positive` is at least 1.
  bool AtMostZero(const Form &f, const std::vector<Form> &positive = {});
  bool AtMost(const Form &a, const Form &b, const std::vector<Form> &positive = {});

  /// The condition is not 0: narrows what it is about, until `Undo`.
  struct Narrowed {
    uint32_t atom;
    Interval before;
  };
  void Assume(const Form &condition, std::vector<Narrowed> &log);
  void Undo(std::vector<Narrowed> &log);

private:
  enum class Kind : uint8_t { Free, Counter, Min, Max, Divide, Less, Equal };
  struct Atom {
    Kind kind = Kind::Free;
    Residue residue;
    Interval range;
    int64_t divisor = 1;
    Form a, b;
  };
  struct Goal {
    Form f;
    std::vector<Form> positive;
  };
  enum class First : uint8_t { Newest, Cases };
  Form New(Atom atom);
  Wide Extreme(const Form &f, bool highest) const;
  Form Defined(Kind kind, const Form &a, const Form &b, int64_t divisor, Interval range,
               Residue residue);
  int Choose(const Form &f, First first) const;
  bool CanBe(Kind kind, const Form &value, const Form &other) const;
  bool Parts(const Goal &goal, const std::vector<uint32_t> &counters, std::size_t next,
             int &budget);
  std::vector<uint32_t> CountersOf(const Form &f) const;
  Form Compare(Kind kind, const Form &a, const Form &b);
  bool Prove(const Goal &goal, First first, int &budget);
  bool With(const Goal &goal, uint32_t atom, const Form &value, First first, int &budget);
  void NarrowAtMostZero(const Form &f, std::vector<Narrowed> &log);

  std::vector<Atom> atoms_;
  std::unordered_multimap<uint64_t, uint32_t> known_; // by definition
  int64_t work_;
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_AFFINE_H
