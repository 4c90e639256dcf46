//===- Groups.cpp - what the control groups of this process leave it ---------------------------===//

#include "runtime/Groups.h"

#include "runtime/File.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace quern::runtime {

namespace {

/// Where a hierarchy of groups is mounted.
struct Mount {
  /// The group that stands at `place`.
  std::string group;
  std::string place;
};

/// What version 1 and 2 call the numbers of memory.
struct MemoryNames {
  /// Files of limits, of which each counts.
  const char *limits[2];
  const char *used;
  /// Keys of `memory.stat` for the pages of files.
  const char *files[2];
};

constexpr MemoryNames memoryNames[] = {
    {{"memory.limit_in_bytes", nullptr}, "memory.usage_in_bytes", {"total_active_file", "total_inactive_file"}},
    {{"memory.max", "memory.high"}, "memory.current", {"active_file", "inactive_file"}},
};

} // namespace

/// A file's content, or nothing where it can't be read.
static std::string readOrNothing(const std::string &path) {
  Result<std::string> content = readFile(path);
  return content ? std::move(*content) : std::string();
}

/// Takes what stands before the next `separator` from `text`, and the separator.
static std::string_view takeUntil(std::string_view &text, char separator) {
  std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

/// Whether `list`, with commas between, holds `word`.
static bool holds(std::string_view list, std::string_view word) {
  while (!list.empty())
    if (takeUntil(list, ',') == word)
      return true;
  return false;
}

/// The number at the start of `text`; no value for `max` and the like.
template <typename T> static std::optional<T> parse(std::string_view text) {
  T number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

template <typename T> static std::optional<T> readNumber(const std::string &path) {
  return parse<T>(readOrNothing(path));
}

/// The path of this process in the hierarchy of `controller`, or in the unified one where that is empty: lines like
/// `4:cpu,cpuacct:/user` and `0::/user`.
static std::optional<std::string> findPath(std::string_view groups, std::string_view controller) {
  while (!groups.empty()) {
    std::string_view path = takeUntil(groups, '\n');
    bool isUnified = takeUntil(path, ':') == "0";
    std::string_view controllers = takeUntil(path, ':');
    if (controller.empty() ? isUnified && controllers.empty() : holds(controllers, controller))
      return std::string(path);
  }
  return std::nullopt;
}

/// A path of mountinfo, where a space is written as `\040`.
static std::string unescape(std::string_view text) {
  std::string path;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    std::string_view digits = text.substr(i + 1, 3);
    bool isEscape = text[i] == '\\' && digits.size() == 3 &&
                    std::from_chars(digits.data(), digits.data() + 3, code, 8).ptr == digits.data() + 3;
    path += isEscape ? static_cast<char>(code) : text[i];
    i += isEscape ? 3 : 0;
  }
  return path;
}

/// The path of the group `path` below the mounted one; no value where it is not below it.
static std::optional<std::string> getPathBelow(const Mount &mount, const std::string &path) {
  std::string_view top = mount.group == "/" ? std::string_view() : std::string_view(mount.group);
  std::string_view rest = std::string_view(path).substr(std::min(top.size(), path.size()));
  bool isBelow = path.starts_with(top) && (rest.empty() || rest[0] == '/');
  return isBelow ? std::optional(std::string(rest)) : std::nullopt;
}

/// Where the hierarchy of `controller`, or the unified one where that is empty, is mounted, so that it shows the group
/// `path`; lines like `36 35 0:31 /group /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory`.
static std::optional<Mount> findMount(std::string_view mounts, std::string_view controller, const std::string &path) {
  std::optional<Mount> found;
  while (!mounts.empty()) {
    std::string_view line = takeUntil(mounts, '\n');
    size_t separator = line.find(" - ");
    if (separator == std::string_view::npos)
      continue;
    std::string_view system = line.substr(separator + 3);
    std::string_view kind = takeUntil(system, ' ');
    takeUntil(system, ' ');
    if (controller.empty() ? kind != "cgroup2" : kind != "cgroup" || !holds(system, controller))
      continue;
    for (int skipped = 0; skipped < 3; ++skipped)
      takeUntil(line, ' ');
    std::string group = unescape(takeUntil(line, ' '));
    Mount mount{group, unescape(takeUntil(line, ' '))};
    // A container may see its own group at the mount's place although its path names another.
    bool isBelow = getPathBelow(mount, path).has_value();
    if (isBelow || !found)
      found = mount;
    if (isBelow)
      return found;
  }
  return found;
}

Groups::Groups(const std::string &root) {
  std::string paths = readOrNothing(root + "/proc/self/cgroup"), mounts = readOrNothing(root + "/proc/self/mountinfo");
  auto add = [&](std::vector<Group> &groups, std::string_view controller) {
    std::optional<std::string> path = findPath(paths, controller);
    std::optional<Mount> mount = path ? findMount(mounts, controller, *path) : std::nullopt;
    if (!mount)
      return;
    std::string below = getPathBelow(*mount, *path).value_or("");
    for (; !below.empty(); below.resize(below.rfind('/')))
      groups.push_back({root + mount->place + below, controller.empty()});
    groups.push_back({root + mount->place, controller.empty()});
  };
  add(memory, "memory");
  add(memory, "");
  add(cpu, "cpu");
  add(cpu, "");
}

/// The number of a key in a file of lines `key number`; 0 where it is not there.
static uint64_t findNumber(std::string_view lines, std::string_view key) {
  while (!lines.empty()) {
    std::string_view line = takeUntil(lines, '\n');
    if (takeUntil(line, ' ') == key)
      return parse<uint64_t>(line).value_or(0);
  }
  return 0;
}

std::optional<uint64_t> Groups::getFreeMemory() const {
  std::optional<uint64_t> least;
  for (const Group &group : memory) {
    const MemoryNames &names = memoryNames[group.isUnified];
    std::optional<uint64_t> limit;
    for (const char *name : names.limits)
      if (name)
        if (std::optional<uint64_t> number = readNumber<uint64_t>(group.folder + "/" + name))
          limit = std::min(*number, limit.value_or(*number));
    // Version 1 writes the largest number where there is no limit.
    if (!limit || *limit > uint64_t{1} << 60)
      continue;
    uint64_t used = readNumber<uint64_t>(group.folder + "/" + names.used).value_or(0);
    std::string stat = readOrNothing(group.folder + "/memory.stat");
    for (const char *key : names.files)
      used -= std::min(used, findNumber(stat, key));
    uint64_t free = *limit - std::min(*limit, used);
    least = std::min(free, least.value_or(free));
  }
  return least;
}

std::optional<unsigned> Groups::getCpus() const {
  std::optional<unsigned> least;
  for (const Group &group : cpu) {
    std::optional<int64_t> quota, period;
    if (group.isUnified) {
      // `max 100000` or `150000 100000`: microseconds of each period.
      std::string content = readOrNothing(group.folder + "/cpu.max");
      std::string_view rest = content;
      quota = parse<int64_t>(takeUntil(rest, ' '));
      period = parse<int64_t>(rest);
    } else {
      quota = readNumber<int64_t>(group.folder + "/cpu.cfs_quota_us");
      period = readNumber<int64_t>(group.folder + "/cpu.cfs_period_us");
    }
    // -1 is no limit.
    if (quota.value_or(0) <= 0 || period.value_or(0) <= 0)
      continue;
    int64_t rounded = (*quota - 1) / *period + 1;
    auto cpus = static_cast<unsigned>(std::min<int64_t>(rounded, 1 << 20));
    least = std::min(cpus, least.value_or(cpus));
  }
  return least;
}

} // namespace quern::runtime
