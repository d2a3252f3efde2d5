//===- HardSets.cpp - packing problems with a known solution --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "HardSets.h"

#include <algorithm>
#include <map>

namespace accel::memory {
namespace {

/// splitmix64: the same numbers with every standard library.
struct Random {
  uint64_t state;
  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// In [low, high].
  int64_t in(int64_t low, int64_t high) { return low + int64_t(next() % uint64_t(high - low + 1)); }
  bool chance(int percent) { return in(1, 100) <= percent; }
};

/// Bytes in granules; a granule is what the smallest alignment allows.
constexpr Bytes granule = 64;
constexpr Bytes granules = 16384; // 1 MiB
constexpr int64_t positionsPerBuffer = 4;

struct Piece {
  Position begin, end;
  Bytes low, high; ///< granules
  int64_t area() const { return (end - begin) * (high - low); }
};

/// A cut between low and high, on a round number if one is near.
int64_t cutBetween(Random &random, int64_t low, int64_t high, bool round) {
  int64_t at = random.in(low + 1, high - 1);
  if (round) {
    int64_t step = 1 << random.in(1, 6);
    int64_t snapped = at / step * step;
    if (snapped > low)
      return snapped;
  }
  return at;
}

std::vector<Piece> cutRectangle(Random &random, const HardSetOptions &options) {
  std::vector<Piece> pieces = {{0, Position(options.buffers) * positionsPerBuffer, 0, granules}};
  // How often a cut is along time; more of them make more buffers live at once.
  int along = options.fine ? 70 : 45;
  while (pieces.size() < options.buffers) {
    // The largest of a few, so that sizes differ but none stays huge.
    size_t chosen = size_t(random.in(0, int64_t(pieces.size()) - 1));
    for (int i = 0; i < 4; ++i) {
      size_t other = size_t(random.in(0, int64_t(pieces.size()) - 1));
      if (pieces[other].area() > pieces[chosen].area())
        chosen = other;
    }
    Piece p = pieces[chosen];
    bool wide = p.end - p.begin >= 3, tall = p.high - p.low >= 3;
    if (!wide && !tall)
      continue;
    if (options.cut == Cut::Pinwheel && wide && tall && random.chance(30)) {
      Position t1 = cutBetween(random, p.begin, p.end - 1, false);
      Position t2 = cutBetween(random, t1, p.end, false);
      Bytes a1 = cutBetween(random, p.low, p.high - 1, options.mixed);
      Bytes a2 = cutBetween(random, a1, p.high, options.mixed);
      pieces[chosen] = {t1, t2, a1, a2};
      pieces.push_back({p.begin, t2, p.low, a1});
      pieces.push_back({t2, p.end, p.low, a2});
      pieces.push_back({t1, p.end, a2, p.high});
      pieces.push_back({p.begin, t1, a1, p.high});
    } else if (tall && (!wide || random.chance(along))) {
      Bytes a = cutBetween(random, p.low, p.high, options.mixed);
      pieces[chosen].high = a;
      pieces.push_back({p.begin, p.end, a, p.high});
    } else {
      Position t = cutBetween(random, p.begin, p.end, false);
      pieces[chosen].end = t;
      pieces.push_back({t, p.end, p.low, p.high});
    }
  }
  return pieces;
}

/// Parts of [low, high) with open ends, in order.
void fill(Random &random, Position begin, Bytes low, Bytes high, int64_t parts, bool round,
          std::vector<Piece> &into) {
  parts = std::min<int64_t>(parts, high - low);
  std::vector<Bytes> cuts = {low, high};
  for (int64_t i = 1; i < parts; ++i)
    cuts.push_back(cutBetween(random, low, high, round));
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  for (size_t i = 0; i + 1 < cuts.size(); ++i)
    into.push_back({begin, 0, cuts[i], cuts[i + 1]});
}

std::vector<Piece> sweepRectangle(Random &random, const HardSetOptions &options) {
  std::vector<Piece> done, open;
  fill(random, 0, 0, granules, options.fine ? 64 : 12, options.mixed, open);
  Position now = 0;
  // Short lives happen in a band of memory that moves from time to time; what is
  // outside of it lives long.
  size_t band = 0;
  while (done.size() + open.size() < options.buffers) {
    now += random.in(1, 2 * positionsPerBuffer);
    if (random.chance(8))
      band = size_t(random.in(0, int64_t(open.size()) - 1));
    int64_t first = int64_t(band) + random.in(-3, 3);
    first = std::clamp<int64_t>(first, 0, int64_t(open.size()) - 1);
    int64_t count = std::min<int64_t>(random.in(1, 4), int64_t(open.size()) - first);
    Bytes low = open[size_t(first)].low, high = open[size_t(first + count - 1)].high;
    for (int64_t i = first; i < first + count; ++i) {
      open[size_t(i)].end = now;
      done.push_back(open[size_t(i)]);
    }
    std::vector<Piece> next;
    fill(random, now, low, high, random.in(1, 4), options.mixed, next);
    open.erase(open.begin() + first, open.begin() + first + count);
    open.insert(open.begin() + first, next.begin(), next.end());
  }
  for (Piece piece : open) {
    piece.end = now + positionsPerBuffer;
    done.push_back(piece);
  }
  // A piece may have ended at the position where it began.
  done.erase(std::remove_if(done.begin(), done.end(), [](auto &p) { return p.begin >= p.end; }),
             done.end());
  return done;
}

/// Keeps what is live at a few positions and two thirds of the rest.
void thin(Random &random, std::vector<Piece> &pieces) {
  std::vector<Position> full;
  for (int i = 0; i < 3; ++i)
    full.push_back(pieces[size_t(random.in(0, int64_t(pieces.size()) - 1))].begin);
  pieces.erase(std::remove_if(pieces.begin(), pieces.end(),
                              [&](const Piece &p) {
                                for (Position at : full)
                                  if (p.begin <= at && at < p.end)
                                    return false;
                                return random.chance(33);
                              }),
               pieces.end());
}

/// The position where the most is live stays as full as it is; elsewhere pieces
/// lose up to two thirds.
void loosen(Random &random, std::vector<Piece> &pieces) {
  std::map<Position, Bytes> change;
  for (const Piece &p : pieces) {
    change[p.begin] += p.high - p.low;
    change[p.end] -= p.high - p.low;
  }
  Bytes live = 0, most = 0;
  Position peak = 0;
  // Any of the full positions.
  int seen = 0;
  for (auto [position, delta] : change) {
    live += delta;
    if (live < most)
      continue;
    seen = live > most ? 1 : seen + 1;
    most = live;
    if (random.in(1, seen) == 1)
      peak = position;
  }
  for (Piece &p : pieces)
    if (peak < p.begin || p.end <= peak)
      p.high -= random.in(0, (p.high - p.low - 1) * 2 / 3);
}

/// Takes granules from random pieces until no position is more than 99 % full.
void shrink(Random &random, std::vector<Piece> &pieces) {
  std::map<Position, Bytes> live;
  for (const Piece &p : pieces)
    live[p.begin] += 0, live[p.end] += 0;
  for (const Piece &p : pieces)
    for (auto it = live.find(p.begin); it->first != p.end; ++it)
      it->second += p.high - p.low;
  Bytes limit = granules * 99 / 100;
  std::vector<size_t> order(pieces.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  for (size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[size_t(random.in(0, int64_t(i) - 1))]);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i : order) {
      Piece &p = pieces[i];
      Bytes most = 0;
      for (auto it = live.find(p.begin); it->first != p.end; ++it)
        most = std::max(most, it->second);
      Bytes less = std::min({p.high - p.low - 1, most - limit, Bytes(random.in(1, 40))});
      if (less <= 0)
        continue;
      p.high -= less;
      for (auto it = live.find(p.begin); it->first != p.end; ++it)
        it->second -= less;
      changed = true;
    }
  }
}

} // namespace

Bytes peakBytes(const Problem &problem) {
  std::map<Position, Bytes> change;
  for (const Buffer &b : problem.buffers) {
    change[b.begin] += b.bytes;
    change[b.end] -= b.bytes;
  }
  Bytes live = 0, peak = 0;
  for (auto [position, delta] : change)
    peak = std::max(peak, live += delta);
  return peak;
}

HardSet makeHardSet(const HardSetOptions &options) {
  Random random{options.seed * 1000003 + options.buffers * 17 + uint64_t(options.cut) * 5 +
                options.mixed * 2 + options.fine};
  bool sweeps = options.cut == Cut::Sweep || options.cut == Cut::Network;
  std::vector<Piece> pieces =
      sweeps ? sweepRectangle(random, options) : cutRectangle(random, options);
  if (options.cut == Cut::Network)
    thin(random, pieces);
  if (!options.solid)
    loosen(random, pieces);
  if (!options.headroom)
    shrink(random, pieces);
  // The order of buffers tells nothing.
  for (size_t i = pieces.size(); i > 1; --i)
    std::swap(pieces[i - 1], pieces[size_t(random.in(0, int64_t(i) - 1))]);

  HardSet set;
  static constexpr const char *names[] = {"guillotine", "pinwheel", "sweep", "network"};
  set.name = std::string(names[int(options.cut)]) + "-" + std::to_string(options.buffers) +
             (options.mixed ? "-mixed" : "") + (options.fine ? "-fine" : "") +
             (options.headroom ? "-headroom" : "") + (options.solid ? "-solid" : "") + "-" +
             std::to_string(options.seed);
  set.problem.capacity = (options.headroom ? (granules * 100 + 98) / 99 : granules) * granule;
  for (const Piece &p : pieces) {
    Buffer buffer{p.begin, p.end, (p.high - p.low) * granule, granule, std::nullopt};
    if (options.mixed) {
      buffer.bytes -= random.in(0, granule - 1);
      if (random.chance(20))
        while (buffer.alignment < 1024 && p.low * granule % (buffer.alignment * 2) == 0)
          buffer.alignment *= 2;
      if (random.chance(3))
        buffer.fixed = p.low * granule;
    }
    set.problem.buffers.push_back(buffer);
    set.witness.offsets.push_back(p.low * granule);
    set.witness.height = std::max(set.witness.height, p.low * granule + buffer.bytes);
  }
  return set;
}

std::vector<HardSetOptions> allHardSets(int seeds) {
  std::vector<HardSetOptions> all;
  for (size_t buffers : {100, 200, 400, 700, 1000})
    for (bool solid : {false, true})
      for (Cut cut : {Cut::Guillotine, Cut::Pinwheel, Cut::Sweep, Cut::Network})
        for (bool mixed : {false, true})
          for (bool fine : {false, true})
            for (bool headroom : {false, true})
              for (int seed = 1; seed <= seeds; ++seed)
                all.push_back({cut, buffers, mixed, fine, headroom, solid, uint64_t(seed)});
  return all;
}

} // namespace accel::memory
