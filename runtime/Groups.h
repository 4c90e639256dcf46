//===- Groups.h - what the control groups of this process leave it -----------------------------===//

#ifndef QUERN_RUNTIME_GROUPS_H
#define QUERN_RUNTIME_GROUPS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quern::runtime {

/// The control groups that limit this process, of both versions: its own and their parents, as far as this process sees
/// them. A limit of any of them counts. Swap does not: a model that is swapped out answers nobody.
class Groups {
public:
  /// Finds the groups by /proc/self/cgroup and /proc/self/mountinfo. All paths begin with `root`: a test has a tree of
  /// its own.
  explicit Groups(const std::string &root = "");

  /// The bytes that the tightest group could still give; pages of files that it holds count, because they can be read
  /// again. No value where no group limits memory.
  std::optional<uint64_t> getFreeMemory() const;
  /// How many CPUs' time the tightest group gives, rounded up; no value where none limits it.
  std::optional<unsigned> getCpus() const;

private:
  /// The folder of a group below the system's.
  struct Group {
    std::string folder;
    bool isUnified; ///< version 2
  };

  std::vector<Group> memory, cpu;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_GROUPS_H
