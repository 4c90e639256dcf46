//===- faults.cpp - what kernels and modules do wrong ------------------------------------------===//
//
// Prints the error of each fault; the interpreter's own line is on the standard error.
//
//===------------------------------------------------------------------------------------------===//

#include "test/unit/ptx/Device.h"

#include <cstdio>

using namespace quern::test;

static const char *getName(int error) {
  const char *text = nullptr;
  cuGetErrorName(error, &text);
  return text ? text : "?";
}

/// A launch with 60 bytes of memory, of which the kernel knows the address, and `shared` bytes of shared memory.
static void launch(const char *what, const std::string &body, unsigned threads = 1, unsigned shared = 0) {
  Device device;
  uint64_t memory = device.allocate(60);
  std::fprintf(stderr, "%s:\n", what);
  int error = device.run(makeKernel(1, body), {1, 1, 1}, {threads, 1, 1}, shared, memory);
  // The error stays.
  int later = cuMemFree_v2(memory);
  std::fprintf(stderr, "%s, then %s\n\n", getName(error), getName(later));
}

static void load(const char *what, const std::string &text) {
  Device device;
  void *module = nullptr;
  std::fprintf(stderr, "%s:\n", what);
  int error = cuModuleLoadData(&module, text.c_str());
  std::fprintf(stderr, "%s\n", getName(error));
}

static void testMemory() {
  launch("behind the allocation", "ld.global.u32 %r2, [%rd1+64];");
  launch("across its end", "ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1+48];");
  launch("before it", "st.global.u8 [%rd1+-1], %r1;");
  launch("of no allocation", "mov.u64 %rd2, 4096; ld.global.u32 %r2, [%rd2];");
  launch("of a later thread",
         "shl.b32 %r2, %r1, 2; cvt.u64.u32 %rd2, %r2; add.s64 %rd1, %rd1, %rd2; st.global.u32 [%rd1], 0;", 40);
  launch("generic", "add.s64 %rd1, %rd1, 128; ld.u32 %r2, [%rd1];");
  launch("misaligned", "ld.global.u32 %r2, [%rd1+2];");
  launch("misaligned vector", "ld.global.v2.u32 {%r2, %r3}, [%rd1+4];");
  launch("atomic", "atom.global.add.u32 %r2, [%rd1+64], 1;");
  launch("behind shared memory", "mov.u32 %r2, 0; ld.shared.u32 %r3, [%r2+16];", 1, 16);
  launch("misaligned shared memory", "mov.u32 %r2, 6; st.shared.u32 [%r2], 0;", 1, 16);
  launch("no shared memory", "mov.u32 %r2, 0; st.shared.u8 [%r2], 0;");
  launch("local memory", ".local .b8 own[16]; mov.u64 %rd2, own; ld.local.u32 %r2, [%rd2+16];");
  launch("copied to", "mov.u32 %r2, 16; cp.async.cg.shared.global [%r2], [%rd1], 16;", 1, 16);
  launch("copied from", "mov.u32 %r2, 0; cp.async.cg.shared.global [%r2], [%rd1+64], 16;", 1, 16);
  launch("ldmatrix", "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, %r3, %r4, %r5}, [%r1];", 32, 4096);
}

/// Memory that was given back.
static void testFreed() {
  Device device;
  std::fprintf(stderr, "freed:\n");
  uint64_t memory = device.allocate(64), other = device.allocate(64);
  cuMemFree_v2(memory);
  int error = device.run(makeKernel(2, "ld.global.u32 %r2, [%rd1]; st.global.u32 [%rd2], %r2;"), {1, 1, 1}, {1, 1, 1},
                         0, memory, other);
  std::fprintf(stderr, "%s\n", getName(error));
}

static void testWaiting() {
  launch("some have ended", "setp.ge.u32 %p1, %r1, 40; @%p1 ret; bar.sync 0;", 64);
  launch("another barrier", "setp.ge.u32 %p1, %r1, 32; @%p1 bra $other; bar.sync 0; ret;\n$other: bar.sync 1;", 64);
  launch("another place", "setp.ge.u32 %p1, %r1, 8; @%p1 bra $other; bar.sync 0; ret;\n$other: bar.sync 0;", 32);
  launch("lanes that do not come", "setp.ge.u32 %p1, %r1, 8; @%p1 ret; shfl.sync.bfly.b32 %r2, %r1, 1, 31, -1;", 32);
  launch("half of a warp",
         "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r2, %r3, %r4, %r5}, {%r2, %r3, %r4, %r5},"
         "{%r2, %r3}, {%r2, %r3, %r4, %r5};",
         16);
  launch("not in the mask", "shfl.sync.bfly.b32 %r2, %r1, 1, 31, 1;", 2);
  launch("a loop without an end", "$again: add.u32 %r1, %r1, 1; bra $again;", 32);
  launch("a trap", "trap;");
}

static std::string function(const std::string &body) { return makeKernel(1, body); }

static void testModules() {
  load("unknown instruction", function("frobnicate.u32 %r2, %r3;"));
  load("unknown modifier", function("add.rx.u32 %r2, %r2, %r3;"));
  load("unknown type", function("popc.f32 %r2, %r3;"));
  load("unknown register", function("add.u32 %r2, %r3, %r64;"));
  load("unknown label", function("bra $nowhere;"));
  load("wrong size", function("add.u32 %r2, %r3, %rd1;"));
  load("wrong kind", function("add.u32 %r2, %r3, %p1;"));
  load("too few operands", function("add.u32 %r2, %r3;"));
  load("not an address", function("ld.global.u32 %r2, %rd1;"));
  load("an address as a number", function("st.shared.u32 [16], 0;"));
  load("an integer as a float", function("add.f32 %r2, %r3, 1;"));
  load("no function", function("call other, ();"));
  load("recursion", header + ".func f { call f; ret; }\n.entry k() { call f; ret; }\n");
  load("no end", header + ".entry k() { mov.u32 %r1, 0;");
  load("no name", header + ".entry (");
  load("no number", header + ".shared .b8 x[0x];");
  load("strange character", header + ".entry k() { # }");
  load("no version", ".entry k() { ret; }");
  load("newer version", ".version 99.0\n.target sm_80\n.address_size 64\n");
  load("newer device", ".version 7.0\n.target sm_100\n.address_size 64\n");
  load("not text", "\x7f"
                   "ELF");
  load("nothing", "");
}

/// Texts that end anywhere, or have one character changed, are refused or loaded, and that is all.
static void testDamage() {
  Device device;
  std::string text = makeKernel(2,
                                ".shared .align 4 .b8 s[16]; @!%p1 bra $end; st.shared.v2.u32 [s+8], {%r1, -5};\n"
                                "mov.b32 %r2, 0f3F800000; setp.lt.and.f32 %p1|%p2, %r2, 0d3FF0000000000000, !%p3;\n"
                                "{ .param .b32 x; st.param.b32 [x], %r1; call.uni f, (x); }\n$end:",
                                ".const .f32 c[2] = {1.0, 0f00000000};\n.func f(.param .b32 a) { ret; }\n");
  unsigned loaded = 0;
  auto load = [&](const std::string &damaged) {
    void *module = nullptr;
    if (cuModuleLoadData(&module, damaged.c_str()) == 0) {
      ++loaded;
      cuModuleUnload(module);
    }
  };
  for (size_t i = 0; i < text.size(); ++i) {
    load(text.substr(0, i));
    for (char c : {'(', '}', '[', '.', '9', ';', '%', '-', '"'}) {
      std::string damaged = text;
      damaged[i] = c;
      load(damaged);
    }
  }
  std::printf("%s\n", loaded > 0 ? "damaged texts: some still load" : "damaged texts: none loads");
}

int main(int argc, char **argv) {
  if (argc > 1 && std::string(argv[1]) == "damage") {
    testDamage();
    return 0;
  }
  testMemory();
  testFreed();
  testWaiting();
  testModules();
  return 0;
}
