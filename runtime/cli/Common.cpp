//===- Common.cpp - what the commands share ----------------------------------------------------===//

#include "runtime/cli/Common.h"

#include "quern/Version.h"
#include "runtime/CpuFeatures.h"
#include "runtime/Description.h"
#include "runtime/File.h"
#include "runtime/Memory.h"
#include "runtime/TargetChoice.h"
#include "runtime/cli/Option.h"

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

Result<std::vector<int32_t>> parseTokenList(const std::string &text) {
  std::vector<int32_t> tokens;
  const char *next = text.data();
  const char *end = next + text.size();
  while (true) {
    int32_t token = 0;
    auto [stop, error] = std::from_chars(next, end, token);
    if (error != std::errc() || (stop != end && *stop != ','))
      return misuse("`--prompt-tokens` is " + inBackticks(text.substr(0, 60)) +
                    ", expected integers with commas between them");
    tokens.push_back(token);
    if (stop == end)
      return tokens;
    next = stop + 1;
  }
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

Result<void> printVersion() {
  std::string_view json(reinterpret_cast<const char *>(quern_description), static_cast<size_t>(quern_description_size));
  Result<Description> description = parseDescription(json, quern_programs.count);
  if (!description)
    return description.error();
  std::string text = "model " + description->model + "\n";
  for (const auto &[name, version] : description->versions)
    text += name + " " + version + "\n";
  text += std::string("commit ") + getCommit() + "\n";
  std::string names;
  for (const Target &target : description->targets)
    names += (names.empty() ? "" : ", ") + target.name;
  Result<uint32_t> chosen = chooseTarget(description->targets, std::nullopt, hasCpuFeature);
  text +=
      "targets " + names + "; this CPU runs " + (chosen ? description->targets[*chosen].name : "none of them") + "\n";
  text += "ABI of programs " + std::to_string(QUERN_ABI_VERSION) + "\n";
  return print(text);
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
