//===- Targets.cpp - the machines that Quern compiles for -------------------------------------===//

#include "codegen/Targets.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace quern::codegen {

/// What kernels are told of a device: nothing that a processor has. Its programs run on any x86-64.
static constexpr TargetSpec getDevice(StringRef name, TargetSpec::Device device, int blockThreads, bool tensorCores,
                                      TargetSpec::SameBits sameBits, TargetSpec::Estimates estimates) {
  TargetSpec target{name, "x86-64", TargetSpec::Level::Baseline, 32, 0, 0, "none", false, 0, 0, ""};
  target.device = device;
  target.blockThreads = blockThreads;
  target.tensorCores = tensorCores;
  target.sameBits = sameBits;
  target.estimates = estimates;
  return target;
}

static constexpr TargetSpec targetTable[] = {
#define QUERN_TARGET(name, cpu, level, vectorBits, l1, l2, dot, bf16Dot, prefetchBytes, registers, features)           \
  {name, cpu, TargetSpec::Level::level, vectorBits, l1, l2, dot, bf16Dot, prefetchBytes, registers, features},
#define QUERN_DEVICE(name, device, blockThreads, tensorCores, sameBits, ...)                                           \
  getDevice(name, TargetSpec::Device::device, blockThreads, tensorCores, TargetSpec::SameBits::sameBits, {__VA_ARGS__}),
#include "codegen/Targets.def"
};

SmallVector<StringRef> TargetSpec::getFeatures() const {
  SmallVector<StringRef> list;
  features.split(list, ',', -1, /*KeepEmpty=*/false);
  return list;
}

StringRef TargetSpec::getDeviceName() const {
  switch (device) {
  case Device::Cpu:
    return "cpu";
  case Device::Cuda:
    return "cuda";
  case Device::OpenCl:
    return "opencl";
  }
  llvm_unreachable("no such device");
}

TargetAttr TargetSpec::getAttr(MLIRContext *context) const {
  if (isDevice())
    return GpuTargetAttr::get(context, name, blockThreads, tensorCores, estimates.processors, estimates.residentThreads,
                              estimates.instructionsPerNs, estimates.bytesPerNs, estimates.launchNs);
  return CpuTargetAttr::get(context, name, vectorBits, l1Bytes, l2Bytes, dot, vectorRegisters, bf16Dot, prefetchBytes);
}

ArrayRef<TargetSpec> getTargets() { return targetTable; }

/// LLVM's name of the feature that /proc/cpuinfo calls `feature`.
static std::string getBackendFeature(StringRef feature) {
  if (feature == "abm")
    return "lzcnt";
  if (feature == "bmi1")
    return "bmi";
  if (feature == "avx_vnni")
    return "avxvnni";
  std::string name = feature.str();
  llvm::erase(name, '_');
  return name;
}

/// The first feature of `target` that `host` lacks, or an empty string.
static StringRef findMissing(const TargetSpec &target, const llvm::StringMap<bool> &host) {
  for (StringRef feature : target.getFeatures())
    if (!host.lookup(getBackendFeature(feature)))
      return feature;
  return {};
}

Expected<TargetSpec> findTarget(StringRef name) {
  for (const TargetSpec &target : getTargets())
    if (target.name == name)
      return target;
  if (name != "host") {
    std::string names = llvm::join(llvm::map_range(getTargets(), [](const TargetSpec &t) { return t.name; }), "`, `");
    return llvm::createStringError("unknown target `" + name.str() + "`, expected `host`, `" + names + "`");
  }
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  auto processors = llvm::make_filter_range(getTargets(), [](const TargetSpec &target) { return !target.isDevice(); });
  const TargetSpec *least = nullptr;
  for (const TargetSpec &target : processors) {
    if (findMissing(target, host).empty())
      return target;
    least = &target;
  }
  return llvm::createStringError("this processor has no `" + findMissing(*least, host).str() + "`, which `" +
                                 least->name.str() + "`, the least of the targets, needs");
}

} // namespace quern::codegen
