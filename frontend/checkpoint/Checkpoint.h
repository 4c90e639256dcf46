//===- Checkpoint.h - Tensors, configuration and texts of a model *- C++ -*-===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A checkpoint is what `--weights [MOUNT=]FILE_OR_DIR ...` names: one or more
// GGUF files, safetensors files or Hugging Face directories, seen as one set of
// tensors with Hugging Face names, shapes and row order. Files stay mapped and
// are read lazily; every offset and size is checked when the checkpoint opens.
// The files must not change while it is open.
//
//===----------------------------------------------------------------------===//

#ifndef QUERN_FRONTEND_CHECKPOINT_CHECKPOINT_H
#define QUERN_FRONTEND_CHECKPOINT_CHECKPOINT_H

#include "dialect/ParameterSource.h"
#include "frontend/checkpoint/HfImage.h"
#include "frontend/checkpoint/ModelConfig.h"
#include "frontend/checkpoint/StorageTypes.h"
#include "frontend/checkpoint/TextAssets.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quern::frontend {

class ComputedRows;
class MappedFile;
struct MountedSource;

/// One `[MOUNT=]FILE_OR_DIR`: tensor `t` of the file is called `prefix.t`, or
/// `t` if the prefix is empty.
struct Mount {
  std::string prefix;
  std::string path;
};

/// Splits the argument of `--weights`. `MOUNT` is a dotted name of letters,
/// digits, `_` and `-`; anything else before a `=` belongs to the path. What
/// exists as it stands is a path.
Mount parseMount(llvm::StringRef argument);

/// One tensor of a checkpoint.
struct TensorInfo {
  /// Hugging Face name, with the mount's prefix.
  std::string name;
  /// Extents, outermost first; empty for a scalar. No extent is zero.
  llvm::SmallVector<int64_t, 4> shape;
  /// How its numbers are stored. The last extent is a whole number of units.
  StorageType type;

  /// Where its bytes lie: an index into the checkpoint's files and the offset
  /// of the first byte. For messages, use `Checkpoint::describePlace`.
  uint32_t file = 0;
  uint64_t offset = 0;
  /// Above 0: the file keeps the rows (of rank 1: the elements) of each of so
  /// many heads in interleaved order, and `row` reorders them.
  int64_t interleavedHeads = 0;
  /// Set iff rows are computed from what the file stores.
  std::shared_ptr<const ComputedRows> computed;
  /// Of a stack of experts that was asked for as one tensor: their names.
  std::vector<std::string> parts;

  /// Number of elements.
  int64_t elements() const;
  /// The first extent; 1 for rank 0 and 1.
  int64_t rows() const;
  /// Elements of one row: the product of the other extents.
  int64_t rowElements() const;
};

/// The tensors of one or more files, and the configuration and texts with them.
class Checkpoint final : public ParameterSource {
public:
  /// Opens and checks all files. `configFile`, if not empty, replaces the
  /// configuration that mounts without a name bring along. Otherwise each of those
  /// gives the keys that no earlier one has; where none brings any, mounts with
  /// names do. A mount MOUNT gives each of its keys as `MOUNT.KEY` in any case.
  static llvm::Expected<Checkpoint> open(llvm::ArrayRef<Mount> mounts, llvm::StringRef configFile = "");

  Checkpoint(Checkpoint &&);
  Checkpoint &operator=(Checkpoint &&);
  ~Checkpoint() override;

  /// All tensors, by ascending name.
  llvm::ArrayRef<TensorInfo> tensors() const { return allTensors; }

  /// The tensor of that name, or null. A `*` in place of an expert's number, as in
  /// `mlp.experts.*.up_proj.weight`, asks for all experts' [n, k] as one tensor
  /// [experts, n, k], which is not among `tensors`.
  const TensorInfo *lookup(llvm::StringRef name) const;

  /// Size of one row of `tensor` in bytes.
  int64_t rowBytes(const TensorInfo &tensor) const;

  /// The bytes of row `row` (0 <= row < tensor.rows()) in Hugging Face order, in
  /// the tensor's storage type; little-endian, not aligned. Valid until the next
  /// row is asked for, of any tensor.
  llvm::ArrayRef<uint8_t> row(const TensorInfo &tensor, int64_t row) const;

  /// All bytes of `tensor`, rows in Hugging Face order: a view of the file.
  /// Only for tensors whose rows are stored in that order (`isDirect`).
  llvm::ArrayRef<uint8_t> rawData(const TensorInfo &tensor) const;

  /// True iff `rawData` may be called: no rows to reorder or to compute.
  static bool isDirect(const TensorInfo &tensor) { return tensor.interleavedHeads == 0 && !tensor.computed; }

  /// Row `row` as f32 (`values.size() == tensor.rowElements()`), dequantised
  /// exactly; `isFloating(tensor.type)` holds.
  void decodeRow(const TensorInfo &tensor, int64_t row, llvm::MutableArrayRef<float> values) const;

  /// Row `row` of the tensor `name`, both checked.
  llvm::Expected<llvm::ArrayRef<uint8_t>> readRow(llvm::StringRef name, int64_t row) override;

  /// Path of the file that holds `tensor`.
  llvm::StringRef sourceFile(const TensorInfo &tensor) const;

  /// "`FILE` at byte N", for messages.
  std::string describePlace(const TensorInfo &tensor) const;

  /// The normalised configuration; empty if no file brings one.
  const ModelConfig &config() const { return modelConfig; }

  /// What is odd about the files and has been taken as it is: a line for each.
  llvm::ArrayRef<std::string> warnings() const { return allWarnings; }

  /// Tokenizer and chat template of the first mount that has any; everything is
  /// empty if none has. Reads files and, for GGUF, builds the tokenizer.
  llvm::Expected<TextAssets> readText() const;

  /// How pictures become the model's input, from the `preprocessor_config.json`
  /// of the first mount that has one, and what the configuration says of its
  /// classes; no value if no mount has one.
  llvm::Expected<std::optional<ImageAssets>> readImage() const;

private:
  Checkpoint();

  llvm::Error add(const Mount &mount, bool wantConfig);
  llvm::Error describeHeads(const Mount &mount, MountedSource &source, const ModelConfig &config);
  llvm::Error index();
  llvm::Error straightenVectors();
  llvm::ArrayRef<uint8_t> computedRow(const TensorInfo &tensor, int64_t row) const;

  std::vector<std::unique_ptr<MappedFile>> files;
  std::vector<TensorInfo> allTensors;
  /// Tensors of experts as stacks, by ascending name.
  std::vector<TensorInfo> stacks;
  /// Vectors with interleaved heads, reordered when opened: few and small.
  std::map<std::string, std::vector<uint8_t>> straightened;
  /// The rows of a tensor that were computed last.
  struct Computed {
    const ComputedRows *rows = nullptr;
    int64_t group = 0;
    std::vector<uint8_t> bytes;
  };
  mutable Computed computed;
  /// The mount that tokenizer and chat template come from, if any.
  std::unique_ptr<MountedSource> textSource;
  /// Path of the `preprocessor_config.json`; empty if there is none.
  std::string imageConfig;
  ModelConfig modelConfig;
  std::vector<std::string> allWarnings;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CHECKPOINT_CHECKPOINT_H
