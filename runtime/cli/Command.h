//===- Command.h - a thing that a compiled model does --------------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_COMMAND_H
#define QUERN_RUNTIME_CLI_COMMAND_H

#include "quern/Runtime.h"
#include "runtime/cli/Option.h"

#include <memory>

namespace quern::runtime {

/// A thing that a compiled model does, with options of its own. Those of them that are marked so choose it
/// (`Option::chooses`), the first of which excludes those of other commands; what has none is done when no option says
/// otherwise. The help of the last one, or else of its operand, says what the command does.
class Command : public OptionGroup {
public:
  /// The groups of options that it takes beside its own. Where some need the session, the first begins first and ends
  /// last.
  virtual std::vector<SharedOptions *> getShared() { return {}; }
  /// Does it, with the output on the standard output or in the files that its options name.
  virtual Result<void> run(Session &session) = 0;
};

/// Makes a command, its options at their defaults.
using MakeCommand = std::unique_ptr<Command> (*)();

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_COMMAND_H
