//===- register_state.h - Registers at one place of a program -------------===//
#ifndef ACC_RUNTIME_SIM_REGISTER_STATE_H
#define ACC_RUNTIME_SIM_REGISTER_STATE_H

#include "affine.h"
#include "decoded.h"
#include <bitset>

namespace accel::rt {

using RegisterSet = std::bitset<kRegisters>;

/// What is known of each register. A register of which only an interval is
/// known becomes an atom when it is first used.
class State {
public:
  explicit State(Atoms &atoms) : atoms_(&atoms) {
    defined.set(0);
    reg_[0].isForm = true;
  }

  Atoms &atoms() const { return *atoms_; }
  /// Written on every way here.
  RegisterSet defined;

  Form Get(uint8_t reg) {
    Value &v = reg_[reg];
    if (!v.isForm) {
      v.form = atoms_->Free(v.range, v.residue);
      v.isForm = true;
    }
    return v.form;
  }
  Interval RangeOf(int reg) const;
  Residue ResidueOf(int reg) const {
    return reg_[reg].isForm ? atoms_->ResidueOf(reg_[reg].form) : reg_[reg].residue;
  }

  void Set(uint8_t reg, Interval range, Residue residue);
  /// False if the value may leave 64 bits; then nothing is known.
  bool SetForm(uint8_t reg, const Form &form);
  void Forget(uint8_t reg) { Set(reg, {}, {}); }

  /// The effect of an instruction on registers.
  void Scalar(const InstrCode &in);
  /// Either this or the other.
  void Join(const State &o);

private:
  struct Value {
    bool isForm = false;
    Residue residue; // without a form
    Interval range;
    Form form;
  };
  Form Product(const Form &a, const Form &b);
  Form Modulo(const Form &a, int64_t d);
  Form Unknown(Interval range, Residue residue = {}) { return atoms_->Free(range, residue); }

  Atoms *atoms_;
  Value reg_[kRegisters];
};

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_REGISTER_STATE_H
