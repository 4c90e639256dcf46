//===- RoutingProfile.h - How often experts were chosen ---------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The file that a compiled model's `--routing-profile` writes (runtime/README.md).
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_ROUTINGPROFILE_H
#define QUERN_FRONTEND_CHECKPOINT_ROUTINGPROFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace quern::frontend {

/// What rows chose among the experts of one array.
struct ProfiledLayer {
  /// The array, `model.layers.0.mlp.experts`.
  std::string name;
  /// How many numbers the weights of one expert have.
  int64_t numbers = 0;
  /// How many rows there were; not 0 in all layers.
  int64_t rows = 0;
  /// How many of them chose each expert; as many as there were, or more, in all.
  std::vector<int64_t> counts;
};

/// A routing profile.
struct RoutingProfile {
  /// The model that it was recorded of, by the name that its file had.
  std::string model;
  std::vector<ProfiledLayer> layers;
};

/// Reads a profile out of `text`, the content of `file`. Refuses what is none, by
/// the place in it.
llvm::Expected<RoutingProfile> parseRoutingProfile(llvm::StringRef text, llvm::StringRef file);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_ROUTINGPROFILE_H
