// A program that does one thing with a file, to be interrupted and watched by files.py.

#include "runtime/Inputs.h"
#include "runtime/MappedFault.h"
#include "runtime/Memory.h"
#include "runtime/OutputFile.h"
#include "runtime/Process.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

using namespace quern::runtime;

static int report(const Error &error) {
  std::fprintf(stderr, "error: %s\n", error.message.c_str());
  return 1;
}

/// Says that the work is half done, and waits for a line.
static void waitForLine() {
  std::puts("ready");
  std::fflush(stdout);
  std::getchar();
}

/// `write PATH BYTES`, `replace PATH BYTES`: writes so many `x`, and half of them before it waits.
static int write(Result<OutputFile> file, size_t bytes) {
  if (!file)
    return report(file.error());
  std::string half(bytes / 2, 'x');
  for (int i = 0; i < 2; ++i) {
    if (Result<void> done = file->write(half.data(), half.size()); !done)
      return report(done.error());
    if (i == 0)
      waitForLine();
  }
  Result<void> done = file->finish();
  return done ? 0 : report(done.error());
}

/// `map PATH`: maps a file, waits, and adds up its bytes.
static int map(const std::string &path) {
  Result<FileDescriptor> file = FileDescriptor::openForReading(path);
  if (!file)
    return report(file.error());
  size_t bytes = static_cast<size_t>(lseek(file->get(), 0, SEEK_END));
  Result<Mapping> mapping = Mapping::mapFile(file->get(), 0, bytes, path);
  if (!mapping)
    return report(mapping.error());
  waitForLine();
  unsigned sum = 0;
  for (size_t i = 0; i < bytes; ++i)
    sum += mapping->data()[i];
  std::printf("%u\n", sum);
  return 0;
}

int main(int count, char **arguments) {
  prepareProcess();
  reportMappingFaults("files");
  std::string what = count > 2 ? arguments[1] : "";
  if (what == "map")
    return map(arguments[2]);
  size_t bytes = count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 0;
  if (what == "write" && count > 4)
    rememberInput(arguments[4]);
  if (what == "write")
    return write(OutputFile::create(arguments[2]), bytes);
  if (what == "replace")
    return write(OutputFile::replace(arguments[2]), bytes);
  return 2;
}
