//===- Contract.cpp - matrix products and their fused neighbours ------------------------------===//

#include "codegen/templates/Contract.h"
#include "codegen/Scalar.h"

using namespace mlir;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

namespace quern::codegen {

static constexpr int panelRows = PackedLayout::panelRows;

/// Units of a block of a compressed weight, and columns and pairs of a unit.
static constexpr int blockUnits = PackedLayout::blockUnits;
static constexpr int unitColumns = PackedLayout::unitColumns, unitPairs = unitColumns / 2;

/// Defines the pairs of a compressed weight, and `unitSteps` steps in each of its units.
static void unpackPairs(Product &product, int unitSteps, Var i, Var o) {
  Var byte("byte"), word("word"), half("half"), unit("unit"), pair("pair");
  product.highs = Func("highs"), product.words = Func("words"), product.pairs = Func("pairs");
  product.highs(byte, unit, o) = readHighByte(product.weight, byte, unit, o);
  product.words(word, half, unit, o) = readPairWord(product.weight, product.highs, word, half, unit, o);
  product.pairs(i, pair, o) =
      Halide::extract_bits<uint32_t>(product.words(i / 2, pair % unitPairs, pair / unitPairs, o), 32 * (i % 2));
  int32_t blocks = static_cast<int32_t>(product.weight.layout.blocksPerPanel(product.weight.columns));
  product.steps = RDom(0, unitSteps, 0, blockUnits, 0, blocks, "steps");
}

/// sum(i, o, m) += lhs(k, m) · weight(i, k, o), k ascending, weights as f32
static void buildFloatProduct(Product &product, const Formula &lhs, Var i, Var o, Var m, Expr row) {
  product.sum(i, o, m) = 0.0f;
  product.wide = Func("wide");
  if (product.weight.layout.isCompressed()) {
    int32_t columns = static_cast<int32_t>(product.weight.columns);
    unpackPairs(product, unitColumns, i, o);
    Expr unit = product.steps.z * blockUnits + product.steps.y, k = unit * unitColumns + product.steps.x;
    if (columns % product.weight.layout.group != 0)
      product.steps.where(k < columns);
    Var column("column");
    product.wide(i, column, o) = readPair(product.pairs(i, column / 2, o), column);
    product.sum(i, o, m) += lhs.at({row, k}) * product.wide(i, k, o);
    return;
  }
  int32_t group = static_cast<int32_t>(product.weight.layout.group);
  int32_t blocks = static_cast<int32_t>(product.weight.layout.blocksPerPanel(product.weight.columns));
  product.steps = RDom(0, group, 0, blocks, "steps");
  Expr column = product.steps.x, block = product.steps.y;
  if (product.weight.columns % group != 0)
    product.steps.where(block * group + column < static_cast<int32_t>(product.weight.columns));
  Expr weight = readWeight(product.weight, i, column, block, o);
  if (product.weight.values.type() == Halide::Float(16)) {
    Var k("k");
    product.wide(i, k, o) = readWeight(product.weight, i, 0, k, o);
    weight = product.wide(i, block, o);
  }
  product.sum(i, o, m) += lhs.at({row, block * group + column}) * weight;
}

/// sum(i, o, m) += second of pair r of lhs · weight, then first · first, r ascending; pairs of bf16.
static void buildPairProduct(Product &product, Func pairs, Var i, Var o, Var m, Expr row, const TargetSpec &target) {
  product.sum(i, o, m) = 0.0f;
  if (product.weight.layout.isCompressed()) {
    unpackPairs(product, unitPairs, i, o);
    Expr r = (product.steps.z * blockUnits + product.steps.y) * unitPairs + product.steps.x;
    product.sum(i, o, m) = addPairProducts(target, product.sum(i, o, m), pairs(r, row), product.pairs(i, r, o));
    return;
  }
  product.steps = RDom(0, static_cast<int32_t>(product.weight.layout.blocksPerPanel(product.weight.columns)), "steps");
  Expr r = product.steps.x;
  product.sum(i, o, m) = addPairProducts(target, product.sum(i, o, m), pairs(r, row), product.weight.values(i, r, o));
}

/// Whether the products of half of a lane's columns of one block add up in 16 bits, whatever they are.
static bool addsUpIn16Bits(const PackedLayout &layout) {
  int64_t largest = (int64_t(1) << layout.bits) - 1;
  return layout.group / 2 * largest * QuantizedRows::largestQuant <= INT16_MAX;
}

/// dot(i, o, m, b) = Σ_k q(i, b·group + k, o) · a(b·group + k, m) - zero · Σ a, in i32, behind a bias. A target without
/// an instruction for four products adds up halves of them, in 16 bits where they fit, and both at the end.
static void buildDot(Product &product, QuantizedRows &lhs, Var i, Var o, Var m, Var b, Expr row,
                     const TargetSpec &target) {
  using Halide::cast;
  const PackedLayout &layout = product.weight.layout;
  int32_t group = static_cast<int32_t>(layout.group);
  Halide::ImageParam values = product.weight.values;
  int32_t columns = static_cast<int32_t>(layout.quantsBytes()) / (4 * panelRows);
  Var j("j"), g("g"), h("h");
  product.dot = Func("dot");
  bool inHalves = target.dot == "none", in16Bits = inHalves && addsUpIn16Bits(layout);
  product.columns = in16Bits ? RDom(0, 1, 0, columns, "columns") : RDom(0, inHalves ? 2 : 4, 0, columns, "columns");
  RDom &r = product.columns;
  Func quants = inHalves && !in16Bits ? lhs.widen() : lhs.quants;
  std::vector<Expr> place = {i, o, m, b};
  if (inHalves) {
    product.halves = Func("halves");
    place.insert(place.begin(), h);
    product.halves(place) = in16Bits ? Expr(int16_t(0)) : Expr(0);
  } else {
    product.dot(place) = lhs.getStart(group, static_cast<int>(layout.zero), b, row);
  }
  Func &sums = inHalves ? product.halves : product.dot;
  Expr column = inHalves ? 2 * h + r.x : Expr(r.x);
  auto getProduct = [&](Halide::Type type, const Func &stored, Expr c, Expr fours, int32_t offset) {
    return cast(type, stored(c, i, fours, b, o)) * cast(type, quants(b * group + offset + 4 * fours + c, row));
  };
  auto multiply = [&](const Func &stored, int32_t offset) -> Expr {
    if (!in16Bits)
      return getProduct(Halide::Int(32), stored, column, r.y, offset);
    // They never saturate: it is how Halide is told of the instruction that could. The back end adds them up without.
    Func two("two");
    RDom pair(0, 2, "pair");
    two(h, i, o, m, g, b) = Expr(int16_t(0));
    two(h, i, o, m, g, b) =
        Halide::saturating_add(two(h, i, o, m, g, b), getProduct(Halide::Int(16), stored, 2 * h + pair, g, offset));
    product.twos.push_back({two, pair});
    return two(h, i, o, m, r.y, b);
  };
  if (layout.bits == 4) {
    product.low = Func("low");
    product.high = Func("high");
    product.low(j, i, g, b, o) = values(j, i, g, b, o) & Expr(uint8_t(15));
    product.high(j, i, g, b, o) = values(j, i, g, b, o) >> Expr(uint8_t(4));
    Expr low = multiply(product.low, 0), high = multiply(product.high, group / 2);
    if (in16Bits) {
      sums(place) = Halide::saturating_add(Halide::saturating_add(sums(place), low), high);
    } else {
      sums(place) += low;
      sums(place) += high;
    }
  } else {
    sums(place) += multiply(values, 0);
  }
  if (!inHalves)
    return;
  product.half = RDom(0, 2, "half");
  product.dot(i, o, m, b) = lhs.getStart(group, static_cast<int>(layout.zero), b, row);
  product.dot(i, o, m, b) += cast<int32_t>(product.halves(product.half, i, o, m, b));
}

/// b ascending, sum(i, o, m) += scale · (t · dot) + min · (t · Σ a), t the activations' scale.
static void buildQuantProduct(Product &product, QuantizedRows &lhs, Var i, Var o, Var m, Expr row,
                              const TargetSpec &target) {
  const PackedLayout &layout = product.weight.layout;
  int32_t group = static_cast<int32_t>(layout.group);
  buildDot(product, lhs, i, o, m, Var("b"), row, target);
  product.steps = RDom(0, static_cast<int32_t>(layout.blocksPerPanel(product.weight.columns)), "steps");
  Expr block = product.steps.x;
  Expr scaled = lhs.scaleDot(product.dot(i, o, m, block), block * group / QuantizedRows::block, row);
  Func &sum = product.sum;
  sum(i, o, m) = 0.0f;
  Expr next = sum(i, o, m) + toFloat(product.weight.scales(i, block, o)) * scaled;
  if (layout.hasMins)
    next = next + toFloat(product.weight.mins(i, block, o)) * lhs.scaledSums(group)(block, row);
  sum(i, o, m) = next;
}

/// Whether both sides are pairs of bf16.
static bool isPairs(MatmulOp matmul) {
  return cast<RankedTensorType>(matmul.getLhs().getType()).getElementType().isBF16();
}

LogicalResult findProducts(KernelOp kernel, SmallVectorImpl<MatmulOp> &matmuls, QuantizeOp &quantize) {
  for (auto matmul : kernel.getBody().getOps<MatmulOp>()) {
    if (!matmuls.empty() && matmul.getLhs() != matmuls.front().getLhs())
      return matmul.emitError("a kernel's products share their left side");
    int64_t rank = cast<RankedTensorType>(matmul.getLhs().getType()).getRank(), expected = matmul.isBatched() ? 3 : 2;
    if (!matmul.isGrouped() && rank != expected)
      return matmul.emitError("a kernel's product has a left side of shape ")
             << formatDims(getDims(cast<RankedTensorType>(matmul.getLhs().getType()))) << ", expected rank "
             << expected;
    if (!matmuls.empty() && matmul.getResult().getType() != matmuls.front().getResult().getType())
      return matmul.emitError("a kernel's products have results of one shape");
    matmuls.push_back(matmul);
  }
  Value lhs = matmuls.front().getLhs();
  if (!isa<BlockType>(cast<RankedTensorType>(lhs.getType()).getElementType()))
    return success();
  quantize = lhs.getDefiningOp<QuantizeOp>();
  if (!quantize)
    return matmuls.front().emitError("quantised activations come from `quern.quantize` in the same kernel");
  return success();
}

/// The row of the left side that lane `i` of panel `o` of row `m` reads: that of the index of the batch that the output
/// is of.
static Expr getRow(MatmulOp matmul, Expr i, Expr o, Expr m) {
  if (!matmul.isBatched())
    return m;
  int32_t batch = static_cast<int32_t>(matmul.getBatchSize());
  int32_t outputs = static_cast<int32_t>(matmul.getNumOutputs() / matmul.getBatchSize());
  Expr index = outputs % panelRows == 0 ? o / (outputs / panelRows) : (o * panelRows + i) / outputs;
  return m * batch + clamp(index, 0, batch - 1);
}

Formula flattenRows(const Formula &lhs) {
  if (lhs.shape.size() == 2)
    return lhs;
  Expr inner = lhs.shape[1];
  return {{lhs.shape[0] * inner, lhs.shape[2]},
          [lhs, inner](const Index &index) { return lhs.at({index[0] / inner, index[0] % inner, index[1]}); }};
}

/// The result of a product as a tensor: element (m, n) is lane n mod 16 of panel ⌊n / 16⌋.
static Formula toFormula(Lowering &lowering, MatmulOp matmul, Func sum, Var i, Var o) {
  int32_t outputs = static_cast<int32_t>(matmul.getResult().getType().getShape().back());
  return {lowering.shapeOf(matmul.getResult().getType()), [sum, i, o, outputs](const Index &index) {
            Expr n = index.size() == 2 ? index[1] : Halide::Internal::simplify(index[1] * outputs + index[2]);
            if (Halide::Internal::is_const_zero(Halide::Internal::simplify(n - (o * panelRows + i))))
              return sum(i, o, index[0]);
            return sum(n % panelRows, n / panelRows, index[0]);
          }};
}

/// The index of column `n` of row `m` of a tensor of `shape`, whose last dimensions are the columns.
static Index splitColumns(const std::vector<Expr> &shape, Expr m, Expr n) {
  Index index(shape.size());
  for (size_t d = shape.size() - 1; d > 1; --d) {
    index[d] = n % shape[d];
    n = n / shape[d];
  }
  index[1] = n;
  index[0] = m;
  return index;
}

/// The `count` pairs of a row of `columns` numbers of bf16, [pair, row], as packed weights hold them: 0 stands beyond
/// the last one.
static Func makePairs(const Formula &lhs, int32_t columns, int32_t count, Var m) {
  Var pair("pair");
  Func pairs("pairs");
  if (columns == 2 * count) {
    pairs(pair, m) = makePair([&](Expr column) { return lhs.at({m, column}); }, pair);
    return pairs;
  }
  Expr first = 2 * pair, second = first + 1, zero = Halide::reinterpret(Halide::BFloat(16), Expr(uint16_t(0)));
  Expr last = columns - 1, one = lhs.at({m, min(first, last)}), other = lhs.at({m, min(second, last)});
  pairs(pair, m) =
      select(second < columns, makePair(one, other), first < columns, makePair(one, zero), Expr(uint32_t(0)));
  return pairs;
}

/// Pairs of a row of a packed weight of bf16.
static int countPairs(const PackedWeight &weight) {
  return static_cast<int>(weight.layout.blocksPerPanel(weight.columns) * weight.layout.group / 2);
}

LogicalResult addProduct(Lowering &lowering, ContractFuncs &funcs, MatmulOp matmul) {
  FailureOr<PackedWeight> weight = lowering.getWeight(matmul.getWeight(), matmul);
  if (failed(weight))
    return failure();
  Product product;
  product.weight = *weight;
  product.sum = Func("sum");
  funcs.products.push_back(std::move(product));
  return success();
}

LogicalResult buildLhs(Lowering &lowering, ContractFuncs &funcs, MatmulOp matmul, QuantizeOp quantize, Formula &lhs) {
  Block &body = lowering.getKernel().getBody().front();
  for (Operation &op : body)
    if (op.isBeforeInBlock(matmul) && &op != quantize.getOperation() && !isa<MatmulOp>(op) &&
        failed(lowering.lowerOps(op.getIterator(), std::next(op.getIterator()))))
      return failure();
  FailureOr<Formula> rows = lowering.get(quantize ? quantize.getInput() : matmul.getLhs());
  if (failed(rows))
    return failure();
  lhs = flattenRows(*rows);
  // Whole tiles of rows are computed there.
  if (lowering.getTarget().isDevice())
    lhs.at = [all = lhs](const Index &index) { return all.at({min(index[0], all.shape[0] - 1), index[1]}); };
  if (quantize) {
    funcs.quantized.emplace(lhs, lowering.getTarget().isDevice());
    return success();
  }
  int32_t columns = static_cast<int32_t>(cast<RankedTensorType>(matmul.getLhs().getType()).getShape().back());
  if (isPairs(matmul)) {
    for (const Product &product : funcs.products)
      funcs.lhsExtent = std::max(funcs.lhsExtent, countPairs(product.weight));
    funcs.lhs = makePairs(lhs, columns, funcs.lhsExtent, funcs.m);
    return success();
  }
  if (isa<BlockArgument>(matmul.getLhs()))
    return success();
  funcs.lhsExtent = columns;
  Var k("k");
  funcs.lhs = Func("lhs");
  funcs.lhs(k, funcs.m) = lhs.at({funcs.m, k});
  lhs.at = [stored = funcs.lhs](const Index &index) { return callAt(stored, index); };
  return success();
}

void buildProduct(Lowering &lowering, ContractFuncs &funcs, Product &product, MatmulOp matmul, const Formula &lhs,
                  Expr row) {
  if (lowering.getTarget().isDevice())
    buildDeviceProduct(funcs, product, isPairs(matmul), lhs, row, lowering.getTarget());
  else if (funcs.quantized)
    buildQuantProduct(product, *funcs.quantized, funcs.i, funcs.o, funcs.m, row, lowering.getTarget());
  else if (isPairs(matmul))
    buildPairProduct(product, funcs.lhs, funcs.i, funcs.o, funcs.m, row, lowering.getTarget());
  else
    buildFloatProduct(product, lhs, funcs.i, funcs.o, funcs.m, row);
}

static FailureOr<ContractFuncs> algorithm(Lowering &lowering) {
  KernelOp kernel = lowering.getKernel();
  SmallVector<MatmulOp> matmuls;
  QuantizeOp quantize;
  if (failed(findProducts(kernel, matmuls, quantize)))
    return failure();
  ContractFuncs funcs;
  funcs.i = Var("i"), funcs.o = Var("o"), funcs.m = Var("m"), funcs.n = Var("n");
  for (MatmulOp matmul : matmuls)
    if (failed(addProduct(lowering, funcs, matmul)))
      return failure();
  Formula lhs;
  if (failed(buildLhs(lowering, funcs, matmuls.front(), quantize, lhs)))
    return failure();
  for (auto [matmul, product] : llvm::zip_equal(matmuls, funcs.products)) {
    buildProduct(lowering, funcs, product, matmul, lhs, getRow(matmul, funcs.i, funcs.o, funcs.m));
    lowering.set(matmul.getResult(), toFormula(lowering, matmul, product.sum, funcs.i, funcs.o));
  }
  if (quantize)
    lowering.set(quantize.getResult(), {});
  FailureOr<Formula> result = lowering.lowerResult(std::next(matmuls.front()->getIterator()));
  if (failed(result))
    return failure();

  int64_t columns = matmuls.front().getNumOutputs();
  funcs.panels = static_cast<int>(PackedLayout::panels(columns));
  funcs.rows = result->shape[0];
  funcs.ragged = columns % panelRows != 0;
  funcs.output = Func("output");
  if (funcs.ragged)
    funcs.output(funcs.n, funcs.m) = result->at(splitColumns(result->shape, funcs.m, funcs.n));
  else
    funcs.output(funcs.i, funcs.o, funcs.m) =
        result->at(splitColumns(result->shape, funcs.m, funcs.o * panelRows + funcs.i));
  return funcs;
}

/// The pairs of a compressed weight: unit by unit in registers, or, where several tiles of rows read them, `shared`,
/// they or the floats that they hold once for the panels of a tile.
static void schedulePairs(Product &product, const ContractFuncs &funcs, bool shared) {
  Func highs = product.highs, words = product.words, pairs = product.pairs;
  Var byte = highs.args()[0], word = words.args()[0], pair = pairs.args()[1], block("block"), unit("unit"),
      half("half");
  highs.bound(byte, 0, 4 * panelRows).vectorize(byte);
  words.bound(word, 0, panelRows / 2).vectorize(word).unroll(words.args()[1]);
  pairs.bound(funcs.i, 0, panelRows).vectorize(funcs.i);
  Halide::Stage update = product.sum.update();
  update.unroll(product.steps.x);
  if (shared) {
    // What the tiles read is computed for a whole block at once: its units differ in their shifts.
    Func kept = product.wide.defined() ? product.wide : pairs;
    int perUnit = product.wide.defined() ? unitColumns : unitPairs;
    kept.compute_at(funcs.output, Var("oo"));
    kept.split(kept.args()[1], unit, half, perUnit).split(unit, block, unit, blockUnits).unroll(half).unroll(unit);
    words.compute_at(kept, unit);
    highs.compute_at(kept, unit);
    if (product.wide.defined()) {
      product.wide.bound(funcs.i, 0, panelRows).vectorize(funcs.i);
      pairs.compute_at(product.wide, unit).unroll(pair);
    }
    return;
  }
  update.unroll(product.steps.y);
  pairs.unroll(pair);
  for (Func part : {highs, words, pairs})
    part.compute_at(product.sum, product.steps.y).unroll(funcs.o);
}

void scheduleProduct(Product &product, const ContractFuncs &funcs, bool tiled, bool shared) {
  Var i = funcs.i, o = funcs.o, m = funcs.m;
  auto unrollTile = [&](Halide::Stage stage) {
    stage.vectorize(i);
    if (tiled)
      stage.unroll(o).unroll(m);
  };
  std::vector<Halide::VarOrRVar> order = {i, o, m};
  auto place = tiled ? order.end() : order.begin() + 1;
  for (int d = product.steps.dimensions(); d-- > 0;)
    place = order.insert(place, product.steps[d]);
  Halide::Stage update = product.sum.update();
  update.reorder(order);
  unrollTile(product.sum);
  unrollTile(update);
  if (product.highs.defined())
    return schedulePairs(product, funcs, shared);
  if (product.wide.defined() && shared)
    product.wide.compute_at(funcs.output, Var("oo")).bound(i, 0, panelRows).vectorize(i);
  if (!product.dot.defined()) {
    if (product.steps.dimensions() > 1 && product.weight.layout.group > 1)
      update.unroll(product.steps.x);
    return;
  }
  RDom &r = product.columns;
  product.dot.compute_at(product.sum, product.steps.x);
  unrollTile(product.dot);
  Func sums = product.dot;
  std::vector<Halide::VarOrRVar> lanes = {r.x, i, o, m, r.y};
  if (product.halves.defined()) {
    sums = product.halves;
    Var h = sums.args()[0];
    lanes.insert(lanes.begin() + 1, h);
    sums.compute_at(product.sum, product.steps.x).bound(h, 0, 2).vectorize(h);
    unrollTile(sums);
    Halide::Stage both = product.dot.update();
    both.reorder(product.half, i, o, m).atomic().vectorize(product.half);
    unrollTile(both);
  }
  for (int u = 0; u < sums.num_update_definitions(); ++u) {
    Halide::Stage multiply = sums.update(u);
    multiply.reorder(lanes);
    if (product.twos.empty())
      multiply.atomic().vectorize(r.x);
    if (product.halves.defined())
      multiply.vectorize(sums.args()[0]);
    unrollTile(multiply);
    multiply.unroll(r.y);
  }
  for (auto &[two, pair] : product.twos) {
    Var h = two.args()[0];
    two.compute_at(sums, m).bound(h, 0, 2).vectorize(h).vectorize(i);
    // Sums that never saturate are associative, which Halide cannot know.
    two.update()
        .reorder(pair, h, i)
        .atomic(/*override_associativity_test=*/true)
        .vectorize(pair)
        .vectorize(h)
        .vectorize(i);
  }
  for (Func nibbles : {product.low, product.high}) {
    if (!nibbles.defined())
      continue;
    Var j = nibbles.args()[0], lane = nibbles.args()[1], fused("fused");
    nibbles.compute_at(sums, r.y).bound(j, 0, 4).bound(lane, 0, panelRows);
    nibbles.fuse(j, lane, fused).vectorize(fused).unroll(funcs.o);
  }
}

/// The order of the tile loops of `stage`: rows of a task's panels, one tile of `rows` × `vectors` panels at a time.
/// Where the last tile does not fit it begins earlier and computes some panels again, to the same bits.
static void tile(Halide::Stage stage, const ContractFuncs &funcs, int rows, int vectors, int panels,
                 TailStrategy tail) {
  Var mo("mo"), mi("mi"), oo("oo"), oi("oi"), task("task");
  stage.split(funcs.o, oo, oi, vectors, TailStrategy::ShiftInwards)
      .split(oo, task, oo, (panels + vectors - 1) / vectors, TailStrategy::GuardWithIf)
      .split(funcs.m, mo, mi, rows, tail)
      .reorder({funcs.i, oi, mi, mo, oo, task})
      .vectorize(funcs.i)
      .unroll(oi)
      .unroll(mi)
      .parallel(task);
}

/// The heights of tiles of any number of rows, but for a single one: code grows with their sum, so that below a high
/// tile there are a third of it and halves of that.
static std::vector<int> getHeights(int rows) {
  std::vector<int> heights;
  for (int height = rows; height > 1;) {
    heights.push_back(height);
    if (rows <= 4)
      --height;
    else
      height = height == rows ? (height + 2) / 3 : (height + 1) / 2;
  }
  return heights;
}

/// Tiles of any number of rows: those of one of a few heights, the cheapest of all that there are rows enough for.
/// What the rows of a tile share, its weights, takes as long as one row more.
static void tileAnyRows(const ContractFuncs &funcs, int rows, int vectors, int panels) {
  std::vector<int> heights = getHeights(rows);
  auto getCost = [&](int height) { return (funcs.rows + (height - 1)) / height * (height + 1); };
  Func output = funcs.output;
  for (auto height = heights.begin(); height != heights.end(); ++height) {
    Expr isBest = funcs.rows >= *height;
    for (auto lower = std::next(height); lower != heights.end(); ++lower)
      isBest = isBest && getCost(*height) <= getCost(*lower);
    tile(output.specialize(isBest), funcs, *height, vectors, panels, TailStrategy::ShiftInwards);
  }
  tile(output, funcs, 1, vectors, panels, TailStrategy::GuardWithIf);
}

void scheduleLhs(ContractFuncs &funcs, const Lowering &lowering, bool few) {
  int lanes = lowering.getTarget().lanes();
  scheduleStages(lowering, funcs.output, nullptr, !few);
  if (funcs.quantized)
    funcs.quantized->schedule(lanes, !few);
  if (!funcs.lhs.defined())
    return;
  funcs.lhs.compute_root();
  vectorizeTail(funcs.lhs, funcs.lhs.args()[0], Expr(funcs.lhsExtent), lanes);
  if (!few)
    funcs.lhs.parallel(funcs.m, rowsPerTask, TailStrategy::GuardWithIf);
}

void spreadLhs(const ContractFuncs &funcs, const Lowering &lowering, const DeviceSchedule &device) {
  spreadStages(lowering, device);
  if (funcs.quantized)
    funcs.quantized->spread(device);
  if (funcs.lhs.defined())
    device.spread(funcs.lhs);
}

/// Columns that do not fill whole panels: the products are stored by panels, then the output picks its columns.
static void scheduleRagged(ContractFuncs &funcs) {
  for (Product &product : funcs.products) {
    product.sum.compute_root().bound(funcs.i, 0, panelRows);
    product.sum.bound(funcs.o, 0, funcs.panels);
    scheduleProduct(product, funcs, /*tiled=*/false);
    product.sum.parallel(funcs.o);
    product.sum.update().parallel(funcs.o);
  }
}

static void schedule(ContractFuncs &funcs, const Lowering &lowering, const Parameters &parameters) {
  auto staticRows = Halide::Internal::as_const_int(funcs.rows);
  scheduleLhs(funcs, lowering, staticRows && *staticRows <= rowsPerTask);
  if (funcs.ragged)
    return scheduleRagged(funcs);
  int rows = parameters["rows"], vectors = std::min(parameters["vectors"], funcs.panels);
  int panels = parameters["panels"];
  Func output = funcs.output;
  output.bound(funcs.i, 0, panelRows);
  if (staticRows) {
    rows = std::max<int>(1, std::min<int64_t>(rows, *staticRows));
    tile(output, funcs, rows, vectors, panels, TailStrategy::ShiftInwards);
  } else {
    tileAnyRows(funcs, rows, vectors, panels);
  }
  for (Product &product : funcs.products) {
    product.sum.compute_at(output, Var("mo"));
    scheduleProduct(product, funcs, /*tiled=*/true, /*shared=*/!staticRows || *staticRows > rows);
  }
}

FailureOr<KernelPlan> buildContract(Lowering &lowering, const Parameters &parameters) {
  FailureOr<ContractFuncs> funcs = algorithm(lowering);
  if (failed(funcs))
    return failure();
  return KernelPlan(
      {funcs->output},
      [funcs = *funcs, &lowering, parameters]() mutable {
        schedule(funcs, lowering, parameters);
        return success();
      },
      [funcs = *funcs, &lowering, parameters](const DeviceSchedule &device) mutable {
        spreadContract(funcs, lowering, parameters, device);
      });
}

} // namespace quern::codegen
