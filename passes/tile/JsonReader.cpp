//===- JsonReader.cpp - untrusted JSON, value by value ----------------------------------------===//

#include "passes/tile/JsonReader.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"

#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>

using llvm::StringRef;
using llvm::Twine;

namespace quern {

/// How much of a value messages quote.
constexpr size_t kMaxQuoted = 40;

constexpr const char *kNames = "a name of 1 to 64 letters, digits, spaces and signs of `_-.`";
constexpr const char *kTexts = "text of 1 to 1024 bytes without control characters";
static_assert(JsonReader::maxNameBytes == 64 && JsonReader::maxTextBytes == 1024, "messages say so");

void JsonReader::skipSpace() {
  while (next < text.size() && (text[next] == ' ' || text[next] == '\n' || text[next] == '\t' || text[next] == '\r'))
    ++next;
}

/// Whether `c` may be of a number or a word.
static bool isOfToken(char c) { return llvm::isAlnum(c) || c == '+' || c == '-' || c == '.' || c == '_'; }

StringRef JsonReader::peekToken() const {
  size_t end = next;
  while (end < text.size() && isOfToken(text[end]))
    ++end;
  return text.slice(next, end);
}

std::string JsonReader::describePlace() const {
  std::string place;
  for (const Step &step : way) {
    if (step.name.empty())
      place += "[" + std::to_string(step.index) + "]";
    else
      place += (place.empty() ? "" : ".") + step.name.str();
  }
  return place;
}

/// `text` as messages show it: whole characters of it, none of which moves a cursor.
static std::string quote(StringRef text) {
  std::string quoted = llvm::json::fixUTF8(text.take_front(kMaxQuoted));
  for (char &c : quoted)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = '?';
  return "`" + quoted + (text.size() > kMaxQuoted ? "…" : "") + "`";
}

std::string JsonReader::describeFound(size_t from) const {
  StringRef rest = text.substr(from);
  if (rest.empty())
    return "the end of the file";
  if (rest.starts_with("{"))
    return "an object";
  if (rest.starts_with("["))
    return "a list";
  if (rest.starts_with("\"")) {
    size_t end = 1;
    while (end < rest.size() && end <= kMaxQuoted && rest[end] != '"')
      end += rest[end] == '\\' ? 2 : 1;
    return quote(rest.take_front(end + 1));
  }
  StringRef token = rest.take_while(isOfToken);
  return quote(token.empty() ? rest.take_front(llvm::getNumBytesForUTF8(static_cast<unsigned char>(rest[0]))) : token);
}

void JsonReader::refuseAt(size_t from, const Twine &found, const Twine &expected) {
  if (hasFailed())
    return;
  StringRef before = text.take_front(from);
  size_t line = before.count('\n') + 1;
  size_t column = from - (line == 1 ? 0 : before.rfind('\n') + 1) + 1;
  std::string place = describePlace();
  mistake = ("line " + Twine(line) + ", column " + Twine(column) + ": " + (place.empty() ? "" : "`" + place + "`: ") +
             "found " + found + ", expected " + expected)
                .str();
}

size_t JsonReader::getPlace() {
  skipSpace();
  return next;
}

void JsonReader::refuse(const Twine &expected) { refuseAt(last, describeFound(last), expected); }

bool JsonReader::consume(char sign) {
  if (next >= text.size() || text[next] != sign)
    return false;
  ++next;
  return true;
}

bool JsonReader::expect(char sign, const Twine &expected) {
  if (hasFailed())
    return false;
  skipSpace();
  last = next;
  if (consume(sign))
    return true;
  refuse(expected);
  return false;
}

int32_t JsonReader::readUnit() {
  uint32_t unit = 0;
  if (text.size() - next < 4 || text.substr(next, 4).getAsInteger(16, unit) ||
      !llvm::all_of(text.substr(next, 4), llvm::isHexDigit))
    return -1;
  next += 4;
  return static_cast<int32_t>(unit);
}

bool JsonReader::readEscape(std::string &value) {
  constexpr StringRef kSigns = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  char sign = next < text.size() ? text[next] : '\0';
  if (size_t index = kSigns.find(sign); next < text.size() && index != StringRef::npos) {
    ++next;
    value += kMeanings[index];
    return true;
  }
  if (!consume('u'))
    return false;
  int32_t unit = readUnit();
  if (unit >= 0xd800 && unit < 0xdc00) {
    int32_t second = consume('\\') && consume('u') ? readUnit() : -1;
    if (second < 0xdc00 || second >= 0xe000)
      return false;
    unit = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
  }
  if (unit < 0 || (unit >= 0xdc00 && unit < 0xe000))
    return false;
  char bytes[UNI_MAX_UTF8_BYTES_PER_CODE_POINT], *end = bytes;
  if (!llvm::ConvertCodePointToUTF8(static_cast<unsigned>(unit), end))
    return false;
  value.append(bytes, end);
  return true;
}

/// Whether `c` stands for itself in a string.
static bool isPlain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; }

std::string JsonReader::readString(const Twine &expected) {
  if (!expect('"', expected))
    return "";
  std::string value;
  while (true) {
    // What stands between escapes is taken at once.
    size_t begin = next;
    while (next < text.size() && isPlain(text[next]))
      ++next;
    value.append(text.begin() + begin, text.begin() + next);
    if (consume('"'))
      break;
    size_t sign = next;
    if (!consume('\\')) {
      refuseAt(sign, sign < text.size() ? "a control character" : "the end of the file", "the end of a string");
      return "";
    }
    if (!readEscape(value)) {
      refuseAt(sign, quote(text.substr(sign, 2)), "an escape sequence of JSON");
      return "";
    }
  }
  return value;
}

static bool isName(StringRef text) {
  return !text.empty() && text.size() <= JsonReader::maxNameBytes &&
         llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_' || c == '-' || c == '.' || c == ' '; });
}

/// Whether `text`, which is UTF-8, has one of the control characters U+0000 to U+001F and U+007F to U+009F.
static bool hasControls(StringRef text) {
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = text[i], following = i + 1 < text.size() ? text[i + 1] : 0;
    if (c < 0x20 || c == 0x7f || (c == 0xc2 && following < 0xa0))
      return true;
  }
  return false;
}

std::string JsonReader::readName() {
  std::string name = readString(kNames);
  if (!hasFailed() && !isName(name))
    refuse(kNames);
  return name;
}

std::string JsonReader::readText() {
  std::string value = readString(kTexts);
  if (!llvm::json::isUTF8(value))
    refuseAt(last, "bytes that are no UTF-8", kTexts);
  else if (!hasFailed() && (value.empty() || value.size() > maxTextBytes || hasControls(value)))
    refuse(kTexts);
  return value;
}

std::string JsonReader::readDigest(size_t digits) {
  constexpr const char *kDigits = " hexadecimal digits in lower case";
  std::string value = readString(Twine(digits) + kDigits);
  if (!hasFailed() && (value.size() != digits ||
                       !llvm::all_of(value, [](char c) { return llvm::isDigit(c) || (c >= 'a' && c <= 'f'); })))
    refuse(Twine(digits) + kDigits);
  return value;
}

int64_t JsonReader::readInteger(int64_t least, int64_t most) {
  if (hasFailed())
    return 0;
  skipSpace();
  last = next;
  StringRef token = peekToken();
  StringRef digits = token;
  digits.consume_front("-");
  int64_t value = 0;
  auto [end, error] = std::from_chars(token.begin(), token.end(), value);
  bool isInteger =
      !digits.empty() && (digits.size() == 1 || digits[0] != '0') && error == std::errc() && end == token.end();
  if (!isInteger || value < least || value > most) {
    refuse("an integer from " + Twine(least) + " to " + Twine(most));
    return 0;
  }
  next += token.size();
  return value;
}

bool JsonReader::consumePair(int64_t most, std::pair<int64_t, int64_t> &pair) {
  size_t place = next;
  auto take = [&](char sign) { return place < text.size() && text[place++] == sign; };
  // More digits than these may be more than fits.
  auto takeInteger = [&](int64_t &value) {
    size_t begin = place, end = std::min(text.size(), begin + std::numeric_limits<int64_t>::digits10);
    for (value = 0; place < end && llvm::isDigit(text[place]); ++place)
      value = value * 10 + (text[place] - '0');
    return place > begin && text[begin] != '0' && value <= most;
  };
  if (!take('[') || !takeInteger(pair.first) || !take(',') || !takeInteger(pair.second) || !take(']'))
    return false;
  next = place;
  return true;
}

/// Whether `token` is a number as JSON writes it: `-0.5e+3`.
static bool isNumber(StringRef token) {
  auto takeDigits = [&] {
    StringRef digits = token.take_while(llvm::isDigit);
    token = token.drop_front(digits.size());
    return digits;
  };
  token.consume_front("-");
  StringRef whole = takeDigits();
  if (whole.empty() || (whole.size() > 1 && whole[0] == '0'))
    return false;
  if (token.consume_front(".") && takeDigits().empty())
    return false;
  if (token.consume_front("e") || token.consume_front("E")) {
    (void)(token.consume_front("+") || token.consume_front("-"));
    if (takeDigits().empty())
      return false;
  }
  return token.empty();
}

double JsonReader::readNumber(bool mayBeNegative) {
  if (hasFailed())
    return 0;
  skipSpace();
  last = next;
  StringRef token = peekToken();
  double value = 0;
  if (!isNumber(token) || std::from_chars(token.begin(), token.end(), value).ec != std::errc() ||
      !std::isfinite(value) || (value < 0 && !mayBeNegative)) {
    refuse(mayBeNegative ? "a finite number" : "a finite number that is not negative");
    return 0;
  }
  next += token.size();
  // One zero, whatever its sign.
  return value + 0.0;
}

bool JsonReader::readBool() {
  if (hasFailed())
    return false;
  skipSpace();
  last = next;
  StringRef token = peekToken();
  if (token != "true" && token != "false") {
    refuse("`true` or `false`");
    return false;
  }
  next += token.size();
  return token == "true";
}

const JsonReader::Member *JsonReader::readMember(llvm::ArrayRef<Member> members, size_t likely) {
  skipSpace();
  if (likely < members.size()) {
    StringRef name = members[likely].name, rest = text.substr(next);
    if (rest.consume_front("\"") && rest.consume_front(name) && rest.consume_front("\"")) {
      last = next;
      next += name.size() + 2;
      return &members[likely];
    }
  }
  std::string name = readString("the name of a member");
  return llvm::find_if(members, [&](const Member &known) { return known.name == name; });
}

void JsonReader::readObject(llvm::ArrayRef<Member> members) {
  assert(members.size() <= 32 && "members are counted in 32 bits");
  if (!expect('{', "an object"))
    return;
  size_t begin = last, following = 0;
  uint32_t seen = 0;
  skipSpace();
  for (bool isFirst = true; !hasFailed() && (!isFirst || !consume('}')); isFirst = false) {
    const Member *member = readMember(members, following);
    if (hasFailed())
      return;
    if (member == members.end())
      return refuse("one of `" +
                    llvm::join(llvm::map_range(members, [](const Member &known) { return known.name; }), "`, `") + "`");
    uint32_t bit = uint32_t(1) << (member - members.begin());
    if (seen & bit)
      return refuse("each name once");
    seen |= bit;
    following = member - members.begin() + 1;
    if (!expect(':', "`:`"))
      return;
    way.push_back({member->name, 0});
    skipSpace();
    last = next;
    member->read();
    if (hasFailed())
      return;
    way.pop_back();
    skipSpace();
    if (consume('}'))
      break;
    if (!expect(',', "`,` or `}`"))
      return;
  }
  for (const auto &[index, member] : llvm::enumerate(members))
    if (!member.isOptional && !(seen >> index & 1))
      refuseAt(begin, "an object without `" + member.name + "`", "one with it");
}

void JsonReader::readMap(size_t most, llvm::function_ref<bool(std::string)> read) {
  if (!expect('{', "an object"))
    return;
  size_t begin = last, count = 0;
  skipSpace();
  if (consume('}'))
    return;
  while (!hasFailed()) {
    if (++count > most)
      return refuseAt(begin, "more than " + Twine(most) + " members", "at most so many");
    std::string name = readName();
    size_t place = last;
    if (!expect(':', "`:`"))
      return;
    way.push_back({name, 0});
    skipSpace();
    last = next;
    bool isNew = read(name);
    if (hasFailed())
      return;
    way.pop_back();
    if (!isNew)
      return refuseAt(place, quote(name) + " once more", "each name once");
    skipSpace();
    if (consume('}'))
      return;
    if (!expect(',', "`,` or `}`"))
      return;
  }
}

void JsonReader::readList(size_t most, llvm::function_ref<void()> read) {
  if (!expect('[', "a list"))
    return;
  size_t begin = last;
  skipSpace();
  if (consume(']'))
    return;
  for (size_t index = 0; !hasFailed(); ++index) {
    if (index == most)
      return refuseAt(begin, "more than " + Twine(most) + " elements", "at most so many");
    way.push_back({"", index});
    skipSpace();
    last = next;
    read();
    if (hasFailed())
      return;
    way.pop_back();
    skipSpace();
    if (consume(']'))
      return;
    if (!expect(',', "`,` or `]`"))
      return;
  }
}

void JsonReader::finish() {
  if (hasFailed())
    return;
  skipSpace();
  last = next;
  if (next != text.size())
    refuse("the end of the file");
}

} // namespace quern
