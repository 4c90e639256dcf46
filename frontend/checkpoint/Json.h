//===- Json.h - Untrusted JSON to a tree ------------------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_JSON_H
#define QUERN_FRONTEND_CHECKPOINT_JSON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <nlohmann/json.hpp>

namespace quern::frontend {

/// What two members of one name in an object mean.
enum class RepeatedMembers { LastCounts, Refused };

/// Parses `text`, the content of `file`, as Python's `json` does: a byte order
/// mark is skipped; `NaN`, `Infinity` and `-Infinity` are numbers, and so is what
/// no double can hold. Refuses what is not JSON in UTF-8, and more than 64 levels
/// of nesting, by line and column.
llvm::Expected<nlohmann::json> parseJson(llvm::StringRef text, llvm::StringRef file);

/// Parses a text that begins at byte `base` of a binary file: places are bytes.
llvm::Expected<nlohmann::json> parseJsonAt(llvm::StringRef text, llvm::StringRef file, uint64_t base,
                                           RepeatedMembers repeated);

/// `text` without a byte order mark at its begin.
llvm::StringRef skipByteOrderMark(llvm::StringRef text);

/// The kind of a value for messages: "an object", "a string", "the number 3".
std::string describeJson(const nlohmann::json &value);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_JSON_H
