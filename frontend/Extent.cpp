//===- Extent.cpp - a size that is known now, from the configuration, or at run time ----------===//

#include "frontend/Extent.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"
#include <numeric>

using namespace llvm;

namespace quern::frontend {

/// How large a formula may be: terms, symbols of one term with their powers, and characters of the name of one that
/// is not followed further. Beyond that it is opaque, and its name a digest.
static constexpr size_t maxTerms = 64, maxDegree = 64, maxOpaqueName = 256;

Extent Extent::opaque(const Extent &a, StringRef op, const Extent &b) {
  std::string text = "(" + a.str() + ")" + op.str() + "(" + b.str() + ")";
  if (text.size() > maxOpaqueName)
    text = "(formula " + utohexstr(xxh3_64bits(text)) + ")";
  return symbol(text, SymbolKind::Opaque);
}

size_t Extent::size() const {
  size_t count = 1;
  if (symbolic)
    for (const auto &[monomial, coefficient] : *symbolic)
      count += 1 + monomial.size();
  return count;
}

size_t Extent::degree() const {
  size_t most = 0;
  if (symbolic)
    for (const auto &[monomial, coefficient] : *symbolic) {
      size_t sum = 0;
      for (const auto &[symbol, power] : monomial)
        sum += std::abs(power);
      most = std::max(most, sum);
    }
  return most;
}

Extent Extent::symbol(StringRef name, SymbolKind kind) {
  return fromTerms({{{{Symbol{name.str(), kind}, 1}}, Coefficient{1, 1}}});
}

std::optional<int64_t> Extent::constant() const {
  if (symbolic)
    return std::nullopt;
  return number;
}

std::optional<StringRef> Extent::runtimeSymbol() const {
  if (!symbolic || symbolic->size() != 1)
    return std::nullopt;
  const auto &[monomial, coefficient] = *symbolic->begin();
  bool plain = coefficient == Coefficient{1, 1} && monomial.size() == 1 && monomial[0].second == 1;
  if (!plain || monomial[0].first.kind != SymbolKind::Runtime)
    return std::nullopt;
  return StringRef(monomial[0].first.name);
}

bool Extent::mentions(SymbolKind kind) const {
  return symbolic && any_of(*symbolic, [&](const auto &term) {
           return any_of(term.first, [&](const auto &factor) { return factor.first.kind == kind; });
         });
}

Extent::Polynomial Extent::terms() const {
  if (symbolic)
    return *symbolic;
  if (number == 0)
    return {};
  return {{Monomial{}, Coefficient{number, 1}}};
}

Extent Extent::fromTerms(Polynomial terms) {
  if (terms.empty())
    return Extent(0);
  const auto &[monomial, coefficient] = *terms.begin();
  if (terms.size() == 1 && monomial.empty() && coefficient.denominator == 1)
    return Extent(coefficient.numerator);
  Extent result;
  result.symbolic = std::make_shared<const Polynomial>(std::move(terms));
  return result;
}

std::optional<Extent::Coefficient> Extent::reduce(__int128 numerator, __int128 denominator) {
  if (denominator < 0)
    numerator = -numerator, denominator = -denominator;
  __int128 a = numerator < 0 ? -numerator : numerator, b = denominator;
  while (b != 0)
    a = std::exchange(b, a % b);
  numerator /= a;
  denominator /= a;
  if (numerator > INT64_MAX || numerator < INT64_MIN || denominator > INT64_MAX)
    return std::nullopt;
  return Coefficient{int64_t(numerator), int64_t(denominator)};
}

bool Extent::addTerm(Polynomial &sum, const Monomial &monomial, Coefficient coefficient) {
  auto [it, isNew] = sum.try_emplace(monomial, coefficient);
  if (isNew)
    return true;
  Coefficient old = it->second;
  __int128 left = __int128(old.numerator) * coefficient.denominator;
  __int128 right = __int128(coefficient.numerator) * old.denominator;
  // Each product is below 2^126, so their sum fits.
  if (left + right == 0) {
    sum.erase(it);
    return true;
  }
  auto reduced = reduce(left + right, __int128(old.denominator) * coefficient.denominator);
  if (reduced)
    it->second = *reduced;
  return reduced.has_value();
}

std::optional<std::pair<Extent::Monomial, Extent::Coefficient>>
Extent::multiplyTerms(const Monomial &a, Coefficient x, const Monomial &b, Coefficient y) {
  std::map<Symbol, int> powers;
  for (const auto &[symbol, power] : a)
    powers[symbol] += power;
  for (const auto &[symbol, power] : b)
    powers[symbol] += power;
  Monomial product;
  for (auto &[symbol, power] : powers) {
    if (power != 0)
      product.push_back({symbol, power});
  }
  auto coefficient = reduce(__int128(x.numerator) * y.numerator, __int128(x.denominator) * y.denominator);
  if (!coefficient)
    return std::nullopt;
  return std::pair(std::move(product), *coefficient);
}

std::optional<Extent> Extent::add(const Extent &a, const Extent &b) {
  int64_t sum;
  if (!a.symbolic && !b.symbolic)
    return __builtin_add_overflow(a.number, b.number, &sum) ? std::nullopt : std::optional<Extent>(sum);
  Polynomial terms = a.terms();
  for (const auto &[monomial, coefficient] : b.terms())
    if (!addTerm(terms, monomial, coefficient))
      return std::nullopt;
  if (terms.size() > maxTerms)
    return opaque(a, "+", b);
  return fromTerms(std::move(terms));
}

std::optional<Extent> Extent::subtract(const Extent &a, const Extent &b) {
  int64_t difference;
  if (!a.symbolic && !b.symbolic)
    return __builtin_sub_overflow(a.number, b.number, &difference) ? std::nullopt : std::optional<Extent>(difference);
  std::optional<Extent> negated = multiply(b, Extent(-1));
  return negated ? add(a, *negated) : std::nullopt;
}

std::optional<Extent> Extent::multiply(const Extent &a, const Extent &b) {
  int64_t product;
  if (!a.symbolic && !b.symbolic)
    return __builtin_mul_overflow(a.number, b.number, &product) ? std::nullopt : std::optional<Extent>(product);
  Polynomial sum, left = a.terms(), right = b.terms();
  if (left.size() * right.size() > maxTerms || a.degree() + b.degree() > maxDegree)
    return opaque(a, "*", b);
  for (const auto &[monomialA, coefficientA] : left)
    for (const auto &[monomialB, coefficientB] : right) {
      auto term = multiplyTerms(monomialA, coefficientA, monomialB, coefficientB);
      if (!term || !addTerm(sum, term->first, term->second))
        return std::nullopt;
    }
  return fromTerms(std::move(sum));
}

std::optional<Extent> Extent::divide(const Extent &a, const Extent &b) {
  if (!a.symbolic && !b.symbolic) {
    bool leaves = b.number == 0 || (a.number == INT64_MIN && b.number == -1);
    if (leaves || a.number % b.number != 0)
      return std::nullopt;
    return Extent(a.number / b.number);
  }
  Polynomial divisor = b.terms();
  if (divisor.empty())
    return std::nullopt;
  if (divisor.size() > 1)
    return opaque(a, "/", b);
  Monomial monomial = divisor.begin()->first;
  Coefficient coefficient = divisor.begin()->second;
  for (auto &[symbol, power] : monomial)
    power = -power;
  auto inverse = reduce(coefficient.denominator, coefficient.numerator);
  if (!inverse)
    return std::nullopt;
  return multiply(a, fromTerms({{monomial, *inverse}}));
}

Equality Extent::compare(const Extent &a, const Extent &b) {
  if (!a.symbolic && !b.symbolic)
    return a.number == b.number ? Equality::Equal : Equality::Different;
  if (a.symbolic && b.symbolic && *a.symbolic == *b.symbolic)
    return Equality::Equal;
  bool opaque = a.mentions(SymbolKind::Opaque) || b.mentions(SymbolKind::Opaque);
  bool setting = a.mentions(SymbolKind::Setting) || b.mentions(SymbolKind::Setting);
  bool againstNumber = !a.symbolic || !b.symbolic;
  return opaque || (setting && againstNumber) ? Equality::Undecided : Equality::Different;
}

std::string Extent::str() const {
  if (!symbolic)
    return std::to_string(number);
  std::string text;
  raw_string_ostream out(text);
  // Constants sort first and read better last.
  auto print = [&](const Monomial &monomial, Coefficient coefficient) {
    if (!text.empty())
      out << (coefficient.numerator < 0 ? " - " : " + ");
    else if (coefficient.numerator < 0)
      out << '-';
    std::vector<std::string> above, below;
    uint64_t magnitude = coefficient.numerator < 0 ? -uint64_t(coefficient.numerator) : coefficient.numerator;
    for (const auto &[symbol, power] : monomial)
      for (int i = 0; i < std::abs(power); ++i)
        (power > 0 ? above : below).push_back(symbol.name);
    if (magnitude != 1 || above.empty())
      above.insert(above.begin(), std::to_string(magnitude));
    if (coefficient.denominator != 1)
      below.push_back(std::to_string(coefficient.denominator));
    out << join(above, "*");
    for (const std::string &divisor : below)
      out << '/' << divisor;
  };
  for (const auto &[monomial, coefficient] : *symbolic)
    if (!monomial.empty())
      print(monomial, coefficient);
  if (auto it = symbolic->find(Monomial{}); it != symbolic->end())
    print(it->first, it->second);
  return text;
}

std::string formatShape(ArrayRef<Extent> shape) {
  std::string text;
  raw_string_ostream out(text);
  out << '[';
  interleaveComma(shape, out, [&](const Extent &extent) { out << extent.str(); });
  out << ']';
  return text;
}

std::optional<Extent> volume(ArrayRef<Extent> shape) {
  std::optional<Extent> product = Extent(1);
  for (const Extent &extent : shape) {
    product = Extent::multiply(*product, extent);
    if (!product)
      return std::nullopt;
  }
  return product;
}

Equality compareShapes(ArrayRef<Extent> a, ArrayRef<Extent> b) {
  if (a.size() != b.size())
    return Equality::Different;
  Equality result = Equality::Equal;
  for (auto [left, right] : zip_equal(a, b)) {
    Equality here = Extent::compare(left, right);
    if (here == Equality::Different)
      return here;
    if (here == Equality::Undecided)
      result = here;
  }
  return result;
}

} // namespace quern::frontend
