/// Text that arrives in pieces of bytes.

#include "Check.h"
#include "runtime/llm/Utf8Stream.h"

#include <string>
#include <vector>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

const std::string broken = "\xef\xbf\xbd";

/// All of `text` in pieces of `size` bytes. `isWhole`: no piece of output ends within a character.
std::string feed(const std::string &text, size_t size, bool &isWhole) {
  Utf8Stream stream;
  std::string joined;
  for (size_t i = 0; i < text.size(); i += size) {
    std::string piece = stream.feed(std::string_view(text).substr(i, size));
    Utf8Stream again;
    isWhole &= again.feed(piece) == piece && again.finish().empty();
    joined += piece;
  }
  return joined + stream.finish();
}

} // namespace

int main() {
  Checks checks;
  struct Case {
    std::string bytes, text;
  };
  const std::vector<Case> cases = {
      {"plain", "plain"},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80!", "\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80!"},
      {std::string("a\0b", 3), std::string("a\0b", 3)},
      {"\xff", broken},
      {"\x80\x80", broken + broken},
      {"\xc3", broken},                                        // cut off
      {"\xf0\x9f\x98", broken},                                // cut off: one part, one replacement
      {"\xf0\x9f\x98z", broken + "z"},                         // another character within
      {"\xc0\xaf", broken + broken},                           // an overlong slash
      {"\xe0\x80\x80", broken + broken + broken},              // overlong
      {"\xed\xa0\x80", broken + broken + broken},              // a surrogate
      {"\xf4\x90\x80\x80", broken + broken + broken + broken}, // above U+10FFFF
      // The Unicode standard, section 3.9, table 3-8.
      {"\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64",
       "a" + broken + broken + broken + "b" + broken + "c" + broken + broken + "d"},
  };
  for (const Case &item : cases)
    for (size_t size : {1, 2, 3, 4, 100}) {
      bool isWhole = true;
      checks.equal(feed(item.bytes, size, isWhole), item.text);
      checks.that(isWhole);
    }
  Utf8Stream stream;
  checks.equal(stream.feed("\xf0\x9f"), "");
  checks.equal(stream.feed("\x98\x80"), "\xf0\x9f\x98\x80");
  checks.equal(stream.finish(), "");
  return checks.status();
}
