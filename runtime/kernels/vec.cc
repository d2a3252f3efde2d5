//===- vec.cc - Vector engine ---------------------------------------------===//
//
// For each strip of unreduced points: the body, once without a reduction; once
// for every reduced point where lanes are unreduced points; or over strips of
// reduced points for each unreduced one. Then post over the strip.
//
//===----------------------------------------------------------------------===//
#include "row_convert.h"
#include "scratch.h"
#include "vec_arg.h"
#include "vec_space.h"
#include <algorithm>

namespace accel::rt {
namespace {

/// Points times (steps + streams) below which one thread does it all.
constexpr int64_t kInlineWork = 60000;
/// Registers are a cache line or two apart from a power of two, or they would
/// share the sets of L1.
constexpr int64_t kRegisterPad = 128;

/// One thread's part of an operation.
class Runner {
public:
  Runner(const VecSpace &space, const CompiledVProg &prog) : s_(space), op_(space.op), p_(prog) {
    static thread_local Scratch registers;
    bool wide = false;
    for (const auto *steps : {&p_.source.body, &p_.source.post})
      for (const VStep &t : *steps)
        wide |= VTypeBytes(t.type) == 8 || (t.op == VOp::Cvt && VTypeBytes(VType(t.b)) == 8);
    for (const VInput &in : p_.source.ins)
      wide |= VTypeBytes(in.type) == 8;
    for (const VReduction &r : p_.source.reductions)
      wide |= VTypeBytes(r.type) == 8;
    for (const VOutput &out : p_.source.outs)
      wide |= VTypeBytes(out.type) == 8;
    const int64_t bytes = kStrip * (wide ? 8 : 4) + kRegisterPad;
    auto *file = static_cast<uint8_t *>(registers.Get(kVRegs * bytes + 64));
    for (int r = 0; r < kVRegs; ++r)
      own_[r] = file + r * bytes;
    std::copy(own_, own_ + kVRegs, regs_);
    RunSteps(p_.constants.data(), int64_t(p_.constants.size()), regs_, kStrip);
    if (!p_.source.reductions.empty()) {
      static thread_local Scratch sums;
      const int64_t each = (kReduceLanes + 1) * kStrip * 8;
      auto *at = static_cast<uint8_t *>(sums.Get(each * kVReductions));
      for (int j = 0; j < kVReductions; ++j) {
        sum_[j] = at + j * each;
        index_[j] = at + j * each + kReduceLanes * kStrip * 8;
      }
    }
    for (size_t i = 0; i < p_.source.ins.size(); ++i)
      repeats_[i] = Repeats(op_.in[i], p_.source.ins[i].reg);
    for (const VOutput &out : p_.source.outs)
      anyPost_ |= out.post, anyScan_ |= out.scan, anyBody_ |= !out.post && !out.scan;
  }

  void Run(int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      RunStrip(s_.StripAt(i));
  }

private:
  static constexpr uint32_t kAllInputs = ~0u;

  /// Whether every strip of U sees the same values, so that they are loaded
  /// once: nothing but the innermost unreduced dimension moves the stream.
  bool Repeats(const KStream &in, int reg) const {
    if (in.windowed || s_.lanesReduced || (p_.writtenRegs >> reg & 1))
      return false;
    const int inner = s_.unreduced.count ? s_.unreduced.dims[s_.unreduced.count - 1] : -1;
    for (int d = 0; d < kDims; ++d)
      if (op_.size[d] > 1 && in.stride[d] != 0 && !(d == inner && s_.WholeRows()))
        return false;
    return true;
  }

  void RunStrip(Strip strip) {
    int64_t idx[kDims] = {};
    if (p_.bodyNeeded) {
      if (s_.reduced.count == 0 && p_.source.reductions.empty())
        Body(s_.unreduced, strip, idx);
      else if (s_.lanesReduced)
        ReduceRows(strip, idx);
      else
        ReducePoints(strip, idx);
    }
    Post(strip, idx);
  }

  void Body(const DimList &list, Strip strip, int64_t *idx) {
    Load(list, strip, idx, kAllInputs);
    Steps(p_.body, p_.bodyPieces, list, strip, idx);
    if (anyBody_)
      Store(list, strip, idx, false);
  }

  /// Post sees the inputs at reduced index 0 and the reductions' results.
  void Post(Strip strip, int64_t *idx) {
    if (!anyPost_)
      return;
    for (int i = 0; i < s_.reduced.count; ++i)
      idx[s_.reduced.dims[i]] = 0;
    Load(s_.unreduced, strip, idx, p_.usedByPost);
    for (size_t j = 0; j < p_.source.reductions.size(); ++j) {
      const VReduction &r = p_.source.reductions[j];
      regs_[r.dst] = IsArg(r.kind) ? index_[j] : sum_[j];
    }
    Steps(p_.post, p_.postPieces, s_.unreduced, strip, idx);
    Store(s_.unreduced, strip, idx, true);
    std::copy(own_, own_ + kVRegs, regs_);
  }

  //===-- Reductions ------------------------------------------------------===//

  /// Lanes are unreduced points; reduced points one after the other.
  void ReducePoints(Strip strip, int64_t *idx) {
    const auto &reds = p_.source.reductions;
    for (size_t j = 0; j < reds.size(); ++j)
      if (!IsArg(reds[j].kind))
        Start(int(j), strip, idx, strip.count, kStrip);
    if (ReducesInputs())
      return ReduceInPlace(strip, idx);
    const DimList &rd = s_.reduced;
    for (int64_t running = 0; running < rd.points; ++running) {
      SetIndex(rd, running, idx);
      Body(s_.unreduced, strip, idx);
      for (size_t j = 0; j < reds.size(); ++j) {
        const VReduction &r = reds[j];
        if (IsArg(r.kind)) {
          ArgReduce(r.kind, r.type, sum_[j], index_[j], regs_[r.src], strip.count, running, false);
          continue;
        }
        const int64_t lane = r.lanes ? running % kReduceLanes : 0;
        ReduceInto(r.kind, r.type, sum_[j] + lane * kStrip * VTypeBytes(r.type), regs_[r.src],
                   strip.count);
      }
      for (size_t o = 0; anyScan_ && o < p_.source.outs.size(); ++o)
        if (p_.source.outs[o].scan)
          Store(int(o), s_.unreduced, strip, idx, sum_[ScannedBy(int(o))]);
    }
    CloseLanes(strip);
    std::copy(own_, own_ + kVRegs, regs_);
  }

  void CloseLanes(Strip strip) {
    for (size_t j = 0; j < p_.source.reductions.size(); ++j)
      if (const VReduction &r = p_.source.reductions[j]; r.lanes)
        ReduceTree(r.kind, r.type, sum_[j], kStrip, strip.count);
  }

  /// Pooling and plain sums: nothing but reductions of inputs whose rows can be
  /// read where they lie.
  bool ReducesInputs() const {
    if (!p_.body.empty() || anyBody_ || anyScan_ || s_.unreduced.count == 0)
      return false;
    const int inner = s_.unreduced.dims[s_.unreduced.count - 1];
    for (const VReduction &r : p_.source.reductions) {
      const int i = InputOf(r.src);
      if (i < 0 || IsArg(r.kind) || p_.source.ins[size_t(i)].type != r.type)
        return false;
      const KStream &s = op_.in[i];
      if (!SameBytes(s.type, r.type) || s.stride[inner] != VTypeBytes(r.type) ||
          WindowUses(s, inner))
        return false;
    }
    return true;
  }
  int InputOf(int reg) const {
    for (int i = int(p_.source.ins.size()) - 1; i >= 0; --i)
      if (p_.source.ins[size_t(i)].reg == reg)
        return i;
    return -1;
  }

  void ReduceInPlace(Strip strip, int64_t *idx) {
    const DimList &rd = s_.reduced;
    for (size_t j = 0; j < p_.source.reductions.size(); ++j) {
      const VReduction &r = p_.source.reductions[j];
      const KStream &s = op_.in[InputOf(r.src)];
      const int64_t bytes = VTypeBytes(r.type);
      int64_t padded = 0; // elements of the source register that hold the pad
      ForEachRow(s_.unreduced, op_.size, strip, idx,
                 [&](int64_t *at, int inner, int64_t begin, int64_t end, int64_t position) {
                   const int64_t n = end - begin, kept = at[inner];
                   at[inner] = begin;
                   SetIndex(rd, 0, at);
                   // Reduced points along the innermost dimension at once, unless the
                   // window looks at each of them.
                   const int last = rd.count ? rd.dims[rd.count - 1] : -1;
                   const int64_t run = last >= 0 && !WindowUses(s, last) ? op_.size[last] : 1;
                   const int64_t step = last >= 0 ? s.stride[last] : 0;
                   const int64_t laneBytes = r.lanes ? kStrip * bytes : 0;
                   for (int64_t running = 0; running < rd.points; running += run) {
                     int64_t offset;
                     const bool inside = PointOffset(s, at, offset);
                     if (!inside && padded < n)
                       FillPad(r.type, s.padBits, padded = n, own_[r.src]);
                     ReduceRowsInto(r.kind, r.type, sum_[j] + position * bytes, laneBytes, running,
                                    inside ? s.mem + offset
                                           : static_cast<const uint8_t *>(own_[r.src]),
                                    inside ? step : 0, run, n);
                     for (int i = rd.count - 1; i >= 0; --i) {
                       at[rd.dims[i]] += rd.dims[i] == last ? run : 1;
                       if (at[rd.dims[i]] < op_.size[rd.dims[i]])
                         break;
                       at[rd.dims[i]] = 0;
                     }
                   }
                   at[inner] = kept;
                 });
    }
    CloseLanes(strip);
  }

  /// Identity, or the outputs' current values, into `lanes` partials each
  /// `stride` elements apart.
  void Start(int j, Strip strip, int64_t *idx, int64_t n, int64_t stride) {
    const VReduction &r = p_.source.reductions[size_t(j)];
    const int64_t bytes = VTypeBytes(r.type);
    for (int64_t l = 0; l < (r.lanes ? kReduceLanes : 1); ++l)
      ReduceIdentity(r.kind, r.type, sum_[j] + l * stride * bytes, n);
    if (!op_.resume || r.lanes)
      return;
    for (size_t o = 0; o < p_.source.outs.size(); ++o)
      if (p_.source.outs[o].post && p_.source.outs[o].reg == r.dst)
        LoadStream(op_.out[o], r.type, s_.unreduced, strip, idx, sum_[j]);
  }

  /// Lanes are reduced points, for each unreduced point of the strip.
  void ReduceRows(Strip strip, int64_t *idx) {
    const auto &reds = p_.source.reductions;
    alignas(64) uint8_t partials[kVReductions][kReduceLanes * 8];
    if (op_.resume)
      for (size_t j = 0; j < reds.size(); ++j)
        if (!IsArg(reds[j].kind) && !reds[j].lanes)
          Start(int(j), strip, idx, strip.count, kStrip);
    for (int64_t u = 0; u < strip.count; ++u) {
      SetIndex(s_.unreduced, strip.first + u, idx);
      uint8_t *sum[kVReductions] = {};
      for (size_t j = 0; j < reds.size(); ++j) {
        const VReduction &r = reds[j];
        sum[j] = sum_[j] + u * VTypeBytes(r.type);
        if (r.lanes)
          ReduceIdentity(r.kind, r.type, partials[j], kReduceLanes);
        else if (!op_.resume && !IsArg(r.kind))
          ReduceIdentity(r.kind, r.type, sum[j], 1);
      }
      for (int64_t first = 0; first < s_.reduced.points; first += kStrip) {
        const Strip part{first, std::min(kStrip, s_.reduced.points - first)};
        Body(s_.reduced, part, idx);
        for (size_t j = 0; j < reds.size(); ++j) {
          const VReduction &r = reds[j];
          if (IsArg(r.kind))
            ArgReduce(r.kind, r.type, sum[j], index_[j] + u * VTypeBytes(r.type), regs_[r.src],
                      part.count, first, true);
          else if (r.lanes)
            ReduceLanes(r.kind, r.type, partials[j], regs_[r.src], part.count);
          else if (anyScan_)
            Scan(int(j), part, idx, sum[j]);
          else
            ReduceSequential(r.kind, r.type, sum[j], regs_[r.src], part.count);
        }
      }
      for (size_t j = 0; j < reds.size(); ++j)
        if (reds[j].lanes) {
          ReduceTree(reds[j].kind, reds[j].type, partials[j], 1, 1);
          std::memcpy(sum[j], partials[j], size_t(VTypeBytes(reds[j].type)));
        }
    }
    std::copy(own_, own_ + kVRegs, regs_);
  }

  /// The reduction whose course an output of phase scan stores.
  int ScannedBy(int o) const {
    const auto &reds = p_.source.reductions;
    return reds[0].dst == p_.source.outs[size_t(o)].reg ? 0 : 1;
  }

  /// A strip of reduced points into `sum`, one at a time, each result stored.
  void Scan(int j, Strip part, int64_t *idx, uint8_t *sum) {
    const VReduction &r = p_.source.reductions[size_t(j)];
    const int64_t bytes = VTypeBytes(r.type);
    alignas(64) uint8_t course[kStrip * 8 + 64];
    const auto *x = static_cast<const uint8_t *>(regs_[r.src]);
    for (int64_t i = 0; i < part.count; ++i) {
      ReduceSequential(r.kind, r.type, sum, x + i * bytes, 1);
      std::memcpy(course + i * bytes, sum, size_t(bytes));
    }
    for (size_t o = 0; o < p_.source.outs.size(); ++o)
      if (p_.source.outs[o].scan && ScannedBy(int(o)) == j)
        Store(int(o), s_.reduced, part, idx, course);
  }

  void SetIndex(const DimList &list, int64_t flat, int64_t *idx) const {
    for (int i = list.count - 1; i > 0; --i) {
      idx[list.dims[i]] = flat % op_.size[list.dims[i]];
      flat /= op_.size[list.dims[i]];
    }
    if (list.count)
      idx[list.dims[0]] = flat;
  }

  //===-- Streams ---------------------------------------------------------===//

  /// Loads the inputs whose registers are in `regs`.
  void Load(const DimList &list, Strip strip, int64_t *idx, uint32_t regs) {
    for (size_t i = 0; i < p_.source.ins.size(); ++i) {
      const VInput &in = p_.source.ins[i];
      if (!(regs >> in.reg & 1))
        continue;
      regs_[in.reg] = own_[in.reg];
      if (repeats_[i]) {
        if (loaded_[i] >= strip.count)
          continue;
        loaded_[i] = strip.count;
      } else if (InPlace(op_.in[i], in, list, strip, idx)) {
        continue;
      }
      LoadStream(op_.in[i], in.type, list, strip, idx, own_[in.reg]);
    }
  }

  /// Whether elements are the register's values as they lie.
  static bool SameBytes(KType stream, VType reg) {
    switch (reg) {
    case VType::F32:
      return stream == KType::F32;
    case VType::I32:
      return stream == KType::I32 || stream == KType::U32;
    case VType::I64:
      return stream == KType::I64 || stream == KType::U64;
    case VType::F64:
      return stream == KType::F64;
    }
    return false;
  }

  /// Points the register at the stream where its bytes are already those of
  /// the register.
  bool InPlace(const KStream &s, const VInput &in, const DimList &list, Strip strip, int64_t *idx) {
    if (!SameBytes(s.type, in.type) || strip.count % 16 != 0 || (p_.writtenRegs >> in.reg & 1))
      return false;
    RowSegment g;
    if (!OneSegment(s, list, strip, idx, g) || !g.inside || g.step != VTypeBytes(in.type))
      return false;
    regs_[in.reg] = s.mem + g.offset;
    return true;
  }

  /// Whether the stream walks the whole strip by one step. True if so.
  bool OneSegment(const KStream &s, const DimList &list, Strip strip, int64_t *idx,
                  RowSegment &g) const {
    int64_t step = 0;
    if (list.count) {
      const int inner = list.dims[list.count - 1];
      step = s.stride[inner];
      if (WindowUses(s, inner))
        return false;
      const int64_t row = op_.size[inner];
      if (list.count > 1 && strip.first % row + strip.count > row) {
        // The strip spans rows: every outer dimension must continue it.
        int64_t next = step * row;
        for (int i = list.count - 2; i >= 0; --i) {
          const int d = list.dims[i];
          if (s.stride[d] != next || WindowUses(s, d))
            return false;
          next *= op_.size[d];
        }
      }
      SetIndex(list, strip.first, idx);
    }
    g = {0, strip.count, 0, step, true};
    g.inside = PointOffset(s, idx, g.offset);
    return true;
  }

  /// Calls fn(offset, inside, rows, rowLength, position) for stretches of whole
  /// rows of 32-bit elements that lie one step of the second dimension apart.
  /// False: the strip or the stream is not like that.
  template <typename Fn>
  bool Rows32(const KStream &s, const DimList &list, Strip strip, int64_t *idx, Fn &&fn) const {
    if (list.count < 2)
      return false;
    const int inner = list.dims[list.count - 1], outer = list.dims[list.count - 2];
    const int64_t row = op_.size[inner];
    if (s.stride[inner] != 4 || WindowUses(s, inner) || WindowUses(s, outer) ||
        strip.first % row != 0 || strip.count % row != 0)
      return false;
    SetIndex(list, strip.first, idx);
    for (int64_t at = 0; at < strip.count;) {
      const int64_t rows = std::min(op_.size[outer] - idx[outer], (strip.count - at) / row);
      int64_t offset;
      const bool inside = PointOffset(s, idx, offset);
      fn(offset, inside, rows, row, at);
      at += rows * row;
      idx[outer] = 0;
      for (int i = list.count - 3; i >= 0; --i) {
        if (++idx[list.dims[i]] < op_.size[list.dims[i]])
          break;
        idx[list.dims[i]] = 0;
      }
    }
    return true;
  }

  void LoadStream(const KStream &s, VType type, const DimList &list, Strip strip, int64_t *idx,
                  void *dst) {
    const int64_t bytes = VTypeBytes(type);
    auto *to = static_cast<uint8_t *>(dst);
    RowSegment whole;
    if (OneSegment(s, list, strip, idx, whole))
      return LoadSegment(s, type, whole, to);
    if (bytes == 4 && SameBytes(s.type, type) &&
        Rows32(s, list, strip, idx,
               [&](int64_t offset, bool inside, int64_t rows, int64_t row, int64_t position) {
                 uint8_t *at = to + position * 4;
                 if (inside)
                   CopyRows32(s.mem + offset, s.stride[list.dims[list.count - 2]], at, row * 4,
                              rows, row);
                 else
                   FillPad(type, s.padBits, rows * row, at);
               }))
      return;
    ForEachRow(list, op_.size, strip, idx,
               [&](const int64_t *at, int inner, int64_t begin, int64_t end, int64_t position) {
                 WalkRow(s, at, inner, begin, end, [&](const RowSegment &g) {
                   LoadSegment(s, type, g, to + (position + g.begin - begin) * bytes);
                 });
               });
  }

  static void LoadSegment(const KStream &s, VType type, const RowSegment &g, uint8_t *out) {
    if (!g.inside)
      FillPad(type, s.padBits, g.count, out);
    else if (g.step == 0)
      Broadcast(s.type, type, s.mem + g.offset, g.count, out);
    else
      LoadRow(s.type, type, s.mem + g.offset, g.step, g.count, out);
  }

  static void Broadcast(KType from, VType to, const uint8_t *src, int64_t n, void *dst) {
    LoadRow(from, to, src, 0, 1, dst);
    if (VTypeBytes(to) == 4)
      std::fill_n(static_cast<uint32_t *>(dst), n, *static_cast<uint32_t *>(dst));
    else
      std::fill_n(static_cast<uint64_t *>(dst), n, *static_cast<uint64_t *>(dst));
  }

  void Store(const DimList &list, Strip strip, int64_t *idx, bool post) {
    for (size_t o = 0; o < p_.source.outs.size(); ++o) {
      const VOutput &out = p_.source.outs[o];
      if (out.post == post && !out.scan)
        Store(int(o), list, strip, idx, static_cast<const uint8_t *>(regs_[out.reg]));
    }
  }

  void Store(int o, const DimList &list, Strip strip, int64_t *idx, const uint8_t *from) {
    const VOutput &out = p_.source.outs[size_t(o)];
    const KStream &s = op_.out[o];
    const int64_t bytes = VTypeBytes(out.type);
    RowSegment whole;
    if (OneSegment(s, list, strip, idx, whole)) {
      if (whole.inside)
        StoreRow(out.type, s.type, from, s.mem + whole.offset, whole.step, whole.count);
      return;
    }
    if (out.type == VType::F32 && s.type == KType::F32 &&
        Rows32(s, list, strip, idx,
               [&](int64_t offset, bool inside, int64_t rows, int64_t row, int64_t position) {
                 if (inside)
                   StoreRowsF32(from + position * 4, row * 4, s.mem + offset,
                                s.stride[list.dims[list.count - 2]], rows, row);
               }))
      return;
    ForEachRow(list, op_.size, strip, idx,
               [&](const int64_t *at, int inner, int64_t begin, int64_t end, int64_t position) {
                 WalkRow(s, at, inner, begin, end, [&](const RowSegment &g) {
                   if (g.inside)
                     StoreRow(out.type, s.type, from + (position + g.begin - begin) * bytes,
                              s.mem + g.offset, g.step, g.count);
                 });
               });
  }

  //===-- Steps -----------------------------------------------------------===//

  void Steps(const std::vector<VStep> &steps, const std::vector<VPiece> &pieces,
             const DimList &list, Strip strip, int64_t *idx) {
    for (const VPiece &piece : pieces)
      switch (piece.kind) {
      case VPiece::Plain:
        RunSteps(steps.data() + piece.begin, piece.count, regs_, strip.count);
        break;
      case VPiece::Iota:
        if (const VStep &t = steps[size_t(piece.begin)]; t.op == VOp::Reg)
          FillScalar(t, strip.count);
        else
          Iota(t, list, strip, idx);
        break;
      case VPiece::Chain:
        RunChain(piece.chain, regs_, strip.count);
        break;
      }
  }

  void FillScalar(const VStep &t, int64_t n) {
    const int64_t v = op_.scalars[t.a];
    switch (t.type) {
    case VType::F32:
      std::fill_n(static_cast<float *>(regs_[t.dst]), n, float(v));
      break;
    case VType::I32:
      std::fill_n(static_cast<int32_t *>(regs_[t.dst]), n, int32_t(v));
      break;
    case VType::I64:
      std::fill_n(static_cast<int64_t *>(regs_[t.dst]), n, v);
      break;
    case VType::F64:
      std::fill_n(static_cast<double *>(regs_[t.dst]), n, double(v));
      break;
    }
  }

  void Iota(const VStep &t, const DimList &list, Strip strip, int64_t *idx) {
    void *dst = regs_[t.dst];
    ForEachRow(list, op_.size, strip, idx,
               [&](const int64_t *at, int inner, int64_t begin, int64_t end, int64_t position) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t v = inner == t.a ? i : at[t.a];
                   const int64_t p = position + i - begin;
                   switch (t.type) {
                   case VType::F32:
                     static_cast<float *>(dst)[p] = float(v);
                     break;
                   case VType::I32:
                     static_cast<int32_t *>(dst)[p] = int32_t(v);
                     break;
                   case VType::I64:
                     static_cast<int64_t *>(dst)[p] = v;
                     break;
                   case VType::F64:
                     static_cast<double *>(dst)[p] = double(v);
                     break;
                   }
                 }
               });
  }

  const VecSpace &s_;
  const VecOp &op_;
  const CompiledVProg &p_;
  VRegs own_ = {}, regs_ = {};
  uint8_t *sum_[kVReductions] = {}, *index_[kVReductions] = {};
  bool anyPost_ = false, anyBody_ = false, anyScan_ = false;
  bool repeats_[kVIns] = {};
  int64_t loaded_[kVIns] = {};
};

} // namespace

void ExecVec(const VecOp &op, const CompiledVProg &prog, ThreadPool &pool) {
  int64_t points = 1;
  for (int64_t n : op.size) {
    if (n <= 0)
      return;
    points *= n;
  }
  VecSpace space(op, prog, pool.threads());
  const int64_t work =
      points * int64_t(prog.body.size() + prog.post.size() + prog.source.ins.size() + 1);
  const int parts = work < kInlineWork ? 1 : int(std::min<int64_t>(pool.threads(), space.strips));
  pool.Run(parts, [&](int part) {
    PartRange r = CutRange(space.strips, 1, part, parts);
    if (r.begin < r.end)
      Runner(space, prog).Run(r.begin, r.end);
  });
}

} // namespace accel::rt
