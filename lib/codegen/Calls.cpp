//===- Calls.cpp - semaphores between the calls of main --------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Main is a straight line of calls; each routine is known by its effects: which
// engine reads and writes which bytes. A call's engine waits for the last
// earlier call whose engine touches the same bytes, one of the two writing; it
// does not wait for calls that touch other memory, so its loads start while
// they still compute.
//
// For each ordered pair of engines one chain: an edge (u, v) is left out if an
// edge (u', v') with u <= u' and v' <= v exists. Going through v in order, that
// is the case unless u is later than every u before. Who touched which bytes
// last is kept in maps from disjoint segments, so that the work is linear in the
// number of calls.
//===----------------------------------------------------------------------===//

#include "acc/Codegen/Program.h"

#include <algorithm>

namespace accel::codegen {
namespace {

using PerEngine = std::array<int, engineCount>;

PerEngine none() {
  PerEngine result;
  result.fill(-1);
  return result;
}

/// The last calls that touched bytes of one memory, by engine.
class History {
public:
  struct Segment {
    int64_t end;
    PerEngine read = none(), write = none();
  };

  template <typename Visit> void visit(int64_t begin, int64_t end, Visit visit) {
    split(begin);
    split(end);
    // Bytes that nobody touched yet become segments too.
    for (int64_t at = begin; at < end;) {
      auto it = segments.lower_bound(at);
      if (it == segments.end() || it->first > at) {
        int64_t gapEnd = it == segments.end() ? end : std::min(end, it->first);
        it = segments.emplace(at, Segment{gapEnd}).first;
      }
      visit(it->second);
      at = it->second.end;
    }
  }

private:
  void split(int64_t at) {
    auto it = segments.upper_bound(at);
    if (it == segments.begin())
      return;
    --it;
    if (it->first < at && at < it->second.end) {
      Segment upper = it->second;
      it->second.end = at;
      segments.emplace(at, upper);
    }
  }

  std::map<int64_t, Segment> segments; ///< by begin
};

struct Range {
  std::pair<Space, int32_t> memory;
  int64_t begin, end;
};

Range rangeOf(const Effect &effect, const Call &call) {
  if (effect.argument >= 0) {
    const Extent &extent = call.arguments[effect.argument];
    return {{extent.space, extent.region}, extent.address, extent.address + extent.bytes};
  }
  int64_t base = effect.space == Space::Sram ? call.frame : 0;
  return {{effect.space, 0}, base + effect.begin, base + effect.end};
}

} // namespace

void synchroniseCalls(Program &program) {
  std::map<std::pair<Space, int32_t>, History> memories;
  std::array<PerEngine, engineCount> latest;
  latest.fill(none());
  for (size_t v = 0; v < program.calls.size(); ++v) {
    Call &call = program.calls[v];
    const std::vector<Effect> &effects = program.effects[call.routine];
    std::array<PerEngine, engineCount> need; // need[from][to]
    need.fill(none());
    for (const Effect &effect : effects) {
      Range range = rangeOf(effect, call);
      unsigned to = indexOf(effect.engine);
      memories[range.memory].visit(range.begin, range.end, [&](History::Segment &segment) {
        for (unsigned from = 0; from < engineCount; ++from)
          if (from != to)
            need[from][to] = std::max(
                {need[from][to], segment.write[from], effect.write ? segment.read[from] : -1});
      });
    }
    for (const Effect &effect : effects) {
      Range range = rangeOf(effect, call);
      memories[range.memory].visit(range.begin, range.end, [&](History::Segment &segment) {
        (effect.write ? segment.write : segment.read)[indexOf(effect.engine)] = int(v);
      });
    }
    for (unsigned from = 0; from < engineCount; ++from)
      for (unsigned to = 0; to < engineCount; ++to) {
        int u = need[from][to];
        if (u <= latest[from][to])
          continue;
        latest[from][to] = u;
        Tokens tokens{program.semaphores.id(Engine(from), Engine(to), 0), 1};
        program.calls[u].signals[Engine(from)].push_back(tokens);
        call.waits[Engine(to)].push_back(tokens);
      }
  }
}

} // namespace accel::codegen
