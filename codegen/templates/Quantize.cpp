//===- Quantize.cpp - activations to q8_1 within a kernel -------------------------------------===//

#include "codegen/templates/Quantize.h"

#include <limits>

using namespace Halide;

namespace quern::codegen {

Expr multiplyWords(Expr a, Expr b, Expr sum) {
  return Internal::Call::make(Int(32), "dp4a_u32_s32", {reinterpret(UInt(8, 4), a), reinterpret(Int(8, 4), b), sum},
                              Internal::Call::PureExtern);
}

/// The scale of a block whose largest number has the bits `largest`, and 1 / scale.
static std::pair<Expr, Expr> getScale(Expr largest) {
  Expr scale =
      reinterpret<float>(reinterpret<int32_t>(reinterpret<float>(largest) / float(QuantizedRows::largestQuant)) & ~3);
  Expr isZero = scale < std::numeric_limits<float>::min();
  return {select(isZero, 0.0f, scale), select(isZero, 0.0f, 1.0f / scale)};
}

QuantizedRows::QuantizedRows(const Formula &rows, bool isOnDevice)
    : largest("largest"), scales("scales"), quants("quants"), columns(0, block, "columns") {
  if (isOnDevice) {
    buildWords(rows);
    return;
  }
  Var k("k"), b("b"), m("m");
  // Not negative floats are in the order of their bits; unlike floats, integers are reduced as vectors.
  largest(b, m) = 0;
  largest(b, m) = max(largest(b, m), reinterpret<int32_t>(abs(rows.at({m, b * block + columns}))));
  auto [scale, inverse] = getScale(largest(b, m));
  scales(b, m) = Tuple(scale, inverse, scale * bias);
  quants(k, m) = cast<int8_t>(round(rows.at({m, k}) * scales(k / block, m)[1]));
}

void QuantizedRows::buildWords(const Formula &rows) {
  constexpr int wordsOfBlock = block / 4;
  Var k("k"), b("b"), m("m");
  largestOfWords = Func("largest_of_words");
  Expr most = 0;
  for (int byte = 0; byte < 4; ++byte)
    most = max(most, reinterpret<int32_t>(rows.at({m, 4 * k + byte})) & std::numeric_limits<int32_t>::max());
  largestOfWords(k, m) = most;
  most = largestOfWords(b * wordsOfBlock, m);
  for (int word = 1; word < wordsOfBlock; ++word)
    most = max(most, largestOfWords(b * wordsOfBlock + word, m));
  auto [scale, inverse] = getScale(most);
  scales(b, m) = Tuple(scale, inverse);
  // Digits of base 256, from -128 on: with 128 added to each they are bytes that carry nothing to each other.
  Expr digits = 0;
  for (int byte = 3; byte >= 0; --byte)
    digits = digits * 256 + cast<int32_t>(round(rows.at({m, 4 * k + byte}) * scales(k / wordsOfBlock, m)[1]));
  Expr middles = Expr(uint32_t(0x80808080));
  words = Func("words");
  words(k, m) = (reinterpret<uint32_t>(digits) + middles) ^ middles;
  // Rows one behind the other, of whole words of four.
  words.bound(k, 0, rows.shape.back() / 4);
}

Func QuantizedRows::widen() {
  Var k("k"), m("m");
  if (!wideQuants.defined()) {
    wideQuants = Func("wide_quants");
    wideQuants(k, m) = cast<int16_t>(quants(k, m));
  }
  return wideQuants;
}

Func QuantizedRows::sums(int group) {
  RDom all(0, group, "group");
  auto [entry, isNew] = groupSums.try_emplace(group, Func("sums"), all);
  auto &[sum, r] = entry->second;
  if (!isNew)
    return sum;
  Var b("b"), m("m");
  if (!words.defined()) {
    sum(b, m) = 0;
    sum(b, m) += cast<int32_t>(quants(b * group + r, m));
    return sum;
  }
  Expr total = 0;
  for (int word = 0; word < group / 4; ++word)
    total = multiplyWords(Expr(uint32_t(0x01010101)), words(b * (group / 4) + word, m), total);
  sum(b, m) = total;
  return sum;
}

Expr QuantizedRows::getStart(int group, int zero, Expr block, Expr row) {
  Expr start = words.defined() ? Expr(0) : reinterpret<int32_t>(Expr(bias));
  if (zero == 0)
    return start;
  auto [entry, isNew] = groupStarts.try_emplace({group, zero}, Func("starts"));
  Var b("b"), m("m");
  if (isNew)
    entry->second(b, m) = start - zero * sums(group)(b, m);
  return entry->second(block, row);
}

Expr QuantizedRows::scaleDot(Expr dot, Expr block, Expr row) {
  // Nobody promises that a device fuses a product and a difference.
  if (words.defined())
    return scales(block, row)[0] * cast<float>(dot);
  return scales(block, row)[0] * reinterpret<float>(dot) - scales(block, row)[2];
}

Func QuantizedRows::scaledSums(int group) {
  auto [entry, isNew] = groupScaledSums.try_emplace(group, Func("scaled_sums"));
  Var b("b"), m("m");
  if (isNew)
    entry->second(b, m) = scales(b * group / block, m)[0] * cast<float>(sums(group)(b, m));
  return entry->second;
}

void QuantizedRows::schedule(int lanes, bool parallel) {
  auto spread = [&](Stage stage, Var m) {
    Var task("task");
    if (parallel)
      stage.split(m, task, m, rowsPerTask, TailStrategy::GuardWithIf).parallel(task);
  };
  for (Func stored : {quants, wideQuants}) {
    if (!stored.defined())
      continue;
    Var k = stored.args()[0], inner("inner");
    stored.compute_root().split(k, k, inner, block).vectorize(inner, lanes).unroll(inner);
    spread(stored, stored.args()[1]);
  }
  scales.compute_root();
  spread(scales, scales.args()[1]);
  largest.compute_at(scales, scales.args()[0]);
  largest.update().atomic().vectorize(columns.x, block);
  std::map<int, std::vector<Func>> readers;
  for (auto &[key, start] : groupStarts)
    readers[key.first].push_back(start);
  for (auto &[group, scaled] : groupScaledSums)
    readers[group].push_back(scaled);
  for (auto &[group, entry] : groupSums) {
    auto &[sum, r] = entry;
    sum.update().atomic().vectorize(r.x);
    for (Func reader : readers[group]) {
      reader.compute_root();
      spread(reader, reader.args()[1]);
    }
    // A row at a time within what reads them, unless two do.
    if (Func reader = readers[group].front(); readers[group].size() == 1) {
      sum.compute_at(reader, reader.args()[1]);
      continue;
    }
    sum.compute_root();
    spread(sum, sum.args()[1]);
    spread(sum.update(), sum.args()[1]);
  }
}

std::vector<Func> QuantizedRows::listStored() const {
  std::vector<Func> stored = {scales, words};
  for (const auto &[key, start] : groupStarts)
    stored.push_back(start);
  for (const auto &[group, scaled] : groupScaledSums)
    stored.push_back(scaled);
  return stored;
}

void QuantizedRows::spread(const DeviceSchedule &device) const {
  for (const Func &func : listStored())
    device.spread(func);
}

void QuantizedRows::spreadWithin(const DeviceSchedule &device, const DeviceSchedule::Block &of) const {
  std::vector<Func> stored = listStored();
  stored.insert(stored.begin(), largestOfWords);
  for (const Func &func : stored)
    device.spreadWithin(func, of, {func.args()[0]}, {func.args()[1]});
}

} // namespace quern::codegen
