//===- VerifyKernelForm.cpp - what code generation relies on ----------------------------------===//

#include "passes/Passes.h"
#include "passes/memory/ArenaPlanner.h"
#include "passes/memory/ArenaUses.h"
#include "passes/memory/BufferSize.h"

#include "dialect/Ops.h"

#include <map>

using namespace mlir;

namespace quern {

#define GEN_PASS_DEF_VERIFYKERNELFORMPASS
#include "passes/Passes.h.inc"

/// A result, a schedule, and only ops around the one anchor, or around two that share kernels.
static LogicalResult verifyKernel(KernelOp kernel) {
  if (kernel.getNumResults() == 0)
    return kernel.emitOpError("has no result");
  if (!kernel.getSchedule())
    return kernel.emitOpError("has no schedule; run quern-select-schedules");
  auto anchor = dyn_cast_or_null<KernelAnchorOpInterface>(kernel.getAnchor());
  bool isShared = false;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (isa<ScalarBodyOpInterface>(op))
      return op.emitOpError("inside a kernel; run quern-lower-elementwise");
    if (!isa<KernelOpInterface>(op))
      return op.emitOpError("inside a kernel; expected only computation on its arguments");
    auto other = dyn_cast<KernelAnchorOpInterface>(op);
    if (!other || other == anchor || other.mayPrecede())
      continue;
    if (anchor && !isShared && anchor.sharesKernelWith(other)) {
      isShared = true;
      continue;
    }
    InFlightDiagnostic error = op.emitOpError("is a second anchor of the kernel; expected one, or two matmuls of one "
                                              "tensor by weights of one type");
    error.attachNote(anchor ? anchor.getLoc() : kernel.getLoc()) << "the anchor";
    return error;
  }
  return success();
}

/// What a value of `type` in a program takes in memory: the tensor's bytes at its bounds.
static FailureOr<int64_t> getBytes(Value buffer, ProgramOp program, Operation *op) {
  return getBufferBytes(cast<BufferType>(buffer.getType()).getTensor(), program.getBoundsAttr(), op);
}

/// An output has memory with the strides that its kernel writes; it is a state where the kernel writes in place, and no
/// parameter.
static LogicalResult verifyOutput(LaunchOp launch, Value output, KernelOp kernel, unsigned result) {
  Operation *source = getSource(output);
  bool writesState = isa_and_nonnull<StateBufferOp>(source);
  if (writesState != bool(kernel.getDestination(result)))
    return launch.emitOpError(writesState ? "writes a state by a kernel that writes nothing in place"
                                          : "writes in place something that is no state");
  if (isa_and_nonnull<ParamBufferOp>(source))
    return launch.emitOpError("writes a parameter");
  auto part = output.getDefiningOp<PartOp>();
  Type found = cast<BufferType>((part ? part.getSource() : output).getType()).getTensor();
  if (found != kernel.getWholeType(result))
    return launch.emitOpError("writes into ") << found << ", expected the strides of " << kernel.getWholeType(result);
  return success();
}

/// Launches write each output once, and never where they read; parts are written, and read through the whole.
static LogicalResult verifyLaunch(LaunchOp launch, SymbolTable &symbols) {
  auto kernel = symbols.lookup<KernelOp>(launch.getKernel());
  for (Value input : launch.getInputs())
    if (input.getDefiningOp<PartOp>())
      return launch.emitOpError("reads a part of a buffer, expected the whole");
  for (auto [i, output] : llvm::enumerate(launch.getOutputs()))
    if (failed(verifyOutput(launch, output, kernel, i)))
      return failure();
  return success();
}

/// No two buffers that are in use at one launch share a byte. `uses` are in the order of their first launches; of those
/// that are in use at one, which share none, it is enough to look at the next ones on both sides.
static LogicalResult verifyDisjoint(ArrayRef<ArenaUse> uses) {
  std::map<int64_t, ArenaOp> live;      // by their first byte
  std::multimap<int64_t, int64_t> ends; // the first byte by the last launch
  for (const ArenaUse &use : uses) {
    for (; !ends.empty() && ends.begin()->first < use.first; ends.erase(ends.begin()))
      live.erase(ends.begin()->second);
    ArenaOp arena = use.arena;
    int64_t begin = arena.getOffset(), end = begin + arena.getBytes();
    if (begin == end)
      continue;
    auto after = live.lower_bound(begin);
    bool meetsAfter = after != live.end() && after->first < end;
    auto before = after == live.begin() ? live.end() : std::prev(after);
    bool meetsBefore = before != live.end() && before->first + int64_t(before->second.getBytes()) > begin;
    if (meetsAfter || meetsBefore) {
      InFlightDiagnostic error = arena.emitOpError("overlaps a buffer that is in use at the same time");
      error.attachNote((meetsBefore ? before : after)->second.getLoc()) << "the other buffer";
      return error;
    }
    live.emplace(begin, arena);
    ends.emplace(use.last, begin);
  }
  return success();
}

/// Inside the arena, aligned, and as large as its tensor.
static LogicalResult verifyArena(ArenaOp arena, ProgramOp program) {
  int64_t offset = arena.getOffset(), bytes = arena.getBytes(), end = program.getArenaBytes();
  if (offset < 0 || bytes < 0 || offset > end || bytes > end - offset)
    return arena.emitOpError("ends at byte ") << offset << " + " << bytes << ", outside of the arena of " << end;
  if (offset % kArenaAlignment != 0)
    return arena.emitOpError("begins at byte ") << offset << ", expected a multiple of " << kArenaAlignment;
  FailureOr<int64_t> needed = getBytes(arena, program, arena);
  if (failed(needed))
    return failure();
  if (bytes < *needed)
    return arena.emitOpError("has ") << bytes << " bytes, expected " << *needed << " for its tensor";
  return success();
}

static LogicalResult verifyProgram(ProgramOp program, SymbolTable &symbols) {
  for (Operation &op : program.getBody().front()) {
    LogicalResult result = success();
    if (auto launch = dyn_cast<LaunchOp>(op))
      result = verifyLaunch(launch, symbols);
    else if (auto arena = dyn_cast<ArenaOp>(op))
      result = verifyArena(arena, program);
    else if (!isa<AliasOp, PartOp, ParamBufferOp, StateBufferOp, EndOp>(op))
      result = op.emitOpError("inside a program; expected only buffers and launches");
    if (failed(result))
      return failure();
  }
  FailureOr<SmallVector<ArenaUse>> uses = collectArenaUses(program);
  return failed(uses) ? failure() : verifyDisjoint(*uses);
}

namespace {

struct VerifyKernelFormPass : impl::VerifyKernelFormPassBase<VerifyKernelFormPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (Operation &op : *getOperation().getBody()) {
      LogicalResult result = success();
      if (auto kernel = dyn_cast<KernelOp>(op))
        result = verifyKernel(kernel);
      else if (auto program = dyn_cast<ProgramOp>(op))
        result = verifyProgram(program, symbols);
      else if (!isa<ParameterOp, StateOp>(op))
        result = op.emitOpError("in kernel form; expected only programs, kernels, parameters and states");
      if (failed(result))
        return signalPassFailure();
    }
  }
};

} // namespace

} // namespace quern
