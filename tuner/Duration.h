//===- Duration.h - how long something may take, as users write it ----------------------------===//

#ifndef QUERN_TUNER_DURATION_H
#define QUERN_TUNER_DURATION_H

#include "runtime/include/quern/Result.h"

#include "llvm/ADT/StringRef.h"

namespace quern::tuner {

/// The seconds that `text` says: a decimal number and its unit, `s`, `m` or `h`, as in `90s`, `10m` or `1.5h`. An error
/// of usage without a unit, for anything else, and outside of a second to a week.
runtime::Result<double> parseDuration(llvm::StringRef text);

} // namespace quern::tuner

#endif // QUERN_TUNER_DURATION_H
