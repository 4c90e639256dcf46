//===- Contract.h - the algorithm of matrix products ------------------------------------------===//

#ifndef QUERN_CODEGEN_TEMPLATES_CONTRACT_H
#define QUERN_CODEGEN_TEMPLATES_CONTRACT_H

#include "codegen/templates/Common.h"
#include "codegen/templates/Quantize.h"
#include "codegen/templates/Weights.h"

#include <optional>

namespace quern::codegen {

/// One product of a contraction. Indices: i the lane within a panel, o the panel, m the row.
struct Product {
  PackedWeight weight;
  /// f32 [i, o, m]: the sum, updated block by block in ascending order.
  Halide::Func sum;
  /// Columns within a block and blocks; (1, k) for f32 and f16. For products of quants only the blocks, of bf16 the
  /// pairs; of compressed weights columns or pairs of a unit, units of a block, and blocks.
  Halide::RDom steps;
  /// On a device: f32 [i, slice, o, m], the slices that `sum` adds up, a thread's own and those of a block; `steps` are
  /// then those of a block of a weight, and the blocks of a slice. Undefined else.
  Halide::Func part, parts;
  int slices = 1;
  /// On a device, what a thread reads at once of a block: words, scales and mins, or floats, of some lanes, i first;
  /// and words of the left side, the first argument their place in the block. What is not read so is undefined.
  std::vector<Halide::Func> loads;
  Halide::Func left;
  /// i32 [i, o, m, block]: the product of one block of quants. Undefined for f32 activations.
  Halide::Func dot;
  /// Of a compressed weight: u32 [i, pair, o], the same two rows at a time, u64 [word, half, unit, o], and the high
  /// bytes that they are made of, u8 [byte, unit, o].
  Halide::Func pairs, words, highs;
  /// Of a weight of f16, or compressed, whose product is one of f32: f32 [i, k, o].
  Halide::Func wide;
  /// [half, i, o, m, block]: the sums of the first two and of the last two of every four columns, on targets that have
  /// no instruction for four, in i16 where they fit and else in i32; the halves.
  Halide::Func halves;
  Halide::RDom half;
  /// i16 [half, i, o, m, 4-group, block], where halves are in i16: the two products of each half that one instruction
  /// adds up, of the low and of the high quants.
  std::vector<std::pair<Halide::Func, Halide::RDom>> twos;
  /// Four columns, or two of a half, and the groups of four of one stored byte's row.
  Halide::RDom columns;
  /// u8 [j, i, 4-group, block, o]: the low and the high quants of a byte. Undefined unless quants have 4 bits.
  Halide::Func low, high;
};

struct ContractFuncs {
  /// [i, o, m], or [n, m] where the columns do not fill whole panels.
  Halide::Func output;
  Halide::Var i, o, m, n;
  bool ragged = false;
  /// Panels, and rows: static or symbolic.
  int panels = 0;
  Halide::Expr rows;
  std::vector<Product> products;
  std::optional<QuantizedRows> quantized;
  /// f32 [k, m]: the computed left side of a product of floats. Undefined where it is an argument, or quantised. Of a
  /// product of bf16: u32 [pair, m].
  Halide::Func lhs;
  /// How many of `lhs` are in a row.
  int lhsExtent = 0;
};

/// The products of the body, of one left side, and the op that quantises it, if any.
mlir::LogicalResult findProducts(KernelOp kernel, llvm::SmallVectorImpl<MatmulOp> &matmuls, QuantizeOp &quantize);

/// Adds the product that `matmul` is.
mlir::LogicalResult addProduct(Lowering &lowering, ContractFuncs &funcs, MatmulOp matmul);

/// `lhs`, [s, k] or [s, j, k], with its rows counted through.
Formula flattenRows(const Formula &lhs);

/// The formula of the left side, [row, k], stored in `funcs.lhs` or quantised where it has to be.
mlir::LogicalResult buildLhs(Lowering &lowering, ContractFuncs &funcs, MatmulOp matmul, QuantizeOp quantize,
                             Formula &lhs);

/// Defines the sum of `product`, with the left side's row `row`, which may depend on `funcs.m`.
void buildProduct(Lowering &lowering, ContractFuncs &funcs, Product &product, MatmulOp matmul, const Formula &lhs,
                  Halide::Expr row);

/// The same on a device (ContractDevice.cpp). `isPairs`: both sides are pairs of bf16.
void buildDeviceProduct(ContractFuncs &funcs, Product &product, bool isPairs, const Formula &lhs, Halide::Expr row,
                        const TargetSpec &target);

/// What of a product's outputs a block of a device has.
struct DeviceTile {
  /// Panels side by side, and how often as many one after the other.
  int panels = 1, turns = 1;
  int rows = 1;
  /// Whether each block computes its rows of the left side.
  bool keepsLhs = false;
};

/// Panels that a block has side by side.
int getPanelsOfBlock(const DeviceSchedule &device);

/// The sums of `product` within the blocks of what reads them, which have tiles like `tile`.
void spreadProduct(Product &product, const ContractFuncs &funcs, const DeviceTile &tile, const DeviceSchedule &device,
                   const DeviceSchedule::Block &block);

/// A contraction on a device.
void spreadContract(ContractFuncs &funcs, const Lowering &lowering, const Parameters &parameters,
                    const DeviceSchedule &device);

/// The left side on a device, before everything else, or a row of it in each block of its consumer.
void spreadLhs(const ContractFuncs &funcs, const Lowering &lowering, const DeviceSchedule &device);

void spreadLhsWithin(const ContractFuncs &funcs, const Lowering &lowering, const DeviceSchedule &device,
                     const DeviceSchedule::Block &block);

/// The left side before everything else.
void scheduleLhs(ContractFuncs &funcs, const Lowering &lowering, bool few);

/// The sum of one tile stays in registers: lanes as vectors, panels and rows unrolled within the steps along k. A
/// product that is stored whole, `tiled` false, keeps loops over panels and rows.
void scheduleProduct(Product &product, const ContractFuncs &funcs, bool tiled, bool shared = false);

} // namespace quern::codegen

#endif // QUERN_CODEGEN_TEMPLATES_CONTRACT_H
