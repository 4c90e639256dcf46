//===- Evaluate.h - one instruction on many operands -------------------------------------------===//

#ifndef QUERN_TEST_UNIT_PTX_EVALUATE_H
#define QUERN_TEST_UNIT_PTX_EVALUATE_H

#include "test/unit/Check.h"
#include "test/unit/ptx/Device.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <source_location>
#include <tuple>
#include <type_traits>

namespace quern::test {

/// Operands that are known to be difficult, and some of any kind.
template <typename T> std::vector<T> getOperands() {
  std::vector<T> values;
  std::mt19937_64 random(7);
  if constexpr (std::is_floating_point_v<T>) {
    using Limits = std::numeric_limits<T>;
    for (T value : {T(0), T(1), T(1.5), T(2.5), T(0.1), T(3e9), T(1e-3), T(127.5), T(40000.7), Limits::max(),
                    Limits::min(), Limits::min() / 3, Limits::denorm_min(), Limits::infinity(), Limits::epsilon()})
      values.insert(values.end(), {value, -value});
    values.push_back(Limits::quiet_NaN());
    for (int i = 0; i < 9; ++i)
      values.push_back(static_cast<T>(std::uniform_real_distribution<double>(-100, 100)(random)));
  } else {
    using Limits = std::numeric_limits<T>;
    for (uint64_t value : {0ull, 1ull, 2ull, 7ull, 8ull, 15ull, 31ull, 32ull, 33ull, 63ull, 64ull, 255ull, 0x8000ull})
      values.push_back(static_cast<T>(value));
    values.insert(values.end(), {Limits::max(), Limits::min(), static_cast<T>(-1), static_cast<T>(-2)});
    for (int i = 0; i < 7; ++i)
      values.push_back(static_cast<T>(random()));
  }
  return values;
}

/// The instruction under test has its operands in %a, %b, %c and its result in %d, and may use the predicates %p, %q.
class Evaluator {
public:
  Evaluator(Device &device, Checks &checks) : device(device), checks(checks) {}

  /// Checks that `code` computes what `expected(a)` does, or of (a, b), (a, b, c): the same bits, or any NaN.
  template <typename R, typename... Operands, typename F>
  void check(const std::string &code, F expected, std::source_location where = std::source_location::current()) {
    std::vector<std::tuple<Operands...>> tuples = combine<Operands...>();
    std::vector<R> found = run<R, Operands...>(code, tuples);
    if (!checks.equal(found.size(), tuples.size(), where)) {
      std::cerr << "of " << code << "\n";
      return;
    }
    for (size_t i = 0; i < tuples.size(); ++i) {
      R wanted = std::apply(expected, tuples[i]);
      if (checks.that(isSame(found[i], wanted), where))
        continue;
      std::cerr << code << " gives " << +found[i] << ", expected " << +wanted << ", for";
      std::apply([](auto... operand) { ((std::cerr << ' ' << +operand), ...); }, tuples[i]);
      std::cerr << "\n";
      return;
    }
  }

private:
  template <typename T> static bool isSame(T a, T b) {
    if constexpr (std::is_floating_point_v<T>)
      if (std::isnan(a) && std::isnan(b))
        return true;
    return std::memcmp(&a, &b, sizeof(T)) == 0;
  }

  template <typename T> static std::string getType() {
    return ".b" + std::to_string(8 * std::max<size_t>(sizeof(T), 2));
  }

  template <typename First, typename... Rest> static std::vector<std::tuple<First, Rest...>> combine() {
    std::vector<std::tuple<First, Rest...>> tuples;
    for (First first : getOperands<First>()) {
      if constexpr (sizeof...(Rest) == 0)
        tuples.push_back({first});
      else
        for (const auto &rest : combine<Rest...>())
          tuples.push_back(std::tuple_cat(std::tuple(first), rest));
    }
    return tuples;
  }

  template <typename R, typename... Operands>
  std::vector<R> run(const std::string &code, const std::vector<std::tuple<Operands...>> &tuples) {
    constexpr unsigned threads = 128;
    size_t blocks = (tuples.size() + threads - 1) / threads;
    uint64_t result = device.allocate(blocks * threads * sizeof(R));
    std::string body = ".reg .pred %p, %q; .reg " + getType<R>() +
                       " %d;\n"
                       "mov.u32 %r2, %ctaid.x; mad.lo.u32 %r1, %r2, 128, %r1;\n";
    std::vector<uint64_t> addresses = load<0, Operands...>(body, tuples, blocks * threads);
    body += code + "\nmul.wide.u32 %rd20, %r1, " + std::to_string(sizeof(R)) + ";\nadd.u64 %rd20, %rd20, %rd1;\n" +
            "st.global.b" + std::to_string(8 * sizeof(R)) + " [%rd20], %d;\n";
    addresses.resize(3);
    int error = device.run(makeKernel(4, body), {static_cast<unsigned>(blocks), 1, 1}, {threads, 1, 1}, 0, result,
                           addresses[0], addresses[1], addresses[2]);
    if (error)
      return {};
    std::vector<R> values = device.download<R>(result, tuples.size());
    cuMemFree_v2(result);
    for (uint64_t address : addresses)
      cuMemFree_v2(address);
    return values;
  }

  /// Adds the loads of the operands from the I-th on to a body; the addresses of what they load.
  template <size_t I, typename First, typename... Rest, typename Tuple>
  std::vector<uint64_t> load(std::string &body, const std::vector<Tuple> &tuples, size_t count) {
    std::vector<First> values(count, First());
    for (size_t i = 0; i < tuples.size(); ++i)
      values[i] = std::get<I>(tuples[i]);
    std::string name = std::string("%") + static_cast<char>('a' + I), pointer = "%rd" + std::to_string(I + 2);
    std::string type = std::is_signed_v<First> && sizeof(First) == 1 ? "s8" : "b" + std::to_string(8 * sizeof(First));
    body += ".reg " + getType<First>() + " " + name + ";\nmul.wide.u32 %rd20, %r1, " + std::to_string(sizeof(First)) +
            ";\nadd.u64 %rd20, %rd20, " + pointer + ";\nld.global.nc." + type + " " + name + ", [%rd20];\n";
    std::vector<uint64_t> addresses{device.upload(values)};
    if constexpr (sizeof...(Rest) > 0) {
      std::vector<uint64_t> others = load<I + 1, Rest...>(body, tuples, count);
      addresses.insert(addresses.end(), others.begin(), others.end());
    }
    return addresses;
  }

  Device &device;
  Checks &checks;
};

} // namespace quern::test

#endif // QUERN_TEST_UNIT_PTX_EVALUATE_H
