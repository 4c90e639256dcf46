//===- Main.cpp - a program that measures plans of kernels --------------------------------------===//
//
// PROGRAM DATA STATE: `DATA` is the file with the model's data, `STATE` one that this program shares with whoever
// started it (Arms.h). What is to be measured comes from the standard input, a line each: `threads N`, `device NAME`,
// `entry NAME`, `size NAME=N`, `depth N`, `end NANOSECONDS`, `mode profile|trials|pairs`.
//
//===----------------------------------------------------------------------------------------------===//

#include "runtime/measure/Measurer.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

using namespace quern::runtime;

/// Says what went wrong; the exit status.
static int fail(const char *message) {
  std::fprintf(stderr, "%s\n", message);
  return 1;
}

static std::string readWord() {
  std::string word;
  int c = std::getchar();
  for (; c != EOF && c != ' ' && c != '\n'; c = std::getchar())
    word += static_cast<char>(c);
  return word;
}

int main(int argc, char **argv) {
  // Nobody reads what is measured for a process that is gone.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc != 3)
    return fail("expected a data file and a state file");
  int file = open(argv[2], O_RDWR | O_CLOEXEC);
  void *memory =
      file < 0 ? MAP_FAILED : mmap(nullptr, sizeof(QuernMeasureState), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED)
    return fail("cannot share the state");
  SessionOptions options;
  MeasureRequest request;
  for (std::string word = readWord(); !word.empty(); word = readWord()) {
    std::string value = readWord();
    if (word == "threads")
      options.threads = static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
    else if (word == "device")
      options.device = value;
    else if (word == "entry")
      request.entry = value;
    else if (word == "size")
      request.sizes.push_back(value);
    else if (word == "depth")
      request.depth = std::strtoll(value.c_str(), nullptr, 10);
    else if (word == "end")
      request.end = std::strtoll(value.c_str(), nullptr, 10);
    else
      request.mode = value;
  }
  Result<std::unique_ptr<Session>> session = Session::open(argv[1], options);
  if (!session)
    return fail(session.error().message.c_str());
  Measurer measurer(**session, request, *static_cast<QuernMeasureState *>(memory));
  if (Result<void> done = measurer.run(); !done)
    return fail(done.error().message.c_str());
  return std::fflush(stdout) == 0 ? 0 : 1;
}
