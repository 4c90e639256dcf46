//===- Quantize.cpp - activations to q8_1 within a kernel -------------------------------------===//

#include "codegen/templates/Quantize.h"

#include <limits>

using namespace Halide;

namespace quern::codegen {

Expr multiplyWords(Expr a, Expr b, Expr sum) {
  return Internal::Call::make(Int(32), "dp4a_u32_s32", {reinterpret(UInt(8, 4), a), reinterpret(Int(8, 4), b), sum},
                              Internal::Call::PureExtern);
}

QuantizedRows::QuantizedRows(const Formula &rows, bool isOnDevice)
    : largest("largest"), scales("scales"), quants("quants"), columns(0, block, "columns") {
  Var k("k"), b("b"), m("m");
  // Not negative floats are in the order of their bits; unlike floats, integers are reduced as vectors.
  largest(b, m) = 0;
  largest(b, m) = max(largest(b, m), reinterpret<int32_t>(abs(rows.at({m, b * block + columns}))));
  Expr scale = reinterpret<float>(reinterpret<int32_t>(reinterpret<float>(largest(b, m)) / float(largestQuant)) & ~3);
  Expr isZero = scale < std::numeric_limits<float>::min();
  Expr inverse = select(isZero, 0.0f, 1.0f / scale);
  scale = select(isZero, 0.0f, scale);
  scales(b, m) = Tuple(scale, inverse, scale * bias);
  auto roundAt = [&](Expr at) { return round(rows.at({m, at}) * scales(at / block, m)[1]); };
  quants(k, m) = cast<int8_t>(roundAt(k));
  if (!isOnDevice)
    return;
  // By way of 32 bits: a negative number becomes a byte without a sign in every device's own way.
  words = Func("words");
  Expr word = cast<uint32_t>(0);
  for (int byte = 0; byte < 4; ++byte)
    word = word | (cast<uint32_t>(cast<int32_t>(roundAt(4 * k + byte)) & 255) << (8 * byte));
  words(k, m) = word;
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
  RDom all(0, words.defined() ? group / 4 : group, "group");
  auto [entry, isNew] = groupSums.try_emplace(group, Func("sums"), all);
  auto &[sum, r] = entry->second;
  if (!isNew)
    return sum;
  Var b("b"), m("m");
  sum(b, m) = 0;
  if (words.defined())
    sum(b, m) = multiplyWords(Expr(uint32_t(0x01010101)), words(b * (group / 4) + r, m), sum(b, m));
  else
    sum(b, m) += cast<int32_t>(quants(b * group + r, m));
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
  for (const auto &[group, entry] : groupSums)
    stored.push_back(entry.first);
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
  for (Func func : listStored()) {
    Var first = func.args()[0];
    device.spreadWithin(func, of, {first});
    if (func.has_update_definition())
      device.spreadUpdate(func.update(), {first}, {RVar(func.rvars(0)[0])});
  }
}

} // namespace quern::codegen
