//===- Skyline.cpp - packing by filling valleys from below ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every packing can be pushed down until each piece rests on the floor or on
// another piece. So it is enough to build from below: the state is the height
// that is reached in each section, the skyline.
//
//        |   |   hl      A valley is a run of sections of one height between
//        |   |_____      higher walls. What covers its leftmost section next
//     ___|   |     |     either begins exactly there and rests on its floor, or
//    |   |   |     |__   lies above: then the left end of the valley stays empty
//    |   |___|  r     |  up to the lowest top that anything in the valley could
//    |     l          |  have, or up to the lower wall. The same from the right.
//
// These few choices are all there are, so the search is complete. Bytes that
// stay empty are paid from the slack of a section: capacity - height - bytes of
// the pieces still to come. Little slack means few choices; a valley that its
// own pieces cannot fill without more slack than there is ends the branch.
//
// Order: the valley end with the fewest choices first, weighted by how often a
// valley was where a branch ended; restarts keep the weights. A failure knows
// the range of sections that it follows from: a choice outside of it is not
// worth changing and is jumped over. (Canonical solutions and inference from
// what is left: Moffitt, "MiniMalloc", ASPLOS 2023.)
//===----------------------------------------------------------------------===//

#include "Grid.h"

#include <algorithm>
#include <limits>

namespace accel::memory {
namespace {

constexpr int64_t endless = std::numeric_limits<int64_t>::max() / 4;

/// 1 1 2 1 1 2 4 ...: the length of restarts that is never far from the best.
int64_t luby(int64_t i) {
  for (int64_t k = 1;; ++k) {
    int64_t last = (int64_t(1) << k) - 1;
    if (i == last)
      return int64_t(1) << (k - 1);
    if (i < last)
      return luby(i - (int64_t(1) << (k - 1)) + 1);
  }
}

class Search {
public:
  explicit Search(const Grid &grid);
  SearchResult run(int64_t steps);

private:
  enum class Outcome { Solved, Failed, OutOfSteps };
  struct Sections {
    int from, to;
    bool meets(int begin, int end) const { return from < end && begin < to; }
    void add(Sections other) {
      from = std::min(from, other.from);
      to = std::max(to, other.to);
    }
  };
  struct Valley {
    int left = -1, right = -1; ///< sections [left, right)
    int64_t floor = 0, wall = 0;
    bool fromLeft = true;
  };
  /// What is known of a valley that has not changed since.
  struct Known {
    int64_t time = -1, wall = 0;
    int right = -1;
    int choicesLeft = 0, choicesRight = 0;
    bool dead = false;
  };
  /// Sections that stay empty up to a height.
  struct Gap {
    int from, to;
    int64_t height;
    bool possible;
  };
  struct Saved {
    int section;
    int64_t height, slack;
    unsigned passed;
  };

  int64_t heightAt(int s) const {
    return s < 0 || s >= grid.sections || left[s] == 0 ? endless : height[s];
  }
  /// Where the next fixed piece begins.
  int64_t ceiling(int s) const {
    return passed[s] < fixed[s].size() ? fixed[s][passed[s]].first : grid.capacity;
  }
  bool fits(const Piece &piece, int64_t floor) const;
  void raise(int s, int64_t to, int64_t waste);
  void passFixed(int s);
  void undo(size_t mark);
  void place(int i, int64_t floor);
  void remove(int i, size_t mark);
  Gap gapAt(const Valley &v) const;
  Known study(const Valley &v);
  bool choose(Valley &best);
  Outcome solve();
  std::vector<int> candidates(const Valley &v);

  const Grid &grid;
  std::vector<std::vector<int>> beginning, ending; ///< free pieces by section
  std::vector<std::vector<std::pair<int64_t, int64_t>>> fixed;
  std::vector<int64_t> height, slack, weight, changed;
  std::vector<int> left; ///< free pieces still to come over a section
  std::vector<unsigned> passed;
  std::vector<char> placed;
  std::vector<int64_t> offsets, sums;
  std::vector<Known> known;
  std::vector<Saved> trail;
  Sections conflict{0, 0};
  int64_t clock = 1, steps = 0, limit = 0;
  size_t numPlaced = 0, numFree = 0;
  Random random{1};
  bool mix = false;
};

Search::Search(const Grid &grid)
    : grid(grid), beginning(grid.sections + 1), ending(grid.sections + 1), fixed(grid.sections),
      height(grid.sections, 0), slack(grid.sections, grid.capacity), weight(grid.sections, 1),
      changed(grid.sections, 0), left(grid.sections, 0), passed(grid.sections, 0),
      placed(grid.pieces.size(), 0), offsets(grid.pieces.size(), 0), sums(grid.sections + 1, 0),
      known(grid.sections + 1) {
  for (size_t i = 0; i < grid.pieces.size(); ++i) {
    const Piece &piece = grid.pieces[i];
    for (int s = piece.begin; s < piece.end; ++s) {
      slack[s] -= piece.size;
      if (piece.fixed >= 0)
        fixed[s].emplace_back(piece.fixed, piece.fixed + piece.size);
      else
        ++left[s];
    }
    if (piece.fixed >= 0) {
      offsets[i] = piece.fixed;
      continue;
    }
    ++numFree;
    beginning[piece.begin].push_back(int(i));
    ending[piece.end].push_back(int(i));
  }
  for (int s = 0; s < grid.sections; ++s) {
    std::sort(fixed[s].begin(), fixed[s].end());
    passFixed(s);
  }
}

bool Search::fits(const Piece &piece, int64_t floor) const {
  int64_t offset = alignUp(floor, piece.alignment);
  for (int s = piece.begin; s < piece.end; ++s)
    if (offset + piece.size > ceiling(s) || offset - floor > slack[s])
      return false;
  return true;
}

void Search::passFixed(int s) {
  while (passed[s] < fixed[s].size() && fixed[s][passed[s]].first == height[s])
    height[s] = fixed[s][passed[s]++].second;
}

void Search::raise(int s, int64_t to, int64_t waste) {
  trail.push_back({s, height[s], slack[s], passed[s]});
  height[s] = to;
  slack[s] -= waste;
  changed[s] = clock;
  passFixed(s);
}

void Search::undo(size_t mark) {
  ++clock;
  for (; trail.size() > mark; trail.pop_back()) {
    const Saved &saved = trail.back();
    height[saved.section] = saved.height;
    slack[saved.section] = saved.slack;
    passed[saved.section] = saved.passed;
    changed[saved.section] = clock;
  }
}

void Search::place(int i, int64_t floor) {
  const Piece &piece = grid.pieces[i];
  offsets[i] = alignUp(floor, piece.alignment);
  placed[i] = 1;
  ++numPlaced;
  ++clock;
  for (int s = piece.begin; s < piece.end; ++s) {
    --left[s];
    raise(s, offsets[i] + piece.size, offsets[i] - floor);
  }
}

void Search::remove(int i, size_t mark) {
  undo(mark);
  placed[i] = 0;
  --numPlaced;
  for (int s = grid.pieces[i].begin; s < grid.pieces[i].end; ++s)
    ++left[s];
}

/// How high and how far the end of a valley stays empty if nothing that begins
/// there rests on the floor.
Search::Gap Search::gapAt(const Valley &v) const {
  Gap gap{v.left, v.right, std::min(v.wall, grid.capacity + 1), false};
  auto other = [&](int i) {
    const Piece &piece = grid.pieces[i];
    if (placed[i] || piece.begin < v.left || piece.end > v.right)
      return false;
    int64_t top = alignUp(v.floor, piece.alignment) + piece.size;
    if (top < gap.height && fits(piece, v.floor))
      gap.height = top;
    return true;
  };
  if (v.fromLeft) {
    for (int s = v.right - 1; s > v.left; --s)
      for (int i : beginning[s])
        if (other(i))
          gap.to = s;
  } else {
    for (int s = v.left + 1; s < v.right; ++s)
      for (int i : ending[s])
        if (other(i))
          gap.from = s;
  }
  int64_t least = endless;
  for (int s = gap.from; s < gap.to; ++s) {
    gap.height = std::min(gap.height, ceiling(s));
    least = std::min(least, slack[s]);
  }
  if (gap.height <= v.floor || gap.height > grid.capacity || gap.height - v.floor > least)
    return gap;
  // A piece that would fit into the gap can just as well lie there.
  for (int i : v.fromLeft ? beginning[v.left] : ending[v.right]) {
    const Piece &piece = grid.pieces[i];
    if (!placed[i] && piece.begin >= gap.from && piece.end <= gap.to &&
        alignUp(v.floor, piece.alignment) + piece.size <= gap.height && fits(piece, v.floor))
      return gap;
  }
  gap.possible = true;
  return gap;
}

Search::Known Search::study(const Valley &v) {
  Known result;
  result.wall = v.wall;
  result.right = v.right;
  if (v.wall < endless) {
    // Below the wall only pieces inside of the valley can lie.
    std::fill(sums.begin() + v.left, sums.begin() + v.right + 1, 0);
    for (int s = v.left; s < v.right; ++s)
      for (int i : beginning[s])
        if (!placed[i] && grid.pieces[i].end <= v.right) {
          sums[s] += grid.pieces[i].size;
          sums[grid.pieces[i].end] -= grid.pieces[i].size;
        }
    int64_t inside = 0;
    for (int s = v.left; s < v.right; ++s) {
      inside += sums[s];
      if (inside < std::min(v.wall, ceiling(s)) - v.floor - slack[s]) {
        result.dead = true;
        return result;
      }
    }
  }
  for (int i : beginning[v.left])
    result.choicesLeft +=
        !placed[i] && grid.pieces[i].end <= v.right && fits(grid.pieces[i], v.floor);
  for (int i : ending[v.right])
    result.choicesRight +=
        !placed[i] && grid.pieces[i].begin >= v.left && fits(grid.pieces[i], v.floor);
  // Whether a gap is possible is worth asking only where nothing else is.
  Valley end = v;
  end.fromLeft = true;
  result.choicesLeft += slack[v.left] > 0 && (result.choicesLeft || gapAt(end).possible);
  end.fromLeft = false;
  result.choicesRight += slack[v.right - 1] > 0 && (result.choicesRight || gapAt(end).possible);
  result.dead = !result.choicesLeft || !result.choicesRight;
  return result;
}

/// The valley end with the fewest choices. False if some valley has none: then
/// `best` is that valley.
bool Search::choose(Valley &best) {
  best.left = -1;
  int64_t fewest = 0, heaviest = 1;
  int64_t before = endless;
  for (int s = 0; s < grid.sections;) {
    Valley v;
    v.left = s;
    v.floor = heightAt(s);
    int64_t latest = changed[s];
    for (++s; s < grid.sections && heightAt(s) == v.floor; ++s)
      latest = std::max(latest, changed[s]);
    v.right = s;
    v.wall = std::min(before, heightAt(s));
    before = v.floor;
    if (v.floor == endless || v.wall <= v.floor)
      continue;
    Known &k = known[v.left];
    if (k.time <= latest || k.right != v.right || k.wall != v.wall) {
      k = study(v);
      k.time = ++clock;
    }
    if (k.dead) {
      best = v;
      return false;
    }
    int64_t choices = std::min(k.choicesLeft, k.choicesRight);
    int64_t heavy = std::max(weight[v.left], weight[v.right - 1]);
    // choices / heavy, compared without division
    if (best.left < 0 || choices * heaviest < fewest * heavy) {
      v.fromLeft = k.choicesLeft <= k.choicesRight;
      best = v;
      fewest = choices;
      heaviest = heavy;
    }
  }
  return true;
}

/// The pieces that can rest at the end of a valley, the likeliest first: level
/// with a wall, over the whole valley, long, large, without a gap for alignment.
std::vector<int> Search::candidates(const Valley &v) {
  std::vector<std::pair<int64_t, int>> scored;
  int64_t near = heightAt(v.fromLeft ? v.left - 1 : v.right);
  int64_t far = heightAt(v.fromLeft ? v.right : v.left - 1);
  for (int i : v.fromLeft ? beginning[v.left] : ending[v.right]) {
    const Piece &piece = grid.pieces[i];
    if (placed[i] || piece.begin < v.left || piece.end > v.right || !fits(piece, v.floor))
      continue;
    int64_t offset = alignUp(v.floor, piece.alignment), top = offset + piece.size;
    int64_t score = 300 * (piece.end - piece.begin) / (v.right - v.left) +
                    200 * piece.size / grid.capacity -
                    2000 * (offset - v.floor) / (slack[v.fromLeft ? v.left : v.right - 1] + 1);
    if (top == near)
      score += 1000;
    if (piece.begin == v.left && piece.end == v.right)
      score += top == far ? 1500 : 500;
    if (mix)
      score += int64_t(random.next() % 400);
    scored.emplace_back(-score, i);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<int> result;
  for (auto [score, i] : scored) {
    // Of equal pieces one is enough.
    bool twin = std::any_of(result.begin(), result.end(), [&, i = i](int j) {
      const Piece &a = grid.pieces[i], &b = grid.pieces[j];
      return a.begin == b.begin && a.end == b.end && a.size == b.size && a.alignment == b.alignment;
    });
    if (!twin)
      result.push_back(i);
  }
  return result;
}

Search::Outcome Search::solve() {
  if (numPlaced == numFree)
    return Outcome::Solved;
  if (++steps > limit)
    return Outcome::OutOfSteps;
  Valley v;
  bool alive = choose(v);
  Sections region{v.left - 1, v.right + 1};
  if (alive) {
    for (int i : candidates(v)) {
      size_t mark = trail.size();
      place(i, v.floor);
      Outcome outcome = solve();
      if (outcome != Outcome::Failed)
        return outcome;
      remove(i, mark);
      if (!conflict.meets(grid.pieces[i].begin, grid.pieces[i].end))
        return Outcome::Failed;
      region.add(conflict);
    }
    Gap gap = gapAt(v);
    if (gap.possible) {
      size_t mark = trail.size();
      ++clock;
      for (int s = gap.from; s < gap.to; ++s)
        raise(s, gap.height, gap.height - v.floor);
      Outcome outcome = solve();
      if (outcome != Outcome::Failed)
        return outcome;
      undo(mark);
      if (!conflict.meets(gap.from, gap.to))
        return Outcome::Failed;
      region.add(conflict);
    }
  }
  for (int s = v.left; s < v.right; ++s)
    ++weight[s];
  conflict = region;
  return Outcome::Failed;
}

SearchResult Search::run(int64_t total) {
  SearchResult result;
  for (int s = 0; s < grid.sections; ++s)
    if (slack[s] < 0) {
      result.exhausted = true;
      return result;
    }
  for (int64_t round = 1; total > 0; ++round) {
    limit = std::min(total, luby(round) * int64_t(4 * numFree + 200));
    steps = 0;
    mix = round > 1;
    Outcome outcome = solve();
    total -= steps;
    if (outcome == Outcome::Solved)
      result.offsets = offsets;
    result.exhausted = outcome == Outcome::Failed;
    if (outcome != Outcome::OutOfSteps)
      return result;
    for (size_t i = 0; i < placed.size(); ++i)
      if (placed[i]) {
        placed[i] = 0;
        for (int s = grid.pieces[i].begin; s < grid.pieces[i].end; ++s)
          ++left[s];
      }
    numPlaced = 0;
    undo(0);
    std::fill(changed.begin(), changed.end(), clock);
  }
  return result;
}

} // namespace

SearchResult searchSkylines(const Grid &grid, int64_t steps) { return Search(grid).run(steps); }

} // namespace accel::memory
