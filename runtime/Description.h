//===- Description.h - what a binary says of itself --------------------------------------------===//

#ifndef QUERN_RUNTIME_DESCRIPTION_H
#define QUERN_RUNTIME_DESCRIPTION_H

#include "quern/Result.h"
#include "quern/Runtime.h"

#include <string_view>

namespace quern::runtime {

/// Reads the JSON of a description (quern/Format.h) and checks everything that later code relies on: types of all
/// fields, that names and indices refer to something, that every dimension has a bound, that sizes fit into memory,
/// that programs are as many as `programCount`.
Result<Description> parseDescription(std::string_view json, uint64_t programCount);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_DESCRIPTION_H
