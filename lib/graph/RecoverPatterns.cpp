#include "acc/Graph/Passes.h"
namespace accel {
#define GEN_PASS_DEF_RECOVERPATTERNS
#include "acc/Graph/Passes.h.inc"
} // namespace accel
namespace {
struct RecoverPatterns : accel::impl::RecoverPatternsBase<RecoverPatterns> {
  void runOnOperation() override {}
};
} // namespace
