//===- JsonFields.h - Fields of untrusted JSON files ------------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the readers.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_JSONFIELDS_H
#define QUERN_FRONTEND_CHECKPOINT_JSONFIELDS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace quern::frontend {

/// Reads fields of the values of one file. A refusal names the file and the place in
/// it, `layers[2].rows`, with what was found and expected.
class JsonFields {
public:
  explicit JsonFields(llvm::StringRef file) : file(file) {}

  /// `place.key`; `key` of the file's own object, whose place is empty.
  static std::string locate(llvm::StringRef place, llvm::StringRef key);

  /// Refuses a tree that is no object with `format` as its key `format`; `writer`
  /// says where such files come from.
  llvm::Error checkFormat(const nlohmann::json &tree, llvm::StringRef what, llvm::StringRef format,
                          llvm::StringRef writer);
  llvm::Expected<const nlohmann::json *> find(const nlohmann::json &object, llvm::StringRef place, llvm::StringRef key);
  llvm::Expected<std::string> readString(const nlohmann::json &object, llvm::StringRef place, llvm::StringRef key);
  llvm::Expected<int64_t> readInteger(const nlohmann::json &value, const llvm::Twine &place, int64_t least,
                                      int64_t most);
  llvm::Expected<int64_t> readField(const nlohmann::json &object, llvm::StringRef place, llvm::StringRef key,
                                    int64_t least, int64_t most);
  /// The value of `key`, a list of `elements`.
  llvm::Expected<const nlohmann::json *> readList(const nlohmann::json &object, llvm::StringRef place,
                                                  llvm::StringRef key, llvm::StringRef elements);

  llvm::Error refuse(const llvm::Twine &text);
  llvm::Error refuseValue(const llvm::Twine &place, const nlohmann::json &value, const llvm::Twine &expected);

private:
  llvm::StringRef file;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_JSONFIELDS_H
