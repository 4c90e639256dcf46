//===- Commands.cpp - the commands of images ------------------------------------------------------===//

#include "runtime/cli/Commands.h"

namespace quern::runtime {

#define IMAGE_COMMAND(NAME) std::unique_ptr<Command> make##NAME##Command();
#include "runtime/cli/Commands.def"

static constexpr MakeCommand commands[] = {
#define IMAGE_COMMAND(NAME) make##NAME##Command,
#include "runtime/cli/Commands.def"
};

extern "C" constinit const std::span<const MakeCommand> quern_image_commands = commands;

} // namespace quern::runtime
