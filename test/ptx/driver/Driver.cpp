//===- Driver.cpp - what the driver's functions have in common ---------------------------------===//

#include "test/ptx/driver/Driver.h"

#include <cstdio>
#include <cstdlib>

namespace quern::ptx {

std::vector<void *> &getContexts() {
  static thread_local std::vector<void *> contexts;
  return contexts;
}

Driver::Driver() : options(Options::read()), memory(options.memory) {
  if (!options.counts.empty())
    std::atexit(writeCounts);
}

/// It is never destroyed: a program may call the driver until its very end.
Driver &Driver::get() {
  static Driver &driver = *new Driver();
  return driver;
}

void Driver::writeCounts() {
  Driver &driver = get();
  std::lock_guard lock(driver.mutex);
  std::FILE *file = std::fopen(driver.options.counts.c_str(), "w");
  if (!file) {
    std::fprintf(stderr, "quern-ptx: cannot write `%s`\n", driver.options.counts.c_str());
    return;
  }
  const char *separator = "";
  std::fprintf(file, "{\"kernels\": [");
  for (const auto &[name, count] : driver.counts) {
    std::fprintf(file, "%s\n  {\"name\": \"%s\", \"launches\": %llu, \"instructions\": %llu, \"bytes_read\": %llu}",
                 separator, name.c_str(), static_cast<unsigned long long>(count.launches),
                 static_cast<unsigned long long>(count.instructions), static_cast<unsigned long long>(count.bytesRead));
    separator = ",";
  }
  std::fprintf(file, "\n]}\n");
  std::fclose(file);
}

void Driver::submit(std::function<void()> task) {
  if (options.lazy)
    work.push_back(std::move(task));
  else if (pending == Status::Success)
    task();
}

void Driver::flush() {
  while (!work.empty()) {
    std::function<void()> task = std::move(work.front());
    work.pop_front();
    // After a fault nothing happens any more.
    if (pending == Status::Success)
      task();
  }
}

void Driver::reset() {
  work.clear();
  pending = Status::Success;
}

void Driver::runLaunch(const Launch &launch, uint64_t number) {
  Outcome outcome;
  if (number == options.failLaunch) {
    outcome.status = Status::LaunchFailed;
    outcome.fault = "launch " + std::to_string(number) + ", of `" + launch.kernel->name + "`, fails as ordered";
  } else {
    outcome = run(launch, memory, options.threads, options.limit);
  }
  Count &count = counts[launch.kernel->name];
  ++count.launches;
  count.instructions += outcome.instructions;
  clock += outcome.instructions;
  count.bytesRead += outcome.bytesRead;
  if (outcome.status == Status::Success)
    return;
  pending = outcome.status;
  std::fprintf(stderr, "quern-ptx: %s\n", outcome.fault.c_str());
}

Status Driver::launch(const Launch &launch) {
  uint64_t number = ++launches;
  submit([this, launch, number] { runLaunch(launch, number); });
  if (options.blocking)
    flush();
  return options.blocking ? pending : Status::Success;
}

bool Driver::ownsKernel(const void *kernel) const {
  for (const auto &[handle, module] : modules)
    for (const auto &[name, candidate] : module->kernels)
      if (&candidate == kernel)
        return true;
  return false;
}

Status Driver::load(const char *text, Module *&module, std::string &message) {
  // Cubins and archives of them begin so.
  static constexpr char elf[] = "\x7f"
                                "ELF",
                        archive[] = "\x50\xed\x55\xba";
  if (std::string_view(text).starts_with(elf) || std::string_view(text).starts_with(archive)) {
    message = "the module is compiled already, expected PTX";
    return Status::NoBinary;
  }
  // PTX 7.0 came with version 11.0 of the driver, 8.0 with 12.0.
  int known = options.version / 1000 * 10 - 40 + options.version % 1000 / 10;
  Status status = Status::Success;
  std::unique_ptr<Module> loaded =
      Module::load(text, {options.capability, known, options.reservedShared}, memory, status, message);
  if (!loaded) {
    std::fprintf(stderr, "quern-ptx: %s\n", message.c_str());
    return status;
  }
  module = loaded.get();
  modules.insert_or_assign(module, std::move(loaded));
  return Status::Success;
}

Status Driver::allocate(uint64_t bytes, uint64_t &address) {
  if (bytes == 0)
    return Status::InvalidValue;
  address = ++allocations == options.failAllocation ? 0 : memory.allocate(bytes);
  return address ? Status::Success : Status::OutOfMemory;
}

Status Driver::copy(uint64_t to, uint64_t from, uint64_t bytes) {
  std::byte *target = memory.find(to, bytes, true), *source = memory.find(from, bytes, true);
  if (bytes && (!target || !source))
    return Status::InvalidValue;
  submit([=] { std::memmove(target, source, bytes); });
  return Status::Success;
}

Status Driver::copyToDevice(uint64_t to, const void *from, uint64_t bytes, bool isAsync) {
  std::byte *target = memory.find(to, bytes, true);
  if (bytes && (!target || !from))
    return Status::InvalidValue;
  // Memory that the driver does not know is read at once.
  bool isPinned = memory.find(reinterpret_cast<uint64_t>(from), bytes, false) != nullptr;
  if (isAsync && isPinned) {
    submit([=] { std::memcpy(target, from, bytes); });
    return Status::Success;
  }
  flush();
  if (pending == Status::Success && bytes)
    std::memcpy(target, from, bytes);
  return pending;
}

Status Driver::copyToHost(void *to, uint64_t from, uint64_t bytes, bool isAsync) {
  std::byte *source = memory.find(from, bytes, true);
  if (bytes && (!source || !to))
    return Status::InvalidValue;
  bool isPinned = memory.find(reinterpret_cast<uint64_t>(to), bytes, false) != nullptr;
  if (isAsync && isPinned) {
    submit([=] { std::memcpy(to, source, bytes); });
    return Status::Success;
  }
  flush();
  if (pending == Status::Success && bytes)
    std::memcpy(to, source, bytes);
  return pending;
}

Status Driver::fill(uint64_t to, unsigned char value, uint64_t bytes) {
  std::byte *target = memory.find(to, bytes, true);
  if (bytes && !target)
    return Status::InvalidValue;
  submit([=] { std::memset(target, value, bytes); });
  return Status::Success;
}

} // namespace quern::ptx
