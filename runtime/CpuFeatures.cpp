//===- CpuFeatures.cpp - what this machine's CPU can do ----------------------------------------===//

#include "runtime/CpuFeatures.h"

#include <cstdint>
#include <iterator>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace quern::runtime {

namespace {

enum Register { Eax, Ebx, Ecx, Edx };

/// Registers that the system saves for a program: bits of XCR0.
enum class State : uint64_t { None = 0, Ymm = 0x6, Zmm = 0xe6, Tile = 0x60000 };

struct Feature {
  std::string_view name;
  uint32_t leaf;
  uint32_t subleaf;
  Register reg;
  uint8_t bit;
  State state;
};

constexpr Feature features[] = {
#define CPU_FEATURE(name, leaf, subleaf, reg, bit, state) {name, leaf, subleaf, reg, bit, State::state},
#include "runtime/CpuFeatures.def"
#undef CPU_FEATURE
};

} // namespace

unsigned countKnownCpuFeatures() { return std::size(features); }
std::string_view getKnownCpuFeature(unsigned index) { return features[index].name; }

#if defined(__x86_64__)

static uint32_t readRegister(const Feature &feature) {
  uint32_t values[4] = {};
  if (!__get_cpuid_count(feature.leaf, feature.subleaf, &values[Eax], &values[Ebx], &values[Ecx], &values[Edx]))
    return 0;
  return values[feature.reg];
}

/// Whether the system saves the registers of `state` for this program.
static bool isStateUsable(State state) {
  if (state == State::None)
    return true;
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr uint32_t osxsave = 1u << 27;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & osxsave))
    return false;
  uint32_t low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  uint64_t mask = static_cast<uint64_t>(state);
  if ((((uint64_t{high} << 32) | low) & mask) != mask)
    return false;
  // Linux gives tiles only to programs that ask: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
  return state != State::Tile || syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

bool hasCpuFeature(std::string_view name) {
  for (const Feature &feature : features)
    if (feature.name == name)
      return (readRegister(feature) >> feature.bit & 1) && isStateUsable(feature.state);
  return false;
}

#else

bool hasCpuFeature(std::string_view) { return false; }

#endif

} // namespace quern::runtime
