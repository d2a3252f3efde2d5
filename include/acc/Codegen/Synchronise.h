//===- Synchronise.h - semaphores from memory dependences ------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_CODEGEN_SYNCHRONISE_H
#define ACC_CODEGEN_SYNCHRONISE_H

#include "acc/Codegen/Tree.h"

#include <map>
#include <tuple>

namespace accel::codegen {

/// Hands out semaphore ids. A semaphore belongs to an ordered pair of engines
/// (it has one signaller and one waiter in a whole program) and to a slot: how
/// many chains of that pair are already open around it. Chains that follow one
/// another share one, since each is balanced when it ends. Slot 0 of each pair
/// is for main.
class Semaphores {
public:
  static constexpr int limit = 127; ///< ids 1..127, a constant of the ISA

  int id(Engine from, Engine to, int slot) {
    auto [it, isNew] = ids.try_emplace(std::tuple(from, to, slot), int(ids.size()) + 1);
    return it->second;
  }
  bool exhausted() const { return int(ids.size()) > limit; }
  int used() const { return int(ids.size()); }

private:
  std::map<std::tuple<Engine, Engine, int>, int> ids;
};

/// Inserts waits, signals and SYNC instructions into a routine.
void synchronise(Routine &routine, Semaphores &semaphores);

/// What every engine touches of memory that others may know, for main.
std::vector<Effect> effectsOf(const Routine &routine);

} // namespace accel::codegen

#endif
