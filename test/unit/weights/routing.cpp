/// Routing profiles are read, and what is none is refused by the place that is wrong.

#include "frontend/checkpoint/RoutingProfile.h"
#include "test/unit/weights/Files.h"

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

static const std::string whole = R"({
  "format": "quern routing profile", "version": 1, "model": "mixtral", "more": [],
  "layers": [
    {"name": "layers.0.experts", "experts": 3, "numbers": 96, "rows": 5, "counts": [4, 1, 5]},
    {"name": "layers.1.experts", "experts": 1, "numbers": 9223372036854775807, "rows": 1, "counts": [1], "more": 1}
  ]
})";

/// The profile with the first `from` replaced by `to`.
static Expected<RoutingProfile> parseChanged(StringRef from, StringRef to) {
  std::string text = whole;
  text.replace(text.find(from.str()), from.size(), to.str());
  return parseRoutingProfile(text, "f");
}

static void checkWhole(Checks &checks) {
  RoutingProfile profile = take(parseRoutingProfile(whole, "f"));
  checks.equal(profile.model, "mixtral");
  if (!checks.equal(profile.layers.size(), 2u))
    return;
  checks.equal(profile.layers[0].name, "layers.0.experts");
  checks.equal(profile.layers[0].numbers, 96);
  checks.equal(profile.layers[0].rows, 5);
  checks.that(profile.layers[0].counts == std::vector<int64_t>{4, 1, 5});
  checks.equal(profile.layers[1].numbers, INT64_MAX);
  checks.that(
      take(parseRoutingProfile(R"({"format": "quern routing profile", "version": 1, "model": "", "layers": []})", "f"))
          .layers.empty());
}

static void checkBroken(Checks &checks) {
  struct Case {
    StringRef from, to, message;
  };
  for (Case example : {
           Case{"]}", "]", "`f` at line 5, column 5: found `{`"},
           Case{
               "\"quern routing profile\"", "\"quern routing trace\"",
               "`f`: `format` is the string \"quern routing trace\", expected \"quern routing profile\", as a compiled "
               "model's `--routing-profile` writes it"},
           Case{"\"format\"", "\"former\"", "`format` is missing, expected \"quern routing profile\""},
           Case{"\"version\": 1", "\"version\": 2", "`version` is the number 2, expected an integer from 1 to 1"},
           Case{"\"version\": 1,", "", "`version` is missing"},
           Case{"\"mixtral\"", "null", "`model` is null, expected a string"},
           Case{"\"layers\": [", "\"layers\": {}, \"x\": [", "`layers` is an object, expected a list of layers"},
           Case{"\"layers\": [", "\"layers\": [7, ", "`layers[0]` is the number 7, expected an object"},
           Case{"\"name\": \"layers.1.experts\"", "\"name\": 1", "`layers[1].name` is the number 1, expected a string"},
           Case{"\"experts\": 3", "\"experts\": 0",
                "`layers[0].experts` is the number 0, expected an integer from 1 to 4096"},
           Case{"\"experts\": 3", "\"experts\": 4097", "`layers[0].experts` is the number 4097"},
           Case{"\"experts\": 3", "\"experts\": 3.0", "`layers[0].experts` is the number 3.0, expected an integer"},
           Case{"\"experts\": 3", "\"experts\": 4",
                "`layers[0].counts` has 3 counts, expected one for each of the 4 experts"},
           Case{"9223372036854775807", "9223372036854775808", "expected an integer from 1 to 9223372036854775807"},
           Case{"\"rows\": 5", "\"rows\": -1", "`layers[0].rows` is the number -1, expected an integer from 0"},
           Case{"\"rows\": 5", "\"rows\": 18446744073709551615", "`layers[0].rows` is the number 18446744073709551615"},
           Case{"\"rows\": 5", "\"rows\": 0", "`layers[0].counts[0]` is the number 4, expected an integer from 0 to 0"},
           Case{"\"rows\": 5", "\"rows\": 4", "`layers[0].counts[2]` is the number 5, expected an integer from 0 to 4"},
           Case{"[4, 1, 5]", "[4, -1, 5]", "`layers[0].counts[1]` is the number -1"},
           Case{"[4, 1, 5]", "[4, \"1\", 5]", "`layers[0].counts[1]` is the string \"1\""},
           Case{"[4, 1, 5]", "{}", "`layers[0].counts` is an object, expected a list of integers"},
           Case{"[4, 1, 5]", "[2, 1, 1]",
                "`layers[0].counts` has 4 choices in all, expected one at least of each of the 5 rows"},
           Case{", \"counts\": [1]", "", "`layers[1].counts` is missing"},
       })
    refused(checks, parseChanged(example.from, example.to), example.message);
  // A layer may have seen no rows, but not all.
  std::string idle = R"({"format": "quern routing profile", "version": 1, "model": "", "layers": [
      {"name": "a", "experts": 1, "numbers": 1, "rows": 0, "counts": [0]})";
  refused(checks, parseRoutingProfile(idle + "]}", "f"),
          "`f`: `layers` has no rows: nothing was run; expected a profile");
  std::string some = idle + R"(, {"name": "b", "experts": 1, "numbers": 1, "rows": 1, "counts": [1]}]})";
  checks.equal(take(parseRoutingProfile(some, "f")).layers[0].rows, 0);
  refused(checks, parseRoutingProfile("[]", "f"), "`f`: found a list, expected a routing profile, an object");
  refused(checks, parseRoutingProfile("", "f"), "found an empty file");
  refused(checks, parseRoutingProfile(std::string(10000, '['), "f"), "found more than 64 nested objects");
}

int main() {
  Checks checks;
  checkWhole(checks);
  checkBroken(checks);
  return checks.status();
}
