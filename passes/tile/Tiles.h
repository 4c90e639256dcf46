//===- Tiles.h - what a tile of a contraction costs -------------------------------------------===//

#ifndef QUERN_PASSES_TILE_TILES_H
#define QUERN_PASSES_TILE_TILES_H

#include "passes/tile/Features.h"

#include "dialect/Ops.h"

namespace quern {

/// What a contraction costs per step of k on one machine, as far as the tile decides it.
struct ContractShape {
  /// Rows of the left side, where they are known at compile time.
  int64_t rows = 1;
  bool rowsKnown = true;
  /// Panels of the weight.
  int64_t panels = 1;
  /// Matmuls in the kernel, which share the left side.
  int64_t matmuls = 1;
  /// Bits per weight as stored.
  int64_t weightBits = 32;
  /// Products are integers, with scales per block.
  bool integer = false;
  /// Nothing but sums, weights and one element of the left side is in registers.
  bool alone = false;
  /// Groups of rows that share each weight.
  int64_t lines = 1;
  /// Loading an element of the left side from the nearest cache, in products of vectors.
  double leftCost = 0.25;
  /// How much longer all takes for each panel whose sums are kept until the task has all of them.
  double keepCost = 0;
};

/// `rows` × `vectors` accumulators per matmul.
struct Tile {
  int64_t rows;
  int64_t vectors;
};

/// The contraction of `anchor`, whose rows are those of the left side or, of experts, the slots of one.
ContractShape getShape(MatmulOp anchor);

/// A convolution to `outputs` channels as a contraction whose rows are the `width` places of a row of the image.
ContractShape getShape(int64_t width, int64_t outputs);

/// Whether the sums of `tile`, and what they are computed from, are in registers, and it is no larger than the tensors.
bool fits(Tile tile, const ContractShape &shape, TargetAttr target);

/// Instructions per product of a vector.
double getCost(Tile tile, const ContractShape &shape);

/// Says what the cost of a tile comes from.
void describeTile(Features &features, Tile tile, const ContractShape &shape, TargetAttr target);

/// Says what tasks of `panels` panels are like, and how far ahead weights are asked for.
void describeTask(Features &features, int64_t panels, int64_t prefetch, MatmulOp anchor, const ContractShape &shape,
                  TargetAttr target);

/// The cheapest tile that fits.
Tile chooseTile(const ContractShape &shape, TargetAttr target);

/// How much longer tasks of `panels` panels take than work that threads share evenly and for free; of a kernel of many
/// slots of several experts see chooseGroupedPanels.
double getTaskCost(int64_t panels, MatmulOp anchor, const ContractShape &shape);

/// How many panels a task computes: the cheapest number of whole tiles.
int64_t choosePanels(MatmulOp anchor, const ContractShape &shape, Tile tile);

/// How many rows of an image a task computes: as many as leave a few threads tasks enough to share them evenly.
int64_t chooseLines(int64_t height, int64_t panelGroups);

/// Whether tasks of `panels` panels by this tile, with this prefetch, may be fast and are what no other plan is, too.
bool isWorthTrying(Tile tile, int64_t panels, int64_t prefetch, MatmulOp anchor, TargetAttr target);

/// Bytes that a stream of weights is asked for ahead of time by a kernel whose left side is `lhs`: those of few rows
/// are read in order and once.
int64_t choosePrefetch(mlir::RankedTensorType lhs, TargetAttr target);

} // namespace quern

#endif // QUERN_PASSES_TILE_TILES_H
