//===- isa_agreement_test.cc - Enums of the kernels are those of the ISA --===//
#include "acc/runtime/isa.h"
#include "acc/runtime/vprog.h"
#include "mxu_geometry.h"
#include <gtest/gtest.h>

namespace accel::rt {
namespace {

TEST(IsaAgreement, Steps) {
  EXPECT_EQ(kVOps, isa::kVecOpCount);
  for (const isa::StepInfo &s : isa::Steps()) {
    EXPECT_STREQ(s.name, VOpName(VOp(s.op)));
    EXPECT_EQ(s.operands, VOpOperands(VOp(s.op))) << s.name;
    EXPECT_EQ(s.floats, VOpHasType(VOp(s.op), VType::F32)) << s.name;
    EXPECT_EQ(s.ints, VOpHasType(VOp(s.op), VType::I32)) << s.name;
  }
}

TEST(IsaAgreement, Types) {
  EXPECT_EQ(int(VType::F64), int(isa::VecType::F64));
  EXPECT_EQ(int(VReduce::ArgMinLast), int(isa::Reduce::ArgMinLast));
  EXPECT_EQ(kDims, isa::kDimCount);
  EXPECT_EQ(kKBlock, isa::kKBlock);
  EXPECT_EQ(kChain, isa::kChain);
  for (int code = 0; code < 24; ++code)
    if (isa::DTypeBits(uint8_t(code)) >= 8)
      EXPECT_EQ(KTypeBytes(KType(code)) * 8, isa::DTypeBits(uint8_t(code))) << code;
}

} // namespace
} // namespace accel::rt
