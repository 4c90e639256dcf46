//===- Commands.cpp - the commands of a binary ----------------------------------------------------===//

#include "runtime/cli/Commands.h"

namespace quern::runtime {

// What has a row and is not defined does not link.
#define TEXT_COMMAND(NAME) std::unique_ptr<Command> make##NAME##Command();
#define COMMAND(NAME) std::unique_ptr<Command> make##NAME##Command();
#include "runtime/cli/Commands.def"

static constexpr MakeCommand textCommands[] = {
#define TEXT_COMMAND(NAME) make##NAME##Command,
#include "runtime/cli/Commands.def"
};

static constexpr MakeCommand otherCommands[] = {
#define COMMAND(NAME) make##NAME##Command,
#include "runtime/cli/Commands.def"
};

CommandList getCommands() {
  std::span<const MakeCommand> texts = textCommands, others = otherCommands;
  bool hasImages = &quern_image_commands;
  std::span<const MakeCommand> first = hasImages ? quern_image_commands : texts;
  CommandList list;
  list.listed.assign(first.begin(), first.end());
  list.listed.insert(list.listed.end(), others.begin(), others.end());
  if (hasImages)
    list.others.assign(texts.begin(), texts.end());
  return list;
}

} // namespace quern::runtime
