//===- Memory.h - memory that the system maps -------------------------------------------------===//

#ifndef QUERN_RUNTIME_MEMORY_H
#define QUERN_RUNTIME_MEMORY_H

#include "runtime/include/quern/Result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace quern::runtime {

/// A mapped range of memory, unmapped at the end of its life.
class Mapping {
public:
  /// Which pages the memory should have.
  enum class Pages {
    Small, ///< the system's smallest: memory is taken exactly where it is touched
    Huge,  ///< 2 MiB where the system grants them: fewer misses for memory that is used as a whole
  };

  Mapping() = default;
  Mapping(Mapping &&other) noexcept { swap(other); }
  Mapping &operator=(Mapping &&other) noexcept {
    swap(other);
    return *this;
  }
  ~Mapping();

  /// Zeroed private memory that takes room only where it is touched. `what` names it in the error.
  static Result<Mapping> allocate(uint64_t bytes, Pages pages, const char *what);
  /// `bytes` of the file `path` from `offset`, a multiple of the page size, read only and read when touched, at an
  /// address that can begin a huge page. What cannot be read then is told as MappedFault.h says.
  static Result<Mapping> mapFile(int descriptor, uint64_t offset, uint64_t bytes, const std::string &path);

  uint8_t *data() const { return base; }
  uint64_t size() const { return bytes; }

private:
  void swap(Mapping &other) {
    std::swap(base, other.base);
    std::swap(bytes, other.bytes);
    std::swap(reservation, other.reservation);
    std::swap(reserved, other.reserved);
  }

  uint8_t *base = nullptr;
  uint64_t bytes = 0;
  /// The addresses taken from the system, which hold those of the memory.
  uint8_t *reservation = nullptr;
  uint64_t reserved = 0;
};

/// Text of the system's error number.
std::string describeSystemError(int number);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_MEMORY_H
