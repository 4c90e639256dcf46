//===- Limits.cpp - what this machine can do at most -------------------------------------------===//
//
// The loops are compiled for instructions that the processor is asked for first,
// so that the program itself runs anywhere.
//
//===------------------------------------------------------------------------------------------===//

#include "runtime/Limits.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <immintrin.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace quern::runtime {
namespace {

/// As many sums as hide the latency of the two units that add to them.
constexpr int sums = 12;
constexpr int64_t steps = 20000;

/// Runs once and returns how many operations, or bytes, that was.
using Work = double (*)(const uint8_t *memory, uint64_t bytes);

/// `sums` sums of `Vector`, each extended `steps` times by `EXTEND`; the empty assembly keeps their values.
#define QUERN_PROBE(name, features, Vector, zero, extend, operations)                                                  \
  __attribute__((target(features))) double name(const uint8_t *, uint64_t) {                                           \
    Vector sum[sums];                                                                                                  \
    for (Vector &value : sum)                                                                                          \
      value = zero;                                                                                                    \
    Vector a = zero, b = zero;                                                                                         \
    asm volatile("" : "+v"(a), "+v"(b));                                                                               \
    for (int64_t step = 0; step < steps; ++step) {                                                                     \
      _Pragma("unroll") for (int i = 0; i < sums; ++i) sum[i] = extend;                                                \
    }                                                                                                                  \
    for (Vector &value : sum)                                                                                          \
      asm volatile("" : "+v"(value));                                                                                  \
    return double(steps) * sums * (operations);                                                                        \
  }

QUERN_PROBE(fma256, "avx2,fma", __m256, _mm256_setzero_ps(), _mm256_fmadd_ps(a, b, sum[i]), 8 * 2)
QUERN_PROBE(fma512, "avx512f", __m512, _mm512_setzero_ps(), _mm512_fmadd_ps(a, b, sum[i]), 16 * 2)
// A sum of its own is part of each step, so that no step can be left out.
QUERN_PROBE(bytes256, "avx2", __m256i, _mm256_setzero_si256(),
            _mm256_add_epi32(sum[i], _mm256_madd_epi16(_mm256_maddubs_epi16(sum[i], a), b)), 8 * 4 * 2)
QUERN_PROBE(bytes512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), _mm512_dpbusd_epi32(sum[i], a, b),
            16 * 4 * 2)
QUERN_PROBE(bf16512, "avx512f,avx512bf16", __m512, _mm512_setzero_ps(),
            _mm512_dpbf16_ps(sum[i], reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b)), 16 * 2 * 2)
#undef QUERN_PROBE

/// Reads all of `memory`, whose size is a multiple of 512 bytes.
__attribute__((target("avx2"))) double read256(const uint8_t *memory, uint64_t bytes) {
  for (const uint8_t *at = memory; at != memory + bytes; at += 256) {
    const auto *vectors = reinterpret_cast<const __m256i *>(at);
    _Pragma("unroll") for (int i = 0; i < 8; ++i) {
      __m256i value = _mm256_load_si256(vectors + i);
      asm volatile("" : : "v"(value));
    }
  }
  return double(bytes);
}

__attribute__((target("avx512f"))) double read512(const uint8_t *memory, uint64_t bytes) {
  for (const uint8_t *at = memory; at != memory + bytes; at += 512) {
    const auto *vectors = reinterpret_cast<const __m512i *>(at);
    _Pragma("unroll") for (int i = 0; i < 8; ++i) {
      __m512i value = _mm512_load_si512(vectors + i);
      asm volatile("" : : "v"(value));
    }
  }
  return double(bytes);
}

/// Zeros in pages of one kind. Without memory the size is 0.
class Memory {
public:
  Memory(uint64_t wanted, bool huge) {
    if (wanted == 0)
      return;
    // Room to begin at a huge page.
    mapped = wanted + hugePage;
    void *place = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED)
      return;
    base = place;
    begin = reinterpret_cast<uint8_t *>((reinterpret_cast<uintptr_t>(place) + hugePage - 1) / hugePage * hugePage);
    madvise(place, mapped, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    std::memset(begin, 1, wanted);
    size = wanted;
  }
  ~Memory() {
    if (base)
      munmap(base, mapped);
  }
  Memory(const Memory &) = delete;

  uint8_t *begin = nullptr;
  uint64_t size = 0;

private:
  static constexpr uint64_t hugePage = 2 << 20;
  void *base = nullptr;
  uint64_t mapped = 0;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void *enterThread(void *work) {
  (*static_cast<std::function<void()> *>(work))();
  return nullptr;
}

/// Thousand millions per second of `work` by `threads` threads together, each on memory of its own: the best of three.
double measure(Work work, unsigned threads, uint64_t bytes, bool huge) {
  constexpr int tries = 3;
  constexpr double seconds = 0.03;
  std::vector<double> rates(threads * tries);
  std::barrier together(static_cast<std::ptrdiff_t>(threads));
  auto run = [&](unsigned thread) {
    Memory memory(bytes, huge);
    work(memory.begin, memory.size);
    for (int i = 0; i < tries; ++i) {
      together.arrive_and_wait();
      double begin = now(), end = begin, done = 0;
      for (; end - begin < seconds; end = now())
        done += work(memory.begin, memory.size);
      rates[i * threads + thread] = done / (end - begin) * 1e-9;
    }
  };
  std::vector<std::function<void()>> runs;
  for (unsigned thread = 0; thread < threads; ++thread)
    runs.push_back([&run, thread] { run(thread); });
  std::vector<pthread_t> others;
  for (unsigned thread = 1; thread < threads; ++thread) {
    pthread_t other;
    if (pthread_create(&other, nullptr, enterThread, &runs[thread]) == 0)
      others.push_back(other);
    else
      together.arrive_and_drop(); // The system gives fewer threads.
  }
  run(0);
  for (pthread_t other : others)
    pthread_join(other, nullptr);
  double best = 0;
  for (int i = 0; i < tries; ++i) {
    double sum = 0;
    for (unsigned thread = 0; thread < threads; ++thread)
      sum += rates[i * threads + thread];
    best = std::max(best, sum);
  }
  return best;
}

/// What the system says of a cache, or what is usual where it says nothing.
uint64_t getCacheBytes(int name, uint64_t usual) {
  long bytes = sysconf(name);
  return bytes > 0 ? static_cast<uint64_t>(bytes) : usual;
}

/// A kind of arithmetic and how it is measured.
struct Probe {
  Arithmetic arithmetic;
  const char *name;
  const char *unit;
  Work work;
};

/// For each kind of arithmetic the best that this processor has instructions for.
std::vector<Probe> findProbes() {
  std::vector<Probe> probes;
  if (__builtin_cpu_supports("avx512f"))
    probes.push_back({Arithmetic::F32, "f32 fma", "GFLOP/s", fma512});
  else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    probes.push_back({Arithmetic::F32, "f32 fma", "GFLOP/s", fma256});
  if (__builtin_cpu_supports("avx512vnni"))
    probes.push_back({Arithmetic::I8, "int8 dot product", "GOP/s", bytes512});
  else if (__builtin_cpu_supports("avx2"))
    probes.push_back({Arithmetic::I8, "int8 multiply-add", "GOP/s", bytes256});
  if (__builtin_cpu_supports("avx512bf16"))
    probes.push_back({Arithmetic::BF16, "bf16 dot product", "GFLOP/s", bf16512});
  return probes;
}

/// How memory is read, and how much of it is far more than the last cache holds.
/// No work where there are no instructions.
Work findReading() {
  if (__builtin_cpu_supports("avx512f"))
    return read512;
  return __builtin_cpu_supports("avx2") ? read256 : nullptr;
}

uint64_t getFarBytes() {
  return std::clamp<uint64_t>(4 * getCacheBytes(_SC_LEVEL3_CACHE_SIZE, 32 << 20), 256 << 20, 1 << 30);
}

/// `bytes` shared by `threads` threads, in whole pages.
uint64_t getShare(uint64_t bytes, unsigned threads) {
  constexpr uint64_t page = 4096;
  return std::max<uint64_t>(bytes / threads / page, 1) * page;
}

void addReading(std::vector<Limit> &limits, unsigned threads) {
  Work work = findReading();
  if (!work)
    return;
  uint64_t l1 = getCacheBytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10), l2 = getCacheBytes(_SC_LEVEL2_CACHE_SIZE, 1 << 20);
  uint64_t l3 = getCacheBytes(_SC_LEVEL3_CACHE_SIZE, 32 << 20);
  // Half of the caches of a core; of the last, which others share, an eighth; memory far larger than it.
  uint64_t shared = std::max(l3 / 8, 2 * l2), far = getFarBytes();
  struct Level {
    const char *name;
    uint64_t one, each;
  };
  for (const Level &level :
       {Level{"L1 read", l1 / 2, l1 / 2}, Level{"L2 read", l2 / 2, l2 / 2},
        Level{"L3 read", shared, getShare(shared, threads)}, Level{"memory read", far, getShare(far, threads)}})
    for (bool huge : {false, true})
      limits.push_back({level.name, huge ? "2 MiB" : "4 KiB", "GB/s", level.each, measure(work, 1, level.one, huge),
                        measure(work, threads, level.each, huge)});
}

} // namespace

std::vector<Limit> measureLimits(unsigned threads) {
  std::vector<Limit> limits;
  for (const Probe &probe : findProbes())
    limits.push_back(
        {probe.name, "", probe.unit, 0, measure(probe.work, 1, 0, false), measure(probe.work, threads, 0, false)});
  addReading(limits, threads);
  return limits;
}

/// By value.
static constexpr const char *arithmeticNames[] = {"f32", "i8", "bf16"};

std::optional<Arithmetic> findArithmetic(std::string_view name) {
  auto *found = std::find(std::begin(arithmeticNames), std::end(arithmeticNames), name);
  if (found == std::end(arithmeticNames))
    return std::nullopt;
  return static_cast<Arithmetic>(found - std::begin(arithmeticNames));
}

const char *toString(Arithmetic arithmetic) { return arithmeticNames[static_cast<size_t>(arithmetic)]; }

double Roofline::getComputeTime(Arithmetic arithmetic, double operations) const {
  double peak = peaks[static_cast<size_t>(arithmetic)];
  return peak > 0 ? operations / peak : 0;
}

double Roofline::getTime(Arithmetic arithmetic, double bytes, double operations) const {
  return std::max(getMemoryTime(bytes), getComputeTime(arithmetic, operations));
}

Roofline measureRoofline(unsigned threads) {
  Roofline roofline;
  for (const Probe &probe : findProbes())
    roofline.peaks[static_cast<size_t>(probe.arithmetic)] = measure(probe.work, threads, 0, false);
  // What has no instruction, or a slower one, is computed in f32.
  for (double &peak : roofline.peaks)
    peak = std::max(peak, roofline.peaks[static_cast<size_t>(Arithmetic::F32)]);
  if (Work work = findReading())
    roofline.bandwidth = measure(work, threads, getShare(getFarBytes(), threads), /*huge=*/true);
  return roofline;
}

std::string describeRoofline(const Roofline &roofline, unsigned threads) {
  char text[160];
  std::snprintf(text, sizeof(text), "%u thread%s: %.1f GB/s from memory; %.0f GOP/s in f32, %.0f in i8, %.0f in bf16",
                threads, threads == 1 ? "" : "s", roofline.bandwidth, roofline.peaks[0], roofline.peaks[1],
                roofline.peaks[2]);
  return text;
}

} // namespace quern::runtime
