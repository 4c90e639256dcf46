//===- HugePages.h - a mapped file's memory moves to huge pages while it is read ---------------===//

#ifndef QUERN_RUNTIME_HUGEPAGES_H
#define QUERN_RUNTIME_HUGEPAGES_H

#include "runtime/Groups.h"

#include <atomic>
#include <cstdint>
#include <pthread.h>
#include <span>
#include <vector>

namespace quern::runtime {

/// Bytes of a huge page.
inline constexpr uint64_t hugePageBytes = uint64_t{2} << 20;

/// Replaces the pages of memory that is mapped from a file by private huge pages with the same bytes, part by part, on
/// a thread of its own. Addresses stay as they are, so others may read all the time, and no byte is there twice for
/// longer than it takes to copy a part. Reading all of a model's weights for each token is up to twice as fast from
/// huge pages.
///
/// What is seldom read can be left out: it stays mapped and is read from the file when it is first used.
///
/// Pages of a file can be dropped and read again, those that are moved can't: what the system, the groups of this
/// process and its limits could give must hold all that moves, and as much again for others. Where that is not so,
/// where it ends while they move, or where the system grants no huge pages, the mapped file serves as it is.
class HugePages {
public:
  /// A part of the memory, in bytes from its start.
  struct Range {
    uint64_t begin = 0, end = 0;
  };

  /// Memory that outlives this object. Of its whole aligned huge pages those move that hold anything of `ranges`, which
  /// are ascending.
  HugePages(std::span<uint8_t> memory, std::span<const Range> ranges);
  HugePages(const HugePages &) = delete;
  HugePages &operator=(const HugePages &) = delete;
  /// Stops after the part at hand.
  ~HugePages();

  /// Begins to copy, once; later calls do nothing.
  void start();
  /// Waits until all is copied: how many bytes moved.
  uint64_t finish();

private:
  static void *enter(void *self);
  void startThread();
  void copyAll();
  bool copy(std::span<uint8_t> part);
  bool hasRoom(uint64_t bytes) const;

  /// What moves: whole aligned huge pages, ascending.
  std::vector<std::span<uint8_t>> parts;
  uint64_t allBytes = 0;
  Groups groups;
  pthread_t thread{};
  bool isStarted = false, isJoined = false;
  std::atomic<bool> stopping{false};
  uint64_t movedBytes = 0;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_HUGEPAGES_H
