//===- Product.cpp - products on tensor cores as PTX ------------------------------------------===//

#include "codegen/tensorcores/Product.h"
#include "codegen/tensorcores/Epilogue.h"
#include "dialect/PackedLayout.h"

#include "llvm/IR/IntrinsicsNVPTX.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace quern::codegen {

/// Address spaces of PTX.
static constexpr unsigned globalSpace = 1, sharedSpace = 3;
static constexpr int panelRows = PackedLayout::panelRows;
/// Bytes of a pair of a whole panel.
static constexpr int pairBytes = 4 * panelRows;

namespace {

using Tile = ProductTile;

/// Emits one kernel of a tile. Values are indices of 32 bits unless their names say bytes of global memory.
class ProductGenerator {
public:
  ProductGenerator(Module &module, const TensorContraction &contraction, const ProductTile &tile)
      : module(module), contraction(contraction), tile(tile), builder(module.getContext()),
        products(static_cast<int>(contraction.products.size())), rowTiles(tile.warpRows / 16) {}

  void generate(StringRef name);

private:
  /// The sums of a thread: of each 16 rows and each 8 columns of the warp, what `mma` gives a lane.
  using Sums = SmallVector<Value *>;
  static constexpr int columnTiles = Tile::warpColumns / 8;

  void start(StringRef name);
  void findPlace();
  void copyStep(Value *step, Value *stage);
  void copyPiece(Value *to, Value *from, Value *exists);
  void copyLeft(Value *step, Value *stage, int turn);
  void copyRight(Value *step, Value *stage, int turn);
  void fillPipeline();
  void emitSteps(Sums &sums);
  void emitStep(Value *step, Sums &sums);
  void multiply(Value *stage, int half, Sums &sums);
  void storeRows(const Sums &sums);
  void storeRow(Value *row, ArrayRef<Value *> sums, int half);
  void storeColumns(Epilogue &epilogue, Value *row, Value *column, ArrayRef<Value *> sums);

  /// Steps along k.
  int getSteps() const { return static_cast<int>(contraction.getLeftPairs() / Tile::pairs); }
  /// Columns and panels of each product in a block.
  int getColumns() const { return tile.getColumns() / products; }
  int getPanels() const { return tile.getPanels() / products; }
  /// Blocks of columns of one of a batch.
  int64_t getBlocksOfOne() const { return contraction.columns / contraction.batch / getColumns(); }
  Value *getWeight(Value *slot, int turn);

  Value *constant(int64_t value) { return builder.getInt32(static_cast<uint32_t>(value)); }
  Value *add(Value *a, Value *b) { return builder.CreateAdd(a, b); }
  Value *add(Value *a, int64_t b) { return builder.CreateAdd(a, constant(b)); }
  Value *mul(Value *a, int64_t b) { return builder.CreateMul(a, constant(b)); }
  Value *mask(Value *a, int64_t b) { return builder.CreateAnd(a, constant(b)); }
  Value *shift(Value *a, int64_t b) { return builder.CreateLShr(a, constant(b)); }
  Value *call(Intrinsic::ID id, ArrayRef<Value *> in = {}, ArrayRef<Type *> types = {}) {
    return builder.CreateIntrinsic(id, types, in);
  }
  Value *getShared(Value *bytes) { return builder.CreateGEP(builder.getInt8Ty(), shared, bytes); }
  /// `memory` and so many bytes behind it: row · rowBytes + bytes.
  Value *getGlobal(Value *memory, Value *row, int64_t rowBytes, Value *bytes) {
    Value *begin = builder.CreateMul(builder.CreateZExt(row, builder.getInt64Ty()), builder.getInt64(rowBytes));
    Value *offset = builder.CreateAdd(begin, builder.CreateZExt(bytes, builder.getInt64Ty()));
    return builder.CreateGEP(builder.getInt8Ty(), memory, offset);
  }
  template <typename ActionT> void emitIf(Value *condition, ActionT action) {
    BasicBlock *then = BasicBlock::Create(module.getContext(), "then", kernel);
    BasicBlock *end = BasicBlock::Create(module.getContext(), "end", kernel);
    builder.CreateCondBr(condition, then, end);
    builder.SetInsertPoint(then);
    action();
    builder.CreateBr(end);
    builder.SetInsertPoint(end);
  }

  Module &module;
  const TensorContraction &contraction;
  const ProductTile &tile;
  IRBuilder<> builder;
  int products;
  /// Of a warp, 16 rows each.
  int rowTiles;
  Function *kernel = nullptr;
  /// Parameters, and shared memory.
  Value *left = nullptr, *result = nullptr, *rows = nullptr, *shared = nullptr;
  SmallVector<Value *> weights, operands;
  /// Of the thread: its number in the block, the block's first row and its number among those of columns, the thread's
  /// lane as row and pair of 8 by 8, and the warp's first row and place among those of columns.
  Value *thread = nullptr, *firstRow = nullptr, *columnBlock = nullptr;
  Value *laneRow = nullptr, *lanePair = nullptr, *warpRow = nullptr, *warpColumn = nullptr;
  /// Where, in a stage, the thread begins to read either side.
  Value *leftPlace = nullptr, *rightPlace = nullptr;
};

} // namespace

void ProductGenerator::start(StringRef name) {
  LLVMContext &context = module.getContext();
  size_t pointers = 2 + contraction.products.size() + contraction.operands.size();
  SmallVector<Type *> types(pointers, PointerType::get(context, globalSpace));
  types.push_back(builder.getInt32Ty());
  kernel =
      Function::Create(FunctionType::get(builder.getVoidTy(), types, false), Function::ExternalLinkage, name, module);
  kernel->setCallingConv(CallingConv::PTX_Kernel);
  kernel->addFnAttr("nvvm.maxntid", std::to_string(tile.getThreads()));
  // Two blocks at a time: one multiplies where the other begins or stores.
  kernel->addFnAttr("nvvm.minctasm", "2");
  for (size_t i = 0; i < pointers; ++i)
    kernel->addParamAttr(i, Attribute::NoAlias);
  Function::arg_iterator next = kernel->arg_begin();
  left = next++;
  for (size_t i = 0; i < contraction.products.size(); ++i)
    weights.push_back(next++);
  for (size_t i = 0; i < contraction.operands.size(); ++i)
    operands.push_back(next++);
  result = next++;
  rows = next;
  auto *memory = new GlobalVariable(module, ArrayType::get(builder.getInt8Ty(), 0), false, GlobalValue::ExternalLinkage,
                                    nullptr, name + "_shared", nullptr, GlobalValue::NotThreadLocal, sharedSpace);
  memory->setAlignment(Align(128));
  shared = memory;
  builder.SetInsertPoint(BasicBlock::Create(context, "entry", kernel));
}

/// A lane of the fragments of `mma.m16n8k16` (PTX manual): row lane / 4 of the left side and column lane / 4 of the
/// right one, pairs lane mod 4 and 4 more. `ldmatrix` takes the address of row lane mod 16 from each, of the second 4
/// pairs from the upper 16.
void ProductGenerator::findPlace() {
  thread = call(Intrinsic::nvvm_read_ptx_sreg_tid_x);
  firstRow = mul(call(Intrinsic::nvvm_read_ptx_sreg_ctaid_x), tile.getRows());
  columnBlock = call(Intrinsic::nvvm_read_ptx_sreg_ctaid_y);
  Value *lane = mask(thread, 31), *warp = shift(thread, 5);
  laneRow = shift(lane, 2), lanePair = mask(lane, 3);
  warpRow = mul(mask(warp, tile.rowWarps - 1), tile.warpRows), warpColumn = shift(warp, Log2_32(tile.rowWarps));
  Value *row = add(warpRow, mask(lane, 15));
  leftPlace = add(mul(row, Tile::leftRowBytes), mul(shift(lane, 4), 16));
  Value *pair = add(mul(shift(lanePair, 1), Tile::twoPairsBytes), mul(mask(lanePair, 1), pairBytes));
  Value *panel = mul(warpColumn, Tile::panelBytes * (2 / products));
  rightPlace = add(add(panel, pair), add(mul(laneRow, 4), tile.getLeftBytes()));
}

/// Copies 16 bytes, or zeros in place of what does not exist: then nothing is read, not even `from`.
void ProductGenerator::copyPiece(Value *to, Value *from, Value *exists) {
  if (!exists) {
    call(Intrinsic::nvvm_cp_async_cg_shared_global_16, {getShared(to), from});
    return;
  }
  Value *bytes = builder.CreateSelect(exists, constant(16), constant(0));
  call(Intrinsic::nvvm_cp_async_cg_shared_global_16_s, {getShared(to), from, bytes});
}

/// A quarter of the pairs of a row, a piece of 16 bytes, is copied by each thread in each turn.
void ProductGenerator::copyLeft(Value *step, Value *stage, int turn) {
  Value *piece = add(thread, turn * tile.getThreads()), *row = shift(piece, 2), *part = mul(mask(piece, 3), 16);
  Value *from = add(firstRow, row), *exists = builder.CreateICmpULT(from, rows);
  Value *bytes = add(mul(step, 4 * Tile::pairs), part);
  int64_t rowBytes = 4 * contraction.getLeftPairs();
  if (contraction.batch != 1)
    bytes = add(bytes, mul(builder.CreateUDiv(columnBlock, constant(getBlocksOfOne())), rowBytes));
  Value *address =
      getGlobal(left, builder.CreateSelect(exists, from, constant(0)), contraction.batch * rowBytes, bytes);
  copyPiece(add(stage, add(mul(row, Tile::leftRowBytes), part)), address, exists);
}

/// The weight whose panel is in `slot` of a stage in a turn of copies.
Value *ProductGenerator::getWeight(Value *slot, int turn) {
  int slots = tile.getThreads() / 64;
  if (products == 1 || slots <= getPanels())
    return weights[turn * slots / getPanels()];
  return builder.CreateSelect(builder.CreateICmpULT(slot, constant(getPanels())), weights[0], weights[1]);
}

/// Pieces of 16 bytes, 4 rows of a pair, of one panel by 64 threads. Zeros are in place of panels and pairs behind the
/// last ones.
void ProductGenerator::copyRight(Value *step, Value *stage, int turn) {
  Value *piece = add(thread, turn * tile.getThreads()), *slot = shift(piece, 6), *part = mask(piece, 63);
  Value *panel = add(mul(columnBlock, getPanels()), mask(slot, getPanels() - 1));
  Value *bytes = add(mul(step, pairBytes * Tile::pairs), mul(part, 16));
  Value *pair = shift(part, 2);
  Value *to = add(add(mul(slot, Tile::panelBytes), mul(shift(pair, 1), Tile::twoPairsBytes)),
                  add(mul(mask(part, 7), 16), tile.getLeftBytes()));
  int64_t panels = PackedLayout::panels(contraction.columns), panelBytes = contraction.pairs * pairBytes;
  Value *weight = getWeight(slot, turn);
  Value *exists = nullptr;
  if (panels % getPanels() != 0)
    exists = builder.CreateICmpULT(panel, constant(panels));
  if (contraction.pairs % Tile::pairs != 0) {
    Value *isPair = builder.CreateICmpULT(add(mul(step, Tile::pairs), pair), constant(contraction.pairs));
    exists = exists ? builder.CreateAnd(exists, isPair) : isPair;
  }
  auto orZero = [&](Value *value) { return exists ? builder.CreateSelect(exists, value, constant(0)) : value; };
  copyPiece(add(stage, to), getGlobal(weight, orZero(panel), panelBytes, orZero(bytes)), exists);
}

void ProductGenerator::copyStep(Value *step, Value *stage) {
  for (int turn = 0; turn < tile.getRows() * 4 / tile.getThreads(); ++turn)
    copyLeft(step, stage, turn);
  for (int turn = 0; turn < tile.getPanels() * 64 / tile.getThreads(); ++turn)
    copyRight(step, stage, turn);
}

/// All stages but one are on their way before the first is waited for.
void ProductGenerator::fillPipeline() {
  for (int stage = 0; stage < tile.stages - 1; ++stage) {
    if (stage < getSteps())
      copyStep(constant(stage), constant(stage * tile.getStageBytes()));
    call(Intrinsic::nvvm_cp_async_commit_group);
  }
}

/// 16 columns of k: of the left side by `ldmatrix`, of the right one words, which are pairs as they are packed.
void ProductGenerator::multiply(Value *stage, int half, Sums &sums) {
  SmallVector<std::array<Value *, 4>> fragments(rowTiles);
  Value *pairs[columnTiles][2];
  Value *fromLeft = add(stage, leftPlace), *fromRight = add(stage, rightPlace);
  for (int row = 0; row < rowTiles; ++row) {
    Value *address = getShared(add(fromLeft, row * 16 * Tile::leftRowBytes + half * 32));
    Value *all = call(Intrinsic::nvvm_ldmatrix_sync_aligned_m8n8_x4_b16, {address}, {address->getType()});
    for (int i = 0; i < 4; ++i)
      fragments[row][i] = builder.CreateExtractValue(all, i);
  }
  for (int column = 0; column < columnTiles; ++column)
    for (int i = 0; i < 2; ++i) {
      int panel = column / 2 * (products == 2 ? getPanels() : 1) * Tile::panelBytes;
      int place = panel + column % 2 * 32 + (half * 4 + i * 2) * Tile::twoPairsBytes;
      pairs[column][i] = builder.CreateAlignedLoad(builder.getInt32Ty(), getShared(add(fromRight, place)), Align(4));
    }
  for (int row = 0; row < rowTiles; ++row)
    for (int column = 0; column < columnTiles; ++column) {
      Value **sum = &sums[(row * columnTiles + column) * 4];
      SmallVector<Value *> in(fragments[row].begin(), fragments[row].end());
      in.append({pairs[column][0], pairs[column][1], sum[0], sum[1], sum[2], sum[3]});
      Value *all = call(Intrinsic::nvvm_mma_m16n8k16_row_col_bf16, in);
      for (int i = 0; i < 4; ++i)
        sum[i] = builder.CreateExtractValue(all, i);
    }
}

/// Waits for the step, asks for the one three steps ahead in the stage that all warps have left, and multiplies.
void ProductGenerator::emitStep(Value *step, Sums &sums) {
  call(Intrinsic::nvvm_cp_async_wait_group, {constant(tile.stages - 2)});
  call(Intrinsic::nvvm_barrier_cta_sync_aligned_all, {constant(0)});
  Value *ahead = add(step, tile.stages - 1);
  auto getStage = [&](Value *of) { return mul(mask(of, tile.stages - 1), tile.getStageBytes()); };
  emitIf(builder.CreateICmpULT(ahead, constant(getSteps())), [&] { copyStep(ahead, getStage(ahead)); });
  call(Intrinsic::nvvm_cp_async_commit_group);
  for (int half = 0; half < 2; ++half)
    multiply(getStage(step), half, sums);
}

void ProductGenerator::emitSteps(Sums &sums) {
  BasicBlock *before = builder.GetInsertBlock();
  BasicBlock *loop = BasicBlock::Create(module.getContext(), "loop", kernel);
  builder.CreateBr(loop);
  builder.SetInsertPoint(loop);
  PHINode *step = builder.CreatePHI(builder.getInt32Ty(), 2);
  step->addIncoming(constant(0), before);
  SmallVector<PHINode *> phis;
  for (Value *&sum : sums) {
    phis.push_back(builder.CreatePHI(sum->getType(), 2));
    phis.back()->addIncoming(sum, before);
    sum = phis.back();
  }
  emitStep(step, sums);
  Value *next = add(step, 1);
  step->addIncoming(next, builder.GetInsertBlock());
  for (auto [phi, sum] : zip_equal(phis, sums))
    phi->addIncoming(sum, builder.GetInsertBlock());
  BasicBlock *end = BasicBlock::Create(module.getContext(), "end", kernel);
  builder.CreateCondBr(builder.CreateICmpULT(next, constant(getSteps())), loop, end);
  builder.SetInsertPoint(end);
}

/// `sums` has a vector of two neighbours for each product.
void ProductGenerator::storeColumns(Epilogue &epilogue, Value *row, Value *column, ArrayRef<Value *> sums) {
  bool fitsBlocks = contraction.columns % getColumns() == 0;
  auto exists = [&](Value *one) { return builder.CreateICmpULT(one, constant(contraction.columns)); };
  if (contraction.columns % 2 == 0) {
    if (fitsBlocks)
      return epilogue.store({row, column, 2}, sums);
    return emitIf(exists(column), [&] { epilogue.store({row, column, 2}, sums); });
  }
  for (int i = 0; i < 2; ++i) {
    Value *one = add(column, i);
    emitIf(exists(one), [&] {
      SmallVector<Value *> parts;
      for (Value *sum : sums)
        parts.push_back(builder.CreateShuffleVector(sum, {i}));
      epilogue.store({row, one, 1}, parts);
    });
  }
}

/// `sums` are those of the 16 rows around it.
void ProductGenerator::storeRow(Value *row, ArrayRef<Value *> sums, int half) {
  Epilogue epilogue(contraction, builder, operands, result);
  int tiles = columnTiles / products, columns = Tile::warpColumns / products;
  Value *first = add(mul(columnBlock, getColumns()), add(mul(warpColumn, columns), mul(lanePair, 2)));
  Value *none = PoisonValue::get(FixedVectorType::get(builder.getFloatTy(), 2));
  for (int column = 0; column < tiles; ++column) {
    SmallVector<Value *> neighbours;
    for (int product = 0; product < products; ++product) {
      Value *const *sum = &sums[(product * tiles + column) * 4 + half * 2];
      Value *one = builder.CreateInsertElement(none, sum[0], uint64_t(0));
      neighbours.push_back(builder.CreateInsertElement(one, sum[1], uint64_t(1)));
    }
    storeColumns(epilogue, row, add(first, column * 8), neighbours);
  }
}

void ProductGenerator::storeRows(const Sums &sums) {
  constexpr int sumsOfRows = columnTiles * 4;
  for (int i = 0; i < rowTiles; ++i)
    for (int half = 0; half < 2; ++half) {
      Value *row = add(add(firstRow, warpRow), add(laneRow, i * 16 + half * 8));
      ArrayRef<Value *> own = ArrayRef(sums).slice(i * sumsOfRows, sumsOfRows);
      emitIf(builder.CreateICmpULT(row, rows), [&] { storeRow(row, own, half); });
    }
}

void ProductGenerator::generate(StringRef name) {
  start(name);
  findPlace();
  fillPipeline();
  Sums sums(rowTiles * columnTiles * 4, ConstantFP::get(builder.getFloatTy(), 0));
  emitSteps(sums);
  storeRows(sums);
  builder.CreateRetVoid();
}

static Expected<std::unique_ptr<TargetMachine>> createMachine() {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  std::string error;
  Triple triple("nvptx64-nvidia-cuda");
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError(error);
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(triple, "sm_80", "+ptx70", {}, std::nullopt,
                                                                    std::nullopt, CodeGenOptLevel::Aggressive));
}

static void optimize(Module &module, TargetMachine &machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2).run(module, modules);
}

Expected<std::string> generateProduct(const TensorContraction &contraction, StringRef name) {
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine();
  if (!machine)
    return machine.takeError();
  LLVMContext context;
  Module module(name, context);
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  for (const ProductTile *tile : tiles::all)
    ProductGenerator(module, contraction, *tile).generate((name + "_" + tile->name).str());
  assert(!verifyModule(module, &errs()) && "a product is valid IR");
  optimize(module, **machine);
  SmallString<0> text;
  raw_svector_ostream os(text);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, os, nullptr, CodeGenFileType::AssemblyFile))
    return createStringError("the back end of CUDA cannot write assembly");
  passes.run(module);
  return std::string(text);
}

} // namespace quern::codegen
