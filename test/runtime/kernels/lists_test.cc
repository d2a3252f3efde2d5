//===- lists_test.cc - Sort, compact, scatter, random numbers -------------===//
//
// Against definitions on plain vectors, as numpy would say them.
//
//===----------------------------------------------------------------------===//
#include "acc/runtime/list_kernels.h"
#include "number_formats.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <numeric>
#include <random>

namespace accel::rt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr KType kKeyTypes[] = {
    KType::F32,  KType::F16,      KType::BF16,   KType::F64,        KType::I8,        KType::U8,
    KType::I16,  KType::U16,      KType::I32,    KType::U32,        KType::I64,       KType::U64,
    KType::Bool, KType::F8E4M3FN, KType::F8E5M2, KType::F8E4M3FNUZ, KType::F8E5M2FNUZ};

/// A row of elements on a memory of their own.
struct Row {
  std::vector<uint8_t> bytes;
  KStream s;
  Row(KType type, int64_t count) : bytes(size_t(count * KTypeBytes(type) + 8)) {
    s.mem = bytes.data();
    s.limit = int64_t(bytes.size());
    s.type = type;
    s.stride[5] = KTypeBytes(type);
  }
  uint64_t At(int64_t i) const {
    return LoadBits(bytes.data() + i * KTypeBytes(s.type), KTypeBytes(s.type));
  }
  void Set(int64_t i, uint64_t bits) {
    StoreBits(bytes.data() + i * KTypeBytes(s.type), bits, KTypeBytes(s.type));
  }
};

/// Whether a stands before b by value; NaN behind all numbers.
bool Before(KType t, uint64_t a, uint64_t b, bool descending, bool nanLast) {
  if (IsFloat(t)) {
    double x = std::bit_cast<double>(ConvertBits(t, KType::F64, a));
    double y = std::bit_cast<double>(ConvertBits(t, KType::F64, b));
    if (x != x || y != y) {
      bool nanAtEnd = nanLast || !descending;
      return nanAtEnd ? x == x && y != y : x != x && y == y;
    }
    return descending ? x > y : x < y;
  }
  if (t == KType::U64)
    return descending ? a > b : a < b;
  int64_t x = DecodeInt(t, a), y = DecodeInt(t, b);
  return descending ? x > y : x < y;
}

uint64_t RandomElement(KType t, std::mt19937_64 &rng) {
  if (!IsFloat(t))
    return rng() % 3 ? uint64_t(int64_t(rng() % 7) - 3) : rng();
  const double odd[] = {0.0, -0.0, std::nan(""), INFINITY, -INFINITY, 1.0, 1.0, -1.0};
  double v = rng() % 2 ? odd[rng() % 8] : double(int64_t(rng() % 33) - 16) / 4;
  return ConvertBits(KType::F64, t, std::bit_cast<uint64_t>(v));
}

TEST(Sort, StableForEveryTypeDirectionAndK) {
  std::mt19937_64 rng(3);
  ThreadPool pool(1);
  for (KType type : kKeyTypes)
    for (int round = 0; round < 60; ++round) {
      const int64_t n = 1 + int64_t(rng() % 90);
      const int64_t k = rng() % 2 ? n : 1 + int64_t(rng() % uint64_t(n));
      Row src(type, n), values(type, n), indices(rng() % 2 ? KType::I64 : KType::I32, n);
      Row given(indices.s.type, n);
      std::vector<uint64_t> x;
      for (int64_t i = 0; i < n; ++i) {
        src.Set(i, RandomElement(type, rng));
        given.Set(i, uint64_t(1000 + 3 * i));
        x.push_back(src.At(i));
      }
      SortOp op;
      op.size[5] = n;
      op.values = values.s, op.indices = indices.s, op.src = src.s, op.srcIndices = given.s;
      op.descending = rng() % 2, op.nanLast = rng() % 2, op.hasIndices = rng() % 2;
      op.most = k;
      ExecSort(op, pool);

      std::vector<int64_t> order(static_cast<size_t>(n));
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return Before(type, x[size_t(a)], x[size_t(b)], op.descending, op.nanLast);
      });
      for (int64_t i = 0; i < k; ++i) {
        const int64_t from = order[size_t(i)];
        ASSERT_EQ(values.At(i), x[size_t(from)]) << int(type) << " element " << i;
        ASSERT_EQ(indices.At(i), uint64_t(op.hasIndices ? 1000 + 3 * from : from));
      }
      for (int64_t i = k; i < n; ++i)
        ASSERT_EQ(values.At(i), 0u) << "stored beyond k";
    }
}

TEST(Sort, RowsAndThreadsDoNotMatter) {
  std::mt19937_64 rng(5);
  const int64_t rows = 37, n = 300;
  Row src(KType::F32, rows * n), one(KType::F32, rows * n), two = one, index(KType::I64, rows * n);
  for (int64_t i = 0; i < rows * n; ++i)
    src.Set(i, RandomElement(KType::F32, rng));
  for (Row *out : {&one, &two}) {
    ThreadPool pool(out == &one ? 1 : 3);
    SortOp op;
    op.size[3] = rows, op.size[5] = n;
    op.src = src.s, op.values = out->s, op.indices = index.s;
    op.values.mem = out->bytes.data();
    for (KStream *s : {&op.src, &op.values})
      s->stride[3] = n * 4;
    op.indices.stride[3] = n * 8;
    ExecSort(op, pool);
  }
  EXPECT_EQ(one.bytes, two.bytes);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 1; i < n; ++i)
      ASSERT_FALSE(Before(KType::F32, one.At(r * n + i), one.At(r * n + i - 1), false, false));
}

/// A long row in pieces that are sorted alone, then merged two at a time,
/// a window of each run in memory: what a machine with a small SRAM does.
TEST(Sort, PiecesMergedAWindowAtATimeAreTheWholeSort) {
  std::mt19937_64 rng(7);
  ThreadPool pool(1);
  for (bool descending : {false, true})
    for (int round = 0; round < 30; ++round) {
      const int64_t half = 40 + int64_t(rng() % 40), n = half + 20 + int64_t(rng() % 60);
      const int64_t window = 1 + int64_t(rng() % 9);
      Row src(KType::F32, n), sorted(KType::F32, n), index(KType::I64, n), where(KType::I64, n);
      for (int64_t i = 0; i < n; ++i) {
        src.Set(i, RandomElement(KType::F32, rng));
        where.Set(i, uint64_t(i));
      }
      auto sort = [&](int64_t begin, int64_t count, Row &values, Row &indices) {
        SortOp op;
        op.size[5] = count;
        op.descending = descending;
        op.hasIndices = true;
        op.src = src.s, op.srcIndices = where.s, op.values = values.s, op.indices = indices.s;
        op.src.base = op.values.base = begin * 4;
        op.srcIndices.base = op.indices.base = begin * 8;
        ExecSort(op, pool);
      };
      Row whole(KType::F32, n), wholeIndex(KType::I64, n);
      sort(0, n, whole, wholeIndex);
      sort(0, half, sorted, index);
      sort(half, n - half, sorted, index);

      Row out(KType::F32, n), outIndex(KType::I64, n), taken(KType::I64, 2);
      Row run(KType::F32, 2 * window), runIndex(KType::I64, 2 * window);
      int64_t at[2] = {0, half}, end[2] = {half, n}, stored = 0;
      while (stored < n) {
        SortOp op;
        op.merge = op.hasIndices = true;
        op.descending = descending;
        op.stopEarly = at[0] < end[0] && at[1] < end[1];
        op.size[4] = 2, op.size[5] = window;
        for (int r = 0; r < 2; ++r) {
          op.run[r] = std::min(window, end[r] - at[r]);
          for (int64_t i = 0; i < op.run[r]; ++i) {
            run.Set(r * window + i, sorted.At(at[r] + i));
            runIndex.Set(r * window + i, index.At(at[r] + i));
          }
        }
        op.src = run.s, op.srcIndices = runIndex.s, op.values = out.s, op.indices = outIndex.s;
        op.src.stride[4] = window * 4, op.srcIndices.stride[4] = window * 8;
        op.values.base = stored * 4, op.indices.base = stored * 8;
        op.taken = taken.s;
        op.taken.stride[4] = 8, op.taken.stride[5] = 0;
        ExecSort(op, pool);
        for (int r = 0; r < 2; ++r) {
          const int64_t used = op.stopEarly ? int64_t(taken.At(r)) : op.run[r];
          at[r] += used;
          stored += used;
        }
      }
      EXPECT_EQ(out.bytes, whole.bytes);
      EXPECT_EQ(outIndex.bytes, wholeIndex.bytes);
    }
}

TEST(Compact, ElementsAndPositionsOfSetFlags) {
  std::mt19937_64 rng(11);
  for (KType flagType : {KType::Bool, KType::I32, KType::F32, KType::F16, KType::F64, KType::U64})
    for (int round = 0; round < 40; ++round) {
      const int64_t rows = 1 + int64_t(rng() % 5), n = 1 + int64_t(rng() % 30);
      const int64_t present = int64_t(rng() % 4);
      Row flags(flagType, rows * n), src(KType::I16, rows * n);
      Row kept(KType::I16, rows * n + present), where(KType::I64, rows * n + present);
      Row count(KType::I32, 1);
      std::vector<uint64_t> want, at;
      for (int64_t i = 0; i < rows * n; ++i) {
        uint64_t bits = rng() % 2 ? 0 : RandomElement(flagType, rng);
        if (flagType == KType::F64 && rng() % 5 == 0)
          bits = 1; // the least subnormal
        flags.Set(i, bits);
        src.Set(i, rng());
        bits = flags.At(i);
        bool set = IsFloat(flagType)
                       ? std::bit_cast<double>(ConvertBits(flagType, KType::F64, bits)) != 0
                       : bits != 0;
        if (set) {
          want.push_back(src.At(i));
          at.push_back(uint64_t(i));
        }
      }
      CompactOp op;
      op.size[4] = rows, op.size[5] = n;
      op.flags = flags.s, op.src = src.s, op.kept = kept.s, op.count = count.s;
      op.flags.stride[4] = n * KTypeBytes(flagType), op.src.stride[4] = n * 2;
      op.present = present;
      op.room = rows * n + present;
      ASSERT_TRUE(ExecCompact(op).ok());
      ASSERT_EQ(count.At(0), uint64_t(present) + want.size());
      for (size_t i = 0; i < want.size(); ++i)
        ASSERT_EQ(kept.At(present + int64_t(i)), want[i]);
      op.positions = true;
      op.kept = where.s;
      op.first = 500;
      ASSERT_TRUE(ExecCompact(op).ok());
      for (size_t i = 0; i < at.size(); ++i)
        ASSERT_EQ(where.At(present + int64_t(i)), at[i] + 500);
      if (!at.empty()) {
        op.room = present + int64_t(at.size()) - 1;
        EXPECT_THAT(std::string(ExecCompact(op).message()), HasSubstr("more elements are set"));
      }
    }
}

/// dst[index[i]] op= src[i] in ascending i, in plain arithmetic.
template <class T> T Plain(Combine how, T a, T b) {
  switch (how) {
  case Combine::Add:
    return T(a + b);
  case Combine::Mul:
    return T(a * b);
  case Combine::Min:
    return std::min(a, b);
  case Combine::Max:
    return std::max(a, b);
  default:
    return b;
  }
}

TEST(Scatter, InIndexOrder) {
  std::mt19937_64 rng(13);
  for (Combine how : {Combine::Set, Combine::Add, Combine::Mul, Combine::Min, Combine::Max})
    for (int round = 0; round < 30; ++round) {
      const int64_t rows = 1 + int64_t(rng() % 6), n = 20, cols = 3;
      auto run = [&]<class T>(KType type, T) {
        Row dst(type, rows * cols), src(type, n * cols), index(KType::I32, n);
        std::vector<T> want;
        auto number = [&] { return T(int64_t(rng() % 9) - (std::is_signed_v<T> ? 4 : 0)) / T(2); };
        auto put = [](Row &row, int64_t i, T v) {
          std::memcpy(row.bytes.data() + i * int64_t(sizeof(T)), &v, sizeof(T));
        };
        for (int64_t i = 0; i < rows * cols; ++i) {
          want.push_back(number());
          put(dst, i, want.back());
        }
        ScatterOp op;
        op.size[0] = n, op.size[5] = cols;
        op.combine = how;
        op.rows = rows;
        op.skip = rng() % 2;
        op.first = op.skip ? int64_t(rng() % 3) : 0;
        for (int64_t i = 0; i < n; ++i) {
          int64_t at =
              op.skip ? int64_t(rng() % 12) - 2 : int64_t(rng() % uint64_t(2 * rows)) - rows;
          index.Set(i, uint64_t(at));
          int64_t row = op.skip ? at - op.first : at < 0 ? at + rows : at;
          for (int64_t c = 0; c < cols; ++c) {
            T v = number();
            put(src, i * cols + c, v);
            if (row >= 0 && row < rows) {
              T &w = want[size_t(row * cols + c)];
              w = Plain(how, w, v);
            }
          }
        }
        op.dst = dst.s, op.src = src.s, op.index = index.s;
        op.dst.stride[0] = op.src.stride[0] = cols * int64_t(sizeof(T));
        op.index.stride[0] = 4, op.index.stride[5] = 0;
        ASSERT_TRUE(ExecScatter(op).ok());
        EXPECT_EQ(0, std::memcmp(dst.bytes.data(), want.data(), want.size() * sizeof(T)))
            << int(type) << " " << int(how);
      };
      run(KType::F32, float());
      run(KType::F64, double());
      run(KType::I8, int8_t());
      run(KType::U16, uint16_t());
      run(KType::I64, int64_t());
      run(KType::U64, uint64_t());
    }
}

TEST(Scatter, RoundsAtEachStoreAndTreatsZerosAndNaNAsTheSteps) {
  auto one = [](KType type, Combine how, uint64_t dst, uint64_t src) {
    Row d(type, 1), s(type, 1), index(KType::I64, 1);
    d.Set(0, dst);
    s.Set(0, src);
    ScatterOp op;
    op.dst = d.s, op.src = s.s, op.index = index.s;
    op.rows = 1;
    op.combine = how;
    EXPECT_TRUE(ExecScatter(op).ok());
    return d.At(0);
  };
  // 2048 + 1 in f16 rounds to even at the store.
  EXPECT_EQ(one(KType::F16, Combine::Add, F32ToF16(2048), F32ToF16(1)), F32ToF16(2048));
  const uint32_t minusZero = 0x80000000u, nan = 0x7fc00000u;
  EXPECT_EQ(one(KType::F32, Combine::Max, minusZero, 0), 0u);
  EXPECT_EQ(one(KType::F32, Combine::Max, 0, minusZero), 0u);
  EXPECT_EQ(one(KType::F32, Combine::Min, 0, minusZero), minusZero);
  EXPECT_EQ(one(KType::F32, Combine::Min, 0x3f800000, 0xffc12345u), nan);
  EXPECT_EQ(one(KType::U64, Combine::Max, ~uint64_t(0), 1), ~uint64_t(0));
  EXPECT_EQ(one(KType::Bool, Combine::Add, 1, 1), 1u);
}

TEST(Scatter, IndexOutOfRangeWritesNothing) {
  Row dst(KType::F32, 4), src(KType::F32, 3), index(KType::I64, 3);
  for (int64_t i = 0; i < 3; ++i)
    src.Set(i, 0x3f800000);
  index.Set(2, 4);
  ScatterOp op;
  op.size[0] = 3;
  op.dst = dst.s, op.src = src.s, op.index = index.s;
  op.dst.stride[0] = op.src.stride[0] = 4, op.index.stride[0] = 8;
  op.rows = 4;
  EXPECT_THAT(std::string(ExecScatter(op).message()),
              HasSubstr("index out of range: index 2 is 4, must be in -4..3"));
  EXPECT_EQ(dst.At(0), 0u);
}

TEST(Random, PhiloxGivesThePublishedNumbers) {
  uint32_t w[4];
  Philox(0, 0, 0, w);
  EXPECT_THAT(w, ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  Philox(~uint64_t(0), ~uint64_t(0), ~uint64_t(0), w);
  EXPECT_THAT(w, ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  Philox(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e, w);
  EXPECT_THAT(w, ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Random, WordsByIndexForEveryTypeAndTile) {
  for (KType type : kKeyTypes) {
    const int64_t n = 23, bytes = KTypeBytes(type);
    Row whole(type, n), tiles(type, n);
    RandomOp op;
    op.key = 0x123456789abcdef0;
    op.size[5] = n;
    op.dst = whole.s;
    ExecRandom(op);
    for (int64_t at = 0; at < n; at += 5) {
      op.size[5] = std::min<int64_t>(5, n - at);
      op.first = at;
      op.dst = tiles.s;
      op.dst.base = at * bytes;
      ExecRandom(op);
    }
    EXPECT_EQ(whole.bytes, tiles.bytes);
    for (int64_t g = 0; g < n; ++g) {
      uint32_t w[4];
      if (bytes == 8) {
        Philox(op.key, uint64_t(g / 2), 0, w);
        uint64_t bits = w[2 * (g % 2)] | uint64_t(w[2 * (g % 2) + 1]) << 32;
        if (type == KType::F64)
          bits = std::bit_cast<uint64_t>(double(bits >> 11) * 0x1p-53);
        EXPECT_EQ(whole.At(g), bits);
        continue;
      }
      Philox(op.key, uint64_t(g / 4), 0, w);
      uint32_t bits = w[g % 4];
      if (!IsFloat(type)) {
        EXPECT_EQ(whole.At(g), type == KType::Bool ? bits & 1
                               : bytes == 4        ? bits
                                                   : bits & ((1u << (8 * bytes)) - 1));
        continue;
      }
      double v = std::bit_cast<double>(ConvertBits(type, KType::F64, whole.At(g)));
      EXPECT_GE(v, 0);
      EXPECT_LT(v, 1);
      EXPECT_LE(v, bits * 0x1p-32); // cut off, not rounded
      EXPECT_GT(v, bits * 0x1p-32 - 0.126);
      if (type == KType::F32)
        EXPECT_EQ(v, (bits >> 8) * 0x1p-24);
    }
  }
}

TEST(Random, SeedIsReadFromItsStream) {
  Row a(KType::U32, 8), b(KType::U32, 8), seed(KType::I64, 1);
  seed.Set(0, 0xfedcba9876543210);
  RandomOp op;
  op.size[5] = 8;
  op.dst = a.s;
  op.seed = seed.s;
  op.hasSeed = true;
  ExecRandom(op);
  op.hasSeed = false;
  op.key = 0xfedcba9876543210;
  op.dst = b.s;
  ExecRandom(op);
  EXPECT_EQ(a.bytes, b.bytes);
}

} // namespace
} // namespace accel::rt
