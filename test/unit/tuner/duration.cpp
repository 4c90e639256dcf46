/// How long a search may take, as users write it.

#include "tuner/Duration.h"
#include "Check.h"

using namespace quern;
using namespace quern::test;
using namespace quern::tuner;

static void checkAccepted(Checks &checks) {
  struct Case {
    const char *text;
    double seconds;
  };
  for (Case each : {Case{"90s", 90},
                    {"10m", 600},
                    {"2h", 7200},
                    {"1.5m", 90},
                    {"1s", 1},
                    {"0.5m", 30},
                    {".5h", 1800},
                    {"168h", 604800},
                    {"007s", 7}}) {
    runtime::Result<double> found = parseDuration(each.text);
    if (checks.that(bool(found)))
      checks.equal(*found, each.seconds);
  }
}

static void checkRefused(Checks &checks) {
  const std::string form = "expected a number and a unit, `s`, `m` or `h`, as in `90s` or `10m`";
  for (const char *text : {"10", "", "m", "10 m", "-10m", "+1m", "1e3s", "0x10s", "infs", "nanm", "1h30m", "10ms",
                           "10M", "1.2.3s", ".s", "ten m", "10m ", "10d", "10\xc2\xb5s"}) {
    runtime::Result<double> found = parseDuration(text);
    if (!checks.that(!found))
      continue;
    checks.equal(found.error().message, "found `" + std::string(text) + "`, " + form);
    checks.that(found.error().kind == runtime::ErrorKind::Usage);
  }
  std::string digits(400, '9');
  for (const std::string &text : {std::string("0s"), std::string("0.5s"), std::string("0m"), std::string("169h"),
                                  std::string("604801s"), digits + "s", "0." + std::string(400, '0') + "1s"}) {
    runtime::Result<double> found = parseDuration(text);
    if (checks.that(!found))
      checks.equal(found.error().message, "found `" + text.substr(0, 64) + "`, expected `1s` to `168h`");
  }
}

int main() {
  Checks checks;
  checkAccepted(checks);
  checkRefused(checks);
  return checks.status();
}
