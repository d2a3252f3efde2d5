//===- Grid.cpp - a packing problem in small integers ----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Grid.h"

#include <algorithm>
#include <numeric>

namespace accel::memory {

Grid::Grid(const Problem &problem) {
  Bytes unit = problem.capacity;
  for (const Buffer &b : problem.buffers) {
    if (b.bytes <= 0 || b.begin >= b.end)
      continue;
    unit = std::gcd(unit, std::max<Bytes>(b.alignment, 1));
    if (b.fixed)
      unit = std::gcd(unit, *b.fixed);
    begins.push_back(b.begin);
    begins.push_back(b.end);
  }
  granule = std::max<Bytes>(unit, 1);
  capacity = problem.capacity / granule;
  std::sort(begins.begin(), begins.end());
  begins.erase(std::unique(begins.begin(), begins.end()), begins.end());
  sections = std::max(0, int(begins.size()) - 1);
  auto sectionAt = [&](Position p) {
    return int(std::lower_bound(begins.begin(), begins.end(), p) - begins.begin());
  };
  for (size_t i = 0; i < problem.buffers.size(); ++i) {
    const Buffer &b = problem.buffers[i];
    if (b.bytes > 0 && b.begin < b.end)
      pieces.push_back({sectionAt(b.begin), sectionAt(b.end), (b.bytes + granule - 1) / granule,
                        std::max<int64_t>(1, b.alignment / granule),
                        b.fixed ? *b.fixed / granule : -1, i});
  }
}

Solution Grid::solution(const Problem &problem, const std::vector<int64_t> &offsets) const {
  Solution solution;
  solution.offsets.assign(problem.buffers.size(), 0);
  for (size_t i = 0; i < problem.buffers.size(); ++i)
    solution.offsets[i] = problem.buffers[i].fixed.value_or(0);
  for (size_t i = 0; i < pieces.size(); ++i) {
    size_t buffer = pieces[i].buffer;
    solution.offsets[buffer] = offsets[i] * granule;
    solution.height =
        std::max(solution.height, solution.offsets[buffer] + problem.buffers[buffer].bytes);
  }
  return solution;
}

} // namespace accel::memory
