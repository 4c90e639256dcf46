//===- Result.h - a value or an error ---------------------------------------------------------===//

#ifndef QUERN_RESULT_H
#define QUERN_RESULT_H

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace quern::runtime {

/// Whose fault an error is. The number is the exit status of a program that ends with it.
enum class ErrorKind {
  Refused = 1,  ///< bad input: a file, a prompt, a size
  Usage = 2,    ///< a bad command line
  Internal = 3, ///< a mistake of Quern's own
};

/// Why something could not be done: found and expected, lower case, names in backticks.
struct Error {
  std::string message;
  ErrorKind kind = ErrorKind::Refused;
};

/// A value of type `T`, or why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : storage(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : storage(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return storage.index() == 0; }
  T &operator*() & { return value(); }
  const T &operator*() const & { return value(); }
  T *operator->() { return &value(); }
  const T *operator->() const { return &value(); }
  /// The value; there must be one.
  T &value() & {
    assert(storage.index() == 0 && "a failed result has no value");
    return *std::get_if<0>(&storage);
  }
  T value() && { return std::move(value()); }
  const T &value() const & {
    assert(storage.index() == 0 && "a failed result has no value");
    return *std::get_if<0>(&storage);
  }
  /// The error; there must be one.
  const Error &error() const {
    assert(storage.index() == 1 && "a successful result has no error");
    return *std::get_if<1>(&storage);
  }

private:
  std::variant<T, Error> storage;
};

/// Success without a value, or why there is none.
template <> class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : failure(std::move(error)) {}

  explicit operator bool() const { return !failure; }
  /// The error; there must be one.
  const Error &error() const {
    assert(failure && "a successful result has no error");
    return *failure;
  }

private:
  std::optional<Error> failure;
};

} // namespace quern::runtime

#endif // QUERN_RESULT_H
