//===- DeviceModel.cpp - what launches are expected to take on a device -----------------------===//

#include "passes/tile/DeviceModel.h"

#include "dialect/ExpertUse.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace quern {

/// Blocks that a processor holds at most (CUDA C++ Programming Guide, compute capabilities 8.0 and 9.0).
static constexpr double mostResidentBlocks = 32;

/// Blocks that all processors hold at a time.
static double countResident(const DeviceLaunch &launch, GpuTargetAttr gpu) {
  double ofProcessor = std::min(mostResidentBlocks, std::floor(double(gpu.getResidentThreads()) / launch.threads));
  return double(gpu.getProcessors()) * ofProcessor;
}

/// By how much longer the blocks take than if the last wave were no longer than what is in it.
static double getWaves(const DeviceLaunch &launch, GpuTargetAttr gpu) {
  double resident = countResident(launch, gpu);
  return launch.blocks <= resident ? 1 : std::ceil(launch.blocks / resident) * resident / launch.blocks;
}

double getWaveTail(const DeviceLaunch &launch, GpuTargetAttr gpu) { return std::log2(getWaves(launch, gpu)); }

double getTime(const DeviceLaunch &launch, GpuTargetAttr gpu) {
  double working = std::min(launch.blocks, countResident(launch, gpu)) * launch.threads;
  double enough = double(gpu.getProcessors() * gpu.getResidentThreads()) / 2;
  double busy = std::min({1.0, working / enough, launch.blocks / double(gpu.getProcessors())});
  double memory = launch.bytes / double(gpu.getBytesPerNs());
  double compute = launch.instructions / double(gpu.getInstructionsPerNs());
  return double(gpu.getLaunchNs()) + std::max(memory, compute) * getWaves(launch, gpu) / busy;
}

/// The size called `name`, at which a kernel is looked at.
static double getUsualSize(StringRef name) {
  constexpr double experts = 8, visible = 512;
  return name == visibleRows ? visible : name == chosenExperts ? experts : double(usualRows);
}

static double evaluate(ArrayRef<WorkTerm> terms) {
  double sum = 0;
  for (const WorkTerm &term : terms) {
    auto value = double(term.count);
    for (StringRef size : term.sizes)
      value *= getUsualSize(size);
    sum += value;
  }
  return sum;
}

UsualWork getUsualWork(KernelOp kernel) {
  KernelWork work = getWork(kernel);
  auto result = cast<RankedTensorType>(kernel.getResultTypes().front());
  return {evaluate(work.bytes), evaluate(work.operations), evaluate(multiply(1, getDims(result)))};
}

} // namespace quern
