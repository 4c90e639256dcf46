//===- HostFunction.cpp - what launches products on tensor cores ------------------------------===//

#include "codegen/tensorcores/HostFunction.h"
#include "codegen/tensorcores/Product.h"

#include <HalideRuntime.h>

#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace quern::codegen {

std::string getProductName(StringRef symbol) { return (symbol + "_product").str(); }
std::string getLeftSideName(StringRef symbol) { return (symbol + "_left").str(); }

namespace {

/// A value that a launch hands to its kernel: a `halide_buffer_t *`, or a pointer to `bytes` bytes.
struct LaunchValue {
  Value *pointer;
  int64_t bytes;
  bool isBuffer;
};

/// Emits one host function: i32 (device, buffers…).
class HostFunction {
public:
  HostFunction(Module &module, const TensorContraction &contraction, int narrowRows)
      : module(module), contraction(contraction), narrowRows(narrowRows), builder(module.getContext()),
        pointer(builder.getPtrTy()), i32(builder.getInt32Ty()) {}

  void generate(StringRef symbol, StringRef text);

private:
  void start(StringRef symbol);
  Value *initialize(StringRef text);
  Value *allocate(Type *type);
  Value *allocateLeft();
  void returnIfFailed(Value *status);
  Value *launch(StringRef name, Value *state, Value *left);
  Value *count(Value *all, int64_t each);
  SmallVector<LaunchValue> getValues(Value *left);
  Value *makeArray(Type *element, ArrayRef<Value *> values);

  Value *getArgument(unsigned native) { return function->getArg(native + 1); }
  Value *getDevice() { return function->getArg(0); }
  Value *call(StringRef name, ArrayRef<Value *> in) {
    SmallVector<Type *> types = map_to_vector(in, [](Value *value) { return value->getType(); });
    return builder.CreateCall(module.getOrInsertFunction(name, FunctionType::get(i32, types, false)), in);
  }
  Value *getField(Value *base, int64_t bytes) { return builder.CreateConstGEP1_64(builder.getInt8Ty(), base, bytes); }
  void store(Value *value, Value *base, int64_t bytes) { builder.CreateStore(value, getField(base, bytes)); }

  Module &module;
  const TensorContraction &contraction;
  int narrowRows;
  IRBuilder<> builder;
  Type *pointer, *i32;
  Function *function = nullptr;
  Value *rows = nullptr;
};

} // namespace

/// Rows are those of the result, the last argument, whose last dimension they are.
void HostFunction::start(StringRef symbol) {
  SmallVector<Type *> types(1 + contraction.signature.size(), pointer);
  function = Function::Create(FunctionType::get(i32, types, false), Function::ExternalLinkage, symbol, module);
  builder.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", function));
  size_t dims = contraction.signature.back().dims.size();
  Value *result = getArgument(contraction.signature.size() - 1);
  Value *dim = builder.CreateLoad(pointer, getField(result, offsetof(halide_buffer_t, dim)));
  int64_t extent = (dims - 1) * sizeof(halide_dimension_t) + offsetof(halide_dimension_t, extent);
  rows = builder.CreateLoad(i32, getField(dim, extent));
}

void HostFunction::returnIfFailed(Value *status) {
  BasicBlock *failed = BasicBlock::Create(module.getContext(), "failed", function);
  BasicBlock *next = BasicBlock::Create(module.getContext(), "next", function);
  builder.CreateCondBr(builder.CreateIsNotNull(status), failed, next);
  builder.SetInsertPoint(failed);
  builder.CreateRet(status);
  builder.SetInsertPoint(next);
}

/// The number of the module, a word of the object.
Value *HostFunction::initialize(StringRef text) {
  auto *state = new GlobalVariable(module, pointer, false, GlobalValue::InternalLinkage,
                                   ConstantPointerNull::get(builder.getPtrTy()), "state");
  auto *bytes = ConstantDataArray::getString(module.getContext(), text);
  auto *ptx = new GlobalVariable(module, bytes->getType(), true, GlobalValue::InternalLinkage, bytes, "ptx");
  returnIfFailed(call("halide_cuda_initialize_kernels", {getDevice(), state, ptx, builder.getInt32(text.size() + 1)}));
  return builder.CreateLoad(pointer, state);
}

/// A place on the stack, of which each call has one.
Value *HostFunction::allocate(Type *type) {
  IRBuilder<> entry(&function->getEntryBlock(), function->getEntryBlock().begin());
  AllocaInst *place = entry.CreateAlloca(type);
  place->setAlignment(Align(8));
  return place;
}

/// A buffer of the left side in the device's memory.
Value *HostFunction::allocateLeft() {
  auto allocateZeros = [&](size_t bytes) {
    Value *memory = allocate(ArrayType::get(builder.getInt8Ty(), bytes));
    builder.CreateMemSet(memory, builder.getInt8(0), bytes, Align(8));
    return memory;
  };
  Value *buffer = allocateZeros(sizeof(halide_buffer_t)), *dims = allocateZeros(2 * sizeof(halide_dimension_t));
  store(builder.getInt8(halide_type_uint), buffer, offsetof(halide_buffer_t, type) + offsetof(halide_type_t, code));
  store(builder.getInt8(32), buffer, offsetof(halide_buffer_t, type) + offsetof(halide_type_t, bits));
  store(builder.getInt16(1), buffer, offsetof(halide_buffer_t, type) + offsetof(halide_type_t, lanes));
  store(builder.getInt32(2), buffer, offsetof(halide_buffer_t, dimensions));
  store(dims, buffer, offsetof(halide_buffer_t, dim));
  Value *pairs = builder.getInt32(contraction.getLeftPairs());
  std::pair<Value *, Value *> sizes[] = {{pairs, builder.getInt32(1)},
                                         {builder.CreateMul(rows, builder.getInt32(contraction.batch)), pairs}};
  for (auto [i, size] : enumerate(sizes)) {
    store(size.first, dims, i * sizeof(halide_dimension_t) + offsetof(halide_dimension_t, extent));
    store(size.second, dims, i * sizeof(halide_dimension_t) + offsetof(halide_dimension_t, stride));
  }
  Value *interface = builder.CreateCall(
      module.getOrInsertFunction("halide_cuda_device_interface", FunctionType::get(pointer, {}, false)));
  returnIfFailed(call("halide_device_malloc", {getDevice(), buffer, interface}));
  return buffer;
}

SmallVector<LaunchValue> HostFunction::getValues(Value *left) {
  SmallVector<LaunchValue> values = {{left, 8, true}};
  for (MatmulOp product : contraction.products)
    values.push_back(
        {getArgument(contraction.getNativeIndex(cast<mlir::BlockArgument>(product.getWeight()))), 8, true});
  for (mlir::BlockArgument operand : contraction.operands)
    values.push_back({getArgument(contraction.getNativeIndex(operand)), 8, true});
  values.push_back({getArgument(contraction.signature.size() - 1), 8, true});
  Value *counted = allocate(i32);
  builder.CreateStore(rows, counted);
  values.push_back({counted, 4, false});
  return values;
}

Value *HostFunction::makeArray(Type *element, ArrayRef<Value *> values) {
  Value *array = allocate(ArrayType::get(element, values.size()));
  for (auto [i, value] : enumerate(values))
    builder.CreateStore(value, builder.CreateConstGEP1_64(element, array, i));
  return array;
}

Value *HostFunction::launch(StringRef name, Value *state, Value *left) {
  SmallVector<Value *> pointers, sizes, kinds;
  for (const LaunchValue &value : getValues(left)) {
    pointers.push_back(value.pointer);
    sizes.push_back(builder.getInt64(value.bytes));
    kinds.push_back(builder.getInt8(value.isBuffer));
  }
  sizes.push_back(builder.getInt64(0));
  Value *isNarrow = builder.CreateICmpULE(rows, builder.getInt32(narrowRows));
  auto choose = [&](auto get) { return builder.CreateSelect(isNarrow, get(tiles::narrow), get(tiles::wide)); };
  auto chooseInt = [&](auto get) {
    return choose([&](const ProductTile &tile) { return builder.getInt32(get(tile)); });
  };
  Value *one = builder.getInt32(1);
  Value *rowBlocks = choose([&](const ProductTile &tile) { return count(rows, tile.getRows()); });
  Value *columnBlocks = chooseInt([&](const ProductTile &tile) {
    return divideCeil(contraction.columns, tile.getColumns() / contraction.products.size());
  });
  return call(
      "halide_cuda_run",
      {getDevice(), state,
       choose([&](const ProductTile &tile) { return builder.CreateGlobalString((name + "_" + tile.name).str()); }),
       rowBlocks, columnBlocks, one, chooseInt([](const ProductTile &tile) { return tile.getThreads(); }), one, one,
       chooseInt([](const ProductTile &tile) { return tile.getSharedBytes(); }), makeArray(builder.getInt64Ty(), sizes),
       makeArray(pointer, pointers), makeArray(builder.getInt8Ty(), kinds)});
}

/// How many times `each` are `all`, rounded up.
Value *HostFunction::count(Value *all, int64_t each) {
  return builder.CreateUDiv(builder.CreateAdd(all, builder.getInt32(each - 1)), builder.getInt32(each));
}

void HostFunction::generate(StringRef symbol, StringRef text) {
  start(symbol);
  Value *state = initialize(text);
  if (contraction.left) {
    Value *left = getArgument(contraction.getNativeIndex(contraction.left));
    builder.CreateRet(launch(getProductName(symbol), state, left));
    return;
  }
  Value *left = allocateLeft();
  SmallVector<Value *> in = {getDevice()};
  for (unsigned i = 0; i + 1 < contraction.signature.size(); ++i)
    in.push_back(getArgument(i));
  in.push_back(left);
  Value *status = call(getLeftSideName(symbol), in), *launched = launch(getProductName(symbol), state, left);
  call("halide_device_free", {getDevice(), left});
  builder.CreateRet(builder.CreateSelect(builder.CreateIsNotNull(status), status, launched));
}

Expected<std::unique_ptr<MemoryBuffer>> buildHostFunction(const TensorContraction &contraction, StringRef symbol,
                                                          StringRef text, int narrowRows,
                                                          const MemoryBuffer *leftSide) {
  LLVMContext context;
  auto module = std::make_unique<Module>(symbol, context);
  if (leftSide) {
    Expected<std::unique_ptr<Module>> parsed = parseBitcodeFile(leftSide->getMemBufferRef(), context);
    if (!parsed)
      return parsed.takeError();
    module = std::move(*parsed);
  }
  HostFunction(*module, contraction, narrowRows).generate(symbol, text);
  SmallVector<char, 0> bitcode;
  raw_svector_ostream os(bitcode);
  WriteBitcodeToFile(*module, os);
  return MemoryBuffer::getMemBufferCopy(StringRef(bitcode.data(), bitcode.size()), symbol);
}

} // namespace quern::codegen
