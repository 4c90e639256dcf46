/// The whole of our unit-test library: count the checks that do not hold and say where.
#ifndef QUERN_TEST_UNIT_CHECK_H
#define QUERN_TEST_UNIT_CHECK_H

#include <iostream>
#include <source_location>

namespace quern::test {

/// Collects the checks of one test program; `main` ends with `return checks.status();`.
class Checks {
public:
  /// Notes a failure unless `holds`; returns `holds`, so that a test can stop early.
  bool that(bool holds, std::source_location where = std::source_location::current()) {
    ++made;
    if (!holds)
      fail(where) << "the check does not hold\n";
    return holds;
  }

  /// Notes a failure unless `found == expected`.
  template <typename A, typename B>
  bool equal(const A &found, const B &expected, std::source_location where = std::source_location::current()) {
    ++made;
    bool same = found == expected;
    if (!same)
      fail(where) << "found `" << found << "`, expected `" << expected << "`\n";
    return same;
  }

  /// The exit status of the program: 0 if at least one check was made and all held.
  int status() const {
    if (made == 0)
      std::cerr << "no check was made\n";
    return made > 0 && failed == 0 ? 0 : 1;
  }

private:
  std::ostream &fail(std::source_location where) {
    ++failed;
    return std::cerr << where.file_name() << ':' << where.line() << ": ";
  }

  int made = 0;
  int failed = 0;
};

} // namespace quern::test

#endif
