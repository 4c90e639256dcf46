//===- Process.cpp - what a program of Quern's can count on ------------------------------------===//

#include "runtime/Process.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace quern::runtime {

/// Opens what descriptors 0 to 2 lack.
static void openStandardStreams() {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (fcntl(number, F_GETFD) >= 0)
      continue;
    // The lowest free number is this one. Without devices, what can neither be read nor written still takes its place.
    if (open("/dev/null", number == STDIN_FILENO ? O_RDONLY : O_WRONLY) < 0)
      (void)!open("/", O_PATH | O_DIRECTORY);
  }
}

/// Whether the stack of this thread may grow to what a program needs; lets it, if it may not yet.
static bool hasStack() {
  rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= minStackBytes)
    return true;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, minStackBytes);
  return setrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= minStackBytes;
}

static void *enterThread(void *work) {
  (*static_cast<const std::function<void()> *>(work))();
  return nullptr;
}

bool runWithStack(const std::function<void()> &work) {
  if (hasStack()) {
    work();
    return true;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, minStackBytes);
  pthread_t thread;
  bool isStarted = pthread_create(&thread, &attributes, enterThread, const_cast<std::function<void()> *>(&work)) == 0;
  if (isStarted)
    pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  return isStarted;
}

void prepareProcess() {
  openStandardStreams();
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

} // namespace quern::runtime
