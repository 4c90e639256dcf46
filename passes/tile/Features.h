//===- Features.h - what distinguishes the plans of a kernel, in numbers ----------------------===//

#ifndef QUERN_PASSES_TILE_FEATURES_H
#define QUERN_PASSES_TILE_FEATURES_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cmath>
#include <cstdint>
#include <vector>

namespace quern {

/// Numbers of about 1 that say how a kernel does by a plan, by name. They count thousandths, so that a sum over them is
/// the same on every machine.
class Features {
public:
  /// `kind`: one of several that respond to the features in ways of their own; may be empty.
  explicit Features(llvm::StringRef kind) : kind(kind) {}
  Features() = default;

  llvm::StringRef getKind() const { return kind; }
  void add(llvm::StringRef name, double value) {
    names.push_back(name);
    thousandths.push_back(std::llround(value * 1000));
  }
  llvm::ArrayRef<llvm::StringRef> getNames() const { return names; }
  /// By how much each is more than in `other`, which has the same names.
  std::vector<double> minus(const Features &other) const {
    std::vector<double> differences;
    for (size_t i = 0; i < thousandths.size(); ++i)
      differences.push_back(static_cast<double>(thousandths[i] - other.thousandths[i]) / 1000);
    return differences;
  }

private:
  llvm::StringRef kind;
  llvm::SmallVector<llvm::StringRef, 16> names;
  llvm::SmallVector<int64_t, 16> thousandths;
};

} // namespace quern

#endif // QUERN_PASSES_TILE_FEATURES_H
