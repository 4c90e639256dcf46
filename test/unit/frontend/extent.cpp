/// Arithmetic and comparison of sizes.

#include "frontend/Extent.h"
#include "../Check.h"

using namespace quern::frontend;
using quern::test::Checks;

namespace {

void checkNumbers(Checks &checks) {
  checks.equal(Extent::add(2, 3)->str(), "5");
  checks.equal(Extent::multiply(-4, 3)->str(), "-12");
  checks.equal(Extent::divide(12, 4)->str(), "3");
  checks.that(!Extent::divide(7, 2));
  checks.that(!Extent::divide(1, 0));
  checks.that(!Extent::divide(INT64_MIN, -1));
  checks.that(!Extent::add(INT64_MAX, 1));
  checks.that(!Extent::subtract(INT64_MIN, 1));
  checks.that(!Extent::multiply(int64_t(1) << 32, int64_t(1) << 31));
  checks.that(Extent::compare(3, 3) == Equality::Equal);
  checks.that(Extent::compare(3, 4) == Equality::Different);
}

void checkFormulas(Checks &checks) {
  Extent heads = Extent::symbol("heads", SymbolKind::Setting);
  Extent hidden = Extent::symbol("hidden", SymbolKind::Setting);
  Extent quotient = *Extent::divide(hidden, heads);
  checks.equal(quotient.str(), "hidden/heads");
  checks.equal(Extent::multiply(quotient, heads)->str(), "hidden");
  checks.equal(Extent::divide(hidden, 2)->str(), "hidden/2");
  checks.equal(Extent::subtract(hidden, hidden)->str(), "0");
  Extent sum = *Extent::add(*Extent::multiply(2, hidden), Extent(-3));
  checks.equal(sum.str(), "2*hidden - 3");
  checks.equal(Extent::multiply(sum, heads)->str(), "-3*heads + 2*heads*hidden");
  checks.that(!Extent::divide(hidden, *Extent::subtract(heads, heads)));

  // For all settings, for none, for some.
  checks.that(Extent::compare(*Extent::multiply(quotient, heads), hidden) == Equality::Equal);
  checks.that(Extent::compare(*Extent::multiply(heads, hidden), hidden) == Equality::Different);
  checks.that(Extent::compare(hidden, 64) == Equality::Undecided);
  Extent opaque = *Extent::divide(hidden, sum);
  checks.that(opaque.mentions(SymbolKind::Opaque));
  checks.that(Extent::compare(opaque, heads) == Equality::Undecided);
}

void checkRuntime(Checks &checks) {
  Extent s = Extent::symbol("s", SymbolKind::Runtime), r = Extent::symbol("r", SymbolKind::Runtime);
  checks.that(s.runtimeSymbol() == "s");
  checks.that(!Extent::multiply(s, 2)->runtimeSymbol());
  checks.that(Extent::compare(s, s) == Equality::Equal);
  checks.that(Extent::compare(s, r) == Equality::Different);
  checks.that(Extent::compare(s, 4) == Equality::Different);
  Shape shape = {s, 4, 16};
  checks.equal(formatShape(shape), "[s, 4, 16]");
  checks.equal(volume(shape)->str(), "64*s");
  Shape flat = {s, 64};
  checks.that(compareShapes(shape, flat) == Equality::Different);
  checks.that(Extent::compare(*volume(shape), *volume(flat)) == Equality::Equal);
}

} // namespace

int main() {
  Checks checks;
  checkNumbers(checks);
  checkFormulas(checks);
  checkRuntime(checks);
  return checks.status();
}
