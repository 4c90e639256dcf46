//===- Commands.h - the commands of a binary ------------------------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_COMMANDS_H
#define QUERN_RUNTIME_CLI_COMMANDS_H

#include "runtime/cli/Command.h"

#include <span>

namespace quern::runtime {

/// The commands of images. Only binaries of image classifiers have them: the compiler asks the linker for this symbol,
/// so that other models need no image library.
extern "C" [[gnu::weak]] const std::span<const MakeCommand> quern_image_commands;

/// The commands of this binary, the first of those that the same options choose before the others.
struct CommandList {
  /// What `--help` shows.
  std::vector<MakeCommand> listed;
  /// What is there, too: commands of text in a binary that classifies images.
  std::vector<MakeCommand> others = {};
};

/// Those of Commands.def, as far as this binary has them.
CommandList getCommands();

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_COMMANDS_H
