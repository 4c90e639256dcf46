//===- Extent.h - a size that is known now, from the configuration, or at run time ------------===//

#ifndef QUERN_FRONTEND_EXTENT_H
#define QUERN_FRONTEND_EXTENT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quern::frontend {

/// Where the value of a symbol comes from.
enum class SymbolKind {
  /// A dimension of an entry's arguments.
  Runtime,
  /// A configuration field or module parameter, unknown while a model is checked without a
  /// checkpoint.
  Setting,
  /// An integer computed from settings in a way that this arithmetic does not follow.
  Opaque,
};

/// What is known of the equality of two extents.
enum class Equality { Equal, Different, Undecided };

/// An integer: a number, or a sum of products of symbols, such as `2*head_dim*heads`. A quotient
/// that the language promises to be exact keeps its divisor as a factor of power -1, so that
/// `(hidden / heads) * heads` is `hidden`.
class Extent {
public:
  Extent(int64_t value = 0) : number(value) {}
  static Extent symbol(llvm::StringRef name, SymbolKind kind);
  /// `a op b`, which this arithmetic does not follow; the same for the same operands.
  static Extent opaque(const Extent &a, llvm::StringRef op, const Extent &b);

  /// How much there is to work with: the symbols and terms.
  size_t size() const;

  /// The number, where no symbol is left.
  std::optional<int64_t> constant() const;
  /// The name, for an extent that is nothing but one run-time symbol.
  std::optional<llvm::StringRef> runtimeSymbol() const;
  /// Whether a symbol of kind `kind` occurs.
  bool mentions(SymbolKind kind) const;

  /// Arithmetic; nothing where it leaves 64 bits.
  static std::optional<Extent> add(const Extent &a, const Extent &b);
  static std::optional<Extent> subtract(const Extent &a, const Extent &b);
  static std::optional<Extent> multiply(const Extent &a, const Extent &b);
  /// a / b, exact; nothing where b is zero or both are numbers and the quotient is not an integer.
  static std::optional<Extent> divide(const Extent &a, const Extent &b);

  /// Whether the two are the same for all, no or some values of the settings. Run-time symbols are
  /// equal only to themselves.
  static Equality compare(const Extent &a, const Extent &b);

  /// `576`, `s`, `2*head_dim*heads`.
  std::string str() const;

private:
  struct Symbol {
    std::string name;
    SymbolKind kind;
    bool operator<(const Symbol &other) const { return name < other.name; }
    bool operator==(const Symbol &other) const { return name == other.name; }
  };
  /// Symbols in order of their names with their powers, none of them 0.
  using Monomial = std::vector<std::pair<Symbol, int>>;
  /// numerator / denominator in lowest terms, denominator > 0, numerator != 0.
  struct Coefficient {
    int64_t numerator, denominator;
    bool operator==(const Coefficient &other) const = default;
  };
  using Polynomial = std::map<Monomial, Coefficient>;

  Polynomial terms() const;
  /// The largest sum of powers in one term.
  size_t degree() const;
  static Extent fromTerms(Polynomial terms);
  static bool addTerm(Polynomial &sum, const Monomial &monomial, Coefficient coefficient);
  static std::optional<std::pair<Monomial, Coefficient>> multiplyTerms(const Monomial &a, Coefficient x,
                                                                       const Monomial &b, Coefficient y);
  static std::optional<Coefficient> reduce(__int128 numerator, __int128 denominator);

  /// The value where `symbolic` is null.
  int64_t number;
  std::shared_ptr<const Polynomial> symbolic;
};

/// Whether the two may be the same.
inline bool fits(const Extent &a, const Extent &b) { return Extent::compare(a, b) != Equality::Different; }

/// The dimensions of a tensor, outermost first.
using Shape = llvm::SmallVector<Extent, 4>;

/// `[s, 576]`.
std::string formatShape(llvm::ArrayRef<Extent> shape);

/// The product of the dimensions; nothing where it leaves 64 bits.
std::optional<Extent> volume(llvm::ArrayRef<Extent> shape);

/// Equal ranks and equal dimensions; Different where any pair is.
Equality compareShapes(llvm::ArrayRef<Extent> a, llvm::ArrayRef<Extent> b);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_EXTENT_H
