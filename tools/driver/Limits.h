//===- Limits.h - what the system lets the compiler have --------------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_LIMITS_H
#define QUERN_TOOLS_DRIVER_LIMITS_H

namespace quern::tool {

/// Whether the system lets files have what the smallest output has; a message where it does not.
/// Kernels are files in memory.
bool checkFileLimit();

/// Takes the stack that the compiler's libraries need, and lets the program end with a message where memory does.
/// False, with a message, where the system does not let it have the stack.
bool prepareLimits();

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_LIMITS_H
