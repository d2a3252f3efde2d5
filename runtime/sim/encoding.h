//===- encoding.h - Bytes of instructions and descriptors -----------------===//
//
// Little-endian layouts, read with memcpy. Sizes are fixed by the ISA.
//
//===----------------------------------------------------------------------===//
#ifndef ACC_RUNTIME_SIM_ENCODING_H
#define ACC_RUNTIME_SIM_ENCODING_H

#include <cstdint>

namespace accel::rt::enc {

struct CtrlInstr {
  uint8_t op, rd, ra, rb;
  int64_t imm __attribute__((packed));
  uint32_t aux;
};
static_assert(sizeof(CtrlInstr) == 16);

struct EngineInstr {
  uint8_t op, engine;
  uint16_t desc;
  uint8_t tokens[8]; // wait0, wait1, signal0, signal1: semaphore, count
  uint16_t vprog;
  uint8_t reason, zero;
};
static_assert(sizeof(EngineInstr) == 16);

struct OpDesc {
  uint32_t size[6];
  uint8_t sizeReg[6];
  uint8_t streams, flags, initReg, reduceMask;
  uint16_t zero0;
  int32_t za, zb;
  uint32_t fillBits;
  uint64_t fillBits64, zero1;
};
static_assert(sizeof(OpDesc) == 64);

struct StreamDesc {
  uint8_t space, region, dtype, flags;
  uint8_t baseReg[4];
  int64_t base;
  int64_t stride[6];
};
static_assert(sizeof(StreamDesc) == 64);
constexpr uint8_t kStreamHasWindow = 1;

struct WindowCoordDesc {
  int32_t start;
  uint8_t startReg, orgReg, dimA, dimB;
  int32_t mulA, mulB;
  uint32_t bound, mod;
  int32_t stride;
};
struct WindowDesc {
  WindowCoordDesc coord[2];
  uint8_t div[2], flags[2];
  uint32_t padBits;
};
static_assert(sizeof(WindowDesc) == 64);

} // namespace accel::rt::enc

#endif // ACC_RUNTIME_SIM_ENCODING_H
