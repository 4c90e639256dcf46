//===- Json.cpp - Untrusted JSON to a tree --------------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Json.h"

#include "frontend/checkpoint/ForeignFiles.h"
#include "frontend/checkpoint/StoredTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <vector>

using namespace llvm;
using namespace quern::frontend;
using nlohmann::json;

namespace {

/// The deepest nesting of objects and lists that is followed.
constexpr size_t maxDepth = 64;

/// Reads one text in a loop and not by recursion. The first problem is kept, with
/// its place; after it nothing is read.
class Parser {
public:
  Parser(StringRef text, RepeatedMembers repeated) : text(text), repeated(repeated) {}

  /// Reads the whole text; false: `problem` says why not.
  bool parse();

  json root;
  std::string problem;
  /// Where the problem lies.
  size_t place = 0;

private:
  bool fail(size_t at, const Twine &message);
  bool expected(StringRef what) { return fail(next, "found " + describeNext() + ", expected " + what); }
  std::string describeNext() const;

  void skipSpaces();
  bool eat(StringRef token);
  bool readValue();
  bool readRest();
  bool readKey();
  bool readNumber();
  bool readString(std::string &result);
  bool readEscape(std::string &result);
  std::optional<unsigned> readUnit();
  bool skipDigits();

  bool open(json container);
  json *attach(json value);

  StringRef text;
  RepeatedMembers repeated;
  size_t next = 0;
  /// The open objects and lists; growing the innermost one moves none of them.
  std::vector<json *> stack;
  /// The name of the member whose value comes next.
  std::string member;
};

} // namespace

bool Parser::fail(size_t at, const Twine &message) {
  place = at;
  problem = message.str();
  return false;
}

/// What stands at the next place, for messages: a word, or one character.
std::string Parser::describeNext() const {
  StringRef rest = text.drop_front(next);
  if (rest.empty())
    return "the end of the text";
  constexpr size_t longest = 20;
  size_t size = rest.take_while([](char c) { return isAlnum(c) || c == '_'; }).size();
  if (size == 0)
    size = std::clamp<size_t>(getNumBytesForUTF8(rest.front()), 1, rest.size());
  StringRef begin = rest.take_front(std::min(size, longest));
  return "`" + (begin == "\"" ? "\"" : printable(begin)) + (size > longest ? "...`" : "`");
}

void Parser::skipSpaces() {
  while (next < text.size() && StringRef(" \t\r\n").contains(text[next]))
    ++next;
}

bool Parser::eat(StringRef token) {
  if (!text.drop_front(next).starts_with(token))
    return false;
  next += token.size();
  return true;
}

json *Parser::attach(json value) {
  if (stack.empty()) {
    root = std::move(value);
    return &root;
  }
  json &parent = *stack.back();
  if (parent.is_object())
    return &(parent[member] = std::move(value));
  parent.push_back(std::move(value));
  return &parent.back();
}

bool Parser::open(json container) {
  if (stack.size() == maxDepth)
    return fail(next - 1, "found more than " + Twine(maxDepth) + " nested objects and lists");
  stack.push_back(attach(std::move(container)));
  return true;
}

/// A name and its colon.
bool Parser::readKey() {
  skipSpaces();
  size_t begin = next;
  if (!text.drop_front(next).starts_with("\""))
    return expected("the name of a member in `\"`");
  if (!readString(member))
    return false;
  if (repeated == RepeatedMembers::Refused && stack.back()->contains(member))
    return fail(begin, "member " + inBackticks(member) + " occurs twice in one object");
  skipSpaces();
  return eat(":") || expected("`:`");
}

/// A value, or the begin of an object or list that has elements.
bool Parser::readValue() {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  struct Word {
    StringLiteral text;
    json value;
  };
  const Word words[] = {{"null", nullptr},    {"true", true},         {"false", false},
                        {"NaN", double(NAN)}, {"Infinity", infinity}, {"-Infinity", -infinity}};
  skipSpaces();
  if (next == text.size())
    return expected("a value");
  char first = text[next];
  if (first == '"') {
    std::string value;
    return readString(value) && attach(std::move(value));
  }
  if (eat("{"))
    return open(json::object());
  if (eat("["))
    return open(json::array());
  if (isDigit(first))
    return readNumber();
  for (const Word &word : words)
    if (eat(word.text))
      return attach(word.value);
  return first == '-' ? readNumber() : expected("a value");
}

/// What follows a value, up to the next value or the end.
bool Parser::readRest() {
  while (!stack.empty()) {
    skipSpaces();
    bool isObject = stack.back()->is_object();
    if (eat(","))
      return !isObject || readKey();
    if (!eat(isObject ? "}" : "]"))
      return expected(isObject ? "`,` or `}`" : "`,` or `]`");
    stack.pop_back();
  }
  return true;
}

bool Parser::parse() {
  do {
    size_t depth = stack.size();
    if (!readValue())
      return false;
    skipSpaces();
    if (stack.size() > depth) {
      bool isObject = stack.back()->is_object();
      bool isEmpty = text.drop_front(next).starts_with(isObject ? "}" : "]");
      if (!isEmpty && isObject && !readKey())
        return false;
      if (!isEmpty)
        continue;
      ++next;
      stack.pop_back();
    }
    if (!readRest())
      return false;
  } while (!stack.empty());
  skipSpaces();
  return next == text.size() || expected("the end of the text");
}

bool Parser::skipDigits() {
  size_t begin = next;
  while (next < text.size() && isDigit(text[next]))
    ++next;
  return next > begin || expected("a digit");
}

/// Integers that fit into 64 bits stay what they are; other numbers become the
/// nearest double, which may be infinite.
bool Parser::readNumber() {
  size_t begin = next;
  bool isNegative = eat("-");
  if (!eat("0") && !skipDigits())
    return false;
  bool isInteger = true;
  if (eat(".")) {
    isInteger = false;
    if (!skipDigits())
      return false;
  }
  if (eat("e") || eat("E")) {
    isInteger = false;
    if (!eat("+"))
      eat("-");
    if (!skipDigits())
      return false;
  }
  StringRef number = text.slice(begin, next);
  uint64_t natural;
  int64_t integer;
  if (isInteger && !isNegative && !number.getAsInteger(10, natural))
    return attach(natural);
  if (isInteger && isNegative && !number.getAsInteger(10, integer))
    return attach(integer);
  double value = 0;
  if (std::from_chars(number.begin(), number.end(), value).ec != std::errc())
    value = std::strtod(number.str().c_str(), nullptr);
  return attach(value);
}

bool Parser::readString(std::string &result) {
  size_t begin = next++;
  result.clear();
  while (next < text.size() && text[next] != '"') {
    StringRef plain =
        text.drop_front(next).take_while([](char c) { return c != '"' && c != '\\' && uint8_t(c) >= 0x20; });
    if (!isUtf8(plain))
      return fail(begin, "found a string that is not UTF-8");
    result += plain;
    next += plain.size();
    if (next < text.size() && text[next] == '\\' && !readEscape(result))
      return false;
    if (next < text.size() && uint8_t(text[next]) < 0x20)
      return fail(next, "found " + inBackticks(text.substr(next, 1)) + " in a string, expected an escape sequence");
  }
  return eat("\"") || expected("`\"` that ends the string");
}

/// The four digits of `\uXXXX`.
std::optional<unsigned> Parser::readUnit() {
  unsigned unit;
  StringRef digits = text.substr(next, 4);
  if (digits.size() < 4 || !llvm::all_of(digits, isHexDigit) || digits.getAsInteger(16, unit))
    return std::nullopt;
  next += 4;
  return unit;
}

bool Parser::readEscape(std::string &result) {
  static constexpr StringLiteral names = "\"\\/bfnrt", characters = "\"\\/\b\f\n\r\t";
  size_t begin = next++;
  size_t name = next < text.size() ? names.find(text[next]) : StringRef::npos;
  if (name != StringRef::npos) {
    ++next;
    result += characters[name];
    return true;
  }
  auto refuse = [&] {
    return fail(begin, "found " + inBackticks(text.substr(begin, 6)) + ", expected an escape sequence of JSON");
  };
  if (!eat("u"))
    return refuse();
  std::optional<unsigned> unit = readUnit();
  if (!unit)
    return refuse();
  unsigned code = *unit;
  if (code >= 0xd800 && code < 0xdc00 && eat("\\u")) {
    std::optional<unsigned> low = readUnit();
    if (!low || *low < 0xdc00 || *low > 0xdfff)
      return refuse();
    code = 0x10000 + ((code - 0xd800) << 10) + (*low - 0xdc00);
  }
  char bytes[UNI_MAX_UTF8_BYTES_PER_CODE_POINT], *end = bytes;
  if (!ConvertCodePointToUTF8(code, end))
    return refuse();
  result.append(bytes, end);
  return true;
}

StringRef quern::frontend::skipByteOrderMark(StringRef text) {
  text.consume_front("\xef\xbb\xbf");
  return text;
}

Expected<json> quern::frontend::parseJson(StringRef text, StringRef file) {
  if (Error error = refuseForeign(arrayRefFromStringRef(text), file, "JSON"))
    return error;
  text = skipByteOrderMark(text);
  Parser parser(text, RepeatedMembers::LastCounts);
  if (parser.parse())
    return std::move(parser.root);
  StringRef before = text.take_front(parser.place);
  size_t lineBegin = before.rfind('\n') + 1;
  size_t column = llvm::count_if(before.drop_front(lineBegin), [](char c) { return (uint8_t(c) & 0xc0) != 0x80; });
  return refuse("`" + file + "` at line " + Twine(before.count('\n') + 1) + ", column " + Twine(column + 1) + ": " +
                parser.problem);
}

Expected<json> quern::frontend::parseJsonAt(StringRef text, StringRef file, uint64_t base, RepeatedMembers repeated) {
  Parser parser(text, repeated);
  if (parser.parse())
    return std::move(parser.root);
  return refuse("`" + file + "` at byte " + Twine(base + parser.place) + ": " + parser.problem);
}

std::string quern::frontend::describeJson(const json &value) {
  if (value.is_null())
    return "null";
  if (value.is_object())
    return "an object";
  if (value.is_array())
    return "a list";
  if (value.is_string())
    return "the string \"" + printable(value.get_ref<const std::string &>()) + "\"";
  if (value.is_boolean())
    return value.get<bool>() ? "true" : "false";
  if (value.is_number_float() && !std::isfinite(value.get<double>()))
    return "a number that is not finite";
  return "the number " + value.dump();
}
