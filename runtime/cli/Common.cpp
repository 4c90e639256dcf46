//===- Common.cpp - what the commands share ----------------------------------------------------===//

#include "runtime/File.h"
#include "runtime/Memory.h"
#include "runtime/cli/Commands.h"

#include <cerrno>
#include <charconv>
#include <unistd.h>

namespace quern::runtime {

Result<void> print(std::string_view text) {
  int number = writeAll(STDOUT_FILENO, text.data(), text.size());
  if (number == EPIPE)
    return Error{};
  if (number)
    return Error{"could not write to the standard output: " + describeSystemError(number)};
  return {};
}

std::string formatTokens(std::span<const int32_t> tokens) {
  std::string text = "[";
  for (size_t i = 0; i < tokens.size(); ++i)
    text += (i ? ", " : "") + std::to_string(tokens[i]);
  return text + "]";
}

Result<std::string> readTextArgument(const std::string &argument) {
  if (argument != "-")
    return argument;
  return readAll(STDIN_FILENO, "the standard input", maxTextBytes);
}

Result<uint32_t> findEntry(const Session &session, const std::string &name) {
  if (std::optional<uint32_t> entry = session.findEntry(name))
    return *entry;
  std::string names;
  for (const Entry &entry : session.getDescription().entries)
    names += (names.empty() ? "`" : ", `") + entry.name + "`";
  return Error{"the model has no entry " + inBackticks(name) + ", only " + (names.empty() ? "none" : names)};
}

Result<int64_t> getContextSize(const CommandLine &line, int64_t modelContextSize) {
  if (line.contextSize.value_or(0) > modelContextSize)
    return Error{"`--ctx` is " + std::to_string(*line.contextSize) + ", the model's context holds " +
                 std::to_string(modelContextSize)};
  return line.contextSize.value_or(modelContextSize);
}

uint64_t getPeakMemory() {
  // Not getrusage: its maximum includes what the parent held when it started this process.
  Result<std::string> status = readFile("/proc/self/status");
  std::string_view text = status ? std::string_view(*status) : std::string_view();
  size_t place = text.find("VmHWM:");
  if (place == std::string_view::npos)
    return 0;
  text.remove_prefix(place + 6);
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  uint64_t kibibytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), kibibytes);
  return kibibytes * 1024;
}

} // namespace quern::runtime
