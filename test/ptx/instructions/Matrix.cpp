//===- Matrix.cpp - products of small matrices that a warp holds -------------------------------===//

#include "test/ptx/Number.h"
#include "test/ptx/instructions/Decoders.h"

namespace quern::ptx {

// Who holds what (the PTX manual, "Matrix Fragments for mma.m16n8k16" and those beside it), for
// lane = 4 · group + member:
//   A [16, K]: part p of register r is A[group + 8 (r & 1), K/2 · (r >> 1) + member · parts + p]
//   B [K, 8]:  part p of register r is B[K/2 · r + member · parts + p, group]
//   C [16, 8]: register r is C[group + 8 (r >> 1), 2 · member + (r & 1)]
// where a register has 32 bits in `parts` parts. With half of K there are half of the registers.

static constexpr unsigned rows = 16, columns = 8, maxDepth = 32;

/// Slots of the registers: D, A, B, C.
static constexpr unsigned slotD = 0, slotA = 4, slotB = 8, slotC = 10;

namespace {
struct Tf32 {
  uint32_t bits;
  operator float() const { return std::bit_cast<float>(bits & ~0x1fffu); }
};

template <typename A, typename B, typename Sum> struct Operands {
  Sum a[rows][maxDepth], b[maxDepth][columns];
};
} // namespace

/// Part p of a register.
template <typename T, typename Sum> static Sum getPart(uint32_t bits, unsigned p) {
  T part;
  bits >>= 8 * sizeof(T) * p % 32;
  std::memcpy(&part, &bits, sizeof(T));
  if constexpr (std::is_same_v<T, Half>)
    return static_cast<float>(part);
  else
    return static_cast<Sum>(part);
}

template <typename A, typename B, typename Sum>
static void gatherOperands(const Instruction &instruction, Warp &warp, Operands<A, B, Sum> &operands) {
  constexpr unsigned parts = 4 / sizeof(A);
  unsigned halves = instruction.count, half = 4 * parts;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    unsigned group = lane / 4, member = lane % 4;
    for (unsigned h = 0; h < halves; ++h)
      for (unsigned p = 0; p < parts; ++p) {
        unsigned k = half * h + member * parts + p;
        for (unsigned r = 0; r < 2; ++r)
          operands.a[group + 8 * r][k] =
              getPart<A, Sum>(warp.at<uint32_t>(instruction.slots[slotA + 2 * h + r])[lane], p);
        operands.b[k][group] = getPart<B, Sum>(warp.at<uint32_t>(instruction.slots[slotB + h])[lane], p);
      }
  }
}

/// D = A · B + C. In f32 the sums begin with C and go on with rising k; a device's order is not known.
template <typename A, typename B, typename Sum>
static void runMma(const Instruction &instruction, Warp &warp, uint32_t) {
  Operands<A, B, Sum> operands;
  gatherOperands(instruction, warp, operands);
  unsigned depth = instruction.count * 4 * (4 / static_cast<unsigned>(sizeof(A)));
  Sum sums[4][lanes];
  for (unsigned r = 0; r < 4; ++r)
    for (unsigned lane = 0; lane < lanes; ++lane) {
      Sum sum = warp.at<Sum>(instruction.slots[slotC + r])[lane];
      unsigned row = lane / 4 + 8 * (r >> 1), column = 2 * (lane % 4) + (r & 1);
      for (unsigned k = 0; k < depth; ++k) {
        if constexpr (std::is_same_v<Sum, float>)
          sum += operands.a[row][k] * operands.b[k][column];
        else
          sum = static_cast<Sum>(static_cast<uint32_t>(sum) +
                                 static_cast<uint32_t>(operands.a[row][k] * operands.b[k][column]));
      }
      sums[r][lane] = sum;
    }
  for (unsigned r = 0; r < 4; ++r)
    std::memcpy(warp.at<Sum>(instruction.slots[slotD + r]), sums[r], sizeof(sums[r]));
}

template <typename B> static Handler getForSignedA(bool isSigned) {
  return isSigned ? &runMma<int8_t, B, int32_t> : &runMma<uint8_t, B, int32_t>;
}

static Handler getMma(Type a, Type b, Type sum) {
  if (sum == Type::F32 && a == b) {
    if (a == Type::Bf16)
      return &runMma<Bfloat, Bfloat, float>;
    if (a == Type::F16)
      return &runMma<Half, Half, float>;
    if (a == Type::Tf32)
      return &runMma<Tf32, Tf32, float>;
  }
  bool areBytes = getBytes(a) == 1 && getBytes(b) == 1;
  if (sum != Type::S32 || !areBytes)
    return nullptr;
  return isSigned(b) ? getForSignedA<int8_t>(isSigned(a)) : getForSignedA<uint8_t>(isSigned(a));
}

/// `mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {d0, …}, {a0, …}, {b0, …}, {c0, …}`
void decodeMma(Assembly &assembly) {
  static constexpr std::pair<std::string_view, unsigned> shapes[] = {
      {"m16n8k4", 4}, {"m16n8k8", 8}, {"m16n8k16", 16}, {"m16n8k32", 32}};
  unsigned depth = 0;
  for (auto [name, k] : shapes)
    if (assembly.take(name))
      depth = k;
  if (!assembly.take("sync") || !assembly.take("aligned") || !assembly.take("row") || !assembly.take("col") || !depth)
    return assembly.fail("expected `mma.sync.aligned` of m16n8, `.row.col`");
  Type d = assembly.takeType(), a = assembly.takeType(), b = assembly.takeType(), c = assembly.takeType();
  if (!assembly.expect(4))
    return;
  unsigned half = 16 / getBytes(a), halves = depth / half;
  if (depth % half != 0 || halves < 1 || halves > 2 || c != d)
    return assembly.fail("the types do not fit the shape");
  assembly.writeList(0, d, slotD, 4);
  assembly.readList(1, Type::B32, slotA, 2 * halves);
  assembly.readList(2, Type::B32, slotB, halves);
  assembly.readList(3, c, slotC, 4);
  assembly.instruction.count = static_cast<uint8_t>(halves);
  assembly.instruction.flow = Flow::Gather;
  assembly.set(getMma(a, b, d));
  assembly.finish();
}

/// Matrices of 8 × 8 with 16 bits each: lane 8 m + i has the address of row i of matrix m, and lane 4 i + j gets
/// elements 2 j and 2 j + 1 of row i, transposed of column i.
static void runLoadMatrix(const Instruction &instruction, Warp &warp, uint32_t) {
  unsigned count = instruction.count;
  uint32_t needed = count == 4 ? allLanes : (uint32_t{1} << 8 * count) - 1;
  std::array<std::byte *, lanes> places;
  if (!resolveShared(instruction, warp, needed, 16, places))
    return;
  bool isTransposed = instruction.target;
  for (unsigned m = 0; m < count; ++m) {
    uint16_t matrix[8][8];
    for (unsigned i = 0; i < 8; ++i)
      std::memcpy(matrix[i], places[8 * m + i], sizeof(matrix[i]));
    uint32_t *result = warp.at<uint32_t>(instruction.slots[m]);
    for (unsigned lane = 0; lane < lanes; ++lane) {
      unsigned i = lane / 4, j = 2 * (lane % 4);
      uint32_t low = isTransposed ? matrix[j][i] : matrix[i][j];
      uint32_t high = isTransposed ? matrix[j + 1][i] : matrix[i][j + 1];
      result[lane] = high << 16 | low;
    }
  }
}

void decodeLoadMatrix(Assembly &assembly) {
  if (!assembly.take("sync") || !assembly.take("aligned") || !assembly.take("m8n8") || !assembly.take("b16"))
    return assembly.fail("expected `ldmatrix.sync.aligned.m8n8` of `.b16`");
  unsigned count = assembly.take("x1") ? 1 : assembly.take("x2") ? 2 : assembly.take("x4") ? 4 : 0;
  assembly.instruction.target = assembly.take("trans");
  if (count == 0 || !assembly.expect(2) || !(assembly.take("shared") || assembly.take("shared::cta")))
    return assembly.fail("expected `.x1`, `.x2` or `.x4`, `.shared` and two operands");
  assembly.writeList(0, Type::B32, 0, count);
  assembly.setAddress(1, Space::Shared);
  assembly.instruction.count = static_cast<uint8_t>(count);
  assembly.instruction.flow = Flow::Gather;
  assembly.set(&runLoadMatrix);
  assembly.finish();
}

} // namespace quern::ptx
