//===- MappedFault.h - files that are cut while they are mapped --------------------------------===//

#ifndef QUERN_RUNTIME_MAPPEDFAULT_H
#define QUERN_RUNTIME_MAPPEDFAULT_H

#include <cstddef>
#include <string>

namespace quern::runtime {

/// Remembers that `bytes` of memory are those of the file `path`, until they are forgotten.
void rememberMapping(const void *memory, size_t bytes, const std::string &path);
void forgetMapping(const void *memory);

/// Lets the process end with status 1 and a message of `program` that names the file when a mapped file cannot be read:
/// it was cut, or its disk or server failed. Such a fault elsewhere goes to the handler that was there before.
void reportMappingFaults(const char *program);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_MAPPEDFAULT_H
