//===- NativeKernels.cpp - kernels compiled and called in this process ------------------------===//

#include "test/conformance/NativeKernels.h"
#include "codegen/HalideBridge.h"
#include "codegen/Packer.h"
#include "codegen/StateLayout.h"
#include "dialect/PackedLayout.h"
#include "dialect/RandomValues.h"
#include "passes/tile/CostModel.h"
#include "runtime/devices/HalideBuffer.h"

#include "mlir/IR/Builders.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"

using namespace mlir;
using llvm::Error;
using llvm::Expected;
using quern::codegen::BufferDim;
using quern::codegen::NativeArgument;

// What kernels of devices call (runtime/devices).
extern "C" {
#define FUNCTIONS(DO)                                                                                                  \
  DO(halide_cuda_initialize_kernels)                                                                                   \
  DO(halide_cuda_finalize_kernels)                                                                                     \
  DO(halide_cuda_run)                                                                                                  \
  DO(halide_cuda_device_interface)                                                                                     \
  DO(halide_opencl_initialize_kernels)                                                                                 \
  DO(halide_opencl_finalize_kernels)                                                                                   \
  DO(halide_opencl_run)                                                                                                \
  DO(halide_opencl_device_interface)                                                                                   \
  DO(halide_copy_to_device)                                                                                            \
  DO(halide_copy_to_host)                                                                                              \
  DO(halide_device_malloc)                                                                                             \
  DO(halide_device_free)                                                                                               \
  DO(halide_device_free_as_destructor)
#define DECLARE(name) void name();
FUNCTIONS(DECLARE)
#undef DECLARE
}

namespace quern::test {
namespace {

using NativeDim = runtime::HalideDimension;
using NativeBuffer = runtime::HalideBuffer;

/// A byte of which four are no number: of pages that a kernel must leave alone.
constexpr uint8_t untouched = 0xff;

/// Memory with a margin whose bytes a kernel must leave alone.
class GuardedMemory {
public:
  explicit GuardedMemory(size_t size) : size(size), bytes(size + 2 * margin + alignment, canary) {}
  GuardedMemory(ArrayRef<uint8_t> content) : GuardedMemory(content.size()) { llvm::copy(content, data()); }
  uint8_t *data() {
    auto address = reinterpret_cast<uintptr_t>(bytes.data()) + margin;
    return bytes.data() + margin + (alignment - address % alignment) % alignment;
  }
  ArrayRef<uint8_t> content() { return {data(), size}; }
  /// All of it, with the margins.
  MutableArrayRef<uint8_t> whole() { return bytes; }
  bool isIntact() {
    return std::all_of(bytes.data(), data(), [](uint8_t b) { return b == canary; }) &&
           std::all_of(data() + size, bytes.data() + bytes.size(), [](uint8_t b) { return b == canary; });
  }

private:
  static constexpr size_t margin = 256, alignment = 64;
  static constexpr uint8_t canary = 0xa5;
  size_t size;
  std::vector<uint8_t> bytes;
};

} // namespace

NativeKernels::~NativeKernels() {
  if (!jit)
    return;
  if (auto shutDown = jit->lookup("halide_shutdown_thread_pool"))
    shutDown->toPtr<void (*)()>()();
  else
    llvm::consumeError(shutDown.takeError());
}

/// Defines what kernels of devices call, before Halide's runtime, whose own functions of these names are weak.
static Error defineFunctions(llvm::orc::LLJIT &jit) {
  llvm::orc::SymbolMap symbols;
#define ADD(name)                                                                                                      \
  symbols[jit.mangleAndIntern(#name)] = {llvm::orc::ExecutorAddr::fromPtr(&name),                                      \
                                         llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  FUNCTIONS(ADD)
#undef ADD
  return jit.getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(symbols)));
}

Expected<NativeKernels> NativeKernels::compile(ModuleOp module, const codegen::TargetSpec &target) {
  selectSchedules(module, target.getAttr(module.getContext()));
  SmallVector<codegen::KernelJob> jobs;
  for (auto kernel : module.getOps<KernelOp>())
    jobs.push_back({kernel, target, kernel.getSymName().str()});
  codegen::ObjectCache none("");
  auto objects = codegen::compileKernels(jobs, 2, none);
  if (failed(objects))
    return llvm::createStringError("a kernel did not compile");
  auto runtime = codegen::compileRuntime(none);
  if (!runtime)
    return runtime.takeError();
  objects->push_back(std::move(*runtime));

  llvm::InitializeNativeTarget();
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  std::unique_ptr<runtime::Device> device;
  if (target.isDevice()) {
    auto made = runtime::createDevice(target.getDeviceName().str());
    if (!made)
      return llvm::createStringError(made.error().message);
    device = std::move(*made);
    if (Error error = defineFunctions(**jit))
      return error;
  }
  for (std::unique_ptr<llvm::MemoryBuffer> &object : *objects)
    if (Error error = (*jit)->addObjectFile(std::move(object)))
      return error;
  return NativeKernels(std::move(*jit), std::move(device));
}

namespace {
/// Gives the rows of one tensor, whatever its name.
class OneTensor final : public ParameterSource {
public:
  explicit OneTensor(const Tensor &tensor) : tensor(tensor) {}
  Expected<ArrayRef<uint8_t>> readRow(StringRef, int64_t row) override {
    if (tensor.getType().getRank() < 2)
      return tensor.getBytes();
    size_t size = tensor.getBytes().size() / tensor.getShape()[0];
    return tensor.getBytes().slice(row * size, size);
  }

private:
  const Tensor &tensor;
};
} // namespace

/// A weight as the packer lays it out for an argument of a kernel.
static Expected<std::vector<uint8_t>> packWeight(const Tensor &weight, Packing packing) {
  MLIRContext *context = weight.getType().getContext();
  Location loc = UnknownLoc::get(context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  codegen::ParameterPlacement placement{"weight", weight.getType(), 0, 0, packing};
  FailureOr<int64_t> bytes = getParameterBytes(weight.getType(), packing);
  if (failed(bytes))
    return llvm::createStringError("a weight without a packed layout");
  placement.bytes = *bytes;
  OpBuilder builder = OpBuilder::atBlockBegin(module->getBody());
  ParameterOp::create(builder, loc, "weight", weight.getType(), nullptr, PackingAttr::get(context, packing));
  OneTensor source(weight);
  std::string packed;
  llvm::raw_string_ostream os(packed);
  if (failed(codegen::packParameters(*module, placement, source, os)))
    return llvm::createStringError("a weight did not pack");
  return std::vector<uint8_t>(packed.begin(), packed.end());
}

/// Pages of a cache that one sequence fills.
static int64_t countPages(RankedTensorType type) { return llvm::divideCeil(type.getDimSize(0), codegen::statePage); }

/// The page that holds the rows of page `page` of a sequence, of `pages`: in descending order, and not the first, which
/// nobody may read or write.
static int64_t placePage(int64_t page, int64_t pages) { return pages - page; }

/// Copies between a cache [T, h, d] and its layout, whose dimensions are `dims`: [lane, d, group, h, page].
template <typename CopyT> static void forEachCacheElement(RankedTensorType type, ArrayRef<BufferDim> dims, CopyT copy) {
  int64_t heads = type.getDimSize(1), size = type.getDimSize(2), lanes = codegen::stateLanes;
  for (int64_t t = 0; t < type.getDimSize(0); ++t) {
    int64_t page = placePage(t / codegen::statePage, countPages(type)), row = t % codegen::statePage;
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t d = 0; d < size; ++d)
        copy((t * heads + h) * size + d, row % lanes * dims[0].stride + d * dims[1].stride +
                                             row / lanes * dims[2].stride + h * dims[3].stride + page * dims[4].stride);
  }
}

static GuardedMemory layOutState(const Tensor &state, CacheLayout layout) {
  SmallVector<BufferDim> dims = codegen::getStateDims(state.getType(), layout);
  int64_t elementBytes = state.getType().getElementTypeBitWidth() / 8, pageBytes = dims[4].stride * elementBytes;
  std::vector<uint8_t> values(codegen::getCacheBytes(state.getType()) + pageBytes);
  std::fill_n(values.begin(), pageBytes, untouched);
  GuardedMemory memory(values);
  forEachCacheElement(state.getType(), dims, [&](int64_t from, int64_t to) {
    std::memcpy(memory.data() + to * elementBytes, state.getBytes().data() + from * elementBytes, elementBytes);
  });
  return memory;
}

static Expected<Tensor> readState(RankedTensorType type, CacheLayout layout, GuardedMemory &memory) {
  SmallVector<BufferDim> dims = codegen::getStateDims(type, layout);
  int64_t elementBytes = type.getElementTypeBitWidth() / 8;
  FailureOr<Tensor> result = Tensor::zeros(type);
  if (failed(result))
    return llvm::createStringError("a state without storage");
  if (!llvm::all_of(memory.content().take_front(dims[4].stride * elementBytes),
                    [](uint8_t byte) { return byte == untouched; }))
    return llvm::createStringError("the kernel wrote into a page of nobody's");
  uint8_t *bytes = result->getMutableBytes().data();
  forEachCacheElement(type, dims, [&](int64_t to, int64_t from) {
    std::memcpy(bytes + to * elementBytes, memory.data() + from * elementBytes, elementBytes);
  });
  return *result;
}

/// Which page holds which rows of the paged caches among the arguments.
static std::vector<int32_t> placePages(KernelOp kernel) {
  std::vector<int32_t> pages;
  for (BlockArgument argument : kernel.getBody().getArguments())
    if (auto type = cast<RankedTensorType>(argument.getType()); codegen::getCacheLayout(argument)) {
      pages.resize(countPages(type));
      for (auto [i, page] : llvm::enumerate(pages))
        page = static_cast<int32_t>(placePage(i, pages.size()));
    }
  return pages;
}

/// The memory of an input of a launch.
static Expected<GuardedMemory> makeInput(KernelOp kernel, BlockArgument argument, const Tensor &value) {
  unsigned number = argument.getArgNumber();
  if (auto layout = codegen::getCacheLayout(argument))
    return layOutState(value, *layout);
  std::optional<Packing> packing = kernel.getPacking(number);
  if (!packing)
    return GuardedMemory(value.getBytes());
  Expected<std::vector<uint8_t>> packed = packWeight(value, *packing);
  if (!packed)
    return packed.takeError();
  return GuardedMemory(*packed);
}

/// The memory of each operand of a launch: the inputs, then the outputs.
static Expected<std::vector<GuardedMemory>> makeOperands(KernelOp kernel, ArrayRef<Tensor> arguments,
                                                         ArrayRef<RankedTensorType> results) {
  std::vector<GuardedMemory> memory;
  for (BlockArgument argument : kernel.getInputArguments()) {
    Expected<GuardedMemory> input = makeInput(kernel, argument, arguments[argument.getArgNumber()]);
    if (!input)
      return input.takeError();
    memory.push_back(std::move(*input));
  }
  for (auto [i, result] : llvm::enumerate(results)) {
    if (BlockArgument destination = kernel.getDestination(i)) {
      Expected<GuardedMemory> state = makeInput(kernel, destination, arguments[destination.getArgNumber()]);
      if (!state)
        return state.takeError();
      memory.push_back(std::move(*state));
      continue;
    }
    FailureOr<int64_t> bytes = getStorageBytes(result);
    if (failed(bytes))
      return llvm::createStringError("a result without storage");
    memory.emplace_back(static_cast<size_t>(*bytes));
  }
  return memory;
}

/// The values of the results, the last operands of a launch.
static Expected<std::vector<Tensor>> readResults(KernelOp kernel, ArrayRef<RankedTensorType> types,
                                                 MutableArrayRef<GuardedMemory> memory) {
  std::vector<Tensor> results;
  memory = memory.take_back(types.size());
  for (auto [i, type] : llvm::enumerate(types)) {
    BlockArgument destination = kernel.getDestination(i);
    if (auto layout = destination ? codegen::getCacheLayout(destination) : std::nullopt) {
      Expected<Tensor> state = readState(type, *layout, memory[i]);
      if (!state)
        return state.takeError();
      results.push_back(*state);
      continue;
    }
    FailureOr<Tensor> result = Tensor::fromBytes(type, memory[i].content());
    if (failed(result))
      return llvm::createStringError("a result without storage");
    results.push_back(*result);
  }
  return results;
}

/// Calls a function of pointers and i32. Both are passed alike on x86-64, and a callee does not see arguments that it
/// lacks.
static int32_t callNative(llvm::orc::ExecutorAddr function, SmallVector<intptr_t> values) {
  constexpr size_t most = 18;
  assert(values.size() <= most && "a kernel has few arguments");
  values.resize(most);
  // A sanitizer would look for the function's type in front of its code, where the linker need not have put anything.
  auto call = [&]<size_t... i>(std::index_sequence<i...>) __attribute__((no_sanitize("function"))) {
    return function.toPtr<int32_t (*)(std::remove_reference_t<decltype(values[i])>...)>()(values[i]...);
  };
  return call(std::make_index_sequence<most>());
}

/// The scalar of kind `kind` beside the positions among `arguments`; see KernelSignature.h.
static int32_t getScalar(ArrayRef<Tensor> arguments, NativeArgument::Kind kind) {
  int32_t visible = 0, first = 0;
  for (const Tensor &argument : arguments) {
    if (!isa<PositionType>(argument.getElementType()))
      continue;
    ArrayRef<Position> places = argument.getAs<Position>();
    first = places.empty() ? 0 : places.front().first;
    for (auto [i, at] : llvm::enumerate(places)) {
      visible = std::max(visible, at.row - at.first + 1);
      first = at.first == first && (i == 0 || at.row == places[i - 1].row + 1) ? first : -1;
    }
  }
  return kind == NativeArgument::Kind::Visible ? visible : first;
}

namespace {

/// The operands of a launch where kernels see them: where they lie, or copies in a device's memory.
class PlacedOperands {
public:
  explicit PlacedOperands(runtime::Device *device) : device(device) {}

  /// Where the kernel sees `bytes`.
  Expected<uint8_t *> place(MutableArrayRef<uint8_t> bytes) {
    if (!device)
      return bytes.data();
    auto copy = runtime::DeviceMemory::allocate(*device, bytes.size(), runtime::Device::Use::Whole, "an operand");
    if (!copy)
      return llvm::createStringError(copy.error().message);
    if (auto done = device->write(copy->data(), bytes.data(), bytes.size()); !done)
      return llvm::createStringError(done.error().message);
    copies.push_back({bytes, std::move(*copy)});
    return copies.back().second.data();
  }
  /// Fetches all of them.
  Error fetch() {
    if (device)
      if (auto done = device->finish(); !done)
        return llvm::createStringError(done.error().message);
    for (auto &[bytes, copy] : copies)
      if (auto done = device->read(bytes.data(), copy.data(), bytes.size()); !done)
        return llvm::createStringError(done.error().message);
    return Error::success();
  }

private:
  runtime::Device *device;
  std::vector<std::pair<MutableArrayRef<uint8_t>, runtime::DeviceMemory>> copies;
};

} // namespace

Expected<std::vector<Tensor>> NativeKernels::run(KernelOp kernel, ArrayRef<Tensor> arguments, const SymbolSizes &sizes,
                                                 int threads) {
  FailureOr<SmallVector<NativeArgument>> signature = codegen::getSignature(kernel, device != nullptr);
  std::vector<RankedTensorType> results;
  for (Type type : kernel.getResultTypes())
    if (FailureOr<RankedTensorType> result = resolveType(cast<RankedTensorType>(type), sizes); succeeded(result))
      results.push_back(*result);
  if (failed(signature) || results.size() != kernel.getNumResults())
    return llvm::createStringError("a kernel without a signature");
  auto memory = makeOperands(kernel, arguments, results);
  if (!memory)
    return memory.takeError();

  std::vector<int32_t> pages = placePages(kernel);
  PlacedOperands placed(device.get());
  std::vector<uint8_t *> addresses;
  for (GuardedMemory &operand : *memory) {
    Expected<uint8_t *> address = placed.place(operand.whole());
    if (!address)
      return address.takeError();
    addresses.push_back(*address + (operand.data() - operand.whole().data()));
  }
  Expected<uint8_t *> table =
      placed.place(MutableArrayRef<uint8_t>(reinterpret_cast<uint8_t *>(pages.data()), pages.size() * sizeof(int32_t)));
  if (!table)
    return table.takeError();
  std::vector<std::vector<NativeDim>> dims(signature->size());
  std::vector<NativeBuffer> buffers(signature->size());
  llvm::SmallVector<intptr_t> values;
  if (device)
    values.push_back(reinterpret_cast<intptr_t>(static_cast<void *>(device.get())));
  for (auto [i, native] : llvm::enumerate(*signature)) {
    if (native.isScalar()) {
      values.push_back(getScalar(arguments, native.kind));
      continue;
    }
    for (const BufferDim &dim : native.dims) {
      int64_t extent = dim.extent.isStatic() ? dim.extent.size() : sizes.lookup(dim.extent.name());
      int64_t stride = dim.stride;
      for (StringAttr inner : dim.inner)
        stride *= sizes.lookup(inner);
      dims[i].push_back({0, static_cast<int32_t>(extent), static_cast<int32_t>(stride), 0});
    }
    bool arePages = native.kind == NativeArgument::Kind::Pages;
    if (arePages)
      dims[i].push_back({0, static_cast<int32_t>(pages.size()), 1, 0});
    uint8_t *address = arePages ? *table : addresses[native.operand] + native.byteOffset;
    buffers[i] = {device ? reinterpret_cast<uint64_t>(address) : 0,
                  device.get(),
                  device ? nullptr : address,
                  0,
                  native.element.code,
                  native.element.bits,
                  1,
                  static_cast<int32_t>(dims[i].size()),
                  dims[i].data(),
                  nullptr};
    values.push_back(reinterpret_cast<intptr_t>(&buffers[i]));
  }
  auto setThreads = jit->lookup("halide_set_num_threads");
  auto function = jit->lookup(kernel.getSymName());
  if (!setThreads || !function)
    return llvm::joinErrors(setThreads ? Error::success() : setThreads.takeError(),
                            function ? Error::success() : function.takeError());
  setThreads->toPtr<int (*)(int)>()(threads);
  if (int32_t code = callNative(*function, values))
    return llvm::createStringError("the kernel returned " + std::to_string(code));
  if (Error error = placed.fetch())
    return error;
  if (!llvm::all_of(*memory, [](GuardedMemory &operand) { return operand.isIntact(); }))
    return llvm::createStringError("the kernel wrote outside of its buffers");
  return readResults(kernel, results, *memory);
}

} // namespace quern::test
