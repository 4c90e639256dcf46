//===- RoutingFiles.h - what was noted of the choice of experts, as files ----------------------===//

#ifndef QUERN_RUNTIME_CLI_ROUTINGFILES_H
#define QUERN_RUNTIME_CLI_ROUTINGFILES_H

#include "quern/Runtime.h"
#include "runtime/cli/CommandLine.h"

namespace quern::runtime {

/// Lets `session` note what `--routing-profile` and `--routing-trace` ask for; refuses a model without experts, and
/// files that could not be written.
Result<void> beginRoutingFiles(Session &session, const CommandLine &line);

/// Writes the files that `line` asks for, each whole or not at all: JSON, as runtime/README.md says.
Result<void> writeRoutingFiles(const Session &session, const CommandLine &line);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_ROUTINGFILES_H
