//===- Commands.h - what a binary does with images ---------------------------------------------===//

#ifndef QUERN_RUNTIME_VISION_COMMANDS_H
#define QUERN_RUNTIME_VISION_COMMANDS_H

#include "quern/Runtime.h"
#include "runtime/cli/CommandLine.h"

namespace quern::runtime {

/// The rows of `quern_image_commands`.
Result<void> runClassify(Session &session, const CommandLine &line);
Result<void> runBenchImages(Session &session, const CommandLine &line);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_VISION_COMMANDS_H
