//===- Program.cpp - programs in kernel form to LLVM ------------------------------------------===//

#include "codegen/Program.h"
#include "runtime/devices/HalideBuffer.h"
#include "runtime/include/quern/Format.h"

#include <HalideRuntime.h>

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace quern::codegen {
namespace {

/// A field of `QuernProgramArgs`, by its offset (runtime/include/quern/Format.h).
enum class ArgsField : int32_t {
#define FIELD(name, offset, kind) name = offset,
  QUERN_PROGRAM_ARGS(FIELD)
#undef FIELD
};

/// The fields of `halide_buffer_t` and `halide_dimension_t` (HalideRuntime.h), by their offsets.
enum BufferField : int32_t {
  Device = offsetof(halide_buffer_t, device),
  DeviceInterface = offsetof(halide_buffer_t, device_interface),
  Host = offsetof(halide_buffer_t, host),
  Flags = offsetof(halide_buffer_t, flags),
  TypeCode = offsetof(halide_buffer_t, type) + offsetof(halide_type_t, code),
  TypeBits = offsetof(halide_buffer_t, type) + offsetof(halide_type_t, bits),
  TypeLanes = offsetof(halide_buffer_t, type) + offsetof(halide_type_t, lanes),
  Rank = offsetof(halide_buffer_t, dimensions),
  DimPointer = offsetof(halide_buffer_t, dim),
  Padding = offsetof(halide_buffer_t, padding),
};
enum DimField : int32_t {
  Min = offsetof(halide_dimension_t, min),
  Extent = offsetof(halide_dimension_t, extent),
  Stride = offsetof(halide_dimension_t, stride),
  DimFlags = offsetof(halide_dimension_t, flags),
};

// The widths that `buildBuffer` stores them with.
static_assert(sizeof(halide_buffer_t::device) == 8 && sizeof(halide_buffer_t::device_interface) == 8 &&
              sizeof(halide_buffer_t::host) == 8 && sizeof(halide_buffer_t::flags) == 8 &&
              sizeof(halide_type_t::code) == 1 && sizeof(halide_type_t::bits) == 1 &&
              sizeof(halide_type_t::lanes) == 2 && sizeof(halide_buffer_t::dimensions) == 4 &&
              sizeof(halide_buffer_t::dim) == 8 && sizeof(halide_buffer_t::padding) == 8);
static_assert(sizeof(halide_dimension_t::min) == 4 && sizeof(halide_dimension_t::extent) == 4 &&
              sizeof(halide_dimension_t::stride) == 4 && sizeof(halide_dimension_t::flags) == 4);

// The runtime's devices have these structs of their own.
#define CHECK_FIELD(ours, theirs)                                                                                      \
  static_assert(offsetof(runtime::HalideBuffer, ours) == offsetof(halide_buffer_t, theirs));
CHECK_FIELD(device, device)
CHECK_FIELD(deviceInterface, device_interface)
CHECK_FIELD(host, host)
CHECK_FIELD(flags, flags)
CHECK_FIELD(typeCode, type)
CHECK_FIELD(dimensions, dimensions)
CHECK_FIELD(dim, dim)
#undef CHECK_FIELD
static_assert(offsetof(runtime::HalideBuffer, typeBits) == TypeBits &&
              sizeof(runtime::HalideBuffer) == sizeof(halide_buffer_t));
static_assert(offsetof(runtime::HalideDimension, extent) == Extent &&
              offsetof(runtime::HalideDimension, stride) == Stride &&
              sizeof(runtime::HalideDimension) == sizeof(halide_dimension_t));

/// The LLVM types that the ABI is made of.
struct AbiTypes {
  explicit AbiTypes(MLIRContext *context)
      : pointer(LLVM::LLVMPointerType::get(context)), i8(IntegerType::get(context, 8)),
        i16(IntegerType::get(context, 16)), i32(IntegerType::get(context, 32)), i64(IntegerType::get(context, 64)),
        buffer(LLVM::LLVMArrayType::get(i8, sizeof(halide_buffer_t))),
        dim(LLVM::LLVMArrayType::get(i8, sizeof(halide_dimension_t))) {}

  Type get(ArgsField field) const {
    switch (field) {
#define FIELD(name, offset, kind)                                                                                      \
  case ArgsField::name:                                                                                                \
    return kind;
      QUERN_PROGRAM_ARGS(FIELD)
#undef FIELD
    }
    llvm_unreachable("no such field");
  }

  LLVM::LLVMPointerType pointer;
  Type i8, i16, i32, i64;
  /// The bytes of Halide's structs, whose fields are found by their offsets.
  LLVM::LLVMArrayType buffer, dim;
};

/// A kernel's caller: what it takes beside the pointers of the launch's operands.
struct Caller {
  LLVM::LLVMFuncOp function;
  /// Symbols whose values follow the operands' pointers.
  SmallVector<StringAttr> symbols;
  /// The strides that depend on sizes: a number, and the symbols that it is multiplied by.
  SmallVector<std::pair<int64_t, SmallVector<StringAttr, 2>>> strides;
};

/// Builds the LLVM module: one caller per kernel, one function per program.
class ProgramLowering {
public:
  ProgramLowering(ModuleOp source, const ProgramLayout &layout)
      : source(source), layout(layout), types(source.getContext()), target(ModuleOp::create(source.getLoc())),
        builder(source.getLoc(), OpBuilder::atBlockEnd(target->getBody())) {}

  FailureOr<OwningOpRef<ModuleOp>> run() {
    for (auto kernel : source.getOps<KernelOp>())
      if (failed(buildCaller(kernel)))
        return failure();
    for (auto program : source.getOps<ProgramOp>())
      if (failed(buildProgram(program)))
        return failure();
    return std::move(target);
  }

private:
  LogicalResult buildCaller(KernelOp kernel);
  using Symbols = llvm::SmallMapVector<StringAttr, Value, 4>;
  /// Extent and stride of each dimension of a buffer.
  using BufferSizes = SmallVector<std::pair<Value, Value>>;
  BufferSizes getSizes(const NativeArgument &argument, const Symbols &symbols);
  void buildBuffer(const NativeArgument &argument, Value buffer, Value dims, Value memory, const BufferSizes &sizes);
  LogicalResult buildProgram(ProgramOp program);
  void buildProfileCall(LLVM::LLVMFuncOp function, Value args, Value kernelIndex, int begin);
  Value loadChosenKernel(Value kernelIndex);

  Value constant(Type type, int64_t value) {
    return LLVM::ConstantOp::create(builder, type, builder.getIntegerAttr(type, value));
  }
  Value loadField(Value args, ArgsField field) {
    return LLVM::LoadOp::create(builder, types.get(field), offset(args, int64_t(field)));
  }
  void storeField(Value value, Value base, int32_t field) {
    LLVM::StoreOp::create(builder, value, offset(base, field));
  }
  Value offset(Value base, int64_t bytes) {
    if (bytes == 0)
      return base;
    return LLVM::GEPOp::create(builder, types.pointer, types.i8, base, ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
  }
  Value offset64(Value base, uint64_t bytes) {
    return LLVM::GEPOp::create(builder, types.pointer, types.i8, base,
                               ArrayRef<LLVM::GEPArg>{constant(types.i64, int64_t(bytes))});
  }

  ModuleOp source;
  const ProgramLayout &layout;
  AbiTypes types;
  OwningOpRef<ModuleOp> target;
  ImplicitLocOpBuilder builder;
  llvm::StringMap<Caller> callers;
};

/// `if (args->profile) args->profile(args->profile_context, kernel, begin)`
void ProgramLowering::buildProfileCall(LLVM::LLVMFuncOp function, Value args, Value kernelIndex, int begin) {
  Value profile = loadField(args, ArgsField::profile);
  Value null = LLVM::ZeroOp::create(builder, types.pointer);
  Value wanted = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, profile, null);
  Block *call = function.addBlock(), *rest = function.addBlock();
  LLVM::CondBrOp::create(builder, wanted, call, rest);
  builder.setInsertionPointToEnd(call);
  Value context = loadField(args, ArgsField::profile_context);
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), {types.pointer, types.i32, types.i32});
  LLVM::CallOp::create(builder, type, ValueRange{profile, context, kernelIndex, constant(types.i32, begin)});
  LLVM::BrOp::create(builder, rest);
  builder.setInsertionPointToEnd(rest);
}

/// `quern_chosen_kernels[kernel]`
Value ProgramLowering::loadChosenKernel(Value kernelIndex) {
  constexpr llvm::StringLiteral name = "quern_chosen_kernels";
  auto table = target->lookupSymbol<LLVM::GlobalOp>(name);
  if (!table) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(target->getBody());
    table = LLVM::GlobalOp::create(builder, types.pointer, /*isConstant=*/false, LLVM::Linkage::External, name,
                                   Attribute());
  }
  Value place = LLVM::GEPOp::create(builder, types.pointer, types.pointer, LLVM::AddressOfOp::create(builder, table),
                                    ArrayRef<LLVM::GEPArg>{kernelIndex});
  return LLVM::LoadOp::create(builder, types.pointer, place);
}

ProgramLowering::BufferSizes ProgramLowering::getSizes(const NativeArgument &argument, const Symbols &symbols) {
  BufferSizes sizes;
  for (const BufferDim &dim : argument.dims) {
    Value extent = dim.extent.isStatic() ? constant(types.i32, dim.extent.size()) : symbols.lookup(dim.extent.name());
    Value stride = constant(types.i32, dim.stride);
    for (StringAttr inner : dim.inner)
      stride = LLVM::MulOp::create(builder, stride, symbols.lookup(inner));
    sizes.push_back({extent, stride});
  }
  return sizes;
}

/// Fills one `halide_buffer_t` and its dimensions. A device's has an interface that is not null, behind which nobody
/// looks.
void ProgramLowering::buildBuffer(const NativeArgument &argument, Value buffer, Value dims, Value memory,
                                  const BufferSizes &sizes) {
  Value zero64 = constant(types.i64, 0), null = LLVM::ZeroOp::create(builder, types.pointer);
  memory = offset(memory, argument.byteOffset);
  if (layout.isOnDevice) {
    storeField(LLVM::PtrToIntOp::create(builder, types.i64, memory), buffer, Device);
    storeField(buffer, buffer, DeviceInterface);
    storeField(null, buffer, Host);
  } else {
    storeField(zero64, buffer, Device);
    storeField(null, buffer, DeviceInterface);
    storeField(memory, buffer, Host);
  }
  storeField(zero64, buffer, Flags);
  storeField(constant(types.i8, argument.element.code), buffer, TypeCode);
  storeField(constant(types.i8, argument.element.bits), buffer, TypeBits);
  storeField(constant(types.i16, 1), buffer, TypeLanes);
  storeField(constant(types.i32, sizes.size()), buffer, Rank);
  storeField(dims, buffer, DimPointer);
  storeField(null, buffer, Padding);
  Value zero = constant(types.i32, 0);
  for (auto [i, size] : llvm::enumerate(sizes)) {
    Value at = LLVM::GEPOp::create(builder, types.pointer, types.dim, dims, ArrayRef<LLVM::GEPArg>{int32_t(i)});
    storeField(zero, at, Min);
    storeField(size.first, at, Extent);
    storeField(size.second, at, Stride);
    storeField(zero, at, DimFlags);
  }
}

/// The symbols in the dimensions of a kernel's native arguments, each once.
static SmallVector<StringAttr> symbolsOf(ArrayRef<NativeArgument> signature) {
  llvm::SetVector<StringAttr> symbols;
  for (const NativeArgument &argument : signature)
    for (const BufferDim &dim : argument.dims)
      if (!dim.extent.isStatic())
        symbols.insert(dim.extent.name());
  return symbols.takeVector();
}

/// `i32 call_<kernel>(args, kernel index, operand pointers…, dimension values…)`
LogicalResult ProgramLowering::buildCaller(KernelOp kernel) {
  FailureOr<SmallVector<NativeArgument>> signature = getSignature(kernel, layout.isOnDevice);
  if (failed(signature))
    return failure();
  builder.setLoc(kernel.getLoc());
  builder.setInsertionPointToEnd(target->getBody());

  // A device's kernels are told of it first.
  SmallVector<Type> nativeTypes(layout.isOnDevice ? 1 : 0, types.pointer);
  unsigned operandCount = 0;
  for (const NativeArgument &argument : *signature) {
    nativeTypes.push_back(argument.isScalar() ? types.i32 : Type(types.pointer));
    operandCount = std::max(operandCount, argument.operand + 1);
  }
  std::string symbol = nativeSymbol(kernel.getSymName(), layout);
  auto nativeType = LLVM::LLVMFunctionType::get(types.i32, nativeTypes);
  auto native = LLVM::LLVMFuncOp::create(builder, symbol, nativeType);

  Caller caller;
  caller.symbols = symbolsOf(*signature);
  for (const NativeArgument &argument : *signature)
    for (const BufferDim &dim : argument.dims)
      if (!dim.inner.empty())
        caller.strides.push_back({dim.stride, dim.inner});
  SmallVector<Type> callerTypes{types.pointer, types.i32};
  callerTypes.append(operandCount, types.pointer);
  callerTypes.append(caller.symbols.size(), types.i32);
  caller.function = LLVM::LLVMFuncOp::create(
      builder, "call_" + symbol, LLVM::LLVMFunctionType::get(types.i32, callerTypes), LLVM::Linkage::Internal);
  caller.function.setNoInline(true);

  Block *entry = caller.function.addEntryBlock(builder);
  builder.setInsertionPointToEnd(entry);
  Symbols symbols;
  for (auto [i, name] : llvm::enumerate(caller.symbols))
    symbols[name] = entry->getArgument(2 + operandCount + i);
  // Allocas first: in the entry block they are static stack slots.
  SmallVector<std::pair<Value, Value>> slots;
  for (const NativeArgument &argument : *signature) {
    if (argument.isScalar()) {
      slots.push_back({});
      continue;
    }
    Value buffer = LLVM::AllocaOp::create(builder, types.pointer, types.buffer, constant(types.i64, 1), 8);
    Value dims = LLVM::AllocaOp::create(builder, types.pointer, types.dim,
                                        constant(types.i64, std::max<size_t>(argument.dims.size(), 1)), 8);
    slots.push_back({buffer, dims});
  }
  Value args = entry->getArgument(0), index = entry->getArgument(1);
  SmallVector<Value> nativeOperands;
  if (layout.isOnDevice)
    nativeOperands.push_back(loadField(args, ArgsField::device));
  for (auto [argument, slot] : llvm::zip_equal(*signature, slots)) {
    switch (argument.kind) {
    case NativeArgument::Kind::Visible:
      nativeOperands.push_back(loadField(args, ArgsField::visible));
      continue;
    case NativeArgument::Kind::First:
      nativeOperands.push_back(loadField(args, ArgsField::first));
      continue;
    case NativeArgument::Kind::Pages:
      buildBuffer(argument, slot.first, slot.second, loadField(args, ArgsField::pages),
                  {{loadField(args, ArgsField::page_count), constant(types.i32, 1)}});
      break;
    case NativeArgument::Kind::Buffer:
      buildBuffer(argument, slot.first, slot.second, entry->getArgument(2 + argument.operand),
                  getSizes(argument, symbols));
      break;
    }
    nativeOperands.push_back(slot.first);
  }
  buildProfileCall(caller.function, args, index, 1);
  Value status;
  if (layout.isMeasured) {
    SmallVector<Value> operands = {loadChosenKernel(index)};
    operands.append(nativeOperands);
    status = LLVM::CallOp::create(builder, nativeType, operands).getResult();
  } else {
    status = LLVM::CallOp::create(builder, native, nativeOperands).getResult();
  }
  buildProfileCall(caller.function, args, index, 0);
  LLVM::ReturnOp::create(builder, status);
  callers[kernel.getSymName()] = caller;
  return success();
}

/// Halide holds strides in 32 bits.
static LogicalResult checkStrides(LaunchOp launch, const Caller &caller, DictionaryAttr bounds) {
  for (const auto &[number, symbols] : caller.strides) {
    int64_t stride = number;
    for (StringAttr symbol : symbols) {
      auto bound = bounds ? bounds.getAs<IntegerAttr>(symbol) : IntegerAttr();
      if (!bound || llvm::MulOverflow(stride, bound.getInt(), stride) || stride > INT32_MAX)
        return launch.emitError("a buffer may have elements more than ")
               << INT32_MAX << " apart along one axis, at the largest sizes; expected smaller ones: write `"
               << symbol.getValue() << " <= N` in the model";
    }
  }
  return success();
}

/// One function per program: the pointers of its operands, then one call per launch, stopping at the first error.
LogicalResult ProgramLowering::buildProgram(ProgramOp program) {
  builder.setLoc(program.getLoc());
  builder.setInsertionPointToEnd(target->getBody());
  auto function = LLVM::LLVMFuncOp::create(builder, nativeSymbol(program.getSymName(), layout),
                                           LLVM::LLVMFunctionType::get(types.i32, {types.pointer}));
  Block *entry = function.addEntryBlock(builder);
  Block *failed = function.addBlock();
  Value failedStatus = failed->addArgument(types.i32, program.getLoc());
  builder.setInsertionPointToEnd(failed);
  LLVM::ReturnOp::create(builder, failedStatus);
  builder.setInsertionPointToEnd(entry);

  Value args = entry->getArgument(0);
  Value arena = loadField(args, ArgsField::arena);
  Value weights = loadField(args, ArgsField::weights);
  Value states = loadField(args, ArgsField::states);
  Value operands = loadField(args, ArgsField::operands);
  Value dims = loadField(args, ArgsField::dims);

  Symbols symbols;
  for (auto [i, name] : llvm::enumerate(getSymbols(program)))
    symbols[name] = LLVM::LoadOp::create(
        builder, types.i32,
        LLVM::GEPOp::create(builder, types.pointer, types.i32, dims, ArrayRef<LLVM::GEPArg>{int32_t(i)}));
  auto loadPointer = [&](Value table, int32_t index) -> Value {
    return LLVM::LoadOp::create(
        builder, types.pointer,
        LLVM::GEPOp::create(builder, types.pointer, types.pointer, table, ArrayRef<LLVM::GEPArg>{index}));
  };

  llvm::DenseMap<Value, Value> pointers;
  for (BlockArgument argument : program.getBody().getArguments())
    pointers[argument] = loadPointer(operands, argument.getArgNumber());

  auto launch = [&](LaunchOp op) -> LogicalResult {
    Caller &caller = callers[op.getKernel()];
    if (checkStrides(op, caller, program.getBoundsAttr()).failed())
      return failure();
    SmallVector<Value> operands{args, constant(types.i32, layout.kernelIndices.lookup(op.getKernel()))};
    for (Value value : llvm::concat<Value>(llvm::to_vector(op.getInputs()), llvm::to_vector(op.getOutputs())))
      operands.push_back(pointers.lookup(value));
    for (StringAttr name : caller.symbols) {
      Value size = symbols.lookup(name);
      if (!size)
        return op.emitError("kernel `") << op.getKernel() << "` needs the size `" << name.getValue()
                                        << "`, which no argument of `" << program.getSymName() << "` has";
      operands.push_back(size);
    }
    Value status = LLVM::CallOp::create(builder, caller.function, operands).getResult();
    Value wrong = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, status, constant(types.i32, 0));
    Block *next = function.addBlock();
    LLVM::CondBrOp::create(builder, wrong, failed, ValueRange{status}, next, ValueRange{});
    builder.setInsertionPointToEnd(next);
    return success();
  };

  for (Operation &op : program.getBody().front()) {
    builder.setLoc(op.getLoc());
    LogicalResult status =
        llvm::TypeSwitch<Operation *, LogicalResult>(&op)
            .Case([&](ArenaOp arenaOp) {
              pointers[arenaOp.getResult()] = offset64(arena, arenaOp.getOffset());
              return success();
            })
            .Case([&](ParamBufferOp param) {
              auto found = layout.parameterOffsets.find(param.getParameter());
              if (found == layout.parameterOffsets.end())
                return LogicalResult(param.emitError("parameter `") << param.getParameter() << "` was not packed");
              pointers[param.getResult()] = offset64(weights, found->second);
              return success();
            })
            .Case([&](StateBufferOp state) {
              pointers[state.getResult()] = loadPointer(states, layout.stateIndices.lookup(state.getState()));
              return success();
            })
            .Case([&](AliasOp alias) {
              pointers[alias.getResult()] = pointers.lookup(alias.getSource());
              return success();
            })
            .Case([&](PartOp part) {
              RankedTensorType whole = part.getSource().getType().getTensor();
              int64_t bytes = part.getOffset() * ((whole.getElementTypeBitWidth() + 7) / 8);
              for (int64_t inner : whole.getShape().drop_front(part.getAxis() + 1))
                bytes *= inner;
              pointers[part.getResult()] = offset64(pointers.lookup(part.getSource()), bytes);
              return success();
            })
            .Case([&](LaunchOp launchOp) { return launch(launchOp); })
            .Case([&](EndOp) {
              LLVM::ReturnOp::create(builder, constant(types.i32, 0));
              return success();
            })
            .Default([](Operation *other) {
              return LogicalResult(other->emitError("is not part of a program in kernel form"));
            });
    if (mlir::failed(status))
      return failure();
  }
  return success();
}

} // namespace

ProgramOp getGeneralForm(ProgramOp program) {
  if (FlatSymbolRefAttr general = program.getVariantOfAttr())
    if (auto found = SymbolTable::lookupNearestSymbolFrom<ProgramOp>(program, general))
      return found;
  return program;
}

SmallVector<StringAttr> getSymbols(ProgramOp program) {
  program = getGeneralForm(program);
  llvm::SetVector<StringAttr> symbols;
  for (Type type : program.getArgumentTypes())
    for (Dim dim : getDims(cast<BufferType>(type).getTensor()))
      if (!dim.isStatic())
        symbols.insert(dim.name());
  return symbols.takeVector();
}

/// `__x86_64_v3`: what makes the symbols of one target differ from another's.
static std::string symbolSuffix(const TargetSpec &target) {
  std::string suffix = "__" + std::string(target.name);
  for (char &c : suffix)
    if (!llvm::isAlnum(c))
      c = '_';
  return suffix;
}

ProgramLayout makeLayout(const TargetModule &target, ArrayRef<ParameterPlacement> placements) {
  ProgramLayout layout;
  ModuleOp module = target.module;
  layout.symbolSuffix = symbolSuffix(*target.target);
  layout.isOnDevice = target.target->isDevice();
  for (const ParameterPlacement &placement : placements)
    layout.parameterOffsets[placement.name] = placement.offset;
  for (auto [i, state] : llvm::enumerate(module.getOps<StateOp>()))
    layout.stateIndices[state.getSymName()] = i;
  for (auto [i, kernel] : llvm::enumerate(module.getOps<KernelOp>()))
    layout.kernelIndices[kernel.getSymName()] = i;
  return layout;
}

std::string nativeSymbol(StringRef name, const ProgramLayout &layout) {
  std::string symbol = name.starts_with("quern_") ? name.str() : "quern_" + name.str();
  for (char &c : symbol)
    if (!llvm::isAlnum(c) && c != '_')
      c = '_';
  return symbol + layout.symbolSuffix;
}

FailureOr<OwningOpRef<ModuleOp>> lowerPrograms(ModuleOp module, const ProgramLayout &layout) {
  module.getContext()->loadDialect<LLVM::LLVMDialect>();
  return ProgramLowering(module, layout).run();
}

} // namespace quern::codegen
