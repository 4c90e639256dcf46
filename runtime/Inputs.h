//===- Inputs.h - the files that a process reads -----------------------------------------------===//
//
// Which files a process reads is a fact about the process, not about one of its parts: what is to be written must be
// none of them, whoever opened it. So this is one list, and whoever opens a file for reading puts it there.
//
//===------------------------------------------------------------------------------------------===//

#ifndef QUERN_RUNTIME_INPUTS_H
#define QUERN_RUNTIME_INPUTS_H

#include "runtime/include/quern/Result.h"

#include <optional>
#include <string>

struct stat;

namespace quern::runtime {

/// Remembers the file `path`, if there is one: it belongs to what is read, even if it is not opened.
void rememberInput(const std::string &path);

/// Remembers an open file of that name.
void rememberInput(const struct stat &status, const std::string &name);

/// The input that a file is, in words, whatever else it is called: by another link, or through another mount.
std::optional<std::string> findInput(const struct stat &status);

/// Remembers an open file whose bytes are read until what is made of them is complete.
void watchInput(const struct stat &status, const std::string &name);

/// Refuses what was made of a watched file that was written to since. Another file of its name does no harm: the bytes
/// are those of the old one.
Result<void> checkInputs();

} // namespace quern::runtime

#endif // QUERN_RUNTIME_INPUTS_H
