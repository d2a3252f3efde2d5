//===- vprog_binding.h - Vector programs as the verifier sees them --------===//
#ifndef ACC_RUNTIME_SIM_VPROG_BINDING_H
#define ACC_RUNTIME_SIM_VPROG_BINDING_H

#include "absl/status/statusor.h"
#include "acc/runtime/kernels.h"
#include <memory>
#include <vector>

namespace accel::rt {

struct VProgShape {
  int outs = 0, ins = 0, reductions = 0;
  bool outPost[2] = {}; // stored once per unreduced point
};

/// Decodes, checks and prepares an encoded vector program.
absl::StatusOr<std::shared_ptr<const CompiledVProg>> BindVProg(const std::vector<uint8_t> &bytes);
VProgShape ShapeOf(const CompiledVProg &prog);
/// Scalar registers that its steps read.
std::vector<uint8_t> ScalarsOf(const CompiledVProg &prog);

} // namespace accel::rt

#endif // ACC_RUNTIME_SIM_VPROG_BINDING_H
