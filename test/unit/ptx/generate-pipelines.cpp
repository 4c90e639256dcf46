//===- generate-pipelines.cpp - kernels of Halide for the tests of the interpreter -------------===//
//
// generate-pipelines FOLDER: writes an object for each pipeline, once for the device, NAME_device.o, and once for the
// CPU, NAME_host.o.
//
//===------------------------------------------------------------------------------------------===//

#include "Halide.h"

using namespace Halide;

namespace {
struct Case {
  Func output;
  std::vector<Argument> arguments;
};
} // namespace

static constexpr int width = 200;

/// What one thread computes alone: functions, a conversion to an integer and back, and f16.
static Case makeElements(bool onDevice) {
  ImageParam x(Float(32), 2, "x"), h(Float(16), 1, "h");
  Var i("i"), j("j"), block("block"), thread("thread");
  Func out("elements_out");
  Expr v = x(i, j), whole = cast<int>(v * 10.0f);
  out(i, j) = exp(v) * sqrt(abs(v)) + cast<float>(h(i)) + sin(v) + cast<float>(whole % 7 / 3) +
              select(v < 0.25f, floor(v), -v) + cast<float>(cast<uint8_t>(clamp(whole, 0, 255)) >> 1);
  if (onDevice)
    out.gpu_tile(i, block, thread, 64, TailStrategy::GuardWithIf).gpu_blocks(j);
  return {out, {x, h}};
}

/// A row divided by the root of its mean square: sums of lanes in shared memory.
static Case makeNorm(bool onDevice) {
  ImageParam x(Float(32), 2, "x");
  Var i("i"), j("j"), lane("lane");
  RDom step(0, (width + 31) / 32), part(0, 32);
  Func partial("partial"), sum("sum"), out("norm_out");
  partial(lane, j) = 0.0f;
  Expr at = step * 32 + lane;
  partial(lane, j) += select(at < width, x(min(at, width - 1), j) * x(min(at, width - 1), j), 0.0f);
  sum(j) = 0.0f;
  sum(j) += partial(part, j);
  out(i, j) = x(i, j) / sqrt(sum(j) / width + 1e-5f);
  out.bound(i, 0, width);
  if (onDevice) {
    Var block("block"), thread("thread");
    out.gpu_blocks(j).split(i, block, thread, 128, TailStrategy::GuardWithIf).gpu_threads(thread);
    sum.compute_at(out, j).store_in(MemoryType::GPUShared).gpu_threads(j);
    sum.update().gpu_threads(j);
    partial.compute_at(out, j).store_in(MemoryType::GPUShared).gpu_threads(lane);
    partial.update().gpu_threads(lane);
  } else {
    partial.compute_at(out, j);
    sum.compute_at(out, j);
  }
  return {out, {x}};
}

/// Words of four u8 times words of four i8: dp4a on the device.
static Case makeDots(bool onDevice) {
  using namespace Halide::Internal;
  ImageParam a(UInt(32), 2, "a"), b(UInt(32), 1, "b"), scale(Float(16), 1, "scale");
  Var j("j"), block("block"), thread("thread");
  RDom k(0, width / 4);
  Func sum("dot"), out("dots_out");
  Expr left = cast(Int(32, 4), reinterpret(UInt(8, 4), a(k, j))),
       right = cast(Int(32, 4), reinterpret(Int(8, 4), b(k)));
  sum(j) = 0;
  sum(j) += VectorReduce::make(VectorReduce::Add, left * right, 1);
  out(j) = cast<float>(sum(j)) * cast<float>(scale(j));
  if (onDevice)
    out.gpu_tile(j, block, thread, 4, TailStrategy::GuardWithIf);
  return {out, {a, b, scale}};
}

/// Two kernels: the first one's results lie in memory of the device that the pipeline asks for.
static Case makeStages(bool onDevice) {
  ImageParam x(Float(32), 2, "x");
  Var i("i"), j("j"), block("block"), thread("thread"), block2("block2"), thread2("thread2");
  Func first("first"), out("stages_out");
  first(i, j) = x(i, j) * 2.0f + 1.0f;
  out(i, j) = first(width - 1 - i, j) - first(i, j);
  out.bound(i, 0, width);
  first.compute_root();
  if (onDevice) {
    first.gpu_tile(i, block, thread, 32, TailStrategy::GuardWithIf).gpu_blocks(j);
    out.gpu_tile(i, j, block, block2, thread, thread2, 16, 4, TailStrategy::GuardWithIf);
  }
  return {out, {x}};
}

int main(int argc, char **argv) {
  static constexpr std::pair<const char *, Case (*)(bool)> pipelines[] = {
      {"elements", makeElements}, {"norm", makeNorm}, {"dots", makeDots}, {"stages", makeStages}};
  std::string folder = argc > 1 ? argv[1] : ".";
  for (auto [name, make] : pipelines)
    for (bool onDevice : {false, true}) {
      Target target(Target::Linux, Target::X86, 64,
                    {Target::NoRuntime, Target::NoAsserts, Target::NoBoundsQuery, Target::UserContext});
      if (onDevice)
        target = target.with_feature(Target::CUDA).with_feature(Target::CUDACapability80);
      Case pipeline = make(onDevice);
      pipeline.arguments.insert(pipeline.arguments.begin(), Argument("__user_context", Argument::InputScalar,
                                                                     type_of<void *>(), 0, ArgumentEstimates()));
      std::string function = std::string(name) + (onDevice ? "_device" : "_host");
      pipeline.output.compile_to({{OutputFileType::object, folder + "/" + function + ".o"}}, pipeline.arguments,
                                 function, target);
    }
  return 0;
}
