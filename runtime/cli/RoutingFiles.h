//===- RoutingFiles.h - what was noted of the choice of experts, as files ----------------------===//

#ifndef QUERN_RUNTIME_CLI_ROUTINGFILES_H
#define QUERN_RUNTIME_CLI_ROUTINGFILES_H

#include "quern/Runtime.h"
#include "runtime/cli/Option.h"

namespace quern::runtime {

/// The files that tell which experts the rows of a run chose.
class RoutingOptions : public SharedOptions {
public:
  const char *getTitle() const override { return "Choices of experts"; }
  std::vector<Option> getOptions() override;
  /// Lets `session` note what is asked for; refuses a model without experts, and files that could not be written.
  Result<void> begin(Session &session) override;
  /// Writes the files, each whole or not at all: JSON, as runtime/README.md says.
  Result<void> end(Session &session) override;

  /// The option that asks for a file; null: none does.
  const char *getAsked() const;

private:
  std::optional<std::string> profile;
  std::optional<std::string> trace;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_ROUTINGFILES_H
