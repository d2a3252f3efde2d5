//===- figures.cc - The figures of a target that decide about time --------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "arithmetic.h"
#include <cmath>
#include <functional>

namespace accel::rt {
namespace {

/// `scale`: how many units of the result are one of the figure's.
struct FigureField {
  const char *key;
  int64_t MachineFigures::*field;
  double least, greatest;
  double scale = 1;
};

// The ranges hold whatever an artifact's file says; target files have narrower
// ones (lib/target/Target.cpp).
constexpr FigureField kFields[] = {
    {"clock_hz", &MachineFigures::clockHz, 1, 1e12},
    {"mxu_rows", &MachineFigures::mxuRows, 1, 65536},
    {"mxu_columns", &MachineFigures::mxuColumns, 1, 65536},
    {"mxu_int8_macs", &MachineFigures::mxuInt8Macs, 1, 1e9},
    {"mxu_f16_macs", &MachineFigures::mxuF16Macs, 1, 1e9},
    {"mxu_f32_macs", &MachineFigures::mxuF32Macs, 1, 1e9},
    {"mxu_depthwise_macs", &MachineFigures::mxuDepthwiseMacs, 1, 1e9},
    {"mxu_load_bytes_per_cycle", &MachineFigures::mxuLoadBytesPerCycle, 1, 1e9},
    {"vec_lanes", &MachineFigures::vecLanes, 1, 1e9},
    {"vec_steps", &MachineFigures::vecSteps, 1, 1e6},
    {"vec_transcendental_divisor", &MachineFigures::vecTranscendentalDivisor, 1, 1e6},
    {"vec_wide_divisor", &MachineFigures::vecWideDivisor, 1, 1e6},
    {"vec_latency_cycles", &MachineFigures::vecLatencyCycles, 0, 1e6},
    {"sram_banks", &MachineFigures::sramBanks, 1, 65536},
    {"sram_bank_bytes", &MachineFigures::sramBankBytes, 1, 65536},
    {"sram_latency_cycles", &MachineFigures::sramLatencyCycles, 0, 1e6},
    {"dram_bytes_per_cycle", &MachineFigures::dramBytesPerCycleQ16, 1e-3, 1e6, 65536},
    {"dram_burst_bytes", &MachineFigures::dramBurstBytes, 1, 65536},
    {"dram_latency_cycles", &MachineFigures::dramLatencyCycles, 0, 1e9},
    {"dram_write_latency_cycles", &MachineFigures::dramWriteLatencyCycles, 0, 1e9},
    {"dram_row_bytes", &MachineFigures::dramRowBytes, 1, 1e9},
    {"dram_row_cycles", &MachineFigures::dramRowTicks, 0, 1e6, kTicksPerCycle},
    {"dma_bytes_per_cycle", &MachineFigures::dmaBytesPerCycle, 1, 1e6},
    {"dma_setup_cycles", &MachineFigures::dmaSetupCycles, 0, 1e6},
    {"dma_outstanding", &MachineFigures::dmaOutstanding, 1, 65536},
    {"ctrl_scalar_cycles", &MachineFigures::ctrlScalarCycles, 0, 1e6},
    {"ctrl_slot_cycles", &MachineFigures::ctrlSlotCycles, 0, 1e6},
    {"semaphore_latency_cycles", &MachineFigures::semaphoreLatencyCycles, 0, 1e6},
    {"queue_depth", &MachineFigures::queueDepth, 1, 1 << 20},
};

} // namespace

absl::StatusOr<MachineFigures>
MachineFigures::Of(const std::function<std::optional<double>(const char *)> &figure) {
  MachineFigures m;
  for (const FigureField &f : kFields) {
    std::optional<double> value = figure(f.key);
    if (!value)
      return absl::FailedPreconditionError(
          absl::StrCat("the target has no figure ", f.key, ", which the timing model needs"));
    if (!(*value >= f.least && *value <= f.greatest))
      return absl::InvalidArgumentError(absl::StrCat("target figure ", f.key, " is ", *value,
                                                     ", must be in ", f.least, "..", f.greatest));
    m.*f.field = std::llround(*value * f.scale);
  }
  return m;
}

absl::StatusOr<MachineFigures> MachineFigures::Of(const TargetInfo &target) {
  return Of([&](const char *key) -> std::optional<double> {
    for (const TargetInfo::Figure &f : target.figures)
      if (f.key == key)
        return f.value;
    return std::nullopt;
  });
}

int64_t MachineFigures::MxuPeakMacs(KType type) const {
  switch (type) {
  case KType::F32:
    return mxuF32Macs;
  case KType::F16:
  case KType::BF16:
    return mxuF16Macs;
  default:
    return mxuInt8Macs;
  }
}

int64_t MachineFigures::DramTicks(int64_t bytes) const {
  constexpr int64_t kScale = kTicksPerCycle * 65536;
  // Of more than 2^38 bytes whole bursts of 2^24 bytes: still exact to 2^-14.
  if (bytes > (int64_t(1) << 38))
    return CappedProduct(CeilDivide(bytes, int64_t(1) << 24),
                         CeilDivide((int64_t(1) << 24) * kScale, dramBytesPerCycleQ16));
  return std::min(CeilDivide(bytes * kScale, dramBytesPerCycleQ16), kMaxOccupancy);
}

int64_t DispatchCycles(const MachineFigures &m, int64_t slots) {
  return m.ctrlScalarCycles + slots * m.ctrlSlotCycles;
}

} // namespace accel::rt
