//===- ContributedTransformers.cpp - attention, norms, activations --------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention in all its forms becomes ONNX's Attention of rank 4, which acc lowers
// itself. Sizes that differ from call to call (shared buffers for past and present)
// are refused.
//
//===----------------------------------------------------------------------===//

#include "Contributed.h"

using namespace mlir;
using namespace accel;
using namespace accel::import;

//===----------------------------------------------------------------------===//
// Activations and normalisations
//===----------------------------------------------------------------------===//

static bool gelu(Body &b) {
  b.add("o0 = Gelu <approximate = \"none\"> (i0)");
  return true;
}

static bool biasGelu(Body &b) {
  b.add("x = Add(i0, i1) "
        "o0 = Gelu <approximate = \"none\"> (x)");
  return true;
}

static bool fastGelu(Body &b) {
  b.add(b.has(1) ? "x = Add(i0, i1)" : "x = Identity(i0)");
  b.add("o0 = Gelu <approximate = \"tanh\"> (x)");
  return true;
}

static bool quickGelu(Body &b) {
  b.add("o0 = Swish(i0)").with("alpha", b.real("alpha", 1.702f));
  return true;
}

/// Sum of the residual stream, shown as result 3, then a normalisation of its rows.
static bool skipNorm(Body &b) {
  bool simplified = b.kind() == "SkipSimplifiedLayerNormalization";
  int bias = simplified ? 3 : 4;
  b.add("both = Add(i0, i1)");
  b.add(b.has(bias) ? "sum = Add(both, i{0})" : "sum = Identity(both)", bias);
  b.add(simplified ? "o0 = RMSNormalization <axis = -1> (sum, i2)"
                   : "o0 = LayerNormalization <axis = -1> (sum, i2, i3)")
      .with("epsilon", b.real("epsilon", 1e-5f));
  if (b.gives(3))
    b.add("o3 = Identity(sum)");
  return true;
}

static bool embedNorm(Body &b) {
  std::vector<int64_t> ids = b.shape(0);
  if (ids.size() != 2)
    return b.refuse("the shape of input_ids is not known");
  b.add("words = Gather(i2, i0)");
  if (b.has(8)) {
    b.add("places = Gather(i3, i8)");
  } else {
    b.ints("from", {0}).ints("to", {ids[1]}).ints("rows", {0});
    b.add("places = Slice(i3, from, to, rows)");
  }
  b.add("placed = Add(words, places)");
  if (b.has(1))
    b.add("segments = Gather(i4, i1) "
          "sum = Add(placed, segments)");
  else
    b.add("sum = Identity(placed)");
  b.add("o0 = LayerNormalization <axis = -1> (sum, i5, i6)")
      .with("epsilon", b.real("epsilon", 1e-12f));
  if (b.gives(1) && b.has(7))
    b.ints("columns", {1}).add("o1 = ReduceSum <keepdims = 0> (i7, columns)");
  else if (b.gives(1))
    b.ints("batch", {ids[0]})
        .add("none = ConstantOfShape(batch) "
             "none_f = Cast <to = 6> (none) "
             "o1 = Identity(none_f)");
  if (b.gives(2))
    b.add("o2 = Identity(sum)");
  return true;
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// `to` [B, heads, L, D] from [B, L, heads * D].
static void splitHeads(Body &b, StringRef from, StringRef to, int64_t heads) {
  b.ints(to.str() + "_shape", {0, 0, heads, -1});
  b.add("{0}_rows = Reshape({1}, {0}_shape) "
        "{0} = Transpose <perm = [0, 2, 1, 3]> ({0}_rows)",
        to, from);
}

/// `to` [B, L, heads * D] from [B, heads, L, D].
static void joinHeads(Body &b, StringRef from, StringRef to) {
  b.ints(to.str() + "_shape", {0, 0, -1});
  b.add("{0}_rows = Transpose <perm = [0, 2, 1, 3]> ({1}) "
        "{0} = Reshape({0}_rows, {0}_shape)",
        to, from);
}

/// Adds `term` to the sum of masks, whose name `mask` is; empty if there is none yet.
static void addTo(Body &b, std::string &mask, StringRef term) {
  if (mask.empty()) {
    mask = term.str();
    return;
  }
  b.add("{0}_{1} = Add({0}, {1})", mask, term);
  mask += "_" + term.str();
}

/// What a mask of keys at position `at` adds to the scores: 0 where it lets a key take
/// part, mask_filter_value elsewhere. [B, T], [B, S, T], or a length for each of B.
static bool addKeyMask(Body &b, std::string &mask, int at, int64_t batch, int64_t columns) {
  if (!b.has(at))
    return true;
  std::vector<int64_t> shape = b.shape(at);
  if (shape.size() == 1 && shape[0] == batch) {
    std::vector<int64_t> positions(columns);
    for (int64_t i = 0; i < columns; ++i)
      positions[i] = i;
    b.ints("positions", positions).ints("behind", {1, 2, 3});
    b.add("lengths = Unsqueeze(i{0}, behind) "
          "places = CastLike(positions, lengths) "
          "keep = Less(places, lengths)",
          at);
  } else if (shape.size() == 2 || shape.size() == 3) {
    b.ints("inside", shape.size() == 2 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1});
    b.add("seen = Unsqueeze(i{0}, inside) "
          "keep = Cast <to = 9> (seen)",
          at);
  } else {
    return b.refuse("a mask of rank " + std::to_string(shape.size()) +
                    "; [batch], [batch, keys] and [batch, rows, keys] are possible");
  }
  b.number("in", 0).number("out", b.real("mask_filter_value", -10000.0f));
  b.add("key_mask = Where(keep, in, out)");
  addTo(b, mask, "key_mask");
  return true;
}

/// o0 from q, k and v of rank 4; past_k and past_v may be named.
static void attend(Body &b, StringRef mask, StringRef past, bool causal) {
  bool has = !past.empty();
  b.add(has            ? "heads, present_k, present_v = Attention(q, k, v, {0}, {1}k, {1}v)"
        : mask.empty() ? "heads = Attention(q, k, v)"
                       : "heads = Attention(q, k, v, {0})",
        mask, past)
      .with("is_causal", int64_t(causal));
  if (float scale = b.real("scale", 0); scale != 0)
    b.with("scale", scale);
  if (float cap = b.real("softcap", 0); cap > 0)
    b.with("softcap", cap);
  if (!has)
    b.add("present_k = Identity(k) "
          "present_v = Identity(v)");
  joinHeads(b, "heads", "o0");
}

/// com.microsoft.Attention: the projection of Q, K and V is part of it.
static bool attention(Body &b) {
  std::vector<int64_t> x = b.shape(0), w = b.shape(1), past = b.shape(4);
  int64_t heads = b.integer("num_heads", 0);
  if (x.size() != 3 || w.size() != 2 || heads < 1)
    return b.refuse("the shapes of input and weights are not known");
  if (b.integer("do_rotary", 0))
    return b.refuse("do_rotary; use RotaryEmbedding in front of MultiHeadAttention");
  if (b.integer("past_present_share_buffer", 0) || b.has(6))
    return b.refuse("a buffer that past and present share; give past alone");
  std::vector<int64_t> sizes = b.integers("qkv_hidden_sizes");
  if (sizes.size() != 3)
    sizes.assign(3, w[1] / 3);
  b.ints("sizes", sizes);
  b.add("product = MatMul(i0, i1)");
  b.add(b.has(2) ? "all = Add(product, i2)" : "all = Identity(product)");
  b.add("q3, k3, v3 = Split <axis = 2> (all, sizes)");
  splitHeads(b, "q3", "q", heads);
  splitHeads(b, "k3", "k", heads);
  splitHeads(b, "v3", "v", heads);
  bool hasPast = b.has(4);
  if (hasPast)
    b.ints("outer", {0})
        .add("past_k5, past_v5 = Split <axis = 0, num_outputs = 2> (i4) "
             "past_k = Squeeze(past_k5, outer) "
             "past_v = Squeeze(past_v5, outer)");
  int64_t columns = x[1] + (past.size() == 5 ? past[3] : 0);
  std::string mask;
  if (!addKeyMask(b, mask, 3, x[0], columns))
    return false;
  if (b.has(5))
    addTo(b, mask, "i5");
  attend(b, mask, hasPast ? "past_" : "", b.integer("unidirectional", 0));
  if (b.gives(1))
    b.ints("first", {0})
        .add("present_k5 = Unsqueeze(present_k, first) "
             "present_v5 = Unsqueeze(present_v, first) "
             "o1 = Concat <axis = 0> (present_k5, present_v5)");
  return true;
}

/// q3, k3 and v3 of packed [B, L, heads, parts, D].
static void unpackHeads(Body &b, StringRef packed, ArrayRef<StringRef> names) {
  std::string results;
  for (StringRef name : names)
    results += (results.empty() ? "" : ", ") + name.str() + "_part";
  b.add("{0} = Split <axis = 3, num_outputs = {1}> ({2})", results, names.size(), packed);
  b.ints("part", {3});
  for (StringRef name : names)
    b.add("{0}_rows = Squeeze({0}_part, part) "
          "{0} = Transpose <perm = [0, 2, 1, 3]> ({0}_rows)",
          name);
}

static bool multiHeadAttention(Body &b) {
  std::vector<int64_t> query = b.shape(0), key = b.shape(1), past = b.shape(6);
  int64_t heads = b.integer("num_heads", 0);
  if (query.size() < 3 || heads < 1 || (b.has(1) && key.empty()))
    return b.refuse("the shapes of query and key are not known");
  if (b.has(8) || b.has(9))
    return b.refuse("a buffer that past and present share; give past alone");
  bool packed = query.size() == 5, separate = key.size() == 3 && b.has(2);
  int64_t rows = query[1], columns = rows;
  std::string names[3] = {"i0", "i1", "i2"};
  if (b.has(3)) {
    std::vector<int64_t> value = b.shape(2);
    if (packed || !separate || value.size() != 3)
      return b.refuse("a bias beside packed operands or heads; add it in front");
    b.ints("sizes", {query[2], key[2], value[2]});
    b.add("bias_q, bias_k, bias_v = Split <axis = 0> (i3, sizes) "
          "q3 = Add(i0, bias_q) "
          "k3 = Add(i1, bias_k) "
          "v3 = Add(i2, bias_v)");
    names[0] = "q3", names[1] = "k3", names[2] = "v3";
  }
  if (packed) {
    unpackHeads(b, "i0", {"q", "k", "v"});
  } else {
    splitHeads(b, names[0], "q", heads);
    if (separate) {
      columns = key[1];
      splitHeads(b, names[1], "k", heads);
      splitHeads(b, names[2], "v", heads);
    } else if (key.size() == 5) {
      columns = key[1];
      unpackHeads(b, "i1", {"k", "v"});
    } else if (key.size() == 4 && b.has(2)) {
      columns = key[2];
      b.add("k = Identity(i1) "
            "v = Identity(i2)");
    } else {
      return b.refuse("key of rank " + std::to_string(key.size()));
    }
  }
  bool hasPast = b.has(6) && b.has(7);
  if (hasPast && past.size() != 4)
    return b.refuse("the shape of past_key is not known");
  columns += hasPast ? past[2] : 0;
  if (hasPast)
    b.add("past_k = Identity(i6) "
          "past_v = Identity(i7)");
  std::string mask;
  if (!addKeyMask(b, mask, 4, query[0], columns))
    return false;
  if (b.has(5))
    addTo(b, mask, "i5");
  attend(b, mask, hasPast ? "past_" : "", b.integer("unidirectional", 0));
  if (b.gives(1))
    b.add("o1 = Identity(present_k)");
  if (b.gives(2))
    b.add("o2 = Identity(present_v)");
  return true;
}

//===----------------------------------------------------------------------===//
// Rotary embedding, grouped queries
//===----------------------------------------------------------------------===//

static bool rotaryEmbedding(Body &b) {
  std::vector<int64_t> x = b.shape(0), positions = b.shape(1), cache = b.shape(2);
  if ((x.size() != 3 && x.size() != 4) || cache.size() != 2 || positions.empty())
    return b.refuse("the shapes of its operands are not known");
  if (b.integer("is_packed_batching", 0) || b.real("scale", 1) != 1)
    return b.refuse("is_packed_batching or a scale other than 1");
  int64_t rotated = b.integer("rotary_embedding_dim", 0), heads = b.integer("num_heads", 0);
  if (!rotated && x.size() == 3)
    heads = x[2] / (2 * cache[1]);
  int64_t rows = x.size() == 4 ? x[2] : x[1];
  if (positions.size() == 1) { // of the first row; the others follow
    std::vector<int64_t> counted(rows);
    for (int64_t i = 0; i < rows; ++i)
      counted[i] = i;
    b.ints("counted", counted).ints("every", {x[0], rows});
    b.add("from_first = Add(counted, i1) "
          "positions = Expand(from_first, every)");
  } else {
    b.add("positions = Identity(i1)");
  }
  b.add("o0 = RotaryEmbedding(i0, i2, i3, positions)");
  b.with("interleaved", b.integer("interleaved", 0)).with("rotary_embedding_dim", rotated);
  if (x.size() == 3)
    b.with("num_heads", heads);
  return true;
}

/// Queries share keys. Without a past (a prompt): every row sees itself and what came
/// before, so that rows behind a sequence's length are nobody's business.
static bool groupQueryAttention(Body &b) {
  std::vector<int64_t> query = b.shape(0), cache = b.shape(7);
  int64_t heads = b.integer("num_heads", 0), groups = b.integer("kv_num_heads", 0);
  if (query.size() != 3 || heads < 1 || groups < 1)
    return b.refuse("the shape of query is not known");
  if (b.has(3) || b.has(4))
    return b.refuse("a past whose length is data; compile the prompt, without past_key");
  if (b.has(11) || b.integer("smooth_softmax", 0) > 0)
    return b.refuse("a sink beside the scores (head_sink, smooth_softmax)");
  int64_t batch = query[0], rows = query[1];
  if (b.has(1)) {
    b.add("q3 = Identity(i0) "
          "k3 = Identity(i1) "
          "v3 = Identity(i2)");
  } else {
    int64_t size = query[2] / (heads + 2 * groups);
    b.ints("sizes", {heads * size, groups * size, groups * size});
    b.add("q3, k3, v3 = Split <axis = 2> (i0, sizes)");
  }
  bool rotary = b.integer("do_rotary", 0);
  splitHeads(b, "q3", rotary ? "q4" : "q", heads);
  splitHeads(b, "k3", rotary ? "k4" : "k", groups);
  splitHeads(b, "v3", "v", groups);
  if (rotary) {
    if (cache.size() != 2)
      return b.refuse("the shape of cos_cache is not known");
    std::vector<int64_t> counted(batch * rows);
    for (int64_t i = 0; i < batch * rows; ++i)
      counted[i] = i % rows;
    b.ints("counted", counted).ints("every", {batch, rows});
    b.add(b.has(9) ? "positions = Identity(i9)" : "positions = Reshape(counted, every)");
    int64_t whole = b.has(1) ? query[2] / heads : query[2] / (heads + 2 * groups);
    int64_t part = 2 * cache[1] == whole ? 0 : 2 * cache[1];
    for (const char *name : {"q", "k"})
      b.add("{0} = RotaryEmbedding({0}4, i7, i8, positions)", name)
          .with("interleaved", b.integer("rotary_interleaved", 0))
          .with("rotary_embedding_dim", part);
  }
  std::string mask;
  if (b.has(10))
    addTo(b, mask, "i10");
  if (int64_t window = b.integer("local_window_size", -1); window > 0) {
    std::vector<int64_t> positions(rows);
    for (int64_t i = 0; i < rows; ++i)
      positions[i] = i;
    b.ints("columns", positions).ints("behind", {1}).ints("window", {window});
    b.number("in", 0).number("out", -std::numeric_limits<float>::infinity());
    b.add("line = Unsqueeze(columns, behind) "
          "ends = Add(columns, window) "
          "near = Less(line, ends) "
          "local = Where(near, in, out)");
    addTo(b, mask, "local");
  }
  attend(b, mask, "", /*causal=*/true);
  if (b.gives(1))
    b.add("o1 = Identity(present_k)");
  if (b.gives(2))
    b.add("o2 = Identity(present_v)");
  return true;
}

ArrayRef<ContributedOp> accel::import::transformerOps() {
  static const ContributedOp table[] = {
      {"Attention", attention},
      {"BiasGelu", biasGelu},
      {"EmbedLayerNormalization", embedNorm},
      {"FastGelu", fastGelu},
      {"Gelu", gelu},
      {"GroupQueryAttention", groupQueryAttention},
      {"MultiHeadAttention", multiHeadAttention},
      {"QuickGelu", quickGelu},
      {"RotaryEmbedding", rotaryEmbedding},
      {"SkipLayerNormalization", skipNorm},
      {"SkipSimplifiedLayerNormalization", skipNorm},
  };
  return table;
}
