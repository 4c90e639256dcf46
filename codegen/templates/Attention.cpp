//===- Attention.cpp - attention over a cache -------------------------------------------------===//
//
// The cache rows are taken in chunks of 256. Each chunk has its own largest score, its own sum of powers and its own
// weighted sum of values; the chunks are then combined (Milakov and Gimelshein 2018; Dao et al. 2022):
//
//   M = max_c m_c      result = Σ_c exp(m_c - M) · w_c / Σ_c exp(m_c - M) · l_c
//
// Powers are of two: the scores are in units of log 2.
//
// Of a query and a cache of bf16, where the target is fast at it, two products at a time are added to a sum: of
// elements 2k and 2k + 1 for a score, of rows 2r and 2r + 1 for a weighted sum, whose powers are rounded.
//
// Chunks are the pages of a sequence, so the order of sums depends neither on the rows of a step, nor on where the
// sequence lies in the cache, nor on the threads. Rows are counted from the first of the token's sequence.
//
// Of a sliding window a tile takes the chunks from the first on in which one of its tokens sees a row. What a token
// does not see has the power 0, which changes no bit of a sum: a window as wide as the sequence gives the bits of none.
//
// A token of a tree sees rows that do not lie one behind the other. They are counted as if they did: row p of what it
// sees is lane p % 16 of its group wherever it lies, so that a path of the tree gives the bits that it gives as a text.
// From the first group on that holds a row of a tree, a tile looks each row up.
//
//===------------------------------------------------------------------------------------------===//

#include "codegen/Scalar.h"
#include "codegen/StateLayout.h"
#include "codegen/templates/Common.h"
#include "codegen/templates/Weights.h"
#include "dialect/CacheLayout.h"

#include <array>
#include <numbers>
#include <numeric>

using namespace mlir;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

namespace quern::codegen {

namespace {

constexpr int lanes = stateLanes;
constexpr int chunkRows = statePage;
/// Groups of `lanes` cache rows in a chunk.
constexpr int chunkGroups = chunkRows / lanes;
/// Values that are turned at a time.
constexpr int turnedValues = lanes * lanes;

/// The variables of attention: a token is row `ii` of tile `it`, a head the `u`-th of those that share cache head `g`;
/// a cache row is lane `lane` of group `t` of chunk `c`.
struct AttentionVars {
  Var lane{"lane"}, t{"t"}, u{"u"}, g{"g"}, ii{"ii"}, it{"it"}, c{"c"}, e{"e"}, k{"k"};
  /// Heads by those whose sums are in registers at once: `u` is what remains within them.
  Var heads{"heads"};
  /// Elements of values by vectors of `lanes`: `e` is what remains within them.
  Var vector{"vector"};
};

struct AttentionFuncs {
  AttentionVars v;
  /// [e, head, token]
  Func output;
  std::vector<Var> vars;
  /// The last cache row that a tile sees, and the first, of a sliding window. [it]
  Func limit{"limit"}, begin{"begin"};
  /// A token's rows of its tree, by depth; the row that it begins at, or one beyond all. [depth, ii, it], [ii, it]
  Func path{"path"}, tree{"tree"};
  /// The first group of rows, of all of a sequence, that the tile looks up; a multiple of `scoreGroups`. [it]
  Func lookedUp{"looked_up"};
  /// The query, or its pairs. [k, u, g, ii, it]
  Func query{"query"};
  /// [lane, t, u, g, ii, it, c]; groups that the tile does not see are left out.
  Func scores{"scores"};
  /// 2^(score - largest of the chunk), 0 for rows not seen. [lane, t, u, g, ii, it, c]
  Func powers{"powers"};
  /// Pairs of powers, before values of bf16. [pair of lanes, t, u, g, ii, it, c]
  Func rounded{"rounded"};
  /// [lane, u, g, ii, it, c], and over all lanes [u, g, ii, it, c]
  Func largestLanes{"largest_lanes"}, largest{"largest"}, sumLanes{"sum_lanes"}, sum{"sum"};
  /// The bits of values of a cache that lies by lanes, `lanes` rows of as many elements at a time: as they lie, and on
  /// the way to lie by rows. [n, t, vector, g, token, it, c]
  std::array<Func, 5> turned;
  /// Weighted sums of values. [e, u, g, ii, it, c]
  Func weighted{"weighted"};
  /// What is left of a chunk: the weighted sums; beside each, the sum of powers and the largest score.
  /// [e, u, g, ii, it, c]
  Func partial{"partial"};
  /// The chunks together: largest score, sum of powers [u, g, ii, it]; a chunk's factor [c, u, g, ii, it]; the weighted
  /// sums [e, u, g, ii, it].
  Func best{"best"}, factor{"factor"}, total{"total"}, combined{"combined"};
  /// The groups of a chunk, some at a time: those, the depth or pairs of it, and all.
  RDom scored;
  RDom largestGroups, powerGroups, roundedGroups, sumGroups;
  /// The rows of a group, or pairs of them, and the groups.
  RDom weightedRows;
  /// The same of groups that are looked up: the depth or pairs of it, and the groups; rows and groups.
  RDom treeScored, treeWeighted;
  /// The rows of a tree.
  RDom treeRows;
  RDom bestChunks, totalChunks, combinedChunks;
  /// Heads that share a cache head, and how many of them at a time; elements of a value; tokens in a tile; groups of
  /// cache rows scored at a time.
  int shared = 1, heads = 1, size = 0, tile = 1, scoreGroups = 1;
  /// So few tokens that each chunk of each of them is a task.
  bool few = false;
  /// Query and cache are bf16, and multiplied in pairs.
  bool pairs = false;
  /// Values lie by lanes, and are turned before they are added up.
  bool turns = false;
  /// The first cache row of all tokens, which are consecutive rows of one sequence, or -1 where they are not.
  Expr first;
  /// The rows of a sliding window that leaves out some; 0 without one.
  int32_t window = 0;
  /// The rows of the cache.
  Expr cacheRows;

  /// The chunk of the sequence that is the tile's chunk `c`.
  Expr chunk() const {
    if (!window)
      return v.c;
    return Halide::unsafe_promise_clamped(begin(v.it) / chunkRows, 0, cacheRows / chunkRows) + v.c;
  }
  /// Whether the tile sees any of `count` rows from row `row` of its chunk on.
  Expr sees(Expr row, int count) const {
    Expr from = chunk() * chunkRows + row, isBefore = from <= limit(v.it);
    return window ? isBefore && from + (count - 1) >= begin(v.it) : isBefore;
  }
  /// Whether the tile looks up the rows of group `group` of its chunk.
  Expr looksUp(Expr group) const { return chunk() * chunkGroups + group >= lookedUp(v.it); }
};

/// An element of a cache: of lane `lane` of group `group` of the chunk that begins at row `begin` of the cache.
using ReadCache = std::function<Expr(Expr lane, Expr element, Expr group, Expr head, Expr begin)>;

/// The arguments of an attention kernel.
struct AttentionInputs {
  Formula query;
  Halide::ImageParam positions;
  ReadCache keys, values;
  int32_t depth;
  Expr cacheRows;
  float scale;
  Expr tokens;
};

/// Where a token stands.
struct TokenPlaces {
  /// The last row that it sees, of those that it sees.
  Expr row;
  /// The row of the cache that its sequence begins with.
  Expr origin;
};

/// A token's place in its tree.
struct TreePlace {
  /// Bit i: it sees row i of the tree. 0: there is none.
  Expr ancestors;
  /// The cache row that the tree begins at, of those of its sequence, and the depth of the token.
  Expr begin, depth;
};

} // namespace

/// How `cache` is read. A plain one may end within a group, and may be computed in this kernel.
static FailureOr<ReadCache> getCache(Lowering &lowering, AttendOp anchor, Value cache) {
  if (isPlain(anchor)) {
    FailureOr<Formula> rows = lowering.get(cache);
    if (failed(rows))
      return failure();
    return ReadCache([rows = *rows](Expr lane, Expr element, Expr group, Expr head, Expr begin) {
      return rows.at({clamp(begin + group * lanes + lane, 0, rows.shape[0] - 1), head, element});
    });
  }
  FailureOr<Halide::ImageParam> buffer = lowering.getBuffer(cache, anchor);
  if (failed(buffer))
    return failure();
  return ReadCache([buffer = *buffer, &lowering](Expr lane, Expr element, Expr group, Expr head, Expr begin) mutable {
    return Expr(buffer(lane, element, group, head, lowering.getPage(begin)));
  });
}

/// The rows of the window of `anchor`; 0 where it leaves out none.
static int32_t getWindow(AttendOp anchor) {
  // Halide adds rows to it, and takes sums to stay within 32 bits.
  constexpr uint64_t largest = 1 << 30;
  Dim rows = getDims(cast<RankedTensorType>(anchor.getKeys().getType())).front();
  uint64_t window = anchor.getWindow().value_or(0);
  bool isWhole = rows.isStatic() && window >= static_cast<uint64_t>(rows.size());
  return isWhole ? 0 : static_cast<int32_t>(std::min(window, largest));
}

static FailureOr<AttentionInputs> getInputs(Lowering &lowering, AttendOp anchor) {
  FailureOr<Formula> query = lowering.get(anchor.getQuery());
  FailureOr<Halide::ImageParam> positions = lowering.getBuffer(anchor.getAt(), anchor);
  FailureOr<ReadCache> keys = getCache(lowering, anchor, anchor.getKeys());
  FailureOr<ReadCache> values = getCache(lowering, anchor, anchor.getValues());
  if (failed(query) || failed(positions) || failed(keys) || failed(values))
    return failure();
  auto keyType = cast<RankedTensorType>(anchor.getKeys().getType());
  return AttentionInputs{*query,
                         *positions,
                         *keys,
                         *values,
                         static_cast<int32_t>(keyType.getDimSize(2)),
                         lowering.extent(getDims(keyType).front()),
                         static_cast<float>(anchor.getScale().convertToDouble()),
                         query->shape[0]};
}

/// The values of `func` for all lanes, its first argument, combined in pairs.
template <typename CombineT, typename... Args> static Expr foldLanes(Func func, CombineT combine, Args... rest) {
  std::vector<Expr> terms;
  for (int lane = 0; lane < lanes; ++lane)
    terms.push_back(func(lane, rest...));
  for (size_t width = lanes / 2; width > 0; width /= 2)
    for (size_t lane = 0; lane < width; ++lane)
      terms[lane] = combine(terms[lane], terms[lane + width]);
  return terms[0];
}

/// 2^x for x ≤ 0, to a relative error of 2e-7, and 0 below 2^-126. With x = n + y, |y| ≤ 1/2: 2^y by its Taylor
/// polynomial, and n added to the bits of its exponent.
static Expr powerOfTwo(Expr x) {
  constexpr int degree = 6, exponentShift = 23;
  double coefficients[degree + 1] = {1.0};
  for (int i = 1; i <= degree; ++i)
    coefficients[i] = coefficients[i - 1] * std::numbers::ln2 / i;
  Expr n = round(x), y = x - n;
  Expr power = static_cast<float>(coefficients[degree]);
  for (int i = degree - 1; i >= 0; --i)
    power = power * y + static_cast<float>(coefficients[i]);
  Expr bits = Halide::reinterpret<int32_t>(power) + (Halide::cast<int32_t>(n) << exponentShift);
  return select(x < -126.0f, 0.0f, Halide::reinterpret<float>(bits));
}

/// `power`, not negative, as bf16: to the nearest, from the middle up.
static Expr roundPower(Expr power) {
  Expr bits = Halide::reinterpret<uint32_t>(power) + Expr(uint32_t(0x8000));
  return Halide::reinterpret(Halide::BFloat(16), Halide::cast<uint16_t>(bits >> 16));
}

static TreePlace getTreePlace(Expr row, Expr low, Expr high) {
  auto toWord = [](Expr half) { return Halide::cast<uint64_t>(Halide::reinterpret<uint32_t>(half)); };
  Expr ancestors = (toWord(high) << 32) | toWord(low);
  Expr own = 63 - Halide::cast<int32_t>(Halide::count_leading_zeros(ancestors));
  return {ancestors, row - own, Halide::cast<int32_t>(Halide::popcount(ancestors)) - 1};
}

/// The rows of trees that the tokens of a tile see.
static void buildPaths(AttentionFuncs &f, llvm::function_ref<TreePlace(Expr token)> treeOf) {
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  constexpr int beyond = 1 << 30;
  constexpr int rows = 64;
  TreePlace own = treeOf(it * f.tile + ii);
  f.tree(ii, it) = select(own.ancestors == 0, beyond, own.begin);
  Expr first = f.tree(0, it);
  for (int row = 1; row < f.tile; ++row)
    first = min(first, f.tree(row, it));
  f.lookedUp(it) = first / (lanes * f.scoreGroups) * f.scoreGroups;
  RDom r = f.treeRows = RDom(0, rows, "tree_rows");
  Expr bit = Expr(uint64_t(1)) << Halide::cast<uint64_t>(r.x);
  r.where(own.ancestors != 0);
  r.where((own.ancestors & bit) != 0);
  f.path(k, ii, it) = 0;
  Expr depth = Halide::cast<int32_t>(Halide::popcount(own.ancestors & (bit - 1)));
  f.path(unsafe_promise_clamped(depth, 0, rows - 1), ii, it) = r.x;
}

/// The cache row that row `row` of what a token sees is, from the first of its sequence.
static Expr lookUp(const AttentionFuncs &f, Expr row) {
  Expr tree = f.tree(f.v.ii, f.v.it);
  return select(row < tree, row, tree + f.path(clamp(row - tree, 0, 63), f.v.ii, f.v.it));
}

/// A tile's limit and query, and where its tokens stand.
static TokenPlaces buildTile(AttentionFuncs &f, const AttentionInputs &in) {
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  Expr last = in.tokens - 1;
  auto fieldOf = [&](PositionField field, Expr token) {
    return Lowering::getField(in.positions, field, min(token, last));
  };
  auto firstOf = [&](Expr token) { return fieldOf(PositionField::First, token); };
  auto treeOf = [&](Expr token) {
    return getTreePlace(fieldOf(PositionField::Row, token) - firstOf(token),
                        fieldOf(PositionField::AncestorsLow, token), fieldOf(PositionField::AncestorsHigh, token));
  };
  auto rowOf = [&](Expr token) {
    TreePlace tree = treeOf(token);
    Expr row = fieldOf(PositionField::Row, token) - firstOf(token);
    return select(tree.ancestors == 0, row, tree.begin + tree.depth);
  };
  buildPaths(f, treeOf);
  Expr limit = rowOf(it * f.tile);
  for (int row = 1; row < f.tile; ++row)
    limit = max(limit, rowOf(it * f.tile + row));
  f.limit(it) = limit;
  if (f.window) {
    Expr lowest = rowOf(it * f.tile);
    for (int row = 1; row < f.tile; ++row)
      lowest = min(lowest, rowOf(it * f.tile + row));
    f.begin(it) = max(lowest - (f.window - 1), 0);
  }
  Expr token = it * f.tile + ii;
  auto queryAt = [&](Expr element) { return in.query.at({min(token, last), g * f.shared + u, element}); };
  f.query(k, u, g, ii, it) = f.pairs ? makePair(queryAt, k) : toFloat(queryAt(k));
  // Where all tokens begin at one row, those of a tile share what they read.
  return {rowOf(token), f.tile == 1 ? firstOf(token) : select(f.first >= 0, f.first, firstOf(token))};
}

/// A domain of the chunk's groups that the tile sees.
static RDom seenGroups(const AttentionFuncs &f, const std::string &name) {
  RDom groups(0, chunkGroups, name);
  groups.where(f.sees(groups * lanes, lanes));
  return groups;
}

/// An element of the row that row `row` of the chunk of what a token sees is.
static Expr readRow(const AttentionFuncs &f, const ReadCache &cache, const TokenPlaces &places, Expr row,
                    Expr element) {
  Expr own = lookUp(f, f.chunk() * chunkRows + row), inChunk = own % chunkRows;
  return cache(inChunk % lanes, element, inChunk / lanes, f.v.g, places.origin + own / chunkRows * chunkRows);
}

static void buildScores(AttentionFuncs &f, const TargetSpec &target, const AttentionInputs &in,
                        const TokenPlaces &places) {
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  f.scored = RDom(0, f.scoreGroups, 0, f.pairs ? in.depth / 2 : in.depth, 0, chunkGroups / f.scoreGroups, "scored");
  f.scored.where(f.sees(f.scored.z * (f.scoreGroups * lanes), f.scoreGroups * lanes));
  f.scored.where(!f.looksUp(f.scored.z * f.scoreGroups));
  Expr group = f.scored.z * f.scoreGroups + f.scored.x, step = f.scored.y;
  Expr begin = places.origin + f.chunk() * chunkRows;
  auto keyAt = [&](Expr element) { return in.keys(lane, element, group, g, begin); };
  f.scores(lane, t, u, g, ii, it, c) = 0.0f;
  Expr score = f.scores(lane, group, u, g, ii, it, c), query = f.query(step, u, g, ii, it);
  f.scores(lane, group, u, g, ii, it, c) =
      f.pairs ? addPairProducts(target, score, query, makePair(keyAt, step)) : score + query * toFloat(keyAt(step));

  f.treeScored = RDom(0, f.pairs ? in.depth / 2 : in.depth, 0, chunkGroups, "tree_scored");
  group = f.treeScored.y, step = f.treeScored.x;
  f.treeScored.where(f.looksUp(group));
  f.treeScored.where(f.sees(group * lanes, lanes));
  auto treeKeyAt = [&](Expr element) { return readRow(f, in.keys, places, group * lanes + lane, element); };
  score = f.scores(lane, group, u, g, ii, it, c), query = f.query(step, u, g, ii, it);
  f.scores(lane, group, u, g, ii, it, c) = f.pairs ? addPairProducts(target, score, query, makePair(treeKeyAt, step))
                                                   : score + query * toFloat(treeKeyAt(step));
}

/// The softmax within a chunk but for its division.
static void buildPowers(AttentionFuncs &f, const AttentionInputs &in, const TokenPlaces &places) {
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  auto isSeen = [&](Expr group) {
    Expr row = f.chunk() * chunkRows + group * lanes + lane, isBefore = row <= places.row;
    return f.window ? isBefore && row > places.row - f.window : isBefore;
  };
  // In units of log 2, so that powers of two make the softmax.
  float scale = in.scale * std::numbers::log2e_v<float>;
  auto scoreAt = [&](Expr group) { return f.scores(lane, group, u, g, ii, it, c) * scale; };
  float lowest = -std::numeric_limits<float>::infinity();

  RDom r = f.largestGroups = seenGroups(f, "largest_groups");
  f.largestLanes(lane, u, g, ii, it, c) = lowest;
  f.largestLanes(lane, u, g, ii, it, c) =
      max(f.largestLanes(lane, u, g, ii, it, c), select(isSeen(r), scoreAt(r), lowest));
  auto larger = [](Expr a, Expr b) { return max(a, b); };
  f.largest(u, g, ii, it, c) = foldLanes(f.largestLanes, larger, u, g, ii, it, c);

  r = f.powerGroups = seenGroups(f, "power_groups");
  f.powers(lane, t, u, g, ii, it, c) = Halide::undef<float>();
  f.powers(lane, r, u, g, ii, it, c) = select(isSeen(r), powerOfTwo(scoreAt(r) - f.largest(u, g, ii, it, c)), 0.0f);
  r = f.sumGroups = seenGroups(f, "sum_groups");
  f.sumLanes(lane, u, g, ii, it, c) = 0.0f;
  f.sumLanes(lane, u, g, ii, it, c) += f.powers(lane, r, u, g, ii, it, c);
  f.sum(u, g, ii, it, c) = foldLanes(f.sumLanes, [](Expr a, Expr b) { return a + b; }, u, g, ii, it, c);
  if (!f.pairs)
    return;
  r = f.roundedGroups = seenGroups(f, "rounded_groups");
  auto roundedAt = [&](Expr lane) { return roundPower(f.powers(lane, r, u, g, ii, it, c)); };
  f.rounded(k, t, u, g, ii, it, c) = Halide::undef<uint32_t>();
  f.rounded(k, r, u, g, ii, it, c) = makePair(roundedAt, k);
}

/// The values of a chunk that begins at row `begin`, by rows. A number has four bits of its element and, below, four of
/// its row; each step moves the highest bit to the end.
static void turnValues(AttentionFuncs &f, const ReadCache &values, Expr begin) {
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  Var n("n");
  Expr value = values(n % lanes, vector * lanes + n / lanes, t, g, begin);
  for (size_t i = 0; i < f.turned.size(); ++i) {
    f.turned[i] = Func("turned_" + std::to_string(i));
    f.turned[i](n, t, vector, g, ii, it, c) =
        i == 0 ? Halide::reinterpret(Halide::UInt(value.type().bits()), value)
               : f.turned[i - 1](n % 2 * (turnedValues / 2) + n / 2, t, vector, g, ii, it, c);
  }
}

static void buildWeighted(AttentionFuncs &f, const TargetSpec &target, const AttentionInputs &in,
                          const TokenPlaces &places) {
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  f.weightedRows = RDom(0, f.pairs ? lanes / 2 : lanes, 0, chunkGroups, "weighted_rows");
  f.weightedRows.where(f.sees(f.weightedRows.y * lanes, lanes));
  f.weightedRows.where(!f.looksUp(f.weightedRows.y));
  Expr step = f.weightedRows.x, group = f.weightedRows.y;
  Expr begin = places.origin + f.chunk() * chunkRows;
  // Tokens of a tile that begin at one row have the same values.
  Expr token = f.tile == 1 ? ii : select(f.first >= 0, 0, ii);
  if (f.turns)
    turnValues(f, in.values, begin);
  auto valueAt = [&](Expr row) {
    Expr value = in.values(row, e, group, g, begin);
    if (!f.turns)
      return value;
    Expr bits = f.turned.back()(row * lanes + e % lanes, group, e / lanes, g, token, it, c);
    return Halide::reinterpret(value.type(), bits);
  };
  f.weighted(e, u, g, ii, it, c) = 0.0f;
  Expr sum = f.weighted(e, u, g, ii, it, c);
  auto add = [&](Expr step, Expr group, llvm::function_ref<Expr(Expr row)> valueAt) {
    if (!f.pairs)
      return sum + f.powers(step, group, u, g, ii, it, c) * toFloat(valueAt(step));
    Expr powers = f.rounded(step, group, u, g, ii, it, c), values = makePair(valueAt, step);
    bool wholeVectors = f.size % lanes == 0;
    return wholeVectors ? addPairProducts(target, sum, powers, values) : addPairProducts(sum, powers, values);
  };
  f.weighted(e, u, g, ii, it, c) = add(step, group, valueAt);

  f.treeWeighted = RDom(0, f.pairs ? lanes / 2 : lanes, 0, chunkGroups, "tree_weighted");
  step = f.treeWeighted.x, group = f.treeWeighted.y;
  f.treeWeighted.where(f.looksUp(group));
  f.treeWeighted.where(f.sees(group * lanes, lanes));
  f.weighted(e, u, g, ii, it, c) =
      add(step, group, [&](Expr row) { return readRow(f, in.values, places, group * lanes + row, e); });
  f.partial(e, u, g, ii, it, c) = Halide::Tuple(sum, f.sum(u, g, ii, it, c), f.largest(u, g, ii, it, c));
}

/// How many chunks a tile takes, of `visible` rows of a sequence.
static Expr countChunks(const AttentionFuncs &f, Expr visible) {
  Expr all = min((max(visible, 1) + (chunkRows - 1)) / chunkRows, (f.cacheRows + (chunkRows - 1)) / chunkRows);
  if (!f.window)
    return all;
  // The windows of consecutive tokens have one row more per token, and of a tree's as many as it has; they may begin
  // with the last row of a chunk.
  int64_t rows = int64_t(f.window) + (f.tile == 1 ? 0 : f.tile - 1 + 63);
  Expr few = static_cast<int32_t>(llvm::divideCeil(rows - 1, chunkRows) + 1);
  return min(all, f.tile == 1 ? few : select(f.first >= 0, few, all));
}

/// All chunks: see the head of this file.
static void combineChunks(AttentionFuncs &f, Expr chunks) {
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  f.bestChunks = RDom(0, chunks, "best_chunks");
  f.totalChunks = RDom(0, chunks, "total_chunks");
  f.combinedChunks = RDom(0, chunks, "combined_chunks");
  auto largestOf = [&](Expr chunk) { return f.partial(0, u, g, ii, it, chunk)[2]; };
  f.best(u, g, ii, it) = -std::numeric_limits<float>::infinity();
  f.best(u, g, ii, it) = max(f.best(u, g, ii, it), largestOf(f.bestChunks));
  f.factor(c, u, g, ii, it) = powerOfTwo(largestOf(c) - f.best(u, g, ii, it));
  RDom r = f.totalChunks;
  f.total(u, g, ii, it) = 0.0f;
  f.total(u, g, ii, it) += f.factor(r, u, g, ii, it) * f.partial(0, u, g, ii, it, r)[1];
  r = f.combinedChunks;
  f.combined(e, u, g, ii, it) = 0.0f;
  f.combined(e, u, g, ii, it) += f.factor(r, u, g, ii, it) * f.partial(e, u, g, ii, it, r)[0];
}

static FailureOr<AttentionFuncs> algorithm(Lowering &lowering, const Parameters &parameters) {
  KernelOp kernel = lowering.getKernel();
  Block &body = kernel.getBody().front();
  auto anchor = cast<AttendOp>(kernel.getAnchor());
  if (failed(lowering.lowerOps(body.begin(), anchor->getIterator())))
    return failure();
  FailureOr<AttentionInputs> inputs = getInputs(lowering, anchor);
  if (failed(inputs))
    return failure();
  auto resultType = cast<RankedTensorType>(anchor.getResult().getType());
  AttentionFuncs f;
  bool isDevice = lowering.getTarget().isDevice();
  f.few = areFew(resultType);
  bool isBf16 = cast<RankedTensorType>(anchor.getQuery().getType()).getElementType().isBF16();
  f.pairs = isBf16 && lowering.getTarget().bf16Dot;
  f.tile = f.few || isDevice ? 1 : parameters["rows"];
  f.size = static_cast<int>(resultType.getDimSize(2));
  f.turns = !isDevice && !isPlain(anchor) && anchor.getLayout() == CacheLayout::Lanes && f.size % lanes == 0;
  f.scoreGroups = isDevice ? 1 : parameters["groups"];
  f.first = lowering.getFirst();
  f.cacheRows = inputs->cacheRows;
  f.window = getWindow(anchor);
  f.shared =
      static_cast<int>(resultType.getDimSize(1) / cast<RankedTensorType>(anchor.getKeys().getType()).getDimSize(1));
  f.heads = isDevice ? 1 : std::min<int>(parameters["heads"], f.shared);
  TokenPlaces places = buildTile(f, *inputs);
  buildScores(f, lowering.getTarget(), *inputs, places);
  buildPowers(f, *inputs, places);
  buildWeighted(f, lowering.getTarget(), *inputs, places);
  combineChunks(f, countChunks(f, lowering.getVisible()));

  lowering.set(anchor.getResult(),
               {lowering.shapeOf(resultType),
                [combined = f.combined, total = f.total, shared = f.shared, tile = f.tile](const Index &index) {
                  Expr i = index[0], h = index[1];
                  return combined(index[2], h % shared, h / shared, i % tile, i / tile) *
                         (1.0f / total(h % shared, h / shared, i % tile, i / tile));
                }});
  FailureOr<Output> output = buildOutput(lowering, std::next(anchor->getIterator()));
  if (failed(output))
    return failure();
  if (output->shape.size() != 3)
    return anchor.emitError("a kernel of the form `attention` yields [s, h, e]");
  f.output = output->func, f.vars = output->vars;
  return f;
}

/// Takes the heads in `stage` some at a time.
static void splitHeads(Halide::Stage stage, const AttentionFuncs &f) {
  stage.split(f.v.u, f.v.heads, f.v.u, f.heads, TailStrategy::GuardWithIf);
}

/// Unrolls the heads and rows of a tile in `stage`.
static void unrollTile(Halide::Stage stage, const AttentionFuncs &f) { stage.unroll(f.v.u).unroll(f.v.ii); }

/// Values are turned within loop `at` of the weighted sums, in registers.
static void scheduleTurned(AttentionFuncs &f, Var at) {
  Func last = f.turned.back();
  for (Func func : f.turned) {
    Var n = func.args()[0], half("half"), part("part");
    func.bound(n, 0, turnedValues).split(n, n, half, 2).split(n, part, n, 2 * lanes);
    func.reorder(half, n, part).unroll(half).vectorize(n).unroll(part).bound_storage(f.v.it, 1);
    func.name() == last.name() ? func.compute_at(f.weighted, at) : func.compute_at(last, f.v.t);
  }
}

/// A chunk of one tile, computed within loop `at` of `partial`. Scores and weighted sums stay in registers:
/// `scoreGroups` groups of cache rows, and `elements` vectors of the values, at a time.
static void scheduleChunk(AttentionFuncs &f, Var at, int elements) {
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  for (Func func : {f.scores, f.largestLanes, f.largest, f.powers, f.sumLanes, f.sum, f.weighted})
    func.compute_at(f.partial, at).bound_storage(it, 1);
  if (f.pairs) {
    f.rounded.compute_at(f.partial, at).bound_storage(it, 1).bound(k, 0, lanes / 2).vectorize(k);
    f.rounded.update().reorder(k, f.roundedGroups, u, ii).vectorize(k);
  }
  for (Func func : {f.scores, f.largestLanes, f.powers, f.sumLanes}) {
    func.bound(lane, 0, lanes).vectorize(lane);
    func.update().vectorize(lane);
  }
  for (int update : {0, 1})
    splitHeads(f.scores.update(update), f);
  f.scores.update().reorder(lane, f.scored.x, u, ii, f.scored.y, heads, f.scored.z).unroll(f.scored.x);
  unrollTile(f.scores.update(), f);
  f.scores.update(1).reorder(lane, u, f.treeScored.x, heads, ii, f.treeScored.y).vectorize(lane).unroll(u);
  f.largestLanes.update().reorder(lane, f.largestGroups, u, ii);
  f.powers.update().reorder(lane, f.powerGroups, u, ii);
  f.sumLanes.update().reorder(lane, f.sumGroups, u, ii);

  int width = lanes;
  while (width > f.size)
    width /= 2;
  int vectors = f.size % width == 0 ? std::gcd(elements, f.size / width) : 1;
  Var eo("eo"), ei("ei");
  vectorizeTail(f.weighted, e, Expr(f.size), width);
  Halide::Stage sums = f.weighted.update();
  sums.split(e, eo, e, width * vectors, TailStrategy::GuardWithIf).split(e, ei, e, width, TailStrategy::GuardWithIf);
  splitHeads(sums, f);
  sums.reorder(e, ei, u, ii, f.weightedRows.x, f.weightedRows.y, heads, eo).vectorize(e).unroll(ei);
  unrollTile(sums, f);
  Halide::Stage treeSums = f.weighted.update(1);
  treeSums.split(e, eo, e, width, TailStrategy::GuardWithIf);
  splitHeads(treeSums, f);
  treeSums.reorder(e, u, f.treeWeighted.x, f.treeWeighted.y, heads, ii, eo);
  treeSums.vectorize(e).unroll(u);
  if (f.turns)
    scheduleTurned(f, eo);
  if (f.tile == 1)
    return;
  for (Func func : {f.scores, f.weighted})
    func.update().specialize(f.first >= 0);
}

static void schedule(AttentionFuncs &f, const Lowering &lowering, const Parameters &parameters) {
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  int width = lowering.getTarget().lanes();
  scheduleStages(lowering, f.output, nullptr, !f.few);
  Var head = f.vars[1], token = f.vars[2];
  f.output.split(token, it, ii, f.tile, TailStrategy::GuardWithIf)
      .split(head, g, u, f.shared, TailStrategy::GuardWithIf);
  Var task("task");
  f.output.reorder(f.vars[0], u, ii, g, it).fuse(g, it, task).never_partition_all();
  vectorizeTail(f.output, f.vars[0], Expr(f.size), width);
  for (Func func : {f.best, f.factor, f.total, f.combined})
    func.compute_at(f.output, task);
  for (Func func : {f.path, f.tree, f.lookedUp})
    f.few ? func.compute_root() : func.compute_at(f.output, task);
  f.path.update().reorder(f.treeRows, ii, it);
  vectorizeTail(f.combined, e, Expr(f.size), width);
  f.combined.update().reorder(e, f.combinedChunks, u, ii);
  vectorizeTail(f.combined.update(), e, Expr(f.size), width);
  // A chunk of few rows is a task; of many rows, each tile with all its chunks is one.
  if (f.few) {
    Var heads("heads");
    f.partial.compute_root().reorder(e, u, ii, g, it, c).fuse(g, it, heads).fuse(heads, c, task).parallel(task);
    f.query.compute_root();
    f.limit.compute_root();
    if (f.window)
      f.begin.compute_root();
  } else {
    f.output.parallel(task);
    f.partial.compute_at(f.output, task).reorder(e, u, ii, g, it, c);
    f.query.compute_at(f.output, task);
    f.limit.compute_at(f.output, task);
    if (f.window)
      f.begin.compute_at(f.output, task);
  }
  vectorizeTail(f.partial, e, Expr(f.size), width);
  vectorizeTail(f.query, k, f.scored.y.extent(), width);
  scheduleChunk(f, f.few ? task : c, parameters["elements"]);
}

/// A block takes one chunk for one head of a token, and keeps what it computes on the way in the memory that its
/// threads share. Another launch combines the chunks.
static void spread(const AttentionFuncs &funcs, const Lowering &lowering, const DeviceSchedule &device) {
  AttentionFuncs f = funcs;
  auto &[lane, t, u, g, ii, it, c, e, k, heads, vector] = f.v;
  spreadStages(lowering, device);
  device.spread(f.path);
  DeviceSchedule::Block block = device.spreadBlocks(f.partial, e);
  device.spreadWithin(f.query, block, {k});
  for (Func func : {f.scores, f.powers})
    device.spreadWithin(func.bound(lane, 0, lanes), block, {lane, t});
  device.spreadUpdate(f.scores.update(), {lane, f.scored.z}, {f.scored.x, f.scored.y});
  device.spreadUpdate(f.scores.update(1), {lane, f.treeScored.y}, {f.treeScored.x});
  device.spreadUpdate(f.powers.update(), {lane, f.powerGroups.x}, {});
  for (Func func : {f.largestLanes, f.sumLanes})
    device.spreadWithin(func.bound(lane, 0, lanes), block, {lane});
  device.spreadUpdate(f.largestLanes.update(), {lane}, {f.largestGroups.x});
  device.spreadUpdate(f.sumLanes.update(), {lane}, {f.sumGroups.x});
  for (Func func : {f.largest, f.sum})
    device.spreadWithin(func, block, {});
  device.spreadWithin(f.weighted, block, {e});
  device.spreadUpdate(f.weighted.update(), {e}, {f.weightedRows.x, f.weightedRows.y});
  device.spreadUpdate(f.weighted.update(1), {e}, {f.treeWeighted.x, f.treeWeighted.y});
  DeviceSchedule::Block last = device.spreadBlocks(f.output, f.vars[0]);
  for (Func func : {f.best, f.total})
    device.spreadWithin(func, last, {});
}

FailureOr<KernelPlan> buildAttention(Lowering &lowering, const Parameters &parameters) {
  FailureOr<AttentionFuncs> funcs = algorithm(lowering, parameters);
  if (failed(funcs))
    return failure();
  return KernelPlan(
      {funcs->output},
      [funcs = *funcs, &lowering, parameters]() mutable {
        schedule(funcs, lowering, parameters);
        return success();
      },
      [funcs = *funcs, &lowering](const DeviceSchedule &device) { spread(funcs, lowering, device); });
}

} // namespace quern::codegen
