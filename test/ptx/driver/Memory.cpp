//===- Memory.cpp - the driver's functions for memory, streams and events ----------------------===//

#include "test/ptx/driver/Driver.h"

using namespace quern::ptx;

PTX_EXPORT int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  return callInContext([=](Driver &driver) { return driver.allocate(bytes, *address); });
}

PTX_EXPORT int cuMemFree_v2(uint64_t address) {
  return callInContext([=](Driver &driver) {
    driver.flush();
    if (driver.pending != Status::Success)
      return driver.pending;
    return address == 0 || driver.memory.free(address) ? Status::Success : Status::InvalidValue;
  });
}

static Status allocateHost(Driver &driver, void **address, size_t bytes) {
  *address = driver.memory.allocateHost(bytes);
  return *address ? Status::Success : bytes ? Status::OutOfMemory : Status::InvalidValue;
}

PTX_EXPORT int cuMemHostAlloc(void **address, size_t bytes, unsigned) {
  return callInContext([=](Driver &driver) { return allocateHost(driver, address, bytes); });
}

PTX_EXPORT int cuMemAllocHost_v2(void **address, size_t bytes) {
  return callInContext([=](Driver &driver) { return allocateHost(driver, address, bytes); });
}

PTX_EXPORT int cuMemHostGetDevicePointer_v2(uint64_t *address, void *host, unsigned) {
  return callInContext([=](Driver &driver) {
    *address = reinterpret_cast<uint64_t>(host);
    return driver.memory.find(*address, 1).host ? Status::Success : Status::InvalidValue;
  });
}

PTX_EXPORT int cuMemFreeHost(void *address) {
  return callInContext([=](Driver &driver) {
    driver.flush();
    return driver.memory.freeHost(address) ? Status::Success : Status::InvalidValue;
  });
}

PTX_EXPORT int cuMemGetInfo_v2(size_t *free, size_t *total) {
  return callInContext([=](Driver &driver) {
    *free = driver.memory.getFreeBytes();
    *total = driver.memory.getTotalBytes();
    return Status::Success;
  });
}

PTX_EXPORT int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
  return callInContext([=](Driver &driver) { return driver.copyToDevice(to, from, bytes, false); });
}

PTX_EXPORT int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
  return callInContext([=](Driver &driver) { return driver.copyToHost(to, from, bytes, false); });
}

/// Between memories of the device a copy is asynchronous in any case.
PTX_EXPORT int cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) {
  return callInContext([=](Driver &driver) { return driver.copy(to, from, bytes); });
}

PTX_EXPORT int cuMemsetD8_v2(uint64_t to, unsigned char value, size_t bytes) {
  return callInContext([=](Driver &driver) { return driver.fill(to, value, bytes); });
}

/// What is done for a stream; null and the two numbers below 3 are streams that are always there.
template <typename F> static int callOnStream(void *stream, F function) {
  return callInContext([=](Driver &driver) {
    if (reinterpret_cast<uintptr_t>(stream) > 2 && !driver.streams.contains(stream))
      return Status::InvalidHandle;
    return function(driver);
  });
}

PTX_EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
  return callOnStream(stream, [=](Driver &driver) { return driver.copyToDevice(to, from, bytes, true); });
}

PTX_EXPORT int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  return callOnStream(stream, [=](Driver &driver) { return driver.copyToHost(to, from, bytes, true); });
}

PTX_EXPORT int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
  return callOnStream(stream, [=](Driver &driver) { return driver.copy(to, from, bytes); });
}

PTX_EXPORT int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *stream) {
  return callOnStream(stream, [=](Driver &driver) { return driver.fill(to, value, bytes); });
}

PTX_EXPORT int cuStreamCreate(void **stream, unsigned) {
  return callInContext([=](Driver &driver) {
    *stream = new char;
    driver.streams.insert(*stream);
    return Status::Success;
  });
}

PTX_EXPORT int cuStreamDestroy_v2(void *stream) {
  return callInContext([=](Driver &driver) {
    driver.flush();
    return driver.streams.erase(stream) ? Status::Success : Status::InvalidHandle;
  });
}

PTX_EXPORT int cuStreamSynchronize(void *stream) {
  return callOnStream(stream, [](Driver &driver) {
    driver.flush();
    return driver.pending;
  });
}

/// Who asks is answered when all is done.
PTX_EXPORT int cuStreamQuery(void *stream) { return cuStreamSynchronize(stream); }

/// Work is in order, whatever its stream.
PTX_EXPORT int cuStreamWaitEvent(void *stream, void *event, unsigned) {
  return callOnStream(
      stream, [=](Driver &driver) { return driver.events.contains(event) ? Status::Success : Status::InvalidHandle; });
}

PTX_EXPORT int cuEventCreate(void **event, unsigned) {
  return callInContext([=](Driver &driver) {
    auto created = std::make_unique<Driver::Event>();
    *event = created.get();
    driver.events.insert_or_assign(*event, std::move(created));
    return Status::Success;
  });
}

PTX_EXPORT int cuEventDestroy_v2(void *event) {
  return callInContext([=](Driver &driver) {
    driver.flush();
    return driver.events.erase(event) ? Status::Success : Status::InvalidHandle;
  });
}

PTX_EXPORT int cuEventRecord(void *event, void *stream) {
  return callOnStream(stream, [=](Driver &driver) {
    auto found = driver.events.find(event);
    if (found == driver.events.end())
      return Status::InvalidHandle;
    Driver::Event *recorded = found->second.get();
    driver.submit([=, &driver] { *recorded = {true, driver.clock}; });
    return Status::Success;
  });
}

PTX_EXPORT int cuEventSynchronize(void *event) {
  return callInContext([=](Driver &driver) {
    driver.flush();
    return driver.events.contains(event) ? driver.pending : Status::InvalidHandle;
  });
}

PTX_EXPORT int cuEventQuery(void *event) { return cuEventSynchronize(event); }

PTX_EXPORT int cuEventElapsedTime(float *milliseconds, void *start, void *end) {
  return callInContext([=](Driver &driver) {
    auto first = driver.events.find(start), last = driver.events.find(end);
    if (first == driver.events.end() || last == driver.events.end())
      return Status::InvalidHandle;
    if (!first->second->isRecorded || !last->second->isRecorded)
      return Status::NotReady;
    int64_t nanoseconds = static_cast<int64_t>(last->second->time - first->second->time);
    *milliseconds = static_cast<float>(static_cast<double>(nanoseconds) * 1e-6);
    return Status::Success;
  });
}
