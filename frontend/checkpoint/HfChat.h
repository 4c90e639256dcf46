//===- HfChat.h - Chat templates of a Hugging Face directory ----*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_HFCHAT_H
#define QUERN_FRONTEND_CHECKPOINT_HFCHAT_H

#include "frontend/checkpoint/TextAssets.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <nlohmann/json.hpp>

#include <vector>

namespace quern::frontend {

/// The templates of the folder's own files, `chat_template.jinja` (`default`) and
/// `additional_chat_templates/NAME.jinja`, then those of `chat_template` in the
/// tokenizer's configuration: a text (`default`) or a list of named texts. Of equal
/// names the first counts. By name.
llvm::Expected<std::vector<ChatTemplate>> readHfChatTemplates(llvm::StringRef folder,
                                                              const nlohmann::json &tokenizerConfig);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_HFCHAT_H
