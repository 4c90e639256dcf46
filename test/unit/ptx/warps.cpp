//===- warps.cpp - lanes that part and meet, exchange values and multiply matrices -------------===//

#include "test/unit/Check.h"
#include "test/unit/ptx/Device.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

using namespace quern::test;

static Checks checks;

/// Runs `body`, which leaves a result in %r2, on one block, and checks it for each thread.
static void checkThreads(Device &device, const std::string &body, unsigned threads, unsigned shared,
                         const std::function<uint32_t(uint32_t)> &expected,
                         std::source_location where = std::source_location::current()) {
  uint64_t result = device.allocate(threads * 4);
  if (!checks.equal(device.run(makeKernel(1, body + storeResult), {1, 1, 1}, {threads, 1, 1}, shared, result), 0,
                    where))
    return;
  std::vector<uint32_t> found = device.download<uint32_t>(result, threads);
  for (uint32_t i = 0; i < threads; ++i)
    if (!checks.equal(found[i], expected(i), where))
      std::cerr << "of thread " << i << "\n";
  cuMemFree_v2(result);
}

static void testFlow(Device &device) {
  // Loops of different lengths, with a branch inside.
  std::string collatz = "add.u32 %r3, %r1, 1; mov.u32 %r2, 0;\n"
                        "$loop: setp.eq.u32 %p1, %r3, 1; @%p1 bra $end; add.u32 %r2, %r2, 1; and.b32 %r4, %r3, 1;\n"
                        "setp.ne.u32 %p2, %r4, 0; @%p2 bra $odd; shr.u32 %r3, %r3, 1; bra.uni $loop;\n"
                        "$odd: mad.lo.u32 %r3, %r3, 3, 1; bra $loop;\n$end:\n";
  checkThreads(device, collatz, 100, 0, [](uint32_t i) {
    uint32_t steps = 0;
    for (uint64_t n = i + 1; n != 1; ++steps)
      n = n % 2 ? 3 * n + 1 : n / 2;
    return steps;
  });
  checkThreads(device, "mov.u32 %r2, 1; setp.lt.u32 %p1, %r1, 5; @!%p1 add.u32 %r2, %r2, 6;\n", 40, 0,
               [](uint32_t i) { return i < 5 ? 1 : 7; });
  checkThreads(device,
               "mov.u32 %r2, %laneid; mov.u32 %r3, %warpid; mad.lo.u32 %r2, %r3, 100, %r2; mov.u32 %r3, %ntid.x;\n"
               "mad.lo.u32 %r2, %r3, 1000, %r2;\n",
               70, 0, [](uint32_t i) { return 70000 + i / 32 * 100 + i % 32; });
}

/// A branch to one of several places.
static void testTable(Device &device) {
  std::string text = "and.b32 %r3, %r1, 3;\n$list: .branchtargets $a, $b, $c, $a;\nbrx.idx %r3, $list;\n"
                     "$a: mov.u32 %r2, 10; bra $end;\n$b: mov.u32 %r2, 20; bra $end;\n$c: mov.u32 %r2, 30;\n$end:\n";
  checkThreads(device, text, 32, 0, [](uint32_t i) { return i % 4 == 1 ? 20 : i % 4 == 2 ? 30 : 10; });
}

/// Pairs of 16 bits, which sm_90 has.
static void testPairs(Device &device) {
  std::string text = makeKernel(1, "mov.b32 %r3, 0x7fff0005; add.u32 %r4, %r1, 0xfffe0003; add.s16x2 %r5, %r3, %r4;\n"
                                   "max.s16x2 %r6, %r3, %r4; min.u16x2 %r7, %r3, %r4; xor.b32 %r2, %r5, %r6;\n"
                                   "xor.b32 %r2, %r2, %r7;\n" +
                                       storeResult);
  text.replace(0, header.size(), ".version 8.0\n.target sm_90\n.address_size 64\n");
  uint64_t result = device.allocate(4);
  checks.equal(device.run(text, {1, 1, 1}, {1, 1, 1}, 0, result), 0);
  checks.equal(device.download<uint32_t>(result, 1)[0], 0x7ffd0008u ^ 0x7fff0005u ^ 0x7fff0003u);
}

static void testBarriers(Device &device) {
  // A sum of all threads by halves.
  std::string sum =
      "shl.b32 %r3, %r1, 2; st.shared.u32 [%r3], %r1; mov.u32 %r4, 64;\n"
      "$loop: bar.sync 0; setp.ge.u32 %p1, %r1, %r4; @%p1 bra $skip; shl.b32 %r5, %r4, 2;\n"
      "add.u32 %r5, %r5, %r3; ld.shared.u32 %r6, [%r5]; ld.shared.u32 %r7, [%r3]; add.u32 %r6, %r6, %r7;\n"
      "st.shared.u32 [%r3], %r6;\n$skip: shr.u32 %r4, %r4, 1; setp.ne.u32 %p1, %r4, 0; @%p1 bra $loop;\n"
      "barrier.sync 0; mov.u32 %r3, 0; ld.shared.u32 %r2, [%r3];\n";
  checkThreads(device, sum, 128, 512, [](uint32_t) { return 127 * 64; });
  // The upper warp writes and does not wait; the lower one waits for both, at a barrier of its own.
  std::string pair = "mov.u32 %r2, 0; setp.ge.u32 %p1, %r1, 32; @!%p1 bra $wait; shl.b32 %r3, %r1, 2;\n"
                     "st.shared.u32 [%r3], %r1; membar.cta; bar.arrive 3, 64; bra $end;\n"
                     "$wait: bar.sync 3, 64; shl.b32 %r3, %r1, 2; ld.shared.u32 %r2, [%r3+128];\n$end:\n";
  checkThreads(device, pair, 64, 256, [](uint32_t i) { return i < 32 ? i + 32 : 0; });
}

static void testExchange(Device &device) {
  auto value = [](uint32_t lane) { return lane * 3 + 1; };
  std::string make = "mad.lo.u32 %r3, %r1, 3, 1;\n";
  checkThreads(device, make + "shfl.sync.bfly.b32 %r2, %r3, 5, 31, -1;\n", 32, 0,
               [=](uint32_t i) { return value(i ^ 5); });
  checkThreads(device, make + "shfl.sync.down.b32 %r2|%p1, %r3, 7, 31, 0xffffffff; @!%p1 add.u32 %r2, %r2, 1000;\n", 32,
               0, [=](uint32_t i) { return i + 7 < 32 ? value(i + 7) : value(i) + 1000; });
  checkThreads(device, make + "shfl.sync.up.b32 %r2, %r3, 2, 0, -1;\n", 32, 0,
               [=](uint32_t i) { return value(i < 2 ? i : i - 2); });
  // Segments of eight lanes: 0x1800 is 24 in bits 8 to 12.
  checkThreads(device, make + "shfl.sync.idx.b32 %r2, %r3, 3, 0x181f, -1;\n", 64, 0,
               [=](uint32_t i) { return value(i / 8 * 8 + 3); });
  // Lanes that come late, from a loop of their own.
  checkThreads(device,
               make + "mov.u32 %r4, %r1;\n$loop: setp.eq.u32 %p1, %r4, 0; @%p1 bra $meet; sub.u32 %r4, %r4, 1;\n"
                      "bra $loop;\n$meet: shfl.sync.bfly.b32 %r2, %r3, 1, 31, -1;\n",
               32, 0, [=](uint32_t i) { return value(i ^ 1); });
  checkThreads(device, "setp.gt.u32 %p1, %r1, 20; vote.sync.ballot.b32 %r2, %p1, -1;\n", 32, 0,
               [](uint32_t) { return 0xffe00000; });
  checkThreads(
      device,
      "setp.gt.u32 %p1, %r1, 20; vote.sync.any.pred %p2, !%p1, -1; vote.sync.all.pred %p3, %p1, -1;\n"
      "vote.sync.uni.pred %p4, %p3, -1; selp.u32 %r2, 1, 0, %p2; @%p3 add.u32 %r2, %r2, 2; @%p4 add.u32 %r2, %r2, 4;\n",
      32, 0, [](uint32_t) { return 5; });
  checkThreads(device,
               "setp.lt.u32 %p1, %r1, 9; mov.u32 %r2, 0; @%p1 bra $in; bra $end;\n$in: activemask.b32 %r2;\n$end:\n",
               32, 0, [](uint32_t i) { return i < 9 ? 0x1ff : 0; });
  checkThreads(device, make + "redux.sync.add.u32 %r2, %r3, -1;\n", 32, 0, [](uint32_t) { return 31 * 16 * 3 + 32; });
  checkThreads(device, "neg.s32 %r3, %r1; redux.sync.min.s32 %r2, %r3, -1;\n", 32, 0, [](uint32_t) { return -31; });
  // Two groups of lanes, each with its own members, at once.
  checkThreads(device,
               make + "setp.lt.u32 %p1, %r1, 12; selp.b32 %r4, 0xfff, 0xfffff000, %p1;\n"
                      "shfl.sync.idx.b32 %r2, %r3, 0, 31, %r4;\n",
               32, 0, [=](uint32_t i) { return i < 12 ? value(0) : 0xffffffff; });
  checkThreads(device,
               "setp.lt.u32 %p1, %r1, 8; mov.u32 %r2, 1; @!%p1 bra $end; shfl.sync.bfly.b32 %r2, %r1, 1, 31, 0xff;\n"
               "bar.warp.sync 0xff;\n$end:\n",
               32, 0, [](uint32_t i) { return i < 8 ? i ^ 1 : 1; });
}

// Matrices: what a warp holds is gathered with plain loads, element by element, and by ldmatrix.

/// Loads registers %r<first…> of A (16 × depth bytes, by rows) and of B (8 columns × depth bytes) for `mma`.
static std::string loadFragments(unsigned depthBytes) {
  std::string text = "shr.u32 %r20, %r1, 2; and.b32 %r21, %r1, 3; mul.lo.u32 %r22, %r20, " +
                     std::to_string(depthBytes) +
                     "; mad.lo.u32 %r22, %r21, 4, %r22; cvt.u64.u32 %rd10, %r22; add.s64 %rd11, %rd2, %rd10;\n"
                     "add.s64 %rd12, %rd3, %rd10;\n";
  unsigned rows = 8 * depthBytes;
  for (unsigned r = 0; r < 4; ++r)
    text +=
        "ld.global.b32 %r" + std::to_string(3 + r) + ", [%rd11+" + std::to_string(r % 2 * rows + r / 2 * 16) + "];\n";
  return text + "ld.global.b32 %r7, [%rd12]; ld.global.b32 %r8, [%rd12+16];\n";
}

/// Stores D[16 × 8] in rows, and loads C from there first.
static std::string multiply(const std::string &instruction) {
  std::string place = "mul.lo.u32 %r23, %r20, 32; mad.lo.u32 %r23, %r21, 8, %r23; cvt.u64.u32 %rd10, %r23; add.s64 "
                      "%rd10, %rd10, %rd1;\n";
  return place + "ld.global.v2.b32 {%r9, %r10}, [%rd10]; ld.global.v2.b32 {%r11, %r12}, [%rd10+256];\n" + instruction +
         " {%r9, %r10, %r11, %r12}, {%r3, %r4, %r5, %r6}, {%r7, %r8}, {%r9, %r10, %r11, %r12};\n"
         "st.global.v2.b32 [%rd10], {%r9, %r10}; st.global.v2.b32 [%rd10+256], {%r11, %r12};\n";
}

/// D = A · B + C of elements of type T, with `depth` of them in k, against sums of products.
template <typename A, typename B, typename Sum>
static void checkMma(Device &device, const std::string &instruction, unsigned depth, std::function<double(A)> getA,
                     std::function<double(B)> getB, std::function<A(uint32_t)> makeA,
                     std::function<B(uint32_t)> makeB) {
  std::mt19937 random(3);
  std::vector<A> a(16 * depth);
  std::vector<B> b(8 * depth);
  std::vector<Sum> c(16 * 8);
  for (A &value : a)
    value = makeA(random());
  for (B &value : b)
    value = makeB(random());
  for (Sum &value : c)
    value = static_cast<Sum>(static_cast<int>(random() % 2001) - 1000);
  uint64_t d = device.upload(c), left = device.upload(a), right = device.upload(b);
  std::string body = loadFragments(depth * sizeof(A)) + multiply(instruction);
  if (!checks.equal(device.run(makeKernel(3, body), {1, 1, 1}, {32, 1, 1}, 0, d, left, right), 0))
    return;
  std::vector<Sum> found = device.download<Sum>(d, 16 * 8);
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned j = 0; j < 8; ++j) {
      double sum = c[i * 8 + j];
      for (unsigned k = 0; k < depth; ++k)
        sum += getA(a[i * depth + k]) * getB(b[j * depth + k]);
      if (!checks.that(std::fabs(sum - found[i * 8 + j]) <= (std::is_same_v<Sum, float> ? 1e-3 : 0)))
        std::cerr << instruction << ": " << found[i * 8 + j] << ", expected " << sum << "\n";
    }
}

template <typename A, typename B> static void checkBytes(Device &device, const std::string &types) {
  checkMma<A, B, int32_t>(
      device, "mma.sync.aligned.m16n8k32.row.col.s32." + types + ".s32", 32, [](A v) { return double(v); },
      [](B v) { return double(v); }, [](uint32_t r) { return A(r); }, [](uint32_t r) { return B(r); });
}

static void testProducts(Device &device) {
  checkBytes<int8_t, int8_t>(device, "s8.s8");
  checkBytes<int8_t, uint8_t>(device, "s8.u8");
  checkBytes<uint8_t, int8_t>(device, "u8.s8");
  checkBytes<uint8_t, uint8_t>(device, "u8.u8");
  std::function<double(uint16_t)> getHalf = [](uint16_t v) { return double(std::bit_cast<_Float16>(v)); };
  std::function<uint16_t(uint32_t)> makeHalf = [](uint32_t r) {
    return std::bit_cast<uint16_t>(static_cast<_Float16>(static_cast<float>(r % 401) / 64 - 3));
  };
  checkMma<uint16_t, uint16_t, float>(device, "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 16, getHalf, getHalf,
                                      makeHalf, makeHalf);
  std::function<double(uint16_t)> getBrain = [](uint16_t v) { return double(std::bit_cast<float>(uint32_t(v) << 16)); };
  std::function<uint16_t(uint32_t)> makeBrain = [](uint32_t r) {
    return static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(r % 255) / 16 - 8) >> 16);
  };
  checkMma<uint16_t, uint16_t, float>(device, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 16, getBrain,
                                      getBrain, makeBrain, makeBrain);
}

/// Four matrices in shared memory, element e of row i of matrix m being 100 m + 10 i + e.
static void testLoadMatrix(Device &device) {
  std::string fill = "shl.b32 %r3, %r1, 4; shr.u32 %r4, %r1, 3; and.b32 %r5, %r1, 7; mul.lo.u32 %r6, %r4, 100; "
                     "mad.lo.u32 %r6, %r5, 10, %r6;\n";
  for (unsigned e = 0; e < 8; ++e)
    fill += "add.u32 %r7, %r6, " + std::to_string(e) + "; cvt.u16.u32 %h1, %r7; st.shared.u16 [%r3+" +
            std::to_string(2 * e) + "], %h1;\n";
  fill += "bar.sync 0;\n";
  auto element = [](uint32_t m, uint32_t i, uint32_t e) { return 100 * m + 10 * i + e; };
  for (uint32_t m = 0; m < 4; ++m) {
    std::string register2 = "mov.b32 %r2, %r" + std::to_string(10 + m) + ";\n";
    checkThreads(
        device, fill + "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%r3];\n" + register2, 32,
        512, [=](uint32_t l) { return element(m, l / 4, l % 4 * 2 + 1) << 16 | element(m, l / 4, l % 4 * 2); });
  }
  checkThreads(device, fill + "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r10, %r2}, [%r3];\n", 32, 512,
               [=](uint32_t l) { return element(1, l % 4 * 2 + 1, l / 4) << 16 | element(1, l % 4 * 2, l / 4); });
}

int main() {
  Device device;
  testFlow(device);
  testTable(device);
  testPairs(device);
  testBarriers(device);
  testExchange(device);
  testProducts(device);
  testLoadMatrix(device);
  return checks.status();
}
