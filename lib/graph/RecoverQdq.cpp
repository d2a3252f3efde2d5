#include "acc/Graph/Passes.h"
namespace accel {
#define GEN_PASS_DEF_RECOVERQDQ
#include "acc/Graph/Passes.h.inc"
} // namespace accel
namespace {
struct RecoverQdq : accel::impl::RecoverQdqBase<RecoverQdq> {
  void runOnOperation() override {}
};
} // namespace
