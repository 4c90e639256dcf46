//===- Launch.cpp - the driver's functions for modules and launches ----------------------------===//

#include "test/ptx/driver/Driver.h"

#include <algorithm>
#include <cstdio>

using namespace quern::ptx;

/// Numbers of attributes of a function.
enum FunctionAttribute {
  MaxThreads = 0,
  SharedBytes = 1,
  ConstantBytes = 2,
  LocalBytes = 3,
  Registers = 4,
  PtxVersion = 5,
  BinaryVersion = 6,
  MaxDynamicShared = 8,
  Carveout = 9,
};

/// Threads of a block at most, and bytes of its shared memory for those that ask.
static constexpr unsigned maxBlock = 1024;
static unsigned getSharedLimit(const Driver &driver) { return driver.options.capability >= 90 ? 232448 : 166912; }

PTX_EXPORT int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options, void **values) {
  return callInContext([=](Driver &driver) {
    Module *loaded = nullptr;
    std::string message;
    Status status = driver.load(static_cast<const char *>(image), loaded, message);
    *module = loaded;
    // Where the errors of compiling go, and how many bytes there are.
    constexpr int errorLog = 5, errorLogBytes = 6;
    char *log = nullptr;
    size_t size = 0;
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] == errorLog)
        log = static_cast<char *>(values[i]);
      else if (options[i] == errorLogBytes)
        size = reinterpret_cast<size_t>(values[i]);
    }
    if (log && size)
      std::snprintf(log, size, "%s", message.c_str());
    return status;
  });
}

PTX_EXPORT int cuModuleLoadData(void **module, const void *image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

PTX_EXPORT int cuModuleUnload(void *module) {
  return callInContext([=](Driver &driver) {
    driver.flush();
    auto found = driver.modules.find(module);
    if (found == driver.modules.end())
      return Status::InvalidHandle;
    found->second->unload(driver.memory);
    driver.modules.erase(found);
    return Status::Success;
  });
}

PTX_EXPORT int cuModuleGetFunction(void **function, void *module, const char *name) {
  return callInContext([=](Driver &driver) {
    auto found = driver.modules.find(module);
    if (found == driver.modules.end())
      return Status::InvalidHandle;
    auto kernel = found->second->kernels.find(name);
    if (kernel == found->second->kernels.end())
      return Status::NotFound;
    *function = &kernel->second;
    return Status::Success;
  });
}

PTX_EXPORT int cuModuleGetGlobal_v2(uint64_t *address, size_t *bytes, void *module, const char *name) {
  return callInContext([=](Driver &driver) {
    auto found = driver.modules.find(module);
    if (found == driver.modules.end())
      return Status::InvalidHandle;
    auto global = found->second->globals.find(name);
    if (global == found->second->globals.end())
      return Status::NotFound;
    if (address)
      *address = global->second.address;
    if (bytes)
      *bytes = global->second.bytes;
    return Status::Success;
  });
}

PTX_EXPORT int cuFuncGetAttribute(int *value, int attribute, void *function) {
  return callInContext([=](Driver &driver) {
    if (!driver.ownsKernel(function))
      return Status::InvalidHandle;
    const Kernel &kernel = *static_cast<const Kernel *>(function);
    auto give = [=](int64_t number) {
      *value = static_cast<int>(number);
      return Status::Success;
    };
    switch (attribute) {
    case MaxThreads:
      return give(kernel.maxThreads ? std::min(kernel.maxThreads, maxBlock) : maxBlock);
    case SharedBytes:
      return give(kernel.sharedBytes - kernel.reservedShared);
    case ConstantBytes:
      return give(0);
    case LocalBytes:
      return give(kernel.localBytes);
    case Registers:
      return give(std::min<uint32_t>(kernel.registerCount, 255));
    case PtxVersion:
    case BinaryVersion:
      return give(driver.options.capability);
    case MaxDynamicShared:
      return give(kernel.maxDynamicShared);
    default:
      return Status::InvalidValue;
    }
  });
}

PTX_EXPORT int cuFuncSetAttribute(void *function, int attribute, int value) {
  return callInContext([=](Driver &driver) {
    if (!driver.ownsKernel(function))
      return Status::InvalidHandle;
    Kernel &kernel = *static_cast<Kernel *>(function);
    if (attribute == Carveout)
      return Status::Success;
    if (attribute != MaxDynamicShared || value < 0 ||
        kernel.sharedBytes - kernel.reservedShared + static_cast<unsigned>(value) > getSharedLimit(driver))
      return Status::InvalidValue;
    kernel.maxDynamicShared = static_cast<uint32_t>(value);
    return Status::Success;
  });
}

/// Whether a device would begin such a launch.
static Status checkLaunch(const Kernel &kernel, const Launch &launch) {
  uint64_t threads = 1;
  for (unsigned i = 0; i < 3; ++i) {
    threads *= launch.block[i];
    uint32_t most = i == 0 ? INT32_MAX : 65535;
    if (launch.grid[i] == 0 || launch.grid[i] > most || launch.block[i] == 0 || launch.block[i] > maxBlock)
      return Status::InvalidValue;
  }
  if (threads > maxBlock || (kernel.maxThreads && threads > kernel.maxThreads))
    return Status::InvalidValue;
  return launch.dynamicShared > kernel.maxDynamicShared ? Status::InvalidValue : Status::Success;
}

PTX_EXPORT int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                              unsigned blockY, unsigned blockZ, unsigned sharedBytes, void *stream, void **parameters,
                              void **extra) {
  return callInContext([=](Driver &driver) {
    if (!driver.ownsKernel(function) || (reinterpret_cast<uintptr_t>(stream) > 2 && !driver.streams.contains(stream)))
      return Status::InvalidHandle;
    const Kernel &kernel = *static_cast<const Kernel *>(function);
    Launch launch{&kernel, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, {}};
    // Parameters in one buffer are not supported.
    if (extra || (!parameters && !kernel.parameters.empty()))
      return Status::InvalidValue;
    if (Status status = checkLaunch(kernel, launch); status != Status::Success)
      return status;
    launch.parameters.resize(kernel.parameterBytes);
    for (size_t i = 0; i < kernel.parameters.size(); ++i)
      std::memcpy(launch.parameters.data() + kernel.parameters[i].offset, parameters[i], kernel.parameters[i].bytes);
    return driver.launch(launch);
  });
}
