//===- TemporaryName.cpp - names of files that a signal removes --------------------------------===//

#include "runtime/TemporaryName.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <unistd.h>

namespace quern::runtime {

std::atomic<TemporaryName::Slot *> TemporaryName::first;

/// What a user or the system ends a process with. Those that somebody else handles, or that are ignored, stay so.
static constexpr int endingSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGXCPU, SIGUSR1, SIGUSR2};

/// Removes the names; then the signal does what it would have done.
static void handleSignal(int number) {
  int error = errno;
  removeTemporaryNames();
  std::signal(number, SIG_DFL);
  std::raise(number);
  errno = error;
}

static void installHandlers() {
  for (int number : endingSignals) {
    struct sigaction action;
    if (sigaction(number, nullptr, &action) != 0 || action.sa_handler != SIG_DFL)
      continue;
    action.sa_handler = handleSignal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
  }
}

TemporaryName::Slot *TemporaryName::takeSlot(char *path) {
  for (Slot *slot = first.load(); slot; slot = slot->next)
    if (char *empty = nullptr; slot->path.compare_exchange_strong(empty, path))
      return slot;
  auto *slot = new Slot{path, first.load()};
  while (!first.compare_exchange_weak(slot->next, slot))
    continue;
  return slot;
}

TemporaryName TemporaryName::choose(const std::string &folder) {
  static std::once_flag isInstalled;
  std::call_once(isInstalled, installHandlers);
  static constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::random_device random;
  std::string path = folder + "/.quern-";
  for (int i = 0; i < 12; ++i)
    path += digits[random() % (sizeof(digits) - 1)];
  return TemporaryName(takeSlot(strdup((path + ".tmp").c_str())));
}

const char *TemporaryName::get() const { return slot->path.load(); }

void TemporaryName::forget() {
  // A handler that is at work has taken it.
  if (slot)
    std::free(slot->path.exchange(nullptr));
}

TemporaryName::~TemporaryName() {
  char *path = slot ? slot->path.exchange(nullptr) : nullptr;
  if (!path)
    return;
  unlink(path);
  std::free(path);
}

void removeTemporaryNames() {
  for (TemporaryName::Slot *slot = TemporaryName::first.load(); slot; slot = slot->next)
    if (char *path = slot->path.exchange(nullptr))
      unlink(path);
}

} // namespace quern::runtime
