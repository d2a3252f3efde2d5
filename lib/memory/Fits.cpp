//===- Fits.cpp - does a changing set of buffers fit? -----------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Memory/Fits.h"

#include "Grid.h"

#include <algorithm>

namespace accel::memory {

size_t Fits::add(const Buffer &buffer) {
  size_t number = problem.buffers.size();
  problem.buffers.emplace_back();
  places.push_back(0);
  isPlaced.push_back(1);
  change(number, buffer);
  return number;
}

void Fits::change(size_t number, const Buffer &buffer) {
  problem.buffers[number] = buffer;
  if (isPlaced[number])
    changed.push_back(number);
  isPlaced[number] = 0;
}

void Fits::remove(size_t number) { change(number, Buffer{0, 1, 0, 1, std::nullopt}); }

/// The lowest free place for each of the changed buffers, the largest first;
/// the others stay where they are.
bool Fits::placeChanged() {
  std::sort(changed.begin(), changed.end(), [&](size_t a, size_t b) {
    Bytes x = problem.buffers[a].bytes, y = problem.buffers[b].bytes;
    return x != y ? x > y : a < b;
  });
  std::vector<std::pair<Bytes, Bytes>> taken;
  for (size_t at = 0; at < changed.size(); ++at) {
    size_t i = changed[at];
    const Buffer &buffer = problem.buffers[i];
    taken.clear();
    for (size_t j = 0; j < problem.buffers.size(); ++j) {
      const Buffer &other = problem.buffers[j];
      if (isPlaced[j] && other.bytes > 0 && other.begin < buffer.end && buffer.begin < other.end)
        taken.emplace_back(places[j], places[j] + other.bytes);
    }
    std::sort(taken.begin(), taken.end());
    Bytes place = buffer.fixed.value_or(0);
    for (auto [low, high] : taken) {
      if (buffer.bytes <= 0 || place + buffer.bytes <= low)
        break;
      if (buffer.fixed && high > place) {
        changed.erase(changed.begin(), changed.begin() + int64_t(at));
        return false;
      }
      if (!buffer.fixed)
        place = std::max(place, alignUp(high, buffer.alignment));
    }
    if (place < 0 || place + buffer.bytes > problem.capacity ||
        (buffer.bytes > 0 && buffer.alignment > 1 && place % buffer.alignment)) {
      changed.erase(changed.begin(), changed.begin() + int64_t(at));
      return false;
    }
    places[i] = place;
    isPlaced[i] = 1;
  }
  changed.clear();
  return true;
}

Fits::Answer Fits::ask(Effort effort) {
  if (placeChanged())
    return Answer::Yes;
  if (peakOf(problem).bytes > problem.capacity)
    return Answer::No;
  Result result = pack(problem, effort);
  if (!result.solution)
    return result.proved ? Answer::No : Answer::NotFound;
  places = std::move(result.solution->offsets);
  std::fill(isPlaced.begin(), isPlaced.end(), 1);
  changed.clear();
  return Answer::Yes;
}

Fits::Answer fits(const Problem &problem, Effort effort) {
  if (peakOf(problem).bytes > problem.capacity)
    return Fits::Answer::No;
  Result result = pack(problem, effort);
  return result.solution ? Fits::Answer::Yes
         : result.proved ? Fits::Answer::No
                         : Fits::Answer::NotFound;
}

} // namespace accel::memory
