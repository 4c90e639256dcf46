//===- HfImage.h - Hugging Face's preprocessor_config.json ------*- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_HFIMAGE_H
#define QUERN_FRONTEND_CHECKPOINT_HFIMAGE_H

#include "frontend/checkpoint/ModelConfig.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace quern::frontend {

/// How pictures become a classifier's input, and what its classes are called.
struct ImageAssets {
  /// Height and width: `size` when `do_resize`, `crop_size` when `do_center_crop`.
  std::optional<std::pair<int64_t, int64_t>> resize, crop;
  /// `size.shortest_edge`, in place of `resize`.
  std::optional<int64_t> shortestEdge;
  /// `resample`, Pillow's number, by its name: "bilinear" or "bicubic".
  std::string filter = "bilinear";
  /// Keras' and TensorFlow's words for what is not Pillow's way of resizing:
  /// `align_corners` (false) and `antialias` (true unless corners are aligned).
  bool alignCorners = false;
  bool antialias = false;
  /// `rescale_factor` when `do_rescale`.
  double rescaleFactor = 1;
  /// `image_mean` and `image_std` when `do_normalize`.
  std::vector<double> mean, std;
  /// `id2label` of the model's configuration: 0, 1, …; empty if it has none.
  std::vector<std::string> labels;
  /// Whether the model ends in a softmax: `classifier_activation` of its
  /// configuration, Keras' word, is `softmax`; without it the model gives logits.
  bool givesProbabilities = false;
};

/// Reads the `preprocessor_config.json` at `path`, with what `model` says of the
/// classes.
llvm::Expected<ImageAssets> readHfImage(llvm::StringRef path, const ModelConfig &model);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_HFIMAGE_H
