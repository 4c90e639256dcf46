//===- TemporaryName.h - names of files that a signal removes ----------------------------------===//

#ifndef QUERN_RUNTIME_TEMPORARYNAME_H
#define QUERN_RUNTIME_TEMPORARYNAME_H

#include <atomic>
#include <string>
#include <utility>

namespace quern::runtime {

/// A name that a file has for the time being. It is removed at the end of its life,
/// and before a signal ends the process.
class TemporaryName {
public:
  /// A name that there is not yet, in the folder `folder`.
  static TemporaryName choose(const std::string &folder);
  TemporaryName(TemporaryName &&other) noexcept : slot(std::exchange(other.slot, nullptr)) {}
  TemporaryName &operator=(TemporaryName &&) = delete;
  ~TemporaryName();

  const char *get() const;
  /// The file has gone to its place: there is nothing to remove.
  void forget();

private:
  /// One name of the process's list, which signals read: slots are used again and never freed.
  struct Slot {
    std::atomic<char *> path;
    Slot *next;
  };
  static std::atomic<Slot *> first;

  explicit TemporaryName(Slot *slot) : slot(slot) {}
  static Slot *takeSlot(char *path);
  friend void removeTemporaryNames();

  Slot *slot;
};

/// Removes all of them; for handlers of signals.
void removeTemporaryNames();

} // namespace quern::runtime

#endif // QUERN_RUNTIME_TEMPORARYNAME_H
