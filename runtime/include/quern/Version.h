//===- Version.h - which Quern this is --------------------------------------------------------===//

#ifndef QUERN_VERSION_H
#define QUERN_VERSION_H

namespace quern::runtime {

/// The version of the release: `0.1.0`.
const char *getVersion();

/// The commit that it was built from, twelve digits; `unknown` where neither git nor an exported tree says it.
const char *getCommit();

} // namespace quern::runtime

#endif // QUERN_VERSION_H
