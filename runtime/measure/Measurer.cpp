//===- Measurer.cpp - plans of kernels, measured where they run ---------------------------------===//

#include "runtime/measure/Measurer.h"

#include "runtime/Limits.h"
#include "runtime/cli/Common.h"
#include "runtime/cli/EntryInputs.h"
#include "runtime/devices/Device.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>

namespace quern::runtime {

static uint32_t countArms(uint32_t kernel) { return quern_arm_begins[kernel + 1] - quern_arm_begins[kernel]; }

Measurer::Measurer(Session &session, const MeasureRequest &request, QuernMeasureState &state)
    : session(session), request(request), state(state), turns(quern_kernel_count), fixed(quern_kernel_count) {
  for (uint32_t kernel = 0; kernel < quern_kernel_count; ++kernel) {
    turns[kernel].wasLaunched.resize(countArms(kernel));
    for (uint32_t arm = 0; arm < countArms(kernel); ++arm)
      turns[kernel].active.push_back(arm);
  }
  isHost = session.getTarget().device == "cpu";
}

/// Whether the launch of `kernel` that comes takes part in a block.
bool Measurer::isTimed(uint32_t kernel) const { return choice == Choice::Turns && turns[kernel].active.size() > 1; }

bool Measurer::isOver() const { return getMonotonicTime() >= request.end; }

void Measurer::onLaunch(void *context, int32_t kernel, int32_t begin) {
  auto *self = static_cast<Measurer *>(context);
  if (begin)
    self->beginLaunch(static_cast<uint32_t>(kernel));
  else
    self->endLaunch(static_cast<uint32_t>(kernel));
}

void Measurer::beginLaunch(uint32_t kernel) {
  switch (choice) {
  case Choice::First:
    launchArm = 0;
    break;
  case Choice::Last:
    launchArm = countArms(kernel) - 1;
    break;
  case Choice::Fixed:
    launchArm = fixed[kernel];
    break;
  case Choice::Turns:
    launchArm = turns[kernel].active[turns[kernel].next];
    break;
  }
  quern_chosen_kernels[kernel] = quern_arms[quern_arm_begins[kernel] + launchArm];
  state.kernel = static_cast<int32_t>(kernel);
  state.arm = static_cast<int32_t>(launchArm);
  ++state.launches;
  if (isTimed(kernel))
    session.mark();
}

void Measurer::endLaunch(uint32_t kernel) {
  Turns &own = turns[kernel];
  if (isTimed(kernel)) {
    session.mark();
    launched.push_back({kernel, launchArm});
    own.next = (own.next + 1) % static_cast<uint32_t>(own.active.size());
    if (++own.begun == own.active.size())
      own.begun = own.next = 0;
  }
  if (!isHost)
    checkFirstLaunch(kernel);
  state.kernel = -1;
  // The processor's times are there.
  if (isHost)
    (void)settle();
}

/// Waits for the first launch of an arm on a device, before which the driver compiles it: where it fails this process
/// ends, while the state still tells by what.
void Measurer::checkFirstLaunch(uint32_t kernel) {
  if (turns[kernel].wasLaunched[launchArm])
    return;
  turns[kernel].wasLaunched[launchArm] = true;
  Result<void> done = session.finish();
  if (done)
    return;
  std::fprintf(stderr, "%s\n", done.error().message.c_str());
  std::_Exit(1);
}

/// Takes the times of what was launched between marks.
Result<void> Measurer::settle() {
  if (launched.empty())
    return {};
  if (Result<void> done = session.takeMarks(times); !done)
    return done;
  for (size_t i = 0; i < launched.size(); ++i)
    note(launched[i], static_cast<double>(std::max<int64_t>(times[2 * i + 1] - times[2 * i], 1)));
  for (Launched launch : launched)
    judge(launch.kernel);
  launched.clear();
  return {};
}

void Measurer::note(Launched launch, double time) {
  Turns &own = turns[launch.kernel];
  own.times.resize(countArms(launch.kernel), std::numeric_limits<double>::infinity());
  own.times[launch.arm] = time;
  if (++own.seen == own.active.size())
    finishBlock(launch.kernel);
}

/// Of how many blocks hopeless arms are told, behind the first.
static constexpr uint32_t judged = 3;

/// Keeps the times of a block.
void Measurer::finishBlock(uint32_t kernel) {
  Turns &own = turns[kernel];
  ++own.blocks;
  blocks.push_back({kernel, own.times});
  if (own.blocks > 1 && own.blocks <= 1 + judged) {
    own.sums.resize(own.times.size());
    for (uint32_t arm : own.active)
      own.sums[arm] += own.times[arm];
  }
  own.times.clear();
  own.seen = 0;
}

/// An arm that takes half as long again as arm 0 in the first few blocks, but that of its first launch, is launched no
/// more.
void Measurer::judge(uint32_t kernel) {
  constexpr double hopeless = 1.5;
  Turns &own = turns[kernel];
  if (own.isJudged || own.blocks < 1 + judged)
    return;
  own.isJudged = true;
  if (std::erase_if(own.active, [&](uint32_t arm) { return own.sums[arm] > hopeless * own.sums[0]; })) {
    // A part of a block has those arms.
    own.times.clear();
    own.next = own.seen = own.begun = 0;
  }
}

/// One run; whether its results have the bits of the reference.
Result<bool> Measurer::runOnce(Choice how) {
  choice = how;
  if (hasVariables)
    session.resetStates();
  std::vector<TensorView> views = getViews(inputs);
  std::vector<MutableTensorView> results;
  for (Tensor &output : outputs)
    results.push_back(output.mutableView());
  if (Result<void> done = session.run(entry, views, results); !done)
    return done.error();
  if (Result<void> done = settle(); !done)
    return done.error();
  for (size_t i = 0; i < reference.size(); ++i)
    if (std::memcmp(reference[i].data(), outputs[i].view().data, reference[i].size()) != 0)
      return false;
  return true;
}

/// One run, and what it took.
Result<bool> Measurer::runTimed(Choice how, int64_t &time) {
  session.mark();
  Result<bool> same = runOnce(how);
  session.mark();
  if (Result<void> done = session.takeMarks(times); !done)
    return done.error();
  time = times.back() - times.front();
  return same;
}

/// Fills the caches before the step.
Result<void> Measurer::prepare() {
  std::optional<uint32_t> found = session.findEntry(request.entry);
  if (!found)
    return Error{"no entry `" + request.entry + "`"};
  entry = *found;
  const Description &description = session.getDescription();
  const Entry &described = description.entries[entry];
  Result<std::vector<int64_t>> read = readSizes(described, request.sizes);
  if (!read)
    return read.error();
  sizes = *read;
  for (const State &one : description.states)
    hasVariables |= !one.rows;
  RandomGenerator random(1);
  const Operand *positions = nullptr;
  for (const Operand &operand : described.inputs)
    if (operand.isPosition)
      positions = &operand;
  int32_t tokens = positions ? positions->shape.front().symbol : -1;
  if (tokens >= 0 && !hasVariables)
    for (int64_t row = 0; row < request.depth;) {
      std::vector<int64_t> before(sizes.size(), 1);
      int64_t bound = described.symbols[static_cast<size_t>(tokens)].bound;
      before[static_cast<size_t>(tokens)] = std::min(bound, request.depth - row);
      std::vector<Tensor> prompt = makeInputs(described, before, row, random);
      Result<std::vector<Tensor>> done = session.run(entry, getViews(prompt));
      if (!done)
        return done.error();
      row += before[static_cast<size_t>(tokens)];
    }
  inputs = makeInputs(described, sizes, hasVariables ? 0 : request.depth, random);
  begin = getMonotonicTime();
  Result<std::vector<Tensor>> first = session.run(entry, getViews(inputs));
  if (!first)
    return first.error();
  outputs = std::move(*first);
  return {};
}

/// A long first run is enough.
Result<void> Measurer::warmUp() {
  constexpr int64_t warmUpTime = 500'000'000;
  while (getMonotonicTime() - begin < warmUpTime && !isOver())
    if (Result<bool> done = runOnce(Choice::First); !done)
      return done.error();
  for (const Tensor &output : outputs) {
    const auto *bytes = static_cast<const uint8_t *>(output.view().data);
    reference.emplace_back(bytes, bytes + output.getByteCount());
  }
  // Drivers compile a kernel when it is first launched.
  for (uint32_t arm = 1; !isHost && request.mode == "trials" && arm < countMostArms(); ++arm)
    if (Result<void> done = tryArm(arm); !done)
      return done;
  std::printf("ready\n");
  std::fflush(stdout);
  return {};
}

uint32_t Measurer::countMostArms() const {
  uint32_t most = 0;
  for (uint32_t kernel = 0; kernel < quern_kernel_count; ++kernel)
    most = std::max(most, countArms(kernel));
  return most;
}

/// One run in which all kernels that have it take arm `arm`, whose results nobody looks at.
Result<void> Measurer::tryArm(uint32_t arm) {
  for (uint32_t kernel = 0; kernel < quern_kernel_count; ++kernel)
    fixed[kernel] = arm < countArms(kernel) ? arm : 0;
  Result<bool> done = runOnce(Choice::Fixed);
  return done ? Result<void>() : done.error();
}

Result<void> Measurer::run() {
  state.kernel = -1;
  session.settleWeights();
  Result<void> done = prepare();
  if (!done)
    return done;
  if (request.mode == "profile")
    return profile();
  session.setLaunchHook({onLaunch, this});
  done = warmUp();
  if (!done)
    return done;
  return request.mode == "pairs" ? runPairs() : runTrials();
}

Result<void> Measurer::profile() {
  std::printf("device %s\n", session.getDeviceName().c_str());
  // What a device can do at most is not measured.
  Roofline roofline = isHost ? measureRoofline(session.getThreadCount()) : Roofline();
  if (Result<void> done = warmUp(); !done)
    return done;
  session.setProfiling(true);
  uint32_t runs = 0;
  begin = getMonotonicTime();
  do {
    int64_t time = 0;
    if (Result<bool> done = runTimed(Choice::First, time); !done)
      return done.error();
    ++runs;
    std::printf("run %lld\n", static_cast<long long>(time));
  } while (!isOver() && runs < 32 && getMonotonicTime() - begin < 1'000'000'000);
  struct Sum {
    double launches = 0, time = 0, bytes = 0, operations = 0, least = 0;
  };
  std::map<uint32_t, Sum> sums;
  const Target &target = session.getTarget();
  for (const KernelLaunch &launch : session.getLaunches()) {
    Sum &sum = sums[launch.kernel];
    ++sum.launches;
    sum.time += static_cast<double>(launch.end - launch.begin);
    sum.bytes += launch.bytes;
    sum.operations += launch.operations;
    sum.least += roofline.getTime(target.programs[launch.program].kernels[launch.kernel].arithmetic, launch.bytes,
                                  launch.operations);
  }
  for (const auto &[kernel, sum] : sums)
    std::printf("kernel %u %.0f %.0f %.0f %.0f %.0f\n", kernel, sum.launches / runs, sum.time / runs, sum.bytes / runs,
                sum.operations / runs, sum.least / runs);
  return {};
}

Result<void> Measurer::runTrials() {
  uint32_t runs = 0;
  do {
    // What a layer's place does to its time is not to go to one arm.
    if (runs++ > 0)
      for (Turns &own : turns)
        if (own.begun == 0)
          own.next = (own.next + 1) % static_cast<uint32_t>(own.active.size());
    size_t before = blocks.size();
    Result<bool> same = runOnce(Choice::Turns);
    if (!same)
      return same.error();
    if (!*same) {
      blocks.resize(before);
      if (Result<void> done = findFaults(); !done)
        return done;
    }
  } while (!isOver() || runs < 2);
  // Those of first launches, whose code was read from the file, where there are others.
  constexpr uint32_t enough = 3;
  std::vector<bool> wasSeen(turns.size());
  for (const Block &block : blocks) {
    bool isFirst = !wasSeen[block.kernel];
    wasSeen[block.kernel] = true;
    if (isFirst && turns[block.kernel].blocks >= enough)
      continue;
    std::printf("block %u", block.kernel);
    for (double time : block.times)
      std::printf(" %.0f", time);
    std::printf("\n");
  }
  return {};
}

void Measurer::exclude(uint32_t kernel, uint32_t arm, const char *why) {
  Turns &own = turns[kernel];
  std::erase(own.active, arm);
  own.times.clear();
  own.next = own.seen = own.begun = 0;
  // What it took while it was wrong is nothing to go by.
  for (Block &block : blocks)
    if (block.kernel == kernel)
      block.times[arm] = std::numeric_limits<double>::infinity();
  std::printf("%s %u %u\n", why, kernel, arm);
}

/// Runs with one arm of each kernel, to find which give other bits.
Result<void> Measurer::findFaults() {
  for (uint32_t arm = 1; arm < countMostArms(); ++arm) {
    std::vector<uint32_t> kernels;
    for (uint32_t kernel = 0; kernel < quern_kernel_count; ++kernel)
      if (std::ranges::count(turns[kernel].active, arm))
        kernels.push_back(kernel);
    if (Result<void> done = findFaults(arm, std::move(kernels)); !done)
      return done;
  }
  return {};
}

Result<void> Measurer::findFaults(uint32_t arm, std::vector<uint32_t> kernels) {
  if (kernels.empty())
    return {};
  std::ranges::fill(fixed, 0);
  for (uint32_t kernel : kernels)
    fixed[kernel] = arm;
  Result<bool> same = runOnce(Choice::Fixed);
  if (!same)
    return same.error();
  if (*same)
    return {};
  if (kernels.size() == 1) {
    exclude(kernels.front(), arm, "differs");
    return {};
  }
  auto middle = kernels.begin() + static_cast<ptrdiff_t>(kernels.size() / 2);
  if (Result<void> done = findFaults(arm, {kernels.begin(), middle}); !done)
    return done;
  return findFaults(arm, {middle, kernels.end()});
}

Result<void> Measurer::runPairs() {
  uint32_t runs = 0;
  do {
    int64_t pair[2] = {};
    // One order after the other, so that neither is always the first.
    for (int i = 0; i < 2; ++i) {
      bool isLast = (i + runs) % 2;
      Result<bool> same = runTimed(isLast ? Choice::Last : Choice::First, pair[isLast]);
      if (!same)
        return same.error();
      if (!*same)
        return Error{"results have other bits"};
    }
    // The first launches of a function read it from its file.
    if (runs++ > 0)
      std::printf("pair %lld %lld\n", static_cast<long long>(pair[0]), static_cast<long long>(pair[1]));
  } while (!isOver());
  return {};
}

} // namespace quern::runtime
