//===- Utf8Stream.cpp - bytes that arrive in pieces, text that leaves in characters -------------===//

#include "runtime/llm/Utf8Stream.h"

#include <cstdint>

namespace quern::runtime {

static constexpr std::string_view replacement = "\xef\xbf\xbd";

namespace {

/// Which bytes may follow a first byte (the Unicode standard, table 3-7).
struct Lead {
  uint8_t first, last;             ///< range of first bytes
  unsigned length;                 ///< bytes of the character
  uint8_t secondFirst, secondLast; ///< range of the second byte; the others are 80..BF
};

constexpr Lead leads[] = {
    {0x00, 0x7f, 1, 0x00, 0x00}, {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

} // namespace

/// The row of a first byte, or null when no character begins with it.
static const Lead *findLead(uint8_t byte) {
  for (const Lead &lead : leads)
    if (byte >= lead.first && byte <= lead.last)
      return &lead;
  return nullptr;
}

/// How many bytes of `text`, from its first, fit `lead`: its length for a whole character.
static unsigned countFitting(std::string_view text, const Lead &lead) {
  unsigned count = 1;
  while (count < lead.length && count < text.size()) {
    auto byte = static_cast<uint8_t>(text[count]);
    uint8_t first = count == 1 ? lead.secondFirst : 0x80;
    uint8_t last = count == 1 ? lead.secondLast : 0xbf;
    if (byte < first || byte > last)
      break;
    ++count;
  }
  return count;
}

std::string Utf8Stream::feed(std::string_view bytes) {
  pending += bytes;
  std::string text;
  std::string_view rest = pending;
  while (!rest.empty()) {
    const Lead *lead = findLead(static_cast<uint8_t>(rest[0]));
    unsigned count = lead ? countFitting(rest, *lead) : 1;
    bool isWhole = lead && count == lead->length;
    if (lead && !isWhole && count == rest.size())
      break;
    text += isWhole ? rest.substr(0, count) : replacement;
    rest.remove_prefix(count);
  }
  pending = std::string(rest);
  return text;
}

std::string Utf8Stream::finish() {
  bool isCut = !pending.empty();
  pending.clear();
  return std::string(isCut ? replacement : "");
}

} // namespace quern::runtime
