//===- operand_proof.cc - Operands stay inside of their memories ----------===//
//
// The same arithmetic as ComputeBox (stream_box.h), on forms instead of
// numbers: the first byte of a stream is at least 0, its end is at most the
// memory's size. Where a size is 0 nothing is touched, so sizes count as at
// least 1 in these proofs.
//
// Proofs about several minima, maxima and quotients are incomplete (⌈n/2⌉ of a tile
// and of the tile before; the last tile of a circular buffer): where one fails the
// check at dispatch decides, and the report counts it. What has no quotient and at most
// two minima and maxima is proven or refused; of a size, what comes from data unclamped.
//
//===----------------------------------------------------------------------===//
#include "operand_proof.h"
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "disassemble.h"
#include "stream_box.h"
#include <algorithm>

namespace accel::rt {
namespace {

class Prover {
public:
  Prover(DecodedProgram &p, const EngineCode &code, CodePlace place, State &state, Atoms &atoms)
      : p_(p), c_(code), place_(place), s_(state), atoms_(atoms) {}

  absl::Status Run() {
    for (int d = 0; d < kDims; ++d) {
      size_[d] = Form::Of(c_.size[d]);
      if (!c_.sizeReg[d])
        continue;
      size_[d] = s_.Get(c_.sizeReg[d]);
      ACC_RETURN_IF_ERROR(
          InRange(c_.sizeReg[d], c_.size[d], absl::StrCat("size of dimension ", d)));
      if (atoms_.Lowest(size_[d]) < 1)
        positive_.push_back(size_[d]);
    }
    ACC_RETURN_IF_ERROR(Numbers());
    bool nothing = std::find(c_.size, c_.size + kDims, 0) != c_.size + kDims;
    for (int i = 0; i < c_.streams; ++i) {
      ++p_.report.streams;
      if (!nothing)
        ACC_RETURN_IF_ERROR(Stream(i));
      p_.report.provenStreams += isProven_ && streamProven_;
      streamProven_ = true;
    }
    return absl::OkStatus();
  }

private:
  /// `, node "conv"`: that of the first call of main to the routine.
  std::string Node() const {
    const ArtifactData &data = p_.data();
    const std::vector<uint32_t> &map = data.routines[place_.routine].nodeOfPc;
    uint32_t node = place_.pc < map.size() ? map[place_.pc] : kNone;
    if (place_.routine != 0 && node != kNone) {
      const uint32_t local = node;
      node = kNone;
      for (const CallNodes &c : data.calls)
        if (c.routine == 0 && local < c.nodes.size() &&
            p_.routines[0].instrs[c.pc].op == Op::Call &&
            p_.routines[0].instrs[c.pc].aux == place_.routine) {
          node = c.nodes[local];
          break;
        }
    }
    return node < data.nodes.size() ? absl::StrCat(", node \"", data.nodes[node].name, "\"") : "";
  }

  template <typename... Args> absl::Status Bad(const Args &...args) const {
    return absl::InvalidArgumentError(
        absl::StrCat("program refused: ", PlaceName(p_.data(), place_.routine, place_.pc), Node(),
                     ": ", args..., " [", Disassemble(p_, place_.routine, place_.pc), "]"));
  }

  /// The register holds 0 to bound.
  absl::Status InRange(uint8_t reg, int64_t bound, const std::string &what) {
    if (!reg)
      return absl::OkStatus();
    Form v = s_.Get(reg), below = Form::Of(0);
    if (below.Add(v, -1) && atoms_.AtMostZero(below) && atoms_.AtMost(v, Form::Of(bound)))
      return absl::OkStatus();
    const Interval have = s_.RangeOf(reg);
    // From data, unclamped: nobody meant that.
    constexpr int64_t far = int64_t(1) << 30;
    if (have.hi >= 0 && have.lo <= bound && have.lo > -far && have.hi < far) {
      isProven_ = false;
      return absl::OkStatus();
    }
    return Bad(what, " is r", int(reg), ", which is in ", have.lo, "..", have.hi, ", its bound is ",
               bound);
  }

  /// What registers hold beside sizes and addresses.
  absl::Status Numbers() {
    switch (c_.op) {
    case Op::DmaGather:
    case Op::DmaScatter:
    case Op::VecScatter:
      ACC_RETURN_IF_ERROR(InRange(c_.zaReg, c_.limit(), "number of rows"));
      break;
    case Op::VecSort:
      ACC_RETURN_IF_ERROR(InRange(c_.initReg, c_.limit(), "k"));
      ACC_RETURN_IF_ERROR(InRange(c_.zaReg, c_.size[5], "length of run 0"));
      ACC_RETURN_IF_ERROR(InRange(c_.zbReg, c_.size[5], "length of run 1"));
      break;
    case Op::VecCompact:
      return InRange(c_.initReg, c_.limit(), "number of elements that are there");
    default:
      break;
    }
    return absl::OkStatus();
  }

  /// Points of dimension d that the stream walks, minus 1.
  bool Reach(int index, int d, const int64_t walked[kDims], Form &steps) const {
    bool isProduct = c_.op == Op::Mxu && index == 2 && d == 5;
    steps = Form::Of(walked[d]);
    if (isProduct) {
      if (!c_.sizeReg[3] && !c_.sizeReg[4]) {
        steps = Form::Of(0);
        if (!steps.Add(size_[5], c_.size[3] * c_.size[4]))
          return false;
      }
    } else if (c_.sizeReg[d] && walked[d] == c_.size[d]) {
      steps = size_[d];
    }
    return steps.Add(Form::Of(-1));
  }

  absl::Status Stream(int index) {
    const StreamCode &code = c_.stream[index];
    int64_t walked[kDims];
    WalkedSize(c_, index, c_.size, walked);
    Form base = Form::Of(code.k.base);
    bool known = true;
    for (int b = 0; b < code.baseRegs; ++b)
      known &= base.Add(s_.Get(code.baseReg[b]));
    const int64_t bytes = KTypeBytes(code.k.type);
    if (code.space != Space::Dram && (!known || atoms_.HasCases(base, 2)))
      streamProven_ = atoms_.ResidueOf(base).IsMultipleOf(bytes);
    else if (code.space != Space::Dram && !atoms_.ResidueOf(base).IsMultipleOf(bytes))
      return Bad("stream ", index, ": address ",
                 base.isConstant() ? absl::StrCat(base.constant, " is not")
                                   : "is not for every value of its registers",
                 " a multiple of the element's ", bytes, " bytes");
    Form lo = base, hi = base;
    for (int d = 0; d < kDims; ++d) {
      Form steps;
      const int64_t stride = code.k.stride[d];
      if (stride && !Reach(index, d, walked, steps))
        known = false;
      else if (stride)
        known &= (stride < 0 ? lo : hi).Add(steps, stride);
    }
    known &= hi.Add(Form::Of(bytes));
    if (code.k.windowed)
      for (int w = 0; w < 2 && known; ++w) {
        ACC_RETURN_IF_ERROR(InRange(code.boundReg[w], code.k.coord[w].bound,
                                    absl::StrCat("stream ", index, ": bound of a window")));
        known = Coordinate(code, w, lo, hi);
      }
    const int64_t limit = code.space == Space::Sram  ? p_.data().target.sramBytes
                          : code.space == Space::Acc ? p_.data().target.accBytes
                                                     : p_.regionBytes[code.region];
    Form below = Form::Of(0);
    if (known && below.Add(lo, -1) && atoms_.AtMostZero(below, positive_) &&
        atoms_.AtMost(hi, Form::Of(limit), positive_))
      return absl::OkStatus();
    bool cases = !known || atoms_.HasCases(lo, 2) || atoms_.HasCases(hi, 2);
    for (const Form &f : size_)
      cases |= atoms_.HasCases(f, 2);
    if (cases || !isProven_) {
      streamProven_ = false;
      return absl::OkStatus();
    }
    auto text = [&](const Form &f, bool high) {
      constexpr Wide far = Wide(1) << 62;
      Wide v = known ? high ? atoms_.Highest(f) : atoms_.Lowest(f) : high ? far : -far;
      return int64_t(std::clamp(v, -far, far));
    };
    const bool certain = lo.isConstant() && hi.isConstant();
    return Bad("stream ", index, certain ? "" : " could", code.write ? " write" : " read",
               certain ? "s bytes [" : " bytes [", text(lo, false), ", ", text(hi, true), ") of ",
               code.space == Space::Sram  ? "SRAM"
               : code.space == Space::Acc ? "the accumulators"
                                          : absl::StrCat("region ", int(code.region)),
               ", which has ", limit, " bytes");
  }

  /// Adds the bytes of a window's coordinate; false if nothing is known.
  bool Coordinate(const StreamCode &code, int w, Form &lo, Form &hi) {
    const WindowCoord &k = code.k.coord[w];
    if (!k.Used() && !code.startReg[w])
      return true;
    Form from = Form::Of(k.start);
    if (!from.Add(s_.Get(code.startReg[w])))
      return false;
    Form to = from;
    for (auto [dim, mul] : {std::pair(k.dimA, k.mulA), std::pair(k.dimB, k.mulB)})
      if (dim < kDims) {
        Form steps = size_[dim];
        if (!steps.Add(Form::Of(-1)) || !(mul < 0 ? from : to).Add(steps, mul))
          return false;
      }
    if (k.div > 1) {
      if (k.exact) // the first multiple at or above
        from.Add(Form::Of(k.div - 1));
      from = atoms_.Divide(from, k.div);
      to = atoms_.Divide(to, k.div);
    }
    if (k.bound != kUnbounded) {
      Form last = code.boundReg[w] ? s_.Get(code.boundReg[w]) : Form::Of(k.bound);
      if (!last.Add(Form::Of(-1)))
        return false;
      from = atoms_.Max(from, Form::Of(0));
      to = atoms_.Min(to, last);
    }
    const Form org = s_.Get(code.orgReg[w]);
    if (!from.Add(org, -1) || !to.Add(org, -1))
      return false;
    if (k.mod && !Circular(k.mod, from, to)) {
      from = Form::Of(0);
      to = Form::Of(int64_t(k.mod) - 1);
    }
    return (k.stride < 0 ? hi : lo).Add(from, k.stride) &&
           (k.stride < 0 ? lo : hi).Add(to, k.stride);
  }

  /// Whether all positions are in one turn of the buffer, which is then taken off.
  bool Circular(int64_t mod, Form &from, Form &to) const {
    const Wide lo = atoms_.Lowest(from), hi = atoms_.Highest(to);
    constexpr Wide far = Wide(1) << 62;
    if (lo < -far || hi > far)
      return false;
    const int64_t turn = FloorDivide(int64_t(lo), mod);
    return turn == FloorDivide(int64_t(hi), mod) && from.Add(Form::Of(mod), -turn) &&
           to.Add(Form::Of(mod), -turn);
  }

  DecodedProgram &p_;
  const EngineCode &c_;
  CodePlace place_;
  State &s_;
  Atoms &atoms_;
  Form size_[kDims];
  std::vector<Form> positive_;
  bool isProven_ = true, streamProven_ = true; // what is not is checked at dispatch
};

} // namespace

absl::Status ProveOperands(DecodedProgram &program, const EngineCode &code, CodePlace place,
                           State &state) {
  return Prover(program, code, place, state, state.atoms()).Run();
}

} // namespace accel::rt
