//===- EntryInputs.h - random inputs of any entry -----------------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_ENTRYINPUTS_H
#define QUERN_RUNTIME_CLI_ENTRYINPUTS_H

#include "quern/Runtime.h"
#include "runtime/llm/Sampler.h"

#include <span>
#include <string>
#include <vector>

namespace quern::runtime {

/// The sizes of the entry's symbols: those that are `given` as `NAME=N`, their bounds for the others. The error is one
/// of usage, of the option `--size`.
Result<std::vector<int64_t>> readSizes(const Entry &entry, std::span<const std::string> given);

/// Inputs of `entry` at these sizes of its symbols: positions of one sequence from row `depth` on; otherwise random
/// values, floats in [0, 1) and indices that are valid.
std::vector<Tensor> makeInputs(const Entry &entry, std::span<const int64_t> sizes, int64_t depth,
                               RandomGenerator &random);

/// What `Session::run` takes.
std::vector<TensorView> getViews(std::span<const Tensor> tensors);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_ENTRYINPUTS_H
