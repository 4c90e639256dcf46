//===- MappedFault.cpp - files that are cut while they are mapped ------------------------------===//
//
// Memory of a mapped file that cannot be read is a signal of the system, whose handler knows the address alone: so
// mappings and their names are one list of the process. The handler reads it without a lock;
// entries are used again and never freed.
//
//===------------------------------------------------------------------------------------------===//

#include "runtime/MappedFault.h"

#include "runtime/TemporaryName.h"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace quern::runtime {

namespace {

struct MappedRange {
  std::atomic<uintptr_t> begin;
  std::atomic<uintptr_t> end;
  std::atomic<char *> path;
  MappedRange *next;
};

} // namespace

static std::atomic<MappedRange *> ranges;
static struct sigaction previous;
static const char *programName = "quern";

void rememberMapping(const void *memory, size_t bytes, const std::string &path) {
  auto begin = reinterpret_cast<uintptr_t>(memory);
  auto *range = new MappedRange{begin, begin + bytes, strdup(path.c_str()), ranges.load()};
  while (!ranges.compare_exchange_weak(range->next, range))
    continue;
}

void forgetMapping(const void *memory) {
  for (MappedRange *range = ranges.load(); range; range = range->next)
    if (range->begin == reinterpret_cast<uintptr_t>(memory))
      range->end.store(range->begin);
}

static void say(const char *text) { (void)!write(STDERR_FILENO, text, std::strlen(text)); }

/// Async-signal-safe.
static void handleFault(int number, siginfo_t *info, void *context) {
  auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (MappedRange *range = ranges.load(); range; range = range->next) {
    if (address < range->begin || address >= range->end)
      continue;
    removeTemporaryNames();
    say(programName);
    say(": error: `");
    say(range->path);
    say("` could not be read to its end: it was cut while it was read, or its disk failed\n");
    _exit(1);
  }
  if (previous.sa_flags & SA_SIGINFO)
    return previous.sa_sigaction(number, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
    return previous.sa_handler(number);
  // The fault comes again when this returns.
  std::signal(number, SIG_DFL);
}

void reportMappingFaults(const char *program) {
  programName = program;
  struct sigaction action = {};
  action.sa_sigaction = handleFault;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous);
}

} // namespace quern::runtime
