//===- ContractDevice.cpp - matrix products on a device ---------------------------------------===//
//
// A block has a panel of 16 outputs, or some one after the other, of one row. Its threads are the lanes of the panel
// times 8 slices of k: a slice adds up every eighth block of a weight in ascending order, and the slices are added in
// their order. So a sum is the same wherever the row stands and however many there are. Words of four quants are
// multiplied with four quants of the left side at a time.
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

/// Adds to a sum what step `inner` of a block of a weight adds.
using AddStep = llvm::function_ref<Expr(Expr sum, Expr inner, Expr block)>;

/// The sum of a weight's `blocks` blocks of `inner` steps each, by slices; of the first `all` steps, unless that is 0.
static void buildSlices(Product &product, const ContractFuncs &funcs, int inner, int blocks, AddStep add, int all = 0) {
  Var slice("slice");
  auto [i, o, m] = std::tuple(funcs.i, funcs.o, funcs.m);
  product.steps = RDom(0, inner, 0, static_cast<int>(llvm::divideCeil(blocks, Product::slices)), "steps");
  Expr block = product.steps.y * Product::slices + slice;
  if (blocks % Product::slices != 0)
    product.steps.where(block < blocks);
  if (all % inner != 0)
    product.steps.where(block * inner + product.steps.x < all);
  product.part = Func("part");
  product.part(i, slice, o, m) = 0.0f;
  product.part(i, slice, o, m) = add(product.part(i, slice, o, m), product.steps.x, block);
  Expr sum = product.part(i, 0, o, m);
  for (int other = 1; other < Product::slices; ++other)
    sum = sum + product.part(i, other, o, m);
  product.sum(i, o, m) = sum;
}

/// dot(i, o, m, b) = Σ_k q(i, b·group + k, o) · a(b·group + k, m) - zero · Σ a, in i32.
static void buildDot(Product &product, QuantizedRows &lhs, const ContractFuncs &funcs, Expr row) {
  const PackedLayout &layout = product.weight.layout;
  int32_t group = static_cast<int32_t>(layout.group);
  int32_t words = static_cast<int32_t>(layout.quantsBytes()) / (4 * panelRows);
  Var b("b");
  auto [i, o, m] = std::tuple(funcs.i, funcs.o, funcs.m);
  product.columns = RDom(0, words, "columns");
  product.dot = Func("dot");
  product.dot(i, o, m, b) = lhs.getStart(group, static_cast<int>(layout.zero), b, row);
  Expr dot = product.dot(i, o, m, b), place = b * (group / 4) + product.columns;
  Expr word = product.weight.values(i, product.columns, b, o);
  if (layout.bits == 4) {
    Expr mask = Expr(uint32_t(0x0f0f0f0f));
    dot = multiplyWords(word & mask, lhs.words(place, row), dot);
    dot = multiplyWords((word >> 4) & mask, lhs.words(place + words, row), dot);
  } else {
    dot = multiplyWords(word, lhs.words(place, row), dot);
  }
  product.dot(i, o, m, b) = dot;
}

void buildDeviceProduct(ContractFuncs &funcs, Product &product, bool isPairs, const Formula &lhs, Expr row,
                        const TargetSpec &target) {
  const PackedWeight &weight = product.weight;
  const PackedLayout &layout = weight.layout;
  auto [i, o] = std::tuple(funcs.i, funcs.o);
  int blocks = static_cast<int>(layout.blocksPerPanel(weight.columns)), group = static_cast<int>(layout.group);
  if (funcs.quantized) {
    QuantizedRows &quants = *funcs.quantized;
    buildDot(product, quants, funcs, row);
    buildSlices(product, funcs, 1, blocks, [&](Expr sum, Expr, Expr block) {
      Expr scaled = quants.scaleDot(product.dot(i, o, funcs.m, block), block * group / QuantizedRows::block, row);
      Expr next = sum + toFloat(weight.scales(i, block, o)) * scaled;
      return layout.hasMins ? next + toFloat(weight.mins(i, block, o)) * quants.scaledSums(group)(block, row) : next;
    });
    return;
  }
  if (isPairs) {
    int pairs = blocks * group / 2;
    buildSlices(product, funcs, 1, pairs, [&](Expr sum, Expr, Expr pair) {
      return addPairProducts(target, sum, funcs.lhs(pair, row), readPairOf(weight, i, pair, o));
    });
    return;
  }
  auto add = [&](Expr sum, Expr inner, Expr block) {
    return sum + lhs.at({row, block * group + inner}) * readWeight(weight, i, inner, block, o);
  };
  buildSlices(product, funcs, group, blocks, add, static_cast<int>(weight.columns));
}

/// The bytes that a block needs to keep one row of the left side.
static int64_t countSharedBytes(const ContractFuncs &funcs, const Lowering &lowering, int64_t depth) {
  int64_t bytes = quern::codegen::countSharedBytes(lowering, depth);
  if (funcs.lhs.defined())
    bytes += funcs.lhsExtent * 4;
  if (funcs.quantized)
    bytes += 2 * depth;
  return bytes + int64_t(funcs.products.size()) * panelRows * Product::slices * 4;
}

/// The slices of `product` within the blocks of what reads its sums.
static void spreadSlices(Product &product, const ContractFuncs &funcs, const DeviceSchedule &device,
                         const DeviceSchedule::Block &block) {
  Var slice = product.part.args()[1];
  product.part.bound(funcs.i, 0, panelRows).bound(slice, 0, Product::slices);
  device.spreadWithin(product.part, block, {funcs.i, slice});
  device.spreadUpdate(product.part.update(), {funcs.i, slice}, {product.steps.x, product.steps.y});
  if (!product.dot.defined())
    return;
  product.dot.compute_at(product.part, product.steps.y).store_in(Halide::MemoryType::Register);
  product.dot.update().unroll(product.columns);
}

/// Columns that do not fill whole panels: the sums are stored by panels, then the output picks its columns.
static void spreadRagged(ContractFuncs &funcs, const Lowering &lowering, const DeviceSchedule &device) {
  spreadLhs(funcs, lowering, device);
  for (Product &product : funcs.products) {
    product.sum.bound(funcs.i, 0, panelRows).bound(funcs.o, 0, funcs.panels);
    spreadSlices(product, funcs, device, device.spreadBlocks(product.sum, funcs.i));
  }
  device.spread(funcs.output);
}

void spreadContract(ContractFuncs &funcs, const Lowering &lowering, const Parameters &parameters,
                    const DeviceSchedule &device) {
  if (funcs.ragged)
    return spreadRagged(funcs, lowering, device);
  Func output = funcs.output;
  auto matmul = cast<MatmulOp>(lowering.getKernel().getAnchor());
  output.bound(funcs.i, 0, panelRows);
  auto staticRows = Halide::Internal::as_const_int(funcs.rows);
  bool within = parameters["within"] && staticRows && *staticRows <= rowsPerTask && !matmul.isBatched() &&
                countSharedBytes(funcs, lowering, funcs.products.front().weight.columns) <= mostSharedBytes;
  DeviceSchedule::Block block = device.spreadBlocks(output, funcs.i, funcs.o, parameters["panels"]);
  if (within)
    spreadLhsWithin(funcs, lowering, device, block);
  else
    spreadLhs(funcs, lowering, device);
  for (Product &product : funcs.products)
    spreadSlices(product, funcs, device, block.inTurn());
}

void spreadLhsWithin(const ContractFuncs &funcs, const Lowering &lowering, const DeviceSchedule &device,
                     const DeviceSchedule::Block &block) {
  spreadStages(lowering, device, block);
  if (funcs.quantized)
    funcs.quantized->spreadWithin(device, block);
  if (funcs.lhs.defined())
    device.spreadWithin(funcs.lhs, block, {funcs.lhs.args()[0]});
}

} // namespace quern::codegen
