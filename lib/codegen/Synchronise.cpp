//===- Synchronise.cpp - semaphores from memory dependences ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An engine is in order, so only accesses of different engines need ordering.
//
// Edges. Let u stand before v in the text, touch the same bytes, one of them
// writing. In the innermost block that holds both, lift each to the item of that
// block that contains it:
//   forward:  v's item waits for u's item, in the same iteration.
//   backward, for every loop L around both: u's item in iteration i + d of L
//             waits for v's item in iteration i. d is the rotation depth if the
//             buffer rotates with L, the slack for a reader before the writer of
//             a circular buffer that stands beside L, and 1 otherwise.
// The remaining order, u before v of a later iteration, follows from the
// forward edge and v's engine being in order.
//
// Chains. Per block and ordered pair of engines, edges implied by others are
// dropped. With positions unrolled (iteration, position in the block), (u, v, d)
// is implied by (u', v', d') if for some k >= 0 (u, 0) <= (u', k) and
// (v', k + d') <= (v, d). What is left of one distance is monotone: sorted by u
// it is sorted by v, so the k-th signal meets the k-th wait and one semaphore
// serves the whole chain. A backward chain of m edges starts with d * m tokens,
// put there before the loop, and the same number is taken out after it.
//
// Carried chains. A buffer that rotates with a loop M goes on rotating where it
// stopped when M runs again in the next iteration of L (the lowering counts M's
// iterations through L). Then the chain is not refilled for each run of M but
// only around L, and loads of L's next iteration overlap the end of this one.
//
// Dispatch order stays a legal serial execution: forward signals are dispatched
// before their waits, backward waits find earlier iterations' or initial tokens.
//===----------------------------------------------------------------------===//

#include "acc/Codegen/Synchronise.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace mlir;

namespace accel::codegen {
namespace {

/// Tokens of one instruction field.
constexpr int32_t maxCount = 255;
constexpr unsigned slotsPerInstruction = 2;

struct Edge {
  int from = 0, to = 0, distance = 0; ///< positions of items in a block
  bool carried = false;               ///< stays right if the chain is primed around outer loops
  auto key() const { return std::tuple(distance, from, to); }
};

using Pair = std::pair<Engine, Engine>;

struct Chain {
  Pair engines;
  int distance = 0;
  std::vector<Edge> edges;
  Block *block = nullptr;
  int semaphore = 0;
};

struct Node {
  Item *item;
  std::vector<std::pair<Block *, int>> path; ///< from the outermost block
};

class Synchroniser {
public:
  Synchroniser(Routine &routine, Semaphores &semaphores)
      : routine(routine), semaphores(semaphores) {}

  void run() {
    std::vector<std::pair<Block *, int>> path;
    collect(routine.body, path);
    for (size_t a = 0; a < nodes.size(); ++a)
      for (size_t b = a + 1; b < nodes.size(); ++b)
        if (nodes[a].item->instruction.engine != nodes[b].item->instruction.engine)
          addEdges(nodes[a], nodes[b]);
    for (auto &[block, pairs] : edges)
      for (auto &[engines, list] : pairs)
        makeChains(block, engines, list);
    Open open{};
    for (auto &row : open)
      row.fill(1); // slot 0 is main's
    assign(routine.body, open);
    insert(routine.body);
  }

private:
  using Open = std::array<std::array<int, engineCount>, engineCount>;

  void collect(Block &block, std::vector<std::pair<Block *, int>> &path) {
    for (auto [index, item] : llvm::enumerate(block.items)) {
      path.emplace_back(&block, int(index));
      if (item->kind != Item::Leaf)
        collect(*item->body, path);
      else if (!item->instruction.accesses.empty())
        nodes.push_back({item.get(), path});
      path.pop_back();
    }
  }

  /// Whether two places can hold the same byte.
  bool mayOverlap(const Place &a, const Place &b) const {
    if (&a == &b)
      return true;
    if (a.kind != b.kind || a.space != b.space)
      return false;
    if (a.kind == Place::Buffer)
      return a.begin < b.end && b.begin < a.end;
    std::pair<int32_t, int32_t> pair{std::min(a.argument, b.argument),
                                     std::max(a.argument, b.argument)};
    return llvm::is_contained(routine.aliases, pair);
  }

  void addEdges(const Node &u, const Node &v) {
    for (const Access &x : u.item->instruction.accesses)
      for (const Access &y : v.item->instruction.accesses) {
        if (!x.write && !y.write)
          continue;
        const Place &p = routine.places[x.place], &q = routine.places[y.place];
        if (!mayOverlap(p, q))
          continue;
        if (&p == &q && (x.end <= y.begin || y.end <= x.begin))
          continue; // known to be disjoint parts
        addEdges(u, v, x, y, p, q);
      }
  }

  void addEdges(const Node &u, const Node &v, const Access &x, const Access &y, const Place &p,
                const Place &q) {
    Engine eu = u.item->instruction.engine, ev = v.item->instruction.engine;
    size_t common = 0; // the innermost common block
    while (u.path[common] == v.path[common])
      ++common;
    edges[u.path[common].first][{eu, ev}].push_back(
        {u.path[common].second, v.path[common].second, 0, true});
    bool same = &p == &q;
    for (size_t level = 0; level <= common; ++level) {
      Block *block = u.path[level].first;
      if (!block->owner || block->owner->kind != Item::Loop)
        continue;
      Edge edge{v.path[level].second, u.path[level].second, 1, false};
      if (same && p.home) {
        if (p.home == block) {
          edge.distance = int(p.slots);
          edge.carried = true;
        } else if (carrierOf(*p.home) && isInside(p.home, block) &&
                   isInside(block, carrierOf(*p.home)->body.get()) && carries(p, eu, ev)) {
          continue; // the chain in the home block goes on over this loop
        } else if (p.home == block->owner->parent && x.write && !y.write) {
          edge.distance = int(p.slack);
        }
      }
      edges[block][{ev, eu}].push_back(edge);
    }
  }

  static bool isInside(const Block *block, const Block *outer) {
    while (block && block != outer)
      block = block->owner ? block->owner->parent : nullptr;
    return block == outer;
  }

  /// Whether the backward chains of these engines in p's home block may be
  /// carried: every conflict of the two in that block is about buffers that
  /// rotate with it (so no edge of another kind shares or implies theirs).
  bool carries(const Place &p, Engine one, Engine other) {
    auto [it, isNew] =
        carriedPairs.try_emplace({p.home, std::min(one, other), std::max(one, other)}, true);
    if (!isNew)
      return it->second;
    SmallVector<const Node *> inside[2];
    for (const Node &node : nodes)
      for (auto &[block, index] : node.path)
        if (block == p.home) {
          if (node.item->instruction.engine == one)
            inside[0].push_back(&node);
          else if (node.item->instruction.engine == other)
            inside[1].push_back(&node);
        }
    bool result = true;
    for (const Node *a : inside[0])
      for (const Node *b : inside[1])
        for (const Access &x : a->item->instruction.accesses)
          for (const Access &y : b->item->instruction.accesses) {
            const Place &s = routine.places[x.place], &t = routine.places[y.place];
            if ((x.write || y.write) && mayOverlap(s, t) && !(&s == &t && s.home == p.home))
              result = false;
          }
    return carriedPairs[{p.home, std::min(one, other), std::max(one, other)}] = result;
  }

  static bool implies(const Edge &strong, const Edge &weak) {
    for (int k : {0, 1}) {
      bool after = k > 0 || weak.from <= strong.from;
      bool before = k + strong.distance < weak.distance ||
                    (k + strong.distance == weak.distance && strong.to <= weak.to);
      if (after && before)
        return true;
    }
    return false;
  }

  void makeChains(Block *block, Pair engines, std::vector<Edge> &list) {
    // Of equal edges the one that is not carried decides.
    std::sort(list.begin(), list.end(), [](const Edge &a, const Edge &b) {
      return std::tuple(a.key(), a.carried) < std::tuple(b.key(), b.carried);
    });
    list.erase(std::unique(list.begin(), list.end(),
                           [](const Edge &a, const Edge &b) { return a.key() == b.key(); }),
               list.end());
    bool carried = true;
    for (const Edge &edge : list)
      carried &= edge.carried;
    std::vector<Edge> kept;
    for (const Edge &edge : list) {
      bool implied = false;
      for (const Edge &other : list)
        implied |= other.key() != edge.key() && implies(other, edge) &&
                   // Of two that imply each other keep the first.
                   !(implies(edge, other) && edge.key() < other.key());
      if (!implied)
        kept.push_back(edge);
    }
    for (size_t i = 0; i < kept.size();) {
      auto chain = std::make_unique<Chain>();
      chain->engines = engines;
      chain->distance = kept[i].distance;
      chain->block = block;
      for (; i < kept.size() && kept[i].distance == chain->distance; ++i)
        chain->edges.push_back(kept[i]);
      if (chain->distance == 0) {
        forward[block].push_back(chain.get());
      } else {
        const Item *carrier = carried ? carrierOf(*block) : nullptr;
        backward[carrier ? carrier : block->owner].push_back(chain.get());
      }
      chains.push_back(std::move(chain));
    }
  }

  int take(Open &open, Pair engines) {
    int &slot = open[indexOf(engines.first)][indexOf(engines.second)];
    return semaphores.id(engines.first, engines.second, slot++);
  }

  /// Gives chains their semaphores, from the outside in: a chain of an outer
  /// block is open throughout, chains of sibling items follow one another.
  void assign(Block &block, Open open) {
    for (Chain *chain : forward[&block]) {
      chain->semaphore = take(open, chain->engines);
      place(*chain);
    }
    for (auto &item : block.items) {
      if (item->kind == Item::Leaf)
        continue;
      Open inner = open;
      for (Chain *chain : backward[item.get()]) {
        chain->semaphore = take(inner, chain->engines);
        int32_t tokens = chain->distance * int32_t(chain->edges.size());
        primes[item.get()][chain->engines.first].push_back({chain->semaphore, tokens});
        drains[item.get()][chain->engines.second].push_back({chain->semaphore, tokens});
        place(*chain);
      }
      assign(*item->body, inner);
    }
  }

  void place(const Chain &chain) {
    for (const Edge &edge : chain.edges) {
      Item *from = chain.block->items[edge.from].get(), *to = chain.block->items[edge.to].get();
      signals[from][chain.engines.first].push_back({chain.semaphore, 1});
      waits[to][chain.engines.second].push_back({chain.semaphore, 1});
    }
  }

  using Pending = llvm::DenseMap<Item *, std::map<Engine, SmallVector<Tokens>>>;

  /// SYNC instructions of an engine that wait for or signal all tokens.
  static void sync(std::vector<std::unique_ptr<Item>> &items, Location location, Engine engine,
                   ArrayRef<Tokens> tokens, bool isWait, Block *parent) {
    SmallVector<Tokens> pieces;
    for (Tokens t : tokens)
      for (int32_t left = t.count; left > 0; left -= maxCount)
        pieces.push_back({t.semaphore, std::min(left, maxCount)});
    for (size_t i = 0; i < pieces.size(); i += slotsPerInstruction) {
      auto item = std::make_unique<Item>(location);
      item->parent = parent;
      item->instruction.opcode = Opcode::Sync;
      item->instruction.engine = engine;
      auto &field = isWait ? item->instruction.waits : item->instruction.signals;
      for (size_t k = i; k < std::min(i + slotsPerInstruction, pieces.size()); ++k)
        field.push_back(pieces[k]);
      items.push_back(std::move(item));
    }
  }

  void insert(Block &block) {
    std::vector<std::unique_ptr<Item>> result;
    auto all = [&](Item *item, Pending &pending, bool isWait, bool fold) {
      auto it = pending.find(item);
      if (it == pending.end())
        return;
      for (auto &[engine, tokens] : it->second) {
        size_t direct = 0;
        if (fold && item->kind == Item::Leaf && item->instruction.engine == engine) {
          auto &field = isWait ? item->instruction.waits : item->instruction.signals;
          while (direct < tokens.size() && field.size() < slotsPerInstruction)
            field.push_back(tokens[direct++]);
        }
        sync(result, item->location, engine, ArrayRef(tokens).drop_front(direct), isWait, &block);
      }
    };
    for (auto &owned : block.items) {
      Item *item = owned.get();
      if (item->body)
        insert(*item->body);
      all(item, primes, false, false);
      all(item, waits, true, true);
      result.push_back(std::move(owned));
      all(item, signals, false, true);
      all(item, drains, true, false);
    }
    block.items = std::move(result);
  }

  Routine &routine;
  Semaphores &semaphores;
  std::vector<Node> nodes;
  llvm::MapVector<Block *, std::map<Pair, std::vector<Edge>>> edges;
  std::vector<std::unique_ptr<Chain>> chains;
  llvm::DenseMap<Block *, std::vector<Chain *>> forward;
  llvm::DenseMap<const Item *, std::vector<Chain *>> backward;
  std::map<std::tuple<Block *, Engine, Engine>, bool> carriedPairs;
  Pending waits, signals, primes, drains;
};

void collectEffects(const Routine &routine, const Block &block,
                    std::map<std::tuple<int, int, int, bool>, Effect> &effects) {
  for (auto &item : block.items) {
    if (item->body)
      collectEffects(routine, *item->body, effects);
    if (item->kind != Item::Leaf)
      continue;
    for (const Access &access : item->instruction.accesses) {
      const Place &place = routine.places[access.place];
      bool isArgument = place.kind == Place::Argument;
      Engine engine = item->instruction.engine;
      auto key = std::tuple(int(indexOf(engine)), int(place.space),
                            isArgument ? place.argument : -1 - access.place, access.write);
      effects[key] = {engine,      access.write, isArgument ? place.argument : -1,
                      place.space, place.begin,  place.end};
    }
  }
}

} // namespace

void synchronise(Routine &routine, Semaphores &semaphores) {
  Synchroniser(routine, semaphores).run();
}

std::vector<Effect> effectsOf(const Routine &routine) {
  std::map<std::tuple<int, int, int, bool>, Effect> effects;
  collectEffects(routine, routine.body, effects);
  std::vector<Effect> result;
  for (auto &[key, effect] : effects)
    result.push_back(effect);
  return result;
}

} // namespace accel::codegen
