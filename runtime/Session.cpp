//===- Session.cpp - runs the entries of a compiled model --------------------------------------===//

#include "quern/Runtime.h"

#include "runtime/CpuFeatures.h"
#include "runtime/Description.h"
#include "runtime/HalideGlue.h"
#include "runtime/HugePages.h"
#include "runtime/InputCheck.h"
#include "runtime/Loader.h"
#include "runtime/Memory.h"
#include "runtime/RoutingWatch.h"
#include "runtime/TargetChoice.h"
#include "runtime/devices/Device.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <sys/mman.h>

namespace quern::runtime {

struct Session::Impl {
  Description description;
  const Target *target = nullptr;
  const QuernProgramTable *programs = nullptr;
  /// The file's data when this session has mapped it.
  Mapping file;
  /// Moves the weights of a mapped file; null where the caller gave the data.
  std::unique_ptr<HugePages> hugePages;
  std::span<const uint8_t> data;
  std::unique_ptr<KernelHost> host;
  std::unique_ptr<Device> device;
  /// Why devices that come before it were not taken.
  std::string passedOver;
  /// The weights where they are not the data itself.
  DeviceMemory ownWeights;
  const void *weights = nullptr;
  /// Scratch memory of the largest program.
  DeviceMemory arena;
  /// All states, one behind the other.
  DeviceMemory states;
  std::vector<void *> statePointers;
  /// The rows of a sequence in all caches.
  std::optional<int64_t> stateRows;
  /// Whether some and whether all caches are paged.
  bool hasSomePages = false, hasPages = false;
  /// Which page holds which rows.
  std::vector<int32_t> pages;
  /// The pages as kernels read them, and whether these are they; arguments and results of a run. Only where a device
  /// has memory of its own.
  DeviceMemory devicePages;
  bool arePagesKnown = false;
  std::vector<DeviceMemory> operands;
  /// What a device could not do between runs, for the next one to tell.
  std::optional<Error> failure;
  LaunchHook hook;
  bool profiling = false;
  std::vector<KernelLaunch> launches;
  RoutingNotes notes;

  Result<void> allocateStates(int64_t count);
  Result<void> startStates();
  Result<void> choose(const SessionOptions &options);
  Result<void> allocate(const SessionOptions &options);
  Result<void> placeWeights();
  Result<const int32_t *> placePages();
  Result<void *> placeOperand(size_t index, const void *values, uint64_t bytes);
  Result<void> placeOperands(std::span<const TensorView> inputs, std::span<const MutableTensorView> outputs,
                             std::vector<void *> &addresses);
  Result<void> fetchResults(size_t first, std::span<const MutableTensorView> outputs);
  void note(Result<void> done);
  Result<bool> hasOverflow(size_t state, std::vector<int32_t> used) const;
  Result<void> moveRow(size_t state, int64_t from, int64_t to);
  const Program &chooseProgram(uint32_t entry, std::span<const int32_t> dims) const;
  Result<void> launch(const Program &program, QuernProgramArgs args);
  Result<std::vector<int32_t>> check(uint32_t entry, std::span<const TensorView> inputs) const;
};

/// What a profiled program's callback works on.
namespace {
struct Profile {
  /// Null: launches are not measured.
  std::vector<KernelLaunch> *launches;
  const Program *program;
  /// The program's place among those of the target.
  uint32_t place;
  /// The run's sizes, for what a launch works on.
  const int32_t *dims;
  int32_t visible;
  RoutingWatch *routing;
  Device *device;
  /// How many launches have ended.
  uint32_t ended = 0;
};

/// What `KernelHost::run` calls.
struct Launch {
  QuernProgram program;
  const QuernProgramArgs *args;
};
} // namespace

template <typename ViewT> static uint64_t countBytes(const ViewT &view) {
  uint64_t bytes = getElementSize(view.dtype);
  for (int64_t size : view.shape)
    bytes *= static_cast<uint64_t>(size);
  return bytes;
}

static uint64_t alignUp(uint64_t bytes) { return (bytes + QUERN_ALIGNMENT - 1) / QUERN_ALIGNMENT * QUERN_ALIGNMENT; }

Session::Session(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Session::~Session() = default;

/// The parts of the weights that are often read.
static std::vector<HugePages::Range> findOften(const Description &description) {
  std::vector<HugePages::Range> ranges;
  for (const Parameter &parameter : description.parameters)
    ranges.push_back({parameter.offset, parameter.offset + parameter.oftenBytes});
  std::sort(ranges.begin(), ranges.end(),
            [](const HugePages::Range &a, const HugePages::Range &b) { return a.begin < b.begin; });
  return ranges;
}

Result<std::unique_ptr<Session>> Session::open(const std::string &path, const SessionOptions &options) {
  Image image;
  image.programs = &quern_programs;
  image.description = {reinterpret_cast<const char *>(quern_description), static_cast<size_t>(quern_description_size)};
  Result<Mapping> data = mapData(path, image.description);
  if (!data)
    return data.error();
  image.data = {data->data(), static_cast<size_t>(data->size())};
  Result<std::unique_ptr<Session>> session = create(image, options);
  if (session) {
    Impl &impl = *(*session)->impl;
    impl.file = std::move(*data);
    uint64_t bytes = std::min<uint64_t>(impl.description.weightsBytes, impl.file.size());
    if (!impl.device->isHost())
      return session;
    std::vector<HugePages::Range> often = findOften(impl.description);
    impl.hugePages = std::make_unique<HugePages>(std::span(impl.file.data(), bytes), often);
  }
  return session;
}

/// Whether the description's ranges lie within `bytes` bytes of data.
static Result<void> checkData(const Description &description, uint64_t bytes) {
  if (description.weightsBytes > bytes)
    return Error{"the weights take " + std::to_string(description.weightsBytes) + " bytes, the file has " +
                 std::to_string(bytes)};
  if (!description.text)
    return {};
  uint64_t end = description.text->tokenizerOffset + description.text->tokenizerBytes;
  if (end > bytes)
    return Error{"the tokenizer ends at byte " + std::to_string(end) + " of the data, the file has " +
                 std::to_string(bytes)};
  return {};
}

Result<std::unique_ptr<Session>> Session::create(const Image &image, const SessionOptions &options) {
  auto impl = std::make_unique<Impl>();
  Result<Description> description = parseDescription(image.description, image.programs->count);
  if (!description)
    return description.error();
  impl->description = std::move(*description);
  impl->programs = image.programs;
  impl->data = image.data;
  if (Result<void> valid = checkData(impl->description, image.data.size()); !valid)
    return valid.error();
  if (Result<void> done = impl->choose(options); !done)
    return done.error();
  for (const ExpertArray &array : impl->description.experts)
    impl->notes.choices.push_back({0, std::vector<int64_t>(static_cast<size_t>(array.experts)), {}});
  Result<void> done = impl->allocate(options);
  if (!done && !options.device && !impl->device->isHost())
    return Error{done.error().message + "; the device `cpu` does without"};
  if (!done)
    return done.error();
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

/// What runs the kernels: the device that is asked for, else the first of those by default that there is a target for
/// and that the machine has.
Result<void> Session::Impl::choose(const SessionOptions &options) {
  const std::vector<Target> &targets = description.targets;
  auto isFor = [&](std::string_view word) {
    return [&options, word](const Target &one) {
      return one.device == word && (!options.target || one.name == *options.target);
    };
  };
  std::vector<std::string_view> words = listDefaultDevices();
  if (options.device)
    words = {*options.device};
  std::string_view chosen = words.back();
  for (std::string_view word : words) {
    if (std::ranges::none_of(targets, isFor(word)))
      continue;
    Result<std::unique_ptr<Device>> made = createDevice(word);
    if (made) {
      device = std::move(*made);
      chosen = word;
      break;
    }
    passedOver = made.error().message;
  }
  if (!device && !passedOver.empty())
    return Error{passedOver};
  Result<uint32_t> found = chooseTarget(targets, options.target, hasCpuFeature, chosen);
  if (!found)
    return found.error();
  target = &targets[*found];
  return {};
}

Result<void> Session::Impl::allocate(const SessionOptions &options) {
  // Beside a device, one thread asks for what it is to do.
  unsigned threads = device->isHost() ? std::min(countAllowedCpus(), maxThreads) : 1;
  Result<std::unique_ptr<KernelHost>> seats = KernelHost::create(options.threads.value_or(threads));
  if (!seats)
    return seats.error();
  host = std::move(*seats);
  if (Result<void> done = placeWeights(); !done)
    return done;
  uint64_t arenaBytes = 0;
  for (const Program &program : target->programs)
    arenaBytes = std::max(arenaBytes, program.arenaBytes);
  Result<DeviceMemory> scratch = DeviceMemory::allocate(*device, arenaBytes, Device::Use::Whole, "the arena");
  if (!scratch)
    return scratch.error();
  arena = std::move(*scratch);
  for (const State &state : description.states)
    if (state.rows)
      stateRows = std::min(stateRows.value_or(*state.rows), *state.rows);
  auto isPaged = [](const State &state) { return state.rows && state.layout.pages; };
  hasSomePages = std::any_of(description.states.begin(), description.states.end(), isPaged);
  hasPages = stateRows && std::all_of(description.states.begin(), description.states.end(),
                                      [](const State &state) { return !state.rows || state.layout.pages; });
  return allocateStates(stateRows ? countPages(*stateRows) : 1);
}

/// The weights where kernels read them: the data itself, or a copy.
Result<void> Session::Impl::placeWeights() {
  weights = data.data();
  if (device->isHost())
    return {};
  Result<DeviceMemory> memory =
      DeviceMemory::allocate(*device, description.weightsBytes, Device::Use::Whole, "the weights");
  if (!memory)
    return memory.error();
  ownWeights = std::move(*memory);
  weights = ownWeights.data();
  return device->write(ownWeights.data(), data.data(), description.weightsBytes);
}

/// The table of pages where kernels read it.
Result<const int32_t *> Session::Impl::placePages() {
  if (device->isHost())
    return static_cast<const int32_t *>(pages.data());
  uint64_t bytes = pages.size() * sizeof(int32_t);
  if (devicePages.size() < bytes) {
    Result<DeviceMemory> memory = DeviceMemory::allocate(*device, bytes, Device::Use::Whole, "the table of pages");
    if (!memory)
      return memory.error();
    devicePages = std::move(*memory);
    arePagesKnown = false;
  }
  if (!arePagesKnown)
    if (Result<void> done = device->write(devicePages.data(), pages.data(), bytes); !done)
      return done.error();
  arePagesKnown = true;
  return reinterpret_cast<const int32_t *>(devicePages.data());
}

/// An argument where kernels read it, or, where `values` is null, room for a result.
Result<void *> Session::Impl::placeOperand(size_t index, const void *values, uint64_t bytes) {
  if (operands.size() <= index)
    operands.resize(index + 1);
  DeviceMemory &memory = operands[index];
  if (!memory.data() || memory.size() < bytes) {
    Result<DeviceMemory> room = DeviceMemory::allocate(*device, bytes, Device::Use::Whole, "an argument or a result");
    if (!room)
      return room.error();
    memory = std::move(*room);
  }
  if (values)
    if (Result<void> done = device->write(memory.data(), values, bytes); !done)
      return done.error();
  return static_cast<void *>(memory.data());
}

Result<void> Session::Impl::placeOperands(std::span<const TensorView> inputs,
                                          std::span<const MutableTensorView> outputs, std::vector<void *> &addresses) {
  for (size_t i = 0; i < addresses.size(); ++i) {
    bool isInput = i < inputs.size();
    uint64_t bytes = isInput ? countBytes(inputs[i]) : countBytes(outputs[i - inputs.size()]);
    Result<void *> address = placeOperand(i, isInput ? inputs[i].data : nullptr, bytes);
    if (!address)
      return address.error();
    addresses[i] = *address;
  }
  return {};
}

/// Reads results that lie behind `first` arguments.
Result<void> Session::Impl::fetchResults(size_t first, std::span<const MutableTensorView> outputs) {
  for (size_t i = 0; i < outputs.size() && !device->isHost(); ++i)
    if (Result<void> done = device->read(outputs[i].data, operands[first + i].data(), countBytes(outputs[i])); !done)
      return done;
  return {};
}

/// Keeps the first error, for the next run.
void Session::Impl::note(Result<void> done) {
  if (!done && !failure)
    failure = done.error();
}

/// The bytes of a state with `count` pages.
static uint64_t getBytes(const State &state, int64_t count) {
  bool isLarger = state.layout.pages && count > countPages(*state.rows);
  return isLarger ? static_cast<uint64_t>(count * *state.layout.pages * state.layout.bytes) : state.bytes;
}

/// Makes the states anew, paged caches with memory for `count` pages.
Result<void> Session::Impl::allocateStates(int64_t count) {
  uint64_t bytes = 0;
  for (const State &state : description.states)
    bytes += alignUp(getBytes(state, count));
  // Small pages: a session touches the rows that it fills, and there are many states.
  Result<DeviceMemory> memory = DeviceMemory::allocate(*device, bytes, Device::Use::Touched, "the states");
  if (!memory)
    return memory.error();
  states = std::move(*memory);
  statePointers.clear();
  uint8_t *next = states.data();
  for (const State &state : description.states) {
    statePointers.push_back(next);
    next += alignUp(getBytes(state, count));
  }
  pages.resize(static_cast<size_t>(count));
  std::iota(pages.begin(), pages.end(), 0);
  arePagesKnown = false;
  return startStates();
}

const Description &Session::getDescription() const { return impl->description; }
const Target &Session::getTarget() const { return *impl->target; }
unsigned Session::getThreadCount() const { return impl->host->getThreadCount(); }
std::string Session::getDeviceName() const { return impl->device->getName(); }
const std::string &Session::getPassedOver() const { return impl->passedOver; }
std::span<const uint8_t> Session::getData() const { return impl->data; }
std::optional<int64_t> Session::getStateRows() const { return impl->stateRows; }
bool Session::hasPages() const { return impl->hasPages; }
void Session::prepareWeights() {
  if (impl->hugePages)
    impl->hugePages->start();
}
void Session::settleWeights() {
  prepareWeights();
  if (impl->hugePages)
    impl->hugePages->finish();
}
void Session::setProfiling(bool enabled) { impl->profiling = enabled; }

void Session::setLaunchHook(LaunchHook hook) { impl->hook = hook; }
size_t Session::mark() { return impl->device->mark(); }
Result<void> Session::takeMarks(std::vector<int64_t> &times) { return impl->device->takeMarks(0, times); }
Result<void> Session::finish() { return impl->device->finish(); }
const std::vector<KernelLaunch> &Session::getLaunches() const { return impl->launches; }
void Session::setRoutingRecord(RoutingRecord record) { impl->notes.record = record; }
const std::vector<ExpertChoices> &Session::getChoices() const { return impl->notes.choices; }

std::optional<uint32_t> Session::findEntry(std::string_view name) const {
  const std::vector<Entry> &entries = impl->description.entries;
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].name == name)
      return static_cast<uint32_t>(i);
  return std::nullopt;
}

/// Whether a cache of f16 holds what was beyond it, of the pages `used`.
Result<bool> Session::Impl::hasOverflow(size_t state, std::vector<int32_t> used) const {
  const RowLayout &layout = description.states[state].layout;
  uint64_t pageBytes = static_cast<uint64_t>(layout.pages.value_or(0)) * sizeof(uint16_t);
  if (!layout.pages)
    used = {0}, pageBytes = description.states[state].bytes;
  for (int32_t page : used) {
    auto *memory = static_cast<uint8_t *>(statePointers[state]) + static_cast<uint64_t>(page) * pageBytes;
    Result<HostView> view = HostView::open(*device, memory, pageBytes);
    if (!view)
      return view.error();
    auto *values = reinterpret_cast<const uint16_t *>(view->data());
    const uint16_t *end = values + pageBytes / sizeof(uint16_t);
    if (std::find(values, end, uint16_t(QUERN_BEYOND_F16)) != end)
      return true;
  }
  return false;
}

const State *Session::findOverflow() const {
  // Pages that the table does not have may never have been touched.
  std::vector<int32_t> used = impl->pages;
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  const std::vector<State> &all = impl->description.states;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i].rows || all[i].dtype != "f16")
      continue;
    if (Result<bool> found = impl->hasOverflow(i, used); found && *found)
      return &all[i];
  }
  return nullptr;
}

Result<int64_t> Session::resizePages(int64_t count) {
  // Kernels count a cache's elements in 32 bits where those of one sequence allow it.
  int64_t least = countPages(impl->stateRows.value_or(1)), most = std::numeric_limits<int32_t>::max() / QUERN_PAGE_ROWS;
  for (const State &state : impl->description.states)
    if (state.layout.pages)
      most = std::min(most, std::numeric_limits<int32_t>::max() / *state.layout.pages);
  count = impl->hasPages ? std::max(least, std::min(count, most)) : least;
  Result<void> done = impl->allocateStates(count);
  return done ? Result(count) : done.error();
}

void Session::setPages(std::span<const int32_t> pages) {
  if (std::ranges::equal(impl->pages, pages))
    return;
  impl->pages.assign(pages.begin(), pages.end());
  impl->arePagesKnown = false;
}

void Session::copyPage(int64_t from, int64_t to) {
  for (size_t i = 0; i < impl->statePointers.size(); ++i) {
    const RowLayout &layout = impl->description.states[i].layout;
    if (!layout.pages)
      continue;
    int64_t bytes = *layout.pages * layout.bytes;
    auto *memory = static_cast<uint8_t *>(impl->statePointers[i]);
    impl->note(impl->device->copy(memory + to * bytes, memory + from * bytes, static_cast<uint64_t>(bytes)));
  }
}

Result<void> Session::Impl::moveRow(size_t state, int64_t from, int64_t to) {
  const RowLayout &layout = description.states[state].layout;
  auto at = [&](int64_t row) {
    int64_t begin = 0;
    if (layout.pages) {
      begin = pages[static_cast<size_t>(row / QUERN_PAGE_ROWS)] * *layout.pages;
      row %= QUERN_PAGE_ROWS;
    }
    begin += row / layout.lanes.count * layout.groups + row % layout.lanes.count * layout.lanes.stride;
    return static_cast<uint8_t *>(statePointers[state]) + begin * layout.bytes;
  };
  auto count = [](int64_t value) { return static_cast<uint32_t>(value); };
  auto stride = [&](int64_t elements) { return static_cast<uint64_t>(elements * layout.bytes); };
  SpreadElements elements{static_cast<uint64_t>(layout.bytes), count(layout.heads.count), count(layout.elements.count),
                          stride(layout.heads.stride), stride(layout.elements.stride)};
  return device->copy(at(to), at(from), elements);
}

void Session::moveStateRow(int64_t from, int64_t to) {
  for (size_t i = 0; i < impl->statePointers.size() && from != to; ++i)
    if (impl->description.states[i].rows)
      impl->note(impl->moveRow(i, from, to));
}

void Session::resetStates() {
  impl->note(impl->states.clear());
  impl->note(impl->startStates());
}

/// Gives the states, which are zeros, what else they start as.
Result<void> Session::Impl::startStates() {
  for (size_t i = 0; i < description.states.size(); ++i)
    if (const State &state = description.states[i]; state.start)
      if (Result<void> done = device->write(statePointers[i], data.data() + *state.start, state.bytes); !done)
        return done;
  return {};
}

/// The first program of the entry that fits: the description lists the most special first, and parseDescription has
/// made sure that one fits all sizes.
const Program &Session::Impl::chooseProgram(uint32_t entry, std::span<const int32_t> dims) const {
  auto fits = [&](const Program &program) {
    return program.entry == entry && std::all_of(program.when.begin(), program.when.end(),
                                                 [&](const auto &size) { return dims[size.first] == size.second; });
  };
  return *std::find_if(target->programs.begin(), target->programs.end(), fits);
}

/// The sum of `terms` at the sizes of the run.
static double evaluate(const std::vector<WorkTerm> &terms, const Profile &profile) {
  double sum = 0;
  for (const WorkTerm &term : terms) {
    double product = term.count;
    for (int32_t size : term.sizes)
      product *= size == WorkTerm::visible  ? profile.visible
                 : size == WorkTerm::chosen ? profile.routing->countChosen(profile.ended)
                                            : profile.dims[size];
    sum += product;
  }
  return sum;
}

static void recordKernel(void *context, int32_t kernel, int32_t begin) {
  auto *profile = static_cast<Profile *>(context);
  const std::vector<Kernel> &kernels = profile->program->kernels;
  if (kernel < 0 || static_cast<size_t>(kernel) >= kernels.size())
    return;
  if (!begin) {
    if (profile->launches)
      profile->device->mark();
    profile->routing->finish(profile->ended++);
    return;
  }
  if (!profile->launches)
    return;
  const Kernel &launched = kernels[static_cast<size_t>(kernel)];
  KernelLaunch launch{profile->place, static_cast<uint32_t>(kernel)};
  launch.bytes = evaluate(launched.bytes, *profile);
  launch.operations = evaluate(launched.operations, *profile);
  profile->launches->push_back(launch);
  profile->device->mark();
}

/// Gives the launches from number `first` on the times of the device's marks, two of each, behind number `mark`.
static Result<void> takeTimes(std::vector<KernelLaunch> &launches, size_t first, Device &device, size_t mark) {
  std::vector<int64_t> times;
  Result<void> done = device.takeMarks(mark, times);
  for (size_t i = 1; done && i + 1 < times.size(); i += 2) {
    KernelLaunch &launch = launches[first + i / 2];
    launch.begin = times[i], launch.end = times[i + 1];
  }
  return done;
}

static int32_t callProgram(void *context) {
  auto *launch = static_cast<Launch *>(context);
  return launch->program(launch->args);
}

Result<void> Session::Impl::launch(const Program &program, QuernProgramArgs args) {
  if (hugePages)
    hugePages->start();
  if (failure)
    return *std::exchange(failure, std::nullopt);
  Result<const int32_t *> table = placePages();
  if (!table)
    return table.error();
  auto place = static_cast<size_t>(&program - target->programs.data());
  RoutingWatch routing(description, program, args.dims, *device, arena.data(), notes);
  Profile profile{profiling ? &launches : nullptr,
                  &program,
                  static_cast<uint32_t>(place),
                  args.dims,
                  args.visible,
                  &routing,
                  device.get()};
  bool isWatched = profiling || notes.record != RoutingRecord::None;
  args.arena = arena.data();
  args.weights = weights;
  args.states = statePointers.data();
  args.pages = *table;
  args.page_count = static_cast<int32_t>(pages.size());
  args.profile = hook.call ? hook.call : isWatched ? recordKernel : nullptr;
  args.profile_context = hook.call ? hook.context : isWatched ? &profile : nullptr;
  args.device = device->isHost() ? nullptr : device.get();
  Launch call{programs->programs[program.index], &args};
  bool isTimed = profiling && !hook.call;
  size_t first = launches.size(), mark = isTimed ? device->mark() : 0;
  int32_t code = host->run(callProgram, &call);
  if (Result<void> done = isTimed ? takeTimes(launches, first, *device, mark) : device->finish(); !done)
    return done;
  if (!code)
    return {};
  std::string message = host->takeMessage();
  return Error{"the entry `" + description.entries[program.entry].name + "` failed with code " + std::to_string(code) +
                   (message.empty() ? "" : ": " + message),
               ErrorKind::Internal};
}

Result<std::vector<int32_t>> Session::Impl::check(uint32_t entry, std::span<const TensorView> inputs) const {
  const Entry &found = description.entries[entry];
  Result<std::vector<int32_t>> dims = bindDims(found, inputs);
  if (!dims)
    return dims;
  std::optional<CacheRows> rows;
  if (stateRows) {
    int64_t all = hasPages ? static_cast<int64_t>(pages.size()) * QUERN_PAGE_ROWS : *stateRows;
    rows = {*stateRows, all, hasSomePages};
  }
  if (Result<void> valid = checkValues(found, inputs, *dims, rows); !valid)
    return valid.error();
  return dims;
}

Result<std::vector<Tensor>> Session::run(uint32_t entry, std::span<const TensorView> inputs) {
  Result<std::vector<int32_t>> dims = impl->check(entry, inputs);
  if (!dims)
    return dims.error();
  std::vector<Tensor> results;
  std::vector<MutableTensorView> views;
  for (const Operand &result : impl->description.entries[entry].results)
    results.emplace_back(result.dtype, getShape(result, *dims));
  for (Tensor &result : results)
    views.push_back(result.mutableView());
  if (Result<void> done = run(entry, inputs, views); !done)
    return done.error();
  return results;
}

Result<void> Session::run(uint32_t entry, std::span<const TensorView> inputs,
                          std::span<const MutableTensorView> outputs) {
  Result<std::vector<int32_t>> dims = impl->check(entry, inputs);
  if (!dims)
    return dims.error();
  const Entry &found = impl->description.entries[entry];
  if (Result<void> valid = checkOutputs(found, outputs, *dims); !valid)
    return valid;
  std::vector<void *> operands;
  for (const TensorView &input : inputs)
    operands.push_back(const_cast<void *>(input.data));
  for (const MutableTensorView &output : outputs)
    operands.push_back(output.data);
  if (!impl->device->isHost())
    if (Result<void> done = impl->placeOperands(inputs, outputs, operands); !done)
      return done;
  QuernProgramArgs args{};
  args.operands = operands.data();
  args.dims = dims->data();
  CacheUse use = getCacheUse(found, inputs);
  args.visible = use.visible;
  args.first = use.first;
  if (Result<void> done = impl->launch(impl->chooseProgram(entry, *dims), args); !done)
    return done;
  return impl->fetchResults(inputs.size(), outputs);
}

} // namespace quern::runtime
