//===- Inputs.cpp - the files that a process reads ---------------------------------------------===//

#include "runtime/Inputs.h"

#include <map>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace quern::runtime {

namespace {

struct Inputs {
  std::mutex mutex;
  /// What files were called, by what they are.
  std::map<std::pair<dev_t, ino_t>, std::string> names;
  /// What watched files were when they were opened, by their names.
  std::map<std::string, struct stat> watched;
};

} // namespace

/// Never destroyed: files are opened until the process ends.
static Inputs &getInputs() {
  static Inputs &inputs = *new Inputs;
  return inputs;
}

void rememberInput(const std::string &path) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0)
    rememberInput(status, path);
}

void rememberInput(const struct stat &status, const std::string &name) {
  Inputs &inputs = getInputs();
  std::lock_guard lock(inputs.mutex);
  inputs.names.try_emplace({status.st_dev, status.st_ino}, name);
}

void watchInput(const struct stat &status, const std::string &name) {
  Inputs &inputs = getInputs();
  std::lock_guard lock(inputs.mutex);
  inputs.watched.try_emplace(name, status);
}

Result<void> checkInputs() {
  Inputs &inputs = getInputs();
  std::lock_guard lock(inputs.mutex);
  for (const auto &[name, then] : inputs.watched) {
    struct stat now;
    if (stat(name.c_str(), &now) != 0 || now.st_dev != then.st_dev || now.st_ino != then.st_ino)
      continue;
    std::string text = "`" + name + "` was changed while it was read";
    if (now.st_size != then.st_size)
      return Error{text + ": it had " + std::to_string(then.st_size) + " bytes, now " + std::to_string(now.st_size)};
    if (now.st_mtim.tv_sec != then.st_mtim.tv_sec || now.st_mtim.tv_nsec != then.st_mtim.tv_nsec)
      return Error{text};
  }
  return {};
}

std::optional<std::string> findInput(const struct stat &status) {
  struct stat standard;
  if (fstat(STDIN_FILENO, &standard) == 0 && S_ISREG(standard.st_mode) && standard.st_dev == status.st_dev &&
      standard.st_ino == status.st_ino)
    return "the standard input";
  Inputs &inputs = getInputs();
  std::lock_guard lock(inputs.mutex);
  auto input = inputs.names.find({status.st_dev, status.st_ino});
  return input == inputs.names.end() ? std::nullopt : std::optional("`" + input->second + "`");
}

} // namespace quern::runtime
