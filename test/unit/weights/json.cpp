/// JSON is read as Python's `json` reads it; what is wrong is said by line and column.

#include "frontend/checkpoint/Json.h"
#include "test/unit/weights/Files.h"

#include <cmath>

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;
using nlohmann::json;

static Expected<json> parse(StringRef text) { return parseJson(text, "f"); }

/// Every valid text means what another parser takes it for.
static void checkValid(Checks &checks) {
  for (StringRef text : {"null",
                         "true",
                         " false ",
                         "0",
                         "-0",
                         "7",
                         "-7",
                         "1.5e3",
                         "-2E-2",
                         "9223372036854775807",
                         "-9223372036854775808",
                         "18446744073709551615",
                         "18446744073709551616",
                         "1e-400",
                         "\"\"",
                         R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")",
                         "\"\xc3\xa9\"",
                         "[]",
                         "{}",
                         "[[],{}]",
                         R"([1,[2,{"a":[3]}],{"b":{"c":null}}])",
                         R"({"a" : 1 , "b":[ ],"c":{ }})"}) {
    Expected<json> tree = parse(text);
    if (!checks.that(bool(tree))) {
      std::cerr << text.str() << ": " << toString(tree.takeError()) << '\n';
      continue;
    }
    json expected = json::parse(text.begin(), text.end());
    checks.equal(tree->dump(), expected.dump());
    checks.equal(tree->type_name(), expected.type_name());
    checks.equal(tree->is_number_integer(), expected.is_number_integer());
  }
}

static void checkPython(Checks &checks) {
  json tree = take(parse("\xef\xbb\xbf{\"a\":[NaN,Infinity,-Infinity,1e999],\"b\":1,\"b\":[2]}"));
  checks.that(std::isnan(tree["a"][0].get<double>()));
  checks.that(tree["a"][1].get<double>() == INFINITY && tree["a"][3].get<double>() == INFINITY);
  checks.that(tree["a"][2].get<double>() == -INFINITY);
  checks.equal(tree["b"].dump(), "[2]");
  checks.equal(take(parse("123456789012345678901234567890")).dump(), "1.2345678901234568e+29");
}

static void checkBroken(Checks &checks) {
  struct Case {
    StringRef text, message;
  };
  for (Case example : {
           Case{"[1, 2", "line 1, column 6: found the end of the text, expected `,` or `]`"},
           Case{"{\"a\": 1\n \"b\": 2}", "line 2, column 2: found `\"`, expected `,` or `}`"},
           Case{"{\n  \"\xc3\xa9\xc3\xa9\": flase}", "line 2, column 9: found `flase`, expected a value"},
           Case{"[1,]", "line 1, column 4: found `]`, expected a value"},
           Case{"{\"a\":1,}", "column 8: found `}`, expected the name of a member in `\"`"},
           Case{"{'a':1}", "column 2: found `'`, expected the name of a member in `\"`"},
           Case{"{\"a\" 1}", "column 6: found `1`, expected `:`"},
           Case{"01", "column 2: found `1`, expected the end of the text"},
           Case{"-", "column 2: found the end of the text, expected a digit"},
           Case{"1.", "column 3: found the end of the text, expected a digit"},
           Case{"\"a", "column 3: found the end of the text, expected `\"` that ends the string"},
           Case{"\"a\nb\"", "column 3: found `\\n` in a string, expected an escape sequence"},
           Case{"\"\\x\"", "found `\\\\x\\\"`, expected an escape sequence of JSON"},
           Case{"\"\\ud800\"", "expected an escape sequence of JSON"},
           Case{"\"\\u12\"", "expected an escape sequence of JSON"},
           Case{"\"\xff\"", "found a string that is not UTF-8"},
           Case{"// x\n{}", "line 1, column 1: found `/`, expected a value"},
       })
    refused(checks, parse(example.text), example.message);
  refused(checks, parse(std::string(10000, '[')), "column 65: found more than 64 nested objects");
  refused(checks, parse(std::string(10000, 'x')), "found `xxxxxxxxxxxxxxxxxxxx...`");
  std::string objects;
  for (int i = 0; i < 10000; ++i)
    objects += "{\"a\":";
  refused(checks, parse(objects), "found more than 64 nested objects");
}

/// In a binary file places are bytes; there, two members of one name are a mistake.
static void checkHeader(Checks &checks) {
  auto header = [](StringRef text) { return parseJsonAt(text, "f", 8, RepeatedMembers::Refused); };
  refused(checks, header("{\"a\":1,\"a\":1}"), "`f` at byte 15: member `a` occurs twice");
  refused(checks, header("{"), "`f` at byte 9: found the end of the text, expected the name");
}

int main() {
  Checks checks;
  checkValid(checks);
  checkPython(checks);
  checkBroken(checks);
  checkHeader(checks);
  return checks.status();
}
