//===- ContractDevice.cpp - matrix products on a device ---------------------------------------===//
//
// A block has some panels of 16 outputs of a tile of rows. Of a panel each of its threads has 4 lanes, whose numbers
// it reads at once, and one of 16 slices of k, or fewer of a short one, for all rows of the tile: weights are read once
// per tile. A slice adds up every sixteenth block of a weight in ascending order, and the slices are added in their
// order. So a sum is the same wherever the row stands and however many there are. Words of four quants are multiplied
// with four quants of the left side at a time.
//
// What the last tile and the last block have no rows and panels for they compute of the last ones, and do not store it:
// a left side that is stored has whole tiles of rows.
//
// Of few rows each block computes the left side for itself, what precedes it (a norm) and its quants: one launch, and a
// few kilobytes read again by each block. Of many rows that would cost more than launches.
//
//===------------------------------------------------------------------------------------------===//

#include "codegen/Scalar.h"
#include "codegen/templates/Contract.h"

using namespace mlir;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

namespace quern::codegen {

static constexpr int panelRows = PackedLayout::panelRows;
/// Lanes of one panel whose sums are one thread's, so that it reads their numbers at once, and how many threads share a
/// sum.
static constexpr int lanes = 4, mostSlices = 16;

/// Adds to a sum what step `inner` of a block of a weight adds.
using AddStep = llvm::function_ref<Expr(Expr sum, Expr inner, Expr block)>;

/// The sum of a weight's `blocks` blocks of `inner` steps each, by slices; of the first `all` steps, unless that is 0.
static void buildSlices(Product &product, const ContractFuncs &funcs, int inner, int blocks, AddStep add, int all = 0) {
  Var slice("slice");
  auto [i, o, m] = std::tuple(funcs.i, funcs.o, funcs.m);
  int slices = product.slices = static_cast<int>(llvm::bit_floor<unsigned>(std::min(mostSlices, blocks)));
  product.steps = RDom(0, inner, 0, static_cast<int>(llvm::divideCeil(blocks, slices)), "steps");
  Expr block = product.steps.y * slices + slice;
  if (blocks % slices != 0) {
    // What is read for a block is bounded by this, which Halide does not see to follow from the condition.
    block = min(block, blocks - 1);
    product.steps.where(product.steps.y <= (blocks - 1 - slice) / slices);
  }
  if (all % inner != 0)
    product.steps.where(block * inner + product.steps.x < all);
  product.part = Func("part"), product.parts = Func("parts");
  product.part(i, slice, o, m) = 0.0f;
  product.part(i, slice, o, m) = add(product.part(i, slice, o, m), product.steps.x, block);
  product.parts(i, slice, o, m) = product.part(i, slice, o, m);
  Expr sum = product.parts(i, 0, o, m);
  for (int other = 1; other < slices; ++other)
    sum = sum + product.parts(i, other, o, m);
  product.sum(i, o, m) = sum;
}

/// `value` as a function of `args`, the first of which are lanes, that a thread reads at once.
static Func load(Product &product, const std::vector<Var> &args, Expr value) {
  Func loaded("load");
  loaded(args) = std::move(value);
  product.loads.push_back(loaded);
  return loaded;
}

/// b ascending within a slice, sum(i, o, m) += scale · (t · dot) + min · (t · Σ a), t the activations' scale,
/// dot = Σ_k q(i, b·group + k, o) · a(b·group + k, m) - zero · Σ a, in i32.
static void buildQuantSlices(Product &product, QuantizedRows &lhs, const ContractFuncs &funcs, Expr row, Expr panel,
                             int blocks) {
  const PackedWeight &weight = product.weight;
  const PackedLayout &layout = weight.layout;
  int32_t group = static_cast<int32_t>(layout.group);
  int32_t count = static_cast<int32_t>(layout.quantsBytes()) / (4 * panelRows);
  Var b("b"), word("word");
  auto [i, o, m] = std::tuple(funcs.i, funcs.o, funcs.m);
  Func words = load(product, {i, word, b, o}, weight.values(i, word, b, panel));
  Func scales = load(product, {i, b, o}, weight.scales(i, b, panel)), mins;
  if (layout.hasMins)
    mins = load(product, {i, b, o}, weight.mins(i, b, panel));
  product.left = Func("left");
  product.left(word, i, o, m, b) = lhs.words(b * (group / 4) + word, row);
  buildSlices(product, funcs, 1, blocks, [&](Expr sum, Expr, Expr block) {
    Expr dot = lhs.getStart(group, static_cast<int>(layout.zero), block, row), mask = Expr(uint32_t(0x0f0f0f0f));
    auto multiply = [&](Expr quants, int place) {
      dot = multiplyWords(std::move(quants), product.left(place, i, o, m, block), dot);
    };
    for (int32_t place = 0; place < count; ++place) {
      Expr quants = words(i, place, block, o);
      multiply(layout.bits == 4 ? quants & mask : quants, place);
      if (layout.bits == 4)
        multiply((quants >> 4) & mask, place + count);
    }
    Expr next = sum + toFloat(scales(i, block, o)) * lhs.scaleDot(dot, block * group / QuantizedRows::block, row);
    return layout.hasMins ? next + toFloat(mins(i, block, o)) * lhs.scaledSums(group)(block, row) : next;
  });
}

/// Numbers that are no quants, or quants times floats.
static void buildFloatSlices(Product &product, const Formula &lhs, const ContractFuncs &funcs, Expr row, Expr panel,
                             int blocks) {
  const PackedWeight &weight = product.weight;
  int32_t group = static_cast<int32_t>(weight.layout.group);
  bool isWhole = !weight.layout.isQuantised() && !weight.layout.isCompressed();
  Var b("b");
  Func loaded;
  if (isWhole)
    loaded = load(product, {funcs.i, b, funcs.o}, weight.values(funcs.i, b, panel));
  auto read = [&](Expr inner, Expr block) {
    if (!isWhole)
      return readWeight(weight, funcs.i, inner, block, panel);
    Expr value = loaded(funcs.i, block, funcs.o);
    return weight.layout.hasPairs() ? readPair(value, inner) : toFloat(value);
  };
  auto add = [&](Expr sum, Expr inner, Expr block) {
    return sum + lhs.at({row, block * group + inner}) * read(inner, block);
  };
  buildSlices(product, funcs, group, blocks, add, static_cast<int>(weight.columns));
}

/// Pairs of bf16 on both sides.
static void buildPairSlices(Product &product, const ContractFuncs &funcs, Expr row, Expr panel, int pairs,
                            const TargetSpec &target) {
  const PackedWeight &weight = product.weight;
  Var pair("pair");
  Func loaded;
  if (!weight.layout.isCompressed())
    loaded = load(product, {funcs.i, pair, funcs.o}, weight.values(funcs.i, pair, panel));
  buildSlices(product, funcs, 1, pairs, [&](Expr sum, Expr, Expr at) {
    Expr value = loaded.defined() ? loaded(funcs.i, at, funcs.o) : readPairOf(weight, funcs.i, at, panel);
    return addPairProducts(target, sum, funcs.lhs(at, row), value);
  });
}

void buildDeviceProduct(ContractFuncs &funcs, Product &product, bool isPairs, const Formula &lhs, Expr row,
                        const TargetSpec &target) {
  const PackedWeight &weight = product.weight;
  int blocks = static_cast<int>(weight.layout.blocksPerPanel(weight.columns));
  Expr panel = min(funcs.o, static_cast<int>(PackedLayout::panels(weight.rows)) - 1);
  if (funcs.quantized)
    buildQuantSlices(product, *funcs.quantized, funcs, row, panel, blocks);
  else if (isPairs)
    buildPairSlices(product, funcs, row, panel, blocks * static_cast<int>(weight.layout.group) / 2, target);
  else
    buildFloatSlices(product, lhs, funcs, row, panel, blocks);
}

/// The bytes that a block needs to keep one row of the left side.
static int64_t countRowBytes(const ContractFuncs &funcs, const Lowering &lowering, int64_t depth) {
  int64_t bytes = countSharedBytes(lowering, depth);
  if (funcs.lhs.defined())
    bytes += funcs.lhsExtent * 4;
  // Words, or before them the largest numbers; and two scales and a sum of each block.
  if (funcs.quantized)
    bytes += depth + llvm::divideCeil(depth, QuantizedRows::block) * 16;
  return bytes;
}

int getPanelsOfBlock(const DeviceSchedule &device) {
  return std::max(1, device.getBlockThreads() / (panelRows / lanes * mostSlices));
}

static DeviceTile chooseTile(const ContractFuncs &funcs, const Lowering &lowering, const Parameters &parameters,
                             const DeviceSchedule &device) {
  auto staticRows = Halide::Internal::as_const_int(funcs.rows);
  bool few = staticRows && *staticRows <= rowsPerTask;
  DeviceTile tile;
  tile.panels = getPanelsOfBlock(device);
  tile.rows = parameters["rows"];
  if (few)
    tile.rows = std::clamp<int>(*staticRows, 1, tile.rows);
  int64_t sums = int64_t(funcs.products.size()) * tile.panels * panelRows * mostSlices * 4;
  int64_t bytes = tile.rows * (sums + countRowBytes(funcs, lowering, funcs.products.front().weight.columns));
  bool isBatched = cast<MatmulOp>(lowering.getKernel().getAnchor()).isBatched();
  tile.keepsLhs = parameters["within"] && few && !funcs.ragged && !isBatched && bytes <= mostSharedBytes;
  tile.turns = parameters["panels"];
  return tile;
}

void spreadProduct(Product &product, const ContractFuncs &funcs, const DeviceTile &tile, const DeviceSchedule &device,
                   const DeviceSchedule::Block &within) {
  auto [i, o, m] = std::tuple(funcs.i, funcs.o, funcs.m);
  Var slice = product.part.args()[1], quad("quad"), lane("lane");
  Func part = product.part, parts = product.parts;
  parts.bound(i, 0, panelRows).bound(slice, 0, product.slices);
  parts.bound_extent(o, tile.panels).bound_extent(m, tile.rows);
  parts.split(i, quad, lane, lanes).unroll(lane).unroll(m);
  device.spreadWithin(parts, within, {quad, slice, o}, {lane, m});
  device.keepInThread(part, parts);
  part.bound_extent(i, lanes).bound_extent(m, tile.rows).unroll(i).unroll(m);
  part.update().reorder({i, m, product.steps.x, product.steps.y, slice, o}).unroll(i).unroll(m);
  // What a loop has of one row alone is short.
  int blocksOfStep = tile.rows == 1 ? 2 : 1;
  Halide::RVar several("several"), block("block");
  part.update().split(product.steps.y, several, block, blocksOfStep, Halide::TailStrategy::GuardWithIf).unroll(block);
  for (Func loaded : product.loads) {
    loaded.compute_at(part, block).store_in(Halide::MemoryType::Register);
    loaded.bound_extent(i, lanes).vectorize(i);
    if (loaded.args().size() == 4)
      loaded.unroll(loaded.args()[1]);
  }
  if (!product.left.defined())
    return;
  Var word = product.left.args()[0];
  product.left.compute_at(part, m).store_in(Halide::MemoryType::Register);
  // What a block shares is known to be aligned, and read at once by itself.
  if (!tile.keepsLhs)
    product.left.vectorize(word, lanes);
  product.left.unroll(word).unroll(i);
}

void spreadContract(ContractFuncs &funcs, const Lowering &lowering, const Parameters &parameters,
                    const DeviceSchedule &device) {
  DeviceTile tile = chooseTile(funcs, lowering, parameters, device);
  auto spreadTiles = [&](Func func) {
    func.bound(funcs.i, 0, panelRows).bound(funcs.o, 0, funcs.panels);
    return device.spreadTiles(func, {{funcs.i, panelRows}, {funcs.o, tile.panels, tile.turns}, {funcs.m, tile.rows}});
  };
  if (funcs.ragged) {
    // The sums are stored by panels, then the output picks its columns.
    spreadLhs(funcs, lowering, device);
    for (Product &product : funcs.products)
      spreadProduct(product, funcs, tile, device, spreadTiles(product.sum));
    device.spread(funcs.output);
    return;
  }
  DeviceSchedule::Block block = spreadTiles(funcs.output);
  if (tile.keepsLhs)
    spreadLhsWithin(funcs, lowering, device, block);
  else
    spreadLhs(funcs, lowering, device);
  for (Product &product : funcs.products)
    spreadProduct(product, funcs, tile, device, block.inTurn());
}

void spreadLhsWithin(const ContractFuncs &funcs, const Lowering &lowering, const DeviceSchedule &device,
                     const DeviceSchedule::Block &block) {
  spreadStages(lowering, device, block);
  if (funcs.quantized)
    funcs.quantized->spreadWithin(device, block);
  if (funcs.lhs.defined())
    device.spreadWithin(funcs.lhs, block, {funcs.lhs.args()[0]}, {funcs.lhs.args()[1]});
}

} // namespace quern::codegen
