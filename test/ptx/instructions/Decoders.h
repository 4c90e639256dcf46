//===- Decoders.h - the functions that decode instructions -------------------------------------===//

#ifndef QUERN_TEST_PTX_INSTRUCTIONS_DECODERS_H
#define QUERN_TEST_PTX_INSTRUCTIONS_DECODERS_H

#include "test/ptx/Assembly.h"
#include "test/ptx/Warp.h"

namespace quern::ptx {

#define PTX_INSTRUCTION(Opcode, Decode) void Decode(Assembly &assembly);
#include "test/ptx/Instructions.def"

// The forms of instructions for floats; their types are taken already.
void decodeFloatAdd(Assembly &assembly, Type type);
void decodeFloatSub(Assembly &assembly, Type type);
void decodeFloatMul(Assembly &assembly, Type type);
void decodeFloatDiv(Assembly &assembly, Type type);
void decodeFloatFma(Assembly &assembly, Type type);
void decodeFloatMin(Assembly &assembly, Type type);
void decodeFloatMax(Assembly &assembly, Type type);
void decodeFloatNeg(Assembly &assembly, Type type);
void decodeFloatAbs(Assembly &assembly, Type type);

/// `not.pred`, for operands that are turned round.
Handler getPredicateNot();

/// `setp.eq.b32` without more: slots 3 and 4 are missing.
Handler getEqual32();

enum class Rounding : uint8_t { Nearest, Zero, Down, Up };
/// `.rn`, `.rz`, `.rm` or `.rp`; the nearest if there is none.
Rounding takeRounding(Assembly &assembly);
/// Lets the handler that is set run in a mode of rounding.
void setRounding(Assembly &assembly, Rounding rounding);

/// The places in this process of an instruction's address for each lane of `mask`, `bytes` from there and so aligned;
/// false, with a fault, if one is not.
bool resolve(const Instruction &instruction, Warp &warp, uint32_t mask, uint32_t bytes,
             std::array<std::byte *, lanes> &places);
/// The same for addresses of global memory in registers of 8 bytes, or of shared memory in registers.
bool resolveGlobal(const Instruction &instruction, Warp &warp, uint32_t mask, uint32_t bytes,
                   std::array<std::byte *, lanes> &places);
bool resolveShared(const Instruction &instruction, Warp &warp, uint32_t mask, uint32_t bytes,
                   std::array<std::byte *, lanes> &places);

/// `.global`, `.shared::cta` and such; generic if there is none.
Space takeSpace(Assembly &assembly);
/// Takes what is said of caches and of the order of memory.
void skipCaching(Assembly &assembly);

/// result = Op::apply(a), of (a, b), of (a, b, c).
template <typename Op, typename R, typename T>
void runUnary(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const T *a = warp.at<T>(instruction.slots[1]);
  setLanes<R>(warp, instruction.slots[0], mask, [=](unsigned lane) { return Op::apply(a[lane]); });
}

template <typename Op, typename R, typename T, typename T2>
void runBinary(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const T *a = warp.at<T>(instruction.slots[1]);
  const T2 *b = warp.at<T2>(instruction.slots[2]);
  setLanes<R>(warp, instruction.slots[0], mask, [=](unsigned lane) { return Op::apply(a[lane], b[lane]); });
}

template <typename Op, typename R, typename T, typename T2, typename T3>
void runTernary(const Instruction &instruction, Warp &warp, uint32_t mask) {
  const T *a = warp.at<T>(instruction.slots[1]);
  const T2 *b = warp.at<T2>(instruction.slots[2]);
  const T3 *c = warp.at<T3>(instruction.slots[3]);
  setLanes<R>(warp, instruction.slots[0], mask, [=](unsigned lane) { return Op::apply(a[lane], b[lane], c[lane]); });
}

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_INSTRUCTIONS_DECODERS_H
