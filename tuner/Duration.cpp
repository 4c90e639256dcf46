//===- Duration.cpp ---------------------------------------------------------------------------===//

#include "tuner/Duration.h"

#include "llvm/ADT/StringExtras.h"

#include <charconv>

using namespace quern;
using namespace quern::tuner;

namespace {

struct Unit {
  char letter;
  double seconds;
};

constexpr Unit units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
constexpr double least = 1, most = 7 * 24 * 3600;

} // namespace

static runtime::Error refuse(llvm::StringRef text, llvm::StringRef expected) {
  return {("found `" + text.take_front(64) + "`, expected " + expected).str(), runtime::ErrorKind::Usage};
}

runtime::Result<double> tuner::parseDuration(llvm::StringRef text) {
  constexpr const char *form = "a number and a unit, `s`, `m` or `h`, as in `90s` or `10m`";
  double number = 0;
  const Unit *unit = llvm::find_if(units, [&](Unit unit) { return text.ends_with(llvm::StringRef(&unit.letter, 1)); });
  if (unit == std::end(units))
    return refuse(text, form);
  llvm::StringRef digits = text.drop_back();
  // As it is written: no sign, no exponent, no infinity.
  if (digits.empty() || digits.find_first_not_of("0123456789.") != llvm::StringRef::npos)
    return refuse(text, form);
  auto [end, error] = std::from_chars(digits.begin(), digits.end(), number, std::chars_format::fixed);
  if (end != digits.end() || error == std::errc::invalid_argument)
    return refuse(text, form);
  number *= unit->seconds;
  if (error != std::errc() || number < least || number > most)
    return refuse(text, "`1s` to `168h`");
  return number;
}
