//===- unit_machine.h - A machine of round figures for tests --------------===//
#ifndef ACC_TEST_RUNTIME_SIM_TIMING_UNIT_MACHINE_H
#define ACC_TEST_RUNTIME_SIM_TIMING_UNIT_MACHINE_H

#include "acc/runtime/timing.h"
#include <map>
#include <string>

namespace accel::rt {

/// The target `edge` unless said otherwise: 64 x 32 array, 64 lanes, 16 B/cycle.
inline std::map<std::string, double> EdgeFigures() {
  return {{"clock_hz", 1e9},
          {"mxu_rows", 64},
          {"mxu_columns", 32},
          {"mxu_int8_macs", 2048},
          {"mxu_f16_macs", 1024},
          {"mxu_f32_macs", 256},
          {"mxu_depthwise_macs", 256},
          {"mxu_load_bytes_per_cycle", 128},
          {"vec_lanes", 64},
          {"vec_steps", 8},
          {"vec_transcendental_divisor", 4},
          {"vec_wide_divisor", 2},
          {"vec_latency_cycles", 4},
          {"sram_banks", 16},
          {"sram_bank_bytes", 64},
          {"sram_latency_cycles", 4},
          {"dram_bytes_per_cycle", 16},
          {"dram_burst_bytes", 64},
          {"dram_latency_cycles", 200},
          {"dram_write_latency_cycles", 100},
          {"dram_row_bytes", 2048},
          {"dram_row_cycles", 10},
          {"dma_bytes_per_cycle", 64},
          {"dma_setup_cycles", 16},
          {"dma_outstanding", 4},
          {"ctrl_scalar_cycles", 1},
          {"ctrl_slot_cycles", 1},
          {"semaphore_latency_cycles", 4},
          {"queue_depth", 32}};
}

inline absl::StatusOr<MachineFigures> FiguresOf(const std::map<std::string, double> &figures) {
  return MachineFigures::Of([&](const char *key) -> std::optional<double> {
    auto it = figures.find(key);
    return it == figures.end() ? std::nullopt : std::optional(it->second);
  });
}

/// `edge` with some figures replaced.
inline MachineFigures Edge(const std::map<std::string, double> &replaced = {}) {
  std::map<std::string, double> figures = EdgeFigures();
  for (const auto &[key, value] : replaced)
    figures[key] = value;
  return *FiguresOf(figures);
}

} // namespace accel::rt

#endif // ACC_TEST_RUNTIME_SIM_TIMING_UNIT_MACHINE_H
