//===- Device.cpp - the driver's functions for devices and contexts ----------------------------===//

#include "test/ptx/driver/Driver.h"

#include <algorithm>
#include <cstdio>

using namespace quern::ptx;

PTX_EXPORT int cuInit(unsigned flags) {
  Driver &driver = Driver::get();
  std::lock_guard lock(driver.mutex);
#if defined(__AVX2__)
  // The interpreter is compiled for these.
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    std::fprintf(stderr, "quern-ptx: the processor has no AVX2\n");
    return static_cast<int>(Status::NoDevice);
  }
#endif
  if (flags != 0)
    return static_cast<int>(Status::InvalidValue);
  if (driver.options.devices == 0)
    return static_cast<int>(Status::NoDevice);
  driver.isInitialized = true;
  return static_cast<int>(Status::Success);
}

PTX_EXPORT int cuDriverGetVersion(int *version) {
  *version = Driver::get().options.version;
  return static_cast<int>(Status::Success);
}

PTX_EXPORT int cuDeviceGetCount(int *count) {
  return call([=](Driver &driver) {
    *count = driver.options.devices;
    return Status::Success;
  });
}

PTX_EXPORT int cuDeviceGet(int *device, int ordinal) {
  return call([=](Driver &driver) {
    *device = ordinal;
    return ordinal >= 0 && ordinal < driver.options.devices ? Status::Success : Status::InvalidDevice;
  });
}

PTX_EXPORT int cuDeviceGetName(char *name, int size, int) {
  return call([=](Driver &) {
    std::snprintf(name, static_cast<size_t>(std::max(size, 0)), "PTX interpreter");
    return Status::Success;
  });
}

PTX_EXPORT int cuDeviceGetAttribute(int *value, int attribute, int) {
  return call([=](Driver &driver) {
    int capability = driver.options.capability;
    switch (attribute) {
#define PTX_ATTRIBUTE(Number, Value)                                                                                   \
  case Number:                                                                                                         \
    *value = Value;                                                                                                    \
    return Status::Success;
#include "test/ptx/driver/Attributes.def"
    default:
      return Status::InvalidValue;
    }
  });
}

PTX_EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int) {
  return call([=](Driver &driver) {
    *bytes = driver.memory.getTotalBytes();
    return Status::Success;
  });
}

/// A handle is an address of its own.
static void *makeHandle() { return new char; }

PTX_EXPORT int cuCtxCreate_v2(void **context, unsigned, int) {
  return call([=](Driver &driver) {
    *context = makeHandle();
    driver.contexts.insert(*context);
    getContexts().push_back(*context);
    return Status::Success;
  });
}

/// Allocations and modules of a context do not end with it, which only a program that goes on to use them would notice.
PTX_EXPORT int cuCtxDestroy_v2(void *context) {
  return call([=](Driver &driver) {
    if (!driver.contexts.erase(context))
      return Status::InvalidContext;
    std::erase(getContexts(), context);
    driver.reset();
    return Status::Success;
  });
}

PTX_EXPORT int cuDevicePrimaryCtxRetain(void **context, int) {
  return call([=](Driver &driver) {
    if (!driver.primary) {
      driver.primary = makeHandle();
      driver.contexts.insert(driver.primary);
    }
    ++driver.primaryUses;
    *context = driver.primary;
    return Status::Success;
  });
}

static int releasePrimary() {
  return call([](Driver &driver) {
    if (driver.primaryUses == 0)
      return Status::InvalidContext;
    if (--driver.primaryUses == 0) {
      driver.contexts.erase(driver.primary);
      driver.primary = nullptr;
      driver.reset();
    }
    return Status::Success;
  });
}

PTX_EXPORT int cuDevicePrimaryCtxRelease(int) { return releasePrimary(); }
PTX_EXPORT int cuDevicePrimaryCtxRelease_v2(int) { return releasePrimary(); }

PTX_EXPORT int cuCtxSetCurrent(void *context) {
  return call([=](Driver &driver) {
    if (context && !driver.contexts.contains(context))
      return Status::InvalidContext;
    if (!getContexts().empty())
      getContexts().pop_back();
    if (context)
      getContexts().push_back(context);
    return Status::Success;
  });
}

PTX_EXPORT int cuCtxPushCurrent_v2(void *context) {
  return call([=](Driver &driver) {
    if (!driver.contexts.contains(context))
      return Status::InvalidContext;
    getContexts().push_back(context);
    return Status::Success;
  });
}

PTX_EXPORT int cuCtxPopCurrent_v2(void **context) {
  return call([=](Driver &) {
    if (getContexts().empty())
      return Status::InvalidContext;
    if (context)
      *context = getContexts().back();
    getContexts().pop_back();
    return Status::Success;
  });
}

PTX_EXPORT int cuCtxGetCurrent(void **context) {
  return call([=](Driver &) {
    *context = getContexts().empty() ? nullptr : getContexts().back();
    return Status::Success;
  });
}

PTX_EXPORT int cuCtxGetDevice(int *device) {
  return callInContext([=](Driver &) {
    *device = 0;
    return Status::Success;
  });
}

PTX_EXPORT int cuCtxSynchronize() {
  return callInContext([](Driver &driver) {
    driver.flush();
    return driver.pending;
  });
}

PTX_EXPORT int cuGetErrorName(int error, const char **text) {
  *text = getName(static_cast<Status>(error));
  return static_cast<int>(*text ? Status::Success : Status::InvalidValue);
}

PTX_EXPORT int cuGetErrorString(int error, const char **text) {
  *text = getDescription(static_cast<Status>(error));
  return static_cast<int>(*text ? Status::Success : Status::InvalidValue);
}

/// Functions are found by their names in the library only.
PTX_EXPORT int cuGetProcAddress_v2(const char *, void **function, int, uint64_t, int *found) {
  *function = nullptr;
  if (found)
    *found = 1;
  return static_cast<int>(Status::NotFound);
}
