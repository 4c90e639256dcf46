//===- memory.cpp - loads, stores, atomics, asynchronous copies and calls ----------------------===//

#include "test/unit/Check.h"
#include "test/unit/ptx/Device.h"

#include <cmath>
#include <cstring>
#include <numeric>

using namespace quern::test;

static Checks checks;

/// Each type, as a register holds it: signs extended, the rest zero; and vectors.
static void testLoads(Device &device) {
  std::vector<uint8_t> bytes{0x80, 0xff, 0x01, 0x7f, 0xfe, 0x00, 0x10, 0x90, 1, 2, 3, 4, 5, 6, 7, 8};
  uint64_t source = device.upload(bytes), result = device.allocate(8 * 16);
  std::string body =
      "ld.global.u8 %h1, [%rd2]; cvt.u64.u16 %rd3, %h1; st.global.u64 [%rd1], %rd3;\n"
      "ld.global.s8 %r2, [%rd2+1]; cvt.s64.s32 %rd3, %r2; st.global.u64 [%rd1+8], %rd3;\n"
      "ld.global.s16 %rd3, [%rd2+6]; st.global.u64 [%rd1+16], %rd3;\n"
      "ld.global.nc.v2.u16 {%h1, %h2}, [%rd2]; mov.b32 %r2, {%h2, %h1}; st.global.u32 [%rd1+24], %r2;\n"
      "ld.global.v4.u8 {%r2, %r3, %r4, %r5}, [%rd2+4]; st.global.v4.b8 [%rd1+28], {%r5, %r4, %r3, %r2};\n"
      "ld.global.L1::no_allocate.v4.b32 {%r2, %r3, %r4, %r5}, [%rd2];\n"
      "st.global.v4.b32 [%rd1+32], {%r5, %r4, %r3, %r2};\n"
      "ld.volatile.global.v2.f64 {%rd3, %rd4}, [%rd2]; st.global.cs.v2.b64 [%rd1+48], {%rd4, %rd3};\n"
      "add.s64 %rd5, %rd2, 16; ld.b32 %r2, [%rd5+-4]; st.b32 [%rd1+64], %r2;\n"
      "st.global.v2.b32 [%rd1+72], {7, -1}; st.global.v2.u8 [%rd1+80], {%r2, 9};\n";
  checks.equal(device.run(makeKernel(2, body), {1, 1, 1}, {1, 1, 1}, 0, result, source), 0);
  std::vector<uint8_t> found = device.download<uint8_t>(result, 88);
  std::vector<uint8_t> expected{0x80, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  auto add = [&](std::initializer_list<int> more) {
    for (int value : more)
      expected.push_back(static_cast<uint8_t>(value));
  };
  add({0x10, 0x90, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x7f, 0x80, 0xff, 0x90, 0x10, 0, 0xfe});
  add({5, 6, 7, 8, 1, 2, 3, 4, 0xfe, 0, 0x10, 0x90, 0x80, 0xff, 1, 0x7f});
  add({1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0xff, 1, 0x7f, 0xfe, 0, 0x10, 0x90});
  // The rest of the first word behind is as it was.
  add({5,    6,    7,    8,    0xff, 0xff, 0xff, 0xff, 7,    0,    0,    0,
       0xff, 0xff, 0xff, 0xff, 5,    9,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  for (size_t i = 0; i < found.size(); ++i)
    if (!checks.equal(int(found[i]), int(expected[i])))
      std::cerr << "of byte " << i << "\n";
}

/// Variables of modules; shared and local memory, also by generic addresses; parameters that are arrays.
static void testSpaces(Device &device) {
  std::string before =
      ".global .align 4 .u32 counter = 5;\n.const .align 4 .f32 table[4] = {0f3F800000, 0f40000000, 3.0};\n"
      ".shared .align 16 .b8 fixed[64];\n.extern .shared .align 16 .b8 rest[];\n"
      ".global .align 8 .b8 unused[0x10];\n";
  std::string body =
      ".local .align 8 .b8 own[16];\n"
      "ld.global.u32 %r2, [counter]; add.u32 %r2, %r2, 1; st.global.u32 [counter], %r2;\n"
      "st.global.u32 [%rd1], %r2;\n"
      "ld.const.f32 %r3, [table+4]; mov.u64 %rd3, table; ld.const.f32 %r4, [%rd3+8];\n"
      "ld.const.f32 %r5, [table+12]; st.global.v2.u32 [%rd1+8], {%r3, %r4}; st.global.u32 [%rd1+4], %r5;\n"
      "st.shared.u32 [fixed+60], 17; st.shared.u32 [rest], 18; mov.u32 %r6, rest;\n"
      "st.shared.u32 [%r6+4], 19; cvt.u64.u32 %rd3, %r6; cvta.shared.u64 %rd3, %rd3;\n"
      "ld.u32 %r7, [%rd3+-4]; ld.v2.u32 {%r8, %r9}, [%rd3]; st.global.v4.u32 [%rd1+16], {%r6, %r7, %r8, %r9};\n"
      "mov.u64 %rd4, own; st.local.u64 [own+8], %rd1; cvta.local.u64 %rd5, %rd4; ld.u64 %rd6, [%rd5+8];\n"
      "sub.s64 %rd6, %rd6, %rd1; st.global.u64 [%rd1+32], %rd6; isspacep.shared %p1, %rd3;\n"
      "isspacep.local %p2, %rd3; selp.u32 %r2, 1, 0, %p1; selp.u32 %r3, 1, 0, %p2;\n"
      "st.global.v2.u32 [%rd1+40], {%r2, %r3};\n";
  uint64_t result = device.allocate(48);
  checks.equal(device.run(makeKernel(1, body, before), {1, 1, 1}, {1, 1, 1}, 8, result), 0);
  std::vector<uint32_t> expected{6, 0, 0x40000000, 0x40400000, 64, 17, 18, 19, 0, 0, 1, 0};
  std::vector<uint32_t> found = device.download<uint32_t>(result, 12);
  for (size_t i = 0; i < expected.size(); ++i)
    if (!checks.equal(found[i], expected[i]))
      std::cerr << "of word " << i << "\n";

  std::string array = header +
                      ".entry k(.param .u8 a, .param .align 8 .b8 b[24], .param .u64 .ptr .global .align 4 c) {\n"
                      ".reg .b32 %r<3>; .reg .b64 %rd<3>; ld.param.u64 %rd1, [c]; ld.param.v2.u32 {%r0, %r1}, [b+8];\n"
                      "ld.param.u8 %r2, [a]; add.u32 %r0, %r0, %r2; mov.u64 %rd2, b; ld.param.u32 %r2, [%rd2+20];\n"
                      "st.global.v2.u32 [%rd1], {%r0, %r1}; st.global.u32 [%rd1+8], %r2; }\n";
  std::array<uint32_t, 6> b{1, 2, 3, 4, 5, 6};
  checks.equal(device.run(array, {1, 1, 1}, {1, 1, 1}, 0, uint8_t{100}, b, result), 0);
  checks.that(device.download<uint32_t>(result, 3) == std::vector<uint32_t>{103, 4, 6});
}

static void testGlobals(Device &) {
  void *module = nullptr;
  std::string text = header + ".visible .global .align 4 .u32 counter[3] = {1, 2};\n";
  checks.equal(cuModuleLoadData(&module, text.c_str()), 0);
  uint64_t address = 0;
  size_t bytes = 0;
  checks.equal(cuModuleGetGlobal_v2(&address, &bytes, module, "counter"), 0);
  checks.equal(bytes, size_t{12});
  uint32_t values[3];
  checks.equal(cuMemcpyDtoH_v2(values, address, sizeof(values)), 0);
  checks.that(values[0] == 1 && values[1] == 2 && values[2] == 0);
  checks.equal(cuModuleGetGlobal_v2(&address, &bytes, module, "other"), int(NotFound));
  cuModuleUnload(module);
}

/// Many threads of many blocks at one place.
static void testAtomics(Device &device) {
  std::string body =
      "mov.u32 %r3, %ctaid.x; mad.lo.u32 %r4, %r3, 128, %r1; cvt.rn.f32.u32 %r5, 1;\n"
      "red.global.add.u32 [%rd1], 1; atom.global.add.f32 %r6, [%rd1+4], 0f3F800000;\n"
      "atom.global.max.s32 %r6, [%rd1+8], %r4; atom.global.min.u32 %r6, [%rd1+12], %r4;\n"
      "shl.b32 %r7, 1, %r3; atom.relaxed.gpu.global.or.b32 %r6, [%rd1+16], %r7;\n"
      "atom.global.inc.u32 %r6, [%rd1+20], 9; red.global.add.u64 [%rd1+24], 3;\n"
      "atom.global.exch.b32 %r6, [%rd1+32], 77;\n"
      "retry: ld.global.u32 %r8, [%rd1+36]; add.u32 %r9, %r8, 2; atom.global.cas.b32 %r10, [%rd1+36], %r8, %r9;\n"
      "setp.ne.u32 %p1, %r10, %r8; @%p1 bra retry;\n";
  std::vector<uint32_t> zeros(10, 0);
  zeros[3] = 1000;
  uint64_t place = device.upload(zeros);
  checks.equal(device.run(makeKernel(1, body), {80, 1, 1}, {128, 1, 1}, 0, place), 0);
  std::vector<uint32_t> found = device.download<uint32_t>(place, 10);
  float sum;
  std::memcpy(&sum, &found[1], 4);
  checks.equal(found[0], 80u * 128);
  checks.equal(sum, 80.0f * 128);
  checks.equal(found[2], 80u * 128 - 1);
  checks.equal(found[3], 0u);
  checks.equal(found[4], 0xffffffffu);
  checks.equal(found[5], 80u * 128 % 10);
  checks.equal(found[6], 3u * 80 * 128);
  checks.equal(found[8], 77u);
  checks.equal(found[9], 2u * 80 * 128);
}

/// Two groups in flight: what is not waited for yet is no number.
static std::string makeCopies(const std::string &wait) {
  return makeKernel(2, "mul.lo.u32 %r3, %r1, 16; cvt.u64.u32 %rd3, %r3; add.s64 %rd4, %rd2, %rd3;\n"
                       "cp.async.cg.shared.global [%r3], [%rd4], 16; cp.async.commit_group;\n"
                       "cp.async.ca.shared.global.L2::128B [%r3+1024], [%rd4+4], 4; mov.u32 %r4, 3;\n"
                       "cp.async.ca.shared.global [%r3+1032], [%rd4], 8, %r4; cp.async.commit_group;\n" +
                           wait +
                           "bar.sync 0; xor.b32 %r3, %r3, 16; ld.shared.v4.b32 {%r5, %r6, %r7, %r8}, [%r3];\n"
                           "ld.shared.v4.b32 {%r9, %r10, %r11, %r12}, [%r3+1024]; add.s64 %rd4, %rd1, %rd3;\n"
                           "add.s64 %rd4, %rd4, %rd3; st.global.v4.b32 [%rd4], {%r5, %r6, %r7, %r8};\n"
                           "st.global.v4.b32 [%rd4+16], {%r9, %r10, %r11, %r12};");
}

static void testAsyncCopies(Device &device) {
  std::vector<uint32_t> values(64 * 4);
  std::iota(values.begin(), values.end(), 0x01020300);
  uint64_t source = device.upload(values), result = device.allocate(64 * 32);
  auto run = [&](const std::string &wait) {
    checks.equal(device.run(makeCopies(wait), {1, 1, 1}, {64, 1, 1}, 2048, result, source), 0);
    return device.download<uint32_t>(result, 64 * 8);
  };
  uint32_t none = 0xffffffff;
  std::vector<uint32_t> first{values[4], values[5], values[6], values[7]};
  auto equals = [&](const std::vector<uint32_t> &found, std::vector<uint32_t> expected) {
    for (size_t i = 0; i < expected.size(); ++i)
      checks.equal(found[i], expected[i]);
  };
  equals(run("cp.async.wait_group 0;\n"),
         {first[0], first[1], first[2], first[3], values[5], none, values[4] & 0xffffff, 0});
  equals(run("cp.async.wait_all;\n"), {first[0], first[1], first[2], first[3], values[5], none});
  equals(run("cp.async.wait_group 1;\n"), {first[0], first[1], first[2], first[3], none, none, none, none});
  equals(run(""), {none, none, none, none, none, none, none, none});
}

/// Functions in the module, one calling another, with a result and local memory of their own.
static void testCalls(Device &device) {
  std::string before = ".func (.param .b32 r) twice(.param .b32 x) { .reg .b32 %v<2>; ld.param.b32 %v0, [x];\n"
                       "add.u32 %v1, %v0, %v0; st.param.b32 [r], %v1; ret; }\n"
                       ".func (.param .b32 r) early(.param .b32 x, .param .align 8 .b8 y[16]) {\n"
                       ".reg .b32 %v<4>; .reg .pred %p; ld.param.b32 %v0, [x]; ld.param.b32 %v1, [y+12];\n"
                       "st.param.b32 [r], %v1; setp.gt.u32 %p, %v0, 4; @%p bra $done; @%p trap;\n"
                       "{ .param .b32 a; .param .b32 b; st.param.b32 [a], %v0; call.uni (b), twice, (a);\n"
                       "ld.param.b32 %v2, [b]; } st.param.b32 [r], %v2; ret;\n$done: ret; }\n"
                       ".func nothing { ret; }\n";
  std::string body =
      "{ .param .b32 a; .param .align 8 .b8 b[16]; .param .b32 c; st.param.b32 [a], %r1;\n"
      "st.param.v2.b32 [b+8], {5, 1000}; call (c), early, (a, b); ld.param.b32 %r2, [c]; call nothing; }\n" +
      storeResult;
  uint64_t result = device.allocate(32 * 4);
  checks.equal(device.run(makeKernel(1, body, before), {1, 1, 1}, {32, 1, 1}, 0, result), 0);
  std::vector<uint32_t> found = device.download<uint32_t>(result, 32);
  for (uint32_t i = 0; i < 32; ++i)
    checks.equal(found[i], i > 4 ? 1000 : 2 * i);
}

/// Nobody has written the memory, a register or the shared memory.
static void testUnwritten(Device &device) {
  std::string body =
      "mov.u32 %r5, 0; ld.shared.f32 %r3, [%r5]; st.global.f32 [%rd1], %r3; st.global.f32 [%rd1+4], %r4;\n";
  uint64_t result = device.allocate(12);
  checks.equal(device.run(makeKernel(1, body), {1, 1, 1}, {1, 1, 1}, 16, result), 0);
  for (float value : device.download<float>(result, 3))
    checks.that(std::isnan(value));
}

int main() {
  Device device;
  testLoads(device);
  testSpaces(device);
  testGlobals(device);
  testAtomics(device);
  testAsyncCopies(device);
  testCalls(device);
  testUnwritten(device);
  return checks.status();
}
