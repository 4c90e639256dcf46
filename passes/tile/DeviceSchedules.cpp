//===- DeviceSchedules.cpp - the schedules of kernels on a device -----------------------------===//
//
// What is chosen is what kernels were written and counted with: 128 threads, as many sums in a thread as its registers
// hold, and of products what fills a large device. No kernel was measured on one, so the model (DeviceModel.h) only
// says which other plans are tried first.
//
//===------------------------------------------------------------------------------------------===//

#include "passes/TensorType.h"
#include "passes/tile/DeviceModel.h"
#include "passes/tile/Heuristics.h"

#include "dialect/PackedLayout.h"
#include "dialect/Shapes.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace quern {

static constexpr double never = std::numeric_limits<double>::infinity();

static GpuTargetAttr getGpu(TargetAttr target) { return cast<GpuTargetAttr>(target); }

/// Whether a block may have so many threads, the first knob of every form.
static bool fits(ArrayRef<int64_t> values, TargetAttr target) { return values[0] <= getGpu(target).getBlockThreads(); }

static int64_t chooseThreads(TargetAttr target) {
  constexpr int64_t usual = 128;
  return std::min(usual, getGpu(target).getBlockThreads());
}

// Forms whose launches have a thread for each element of something.

/// A thread for each element of the result, as many instructions for each as it has operations, and some for its place.
static DeviceLaunch getElementLaunch(const UsualWork &work, double threads) {
  constexpr double place = 20;
  double blocks = std::ceil(work.elements / threads);
  return {blocks, threads, work.bytes, work.operations + place * work.elements};
}
static DeviceLaunch getElementLaunch(KernelOp kernel, double threads) {
  return getElementLaunch(getUsualWork(kernel), threads);
}

/// A block for each row, whatever its threads; the same for each head of a token, and each chunk of it.
static DeviceLaunch getRowLaunch(KernelOp kernel, double threads) {
  UsualWork work = getUsualWork(kernel);
  DeviceLaunch launch = getElementLaunch(work, threads);
  auto result = cast<RankedTensorType>(kernel.getResultTypes().front());
  double depth = result.getRank() == 0 || result.isDynamicDim(result.getRank() - 1) ? double(usualRows)
                                                                                    : double(result.getShape().back());
  launch.blocks = std::max(1.0, work.elements / std::max(depth, 1.0));
  return launch;
}

static Features describeThreads(const DeviceLaunch &launch, TargetAttr target) {
  Features features;
  features.add("threads", std::log2(launch.threads / 128));
  features.add("waves", getWaveTail(launch, getGpu(target)));
  return features;
}

#define QUERN_THREADS(Form, getLaunch)                                                                                 \
  Values chooseDevice##Form(KernelOp, TargetAttr target) { return {chooseThreads(target)}; }                           \
  double estimateDevice##Form(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {                          \
    return fits(values, target) ? getTime(getLaunch(kernel, double(values[0])), getGpu(target)) : never;               \
  }                                                                                                                    \
  Features describeDevice##Form(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {                        \
    return describeThreads(getLaunch(kernel, double(values[0])), target);                                              \
  }
QUERN_THREADS(Map, getElementLaunch)
QUERN_THREADS(Gather, getElementLaunch)
QUERN_THREADS(Append, getElementLaunch)
QUERN_THREADS(Conv, getElementLaunch)
QUERN_THREADS(Pool, getElementLaunch)
QUERN_THREADS(Winograd, getElementLaunch)
QUERN_THREADS(Values, getElementLaunch)
QUERN_THREADS(Routing, getElementLaunch)
QUERN_THREADS(Rows, getRowLaunch)
QUERN_THREADS(Attention, getRowLaunch)
#undef QUERN_THREADS

// Products by weights that each row chooses.

/// More slots than 4 have few experts of a step.
Values chooseDeviceExperts(KernelOp, TargetAttr target) {
  constexpr int64_t rows = 4;
  return {chooseThreads(target), rows};
}

/// A block reads its panels of an expert once for `rows` of its slots.
double estimateDeviceExperts(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  if (!fits(values, target))
    return never;
  DeviceLaunch launch = getElementLaunch(kernel, double(values[0]));
  launch.bytes *= 1 + 1 / double(values[1]);
  return getTime(launch, getGpu(target));
}

Features describeDeviceExperts(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  Features features = describeThreads(getElementLaunch(kernel, double(values[0])), target);
  features.add("rows", std::log2(double(values[1])));
  return features;
}

// Products by weights.

namespace {
/// The values of a contraction's knobs, in the order of Schedules.def.
struct ContractPlan {
  explicit ContractPlan(ArrayRef<int64_t> values)
      : threads(values[0]), rows(values[1]), turns(values[2]), within(values[3]), narrow(values[4]) {}

  /// Panels side by side in a block.
  int64_t getPanels() const { return std::max<int64_t>(1, threads / threadsOfPanel); }

  /// A panel's sums are shared by so many threads.
  static constexpr int64_t threadsOfPanel = 64;
  int64_t threads, rows, turns, within, narrow;
};

/// What a contraction is like.
struct DeviceContract {
  explicit DeviceContract(KernelOp kernel);

  /// Whether rows are few; whether a block may then compute the left side for itself; whether tensor cores multiply it,
  /// where there are.
  bool areRowsFew, mayBeWithin, isTensor;
  /// Whether the left side is computed, not an argument.
  bool hasLeft;
  double rows, panels, columns, products;
  UsualWork work;
};
} // namespace

DeviceContract::DeviceContract(KernelOp kernel) {
  auto anchor = cast<MatmulOp>(kernel.getAnchor());
  RankedTensorType lhs = getTensorType(anchor.getLhs());
  bool isRagged = anchor.getNumOutputs() % PackedLayout::panelRows != 0;
  areRowsFew = areFew(lhs);
  mayBeWithin = areRowsFew && !anchor.isBatched() && !isRagged;
  hasLeft = !isa<BlockArgument>(anchor.getLhs());
  isTensor = !areRowsFew && lhs.getElementType().isBF16();
  rows = lhs.isDynamicDim(0) ? usualRows : double(std::max<int64_t>(1, lhs.getDimSize(0)));
  panels = double(std::max<int64_t>(1, PackedLayout::panels(anchor.getNumOutputs())));
  columns = double(getTensorType(anchor.getWeight()).getDimSize(1));
  products = double(llvm::range_size(anchor->getBlock()->getOps<MatmulOp>()));
  work = getUsualWork(kernel);
}

/// How many blocks a product has.
static double countBlocks(const DeviceContract &shape, const ContractPlan &plan) {
  double rows = std::min(double(plan.rows), shape.rows);
  return std::ceil(shape.rows / rows) * std::ceil(shape.panels / double(plan.getPanels() * plan.turns));
}

/// Of more blocks than keep a large device busy, up to 4 become one, which does once what they share. With 6 rows no
/// format's kernel has more than 128 registers.
static Values chooseContract(const DeviceContract &shape, TargetAttr target) {
  constexpr int64_t enoughBlocks = 256, mostTurns = 4, narrowRows = 64, rowsOfFew = 4, rowsOfMany = 6;
  int64_t rows = shape.areRowsFew ? std::min(rowsOfFew, int64_t(shape.rows)) : rowsOfMany;
  int64_t threads = chooseThreads(target);
  int64_t blocks = int64_t(shape.panels) / (threads / ContractPlan::threadsOfPanel) * rows;
  int64_t turns = shape.mayBeWithin ? std::clamp<int64_t>(blocks / enoughBlocks, 1, mostTurns) : 1;
  return {threads, rows, turns, shape.mayBeWithin, narrowRows};
}

Values chooseDeviceContract(KernelOp kernel, TargetAttr target) {
  return chooseContract(DeviceContract(kernel), target);
}

/// What Halide's kernel takes. A block reads its panels for all rows of its tile at once; the left side of these rows
/// is computed by each of their blocks, or once by launches of its own.
static double getPlainTime(const DeviceContract &shape, const ContractPlan &plan, GpuTargetAttr gpu) {
  // Instructions of a thread for each operation of a product, those for each operation that the rows of a tile share,
  // and for each column of a left side with its norm and its quants: counted by the interpreter of PTX for Q4_0,
  // 2048 → 4096, of 1 and 4 rows and 1 and 4 turns (docs/gpu.md).
  constexpr double perOperation = 0.19, perWeight = 0.42, perColumn = 29;
  // Launches of a norm and of quants: its partial sums, their sum, the row, the largest values, quants, their sums.
  constexpr double leftLaunches = 6;
  DeviceLaunch launch;
  double rows = std::min(double(plan.rows), shape.rows), tiles = std::ceil(shape.rows / rows);
  launch.blocks = countBlocks(shape, plan);
  launch.threads = double(plan.threads);
  launch.bytes = shape.work.bytes * tiles;
  double left = perColumn * shape.columns;
  // The last tile is computed whole.
  launch.instructions = shape.work.operations * tiles * rows / shape.rows * (perOperation + perWeight / rows);
  launch.instructions += plan.within ? launch.blocks * rows * left : 0;
  DeviceLaunch before{shape.rows, launch.threads, 0, shape.rows * left / leftLaunches};
  return getTime(launch, gpu) + (plan.within || !shape.hasLeft ? 0 : leftLaunches * getTime(before, gpu));
}

/// What tensor cores take: each tile reads its rows of the left side and its columns of the weights.
static double getTensorTime(const DeviceContract &shape, const ContractPlan &plan, GpuTargetAttr gpu) {
  /// `instructions` are those of a thread's step of 32 columns, counted in the PTX of a product of 1024 by 1024.
  struct Tile {
    double rows, columns, threads, instructions;
  };
  constexpr Tile wide{128, 128, 256, 96}, narrow{64, 32, 128, 59};
  const Tile &tile = shape.rows <= double(plan.narrow) ? narrow : wide;
  double columns = shape.panels * PackedLayout::panelRows * shape.products;
  double rowTiles = std::ceil(shape.rows / tile.rows), columnTiles = std::ceil(columns / tile.columns);
  DeviceLaunch launch{rowTiles * columnTiles, tile.threads, 0, 0};
  launch.bytes = 2 * shape.columns * (rowTiles * columns + columnTiles * shape.rows);
  launch.instructions = launch.blocks * tile.threads * tile.instructions * shape.columns / 32;
  return getTime(launch, gpu);
}

double estimateDeviceContract(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  DeviceContract shape(kernel);
  ContractPlan plan(values), usual(chooseContract(shape, target));
  bool isTensor = shape.isTensor && target.getBf16Dot();
  if (!fits(values, target))
    return never;
  if (isTensor) {
    // What is said of Halide's products says nothing; threads are those of a left side that is computed.
    bool isUsual = plan.rows == usual.rows && plan.turns == usual.turns && plan.within == usual.within;
    return isUsual && (shape.hasLeft || plan.threads == usual.threads) ? getTensorTime(shape, plan, getGpu(target))
                                                                       : never;
  }
  bool saysNothing = plan.narrow != usual.narrow || (plan.within && !shape.mayBeWithin) ||
                     plan.rows > std::max<int64_t>(1, shape.rows);
  if (saysNothing)
    return never;
  return getPlainTime(shape, plan, getGpu(target));
}

Features describeDeviceContract(KernelOp kernel, ArrayRef<int64_t> values, TargetAttr target) {
  DeviceContract shape(kernel);
  ContractPlan plan(values);
  Features features(shape.mayBeWithin ? "few" : shape.isTensor && target.getBf16Dot() ? "tensor" : "");
  double threads = double(plan.threads);
  features.add("threads", std::log2(threads / 128));
  features.add("rows", std::log2(std::min(double(plan.rows), shape.rows)));
  features.add("panels", std::log2(double(plan.turns)));
  features.add("within", double(plan.within));
  features.add("narrow", shape.rows <= double(plan.narrow));
  features.add("waves", getWaveTail({countBlocks(shape, plan), threads, 0, 0}, getGpu(target)));
  return features;
}

} // namespace quern
