//===- ChatTrial.h - which chat template a binary gets, and whether it works ------------------===//

#ifndef QUERN_TOOLS_DRIVER_CHATTRIAL_H
#define QUERN_TOOLS_DRIVER_CHATTRIAL_H

#include "frontend/checkpoint/TextAssets.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"

#include <optional>
#include <string>

namespace quern::tool {

/// The name that leaves every chat template out.
inline constexpr llvm::StringLiteral noChatTemplate = "none";

/// The template called `wanted`, or `default` where that is empty, after it was tried on a few conversations. None: the
/// checkpoint has no template, none was wanted, or nothing says which; that is a warning. A template that fails is
/// refused with its place, unless it refuses a conversation itself.
llvm::FailureOr<std::optional<std::string>> chooseChatTemplate(const frontend::TextAssets &text,
                                                               llvm::StringRef wanted);

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_CHATTRIAL_H
