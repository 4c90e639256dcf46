//===- Diagnostics.h - the first error of a module ---------------------------------------------===//

#ifndef QUERN_TEST_PTX_DIAGNOSTICS_H
#define QUERN_TEST_PTX_DIAGNOSTICS_H

#include <string>

namespace quern::ptx {

/// Why a module cannot be loaded. What reads a module goes on after an error, with any value, and asks at the end: only
/// the first error counts.
class Diagnostics {
public:
  void fail(unsigned line, const std::string &message) {
    if (text.empty())
      text = "line " + std::to_string(line) + ": " + message;
  }
  bool failed() const { return !text.empty(); }
  /// `line 7: …`; empty if all is well.
  const std::string &getText() const { return text; }

private:
  std::string text;
};

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_DIAGNOSTICS_H
