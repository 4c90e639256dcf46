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

#ifndef QUERN_FRONTEND_WEIGHTS_JSON_H
#define QUERN_FRONTEND_WEIGHTS_JSON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <nlohmann/json.hpp>

namespace quern::frontend {

/// Parses `text`, the content of `file`. Refuses what is not JSON in UTF-8, more
/// than 64 levels of nesting, and two members of one name in an object. Message
/// positions count from `base`, the place of the text in the file.
llvm::Expected<nlohmann::json> parseJson(llvm::StringRef text, llvm::StringRef file,
                                         uint64_t base = 0);

/// The kind of a value for messages: "an object", "a string", "the number 3".
std::string describeJson(const nlohmann::json &value);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_WEIGHTS_JSON_H
