//===- Process.cpp - what a program of Quern's can count on ------------------------------------===//

#include "runtime/Process.h"

#include <csignal>
#include <fcntl.h>
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

void prepareProcess() {
  openStandardStreams();
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

} // namespace quern::runtime
