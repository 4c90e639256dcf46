//===- Runtime.h - runs the entries of a compiled model ----------------------------------------===//

#ifndef QUERN_RUNTIME_H
#define QUERN_RUNTIME_H

#include "quern/Format.h"
#include "quern/Result.h"
#include "quern/Tensor.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quern::runtime {

/// A size of an operand: a number, or one of the entry's symbolic dimensions.
struct Dim {
  /// The size when `symbol` is negative.
  int64_t size = 0;
  /// Index into the entry's symbols, or -1.
  int32_t symbol = -1;
};

/// An argument or a result of an entry.
struct Operand {
  std::string name;
  DType dtype = DType::F32;
  /// Whether the elements are {rotary position, cache row, first row of its sequence}: then the last size is 3 and
  /// dtype is I32.
  bool isPosition = false;
  /// Outermost first.
  std::vector<Dim> shape;
  /// The elements of an i32 input are indices, those of a position input rotary positions, from 0 and below each of
  /// these. Without any, indices are not checked. Rotary positions are below the states' rows, too.
  std::vector<Dim> below;
  /// Of a position input: what the cache rows are below, beside the states' rows.
  std::vector<Dim> rows;
};

/// A symbolic dimension: its size is in [1, bound].
struct Symbol {
  std::string name;
  int32_t bound = 0;
};

/// What a model offers to be run.
struct Entry {
  std::string name;
  /// What more may be done with it than to run it on tensors; see Format.h. Empty: nothing.
  std::string role;
  std::vector<Operand> inputs;
  std::vector<Operand> results;
  std::vector<Symbol> symbols;
};

/// How many of something there are, and how many elements each lies behind the one before it.
struct Strided {
  int64_t count = 1, stride = 0;
};

/// Pages of that many cache rows, 0 or more.
inline int64_t countPages(int64_t rows) { return (rows + QUERN_PAGE_ROWS - 1) / QUERN_PAGE_ROWS; }

/// How the rows of a cache lie, in elements: row r of a page begins at (r / lanes) · groups + (r % lanes) · stride of
/// lanes, and has `heads` times `elements`.
struct RowLayout {
  /// Bytes of an element.
  int64_t bytes = 0;
  Strided lanes, elements, heads;
  int64_t groups = 0;
  /// From one page to the next; none where all rows are one.
  std::optional<int64_t> pages;
};

/// Memory that keeps its values from one run to the next.
struct State {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  uint64_t bytes = 0;
  /// How many tokens a cache holds; none for a variable.
  std::optional<int64_t> rows;
  /// How the rows of a cache lie.
  RowLayout layout;
  /// Where, in the packed weights, what it starts as is; zeros without.
  std::optional<uint64_t> start;
};

/// A parameter's place in the packed weights.
struct Parameter {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  /// How many of the first bytes are often read.
  uint64_t oftenBytes = 0;
};

/// An array of experts that rows choose among.
struct ExpertArray {
  std::string name;
  int32_t experts = 0;
  /// How many numbers the weights of one expert have.
  int64_t numbers = 0;
  /// The experts as they lie in memory.
  std::vector<int32_t> order;
};

/// Where a program sorts what rows chose.
struct Routing {
  /// Index into the description's arrays of experts.
  uint32_t array = 0;
  /// How many rows choose, and how many experts each.
  Dim rows;
  int32_t slots = 0;
  /// The launch, counted within a run, after which the arena holds at these bytes the slots in the order of the places
  /// that they chose, and where those of each place begin.
  uint32_t launch = 0;
  uint64_t order = 0, begins = 0;
  /// The launches that read the weights of the experts that were chosen.
  std::vector<uint32_t> readers;
};

/// A part of a quantity that depends on a run's sizes: `count` times the product of `sizes`.
struct WorkTerm {
  /// In `sizes`: how many cache rows the token that sees most of them sees.
  static constexpr int32_t visible = -1;
  /// In `sizes`: how many experts, of those that the launch reads, at least one row chose.
  static constexpr int32_t chosen = -2;

  double count = 0;
  /// Indices into the entry's symbols, `visible`, or `chosen`.
  std::vector<int32_t> sizes;
};

/// What the products of a kernel are computed in.
enum class Arithmetic {
  F32,
  I8,   ///< products of bytes, summed as integers
  BF16, ///< products of bf16, summed in f32
};

/// A kernel that programs launch, for measurements.
struct Kernel {
  std::string symbol;
  std::string form;
  Arithmetic arithmetic = Arithmetic::F32;
  /// `model.qn:12:5`, or nothing.
  std::string location;
  /// What a launch reads and writes, and what it computes, as sums. Empty where the compiler does not say.
  std::vector<WorkTerm> bytes, operations;
};

/// An entry compiled for some sizes.
struct Program {
  uint32_t entry = 0;
  /// The sizes it needs: (index into the entry's symbols, size).
  std::vector<std::pair<uint32_t, int32_t>> when;
  uint64_t arenaBytes = 0;
  std::vector<Kernel> kernels;
  /// In the order of the launches.
  std::vector<Routing> routing;
  /// Its row of the table of programs.
  uint32_t index = 0;
};

/// A kind of machine that the binary has programs for.
struct Target {
  std::string name;
  /// What runs the kernels: `cpu`, or a word of runtime/devices/Devices.def.
  std::string device = "cpu";
  /// Where a text has the same bits in whatever pieces and company: on every machine that runs the `target`, or on one
  /// `device` by one driver. Steps of `rowsApart` rows at most have others.
  std::string sameBits = "target";
  std::optional<int64_t> rowsApart;
  /// What the CPU must have.
  std::vector<std::string> features;
  std::vector<Program> programs;
};

/// What turns text into tokens and back.
struct TextDescription {
  /// Range of the tokenizer.json within the data section.
  uint64_t tokenizerOffset = 0;
  uint64_t tokenizerBytes = 0;
  std::optional<std::string> chatTemplate;
  std::optional<std::string> bos;
  std::optional<std::string> eos;
  std::optional<int32_t> bosId;
  /// The ids that end a text.
  std::vector<int32_t> eosIds;
  bool addBos = false;
  uint32_t vocabSize = 0;
};

/// Sizes of an image.
struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
};

/// How the pixels around a place are weighed when a picture is resized.
enum class Filter { Bilinear, Bicubic };

/// How pictures become the input of an image classifier, and what its classes are called.
/// The steps follow in this order.
struct ImageDescription {
  /// Resized to this size, the shape not kept; or so that the shorter side is `shortestEdge`, the shape kept.
  std::optional<ImageSize> resize;
  std::optional<int64_t> shortestEdge;
  Filter filter = Filter::Bilinear;
  /// The first and last pixels stay first and last, source = i (n - 1) / (m - 1); else source = (i + 0.5) n / m - 0.5.
  bool alignCorners = false;
  /// As Pillow does it: when shrinking, every pixel counts (the filter is as much wider). Bicubic is always so.
  bool antialias = false;
  /// Cut from the middle; what lies outside is 0.
  std::optional<ImageSize> crop;
  /// 0 to 255 times this, minus `mean`, divided by `std`, which may be empty or have a value per channel.
  double rescaleFactor = 1;
  std::vector<double> mean, std;
  /// Names of the classes, or empty.
  std::vector<std::string> labels;
  /// Whether the entry gives probabilities; else logits, of which the softmax is taken.
  bool givesProbabilities = false;
};

/// All that the compiler tells the runtime of a model (quern/Format.h).
struct Description {
  std::string model;
  std::vector<Entry> entries;
  std::vector<State> states;
  uint64_t weightsBytes = 0;
  std::vector<Parameter> parameters;
  std::vector<ExpertArray> experts;
  std::vector<Target> targets;
  /// Bytes of the packed weights per storage type.
  std::vector<std::pair<std::string, uint64_t>> quantization;
  bool exact = false;
  std::optional<TextDescription> text;
  std::optional<ImageDescription> image;
  /// Which guesses of heads a step tries: paths of a tree, each behind its longest beginning. The numbers of a path are
  /// ranks: of the first head's guesses, of the second's behind that …
  std::vector<std::vector<int32_t>> guessTree;
  /// Name and version of what made the binary.
  std::vector<std::pair<std::string, std::string>> versions;
};

/// What a session is made of: the compiled code and the data behind it.
struct Image {
  /// The programs; they outlive the session.
  const QuernProgramTable *programs = nullptr;
  /// The description's JSON.
  std::string_view description;
  /// The data section: the packed weights, aligned to QUERN_ALIGNMENT, then other data. It outlives the session.
  std::span<const uint8_t> data;
};

/// How a session runs.
struct SessionOptions {
  /// Threads in [1, 1024]; as many as the CPUs that the process may use when absent.
  std::optional<unsigned> threads;
  /// The target to run, which the CPU must support; the best that it supports when absent.
  std::optional<std::string> target;
  /// What runs the kernels, a word of runtime/devices/Devices.def; when absent the first one there that is taken by
  /// itself, that the model was compiled for and that the machine has.
  std::optional<std::string> device;
};

/// One launch of a kernel, measured.
struct KernelLaunch {
  /// Index into the target's programs, and into that program's kernels.
  uint32_t program = 0, kernel = 0;
  /// On the system's monotonic clock, in nanoseconds.
  int64_t begin = 0, end = 0;
  /// What the launch read and wrote, and computed, as the compiler counts it.
  double bytes = 0, operations = 0;
};

/// What the rows of the runs so far chose of one array of experts.
struct ExpertChoices {
  int64_t rows = 0;
  /// How many rows chose each expert.
  std::vector<int64_t> counts;
  /// The experts of each row in the order of its choices, where rows are kept.
  std::vector<std::vector<int32_t>> chosen;
};

/// What a session notes of the choice of experts.
enum class RoutingRecord {
  None,
  Counts, ///< how many rows chose each expert
  Rows,   ///< and what each row chose
};

/// Called before (`begin` is 1) and after (0) each launch of a kernel, which indexes the programs' lists of kernels.
struct LaunchHook {
  void (*call)(void *context, int32_t kernel, int32_t begin) = nullptr;
  void *context = nullptr;
};

/// A loaded model: its weights, its states and the threads that run it. One thread at a time may use a session.
class Session {
public:
  /// The model whose programs are linked into the calling binary, with the data at the end of the file `path`: that
  /// binary itself, or the shared library that the programs are in. The file's data is read when it is first used.
  static Result<std::unique_ptr<Session>> open(const std::string &path, const SessionOptions &options);
  /// A model given by its parts.
  static Result<std::unique_ptr<Session>> create(const Image &image, const SessionOptions &options);
  ~Session();

  const Description &getDescription() const;
  /// The target that runs.
  const Target &getTarget() const;
  unsigned getThreadCount() const;
  /// What runs the kernels, as people call it.
  std::string getDeviceName() const;
  /// Why devices that are taken by themselves before it were not; empty: there are none.
  const std::string &getPassedOver() const;
  /// The data section.
  std::span<const uint8_t> getData() const;
  /// The entry called `name`, if there is one.
  std::optional<uint32_t> findEntry(std::string_view name) const;
  /// How many rows of every cache a sequence has at most; no value without caches.
  std::optional<int64_t> getStateRows() const;

  /// Whether the rows of caches lie by pages of QUERN_PAGE_ROWS, which may be any.
  bool hasPages() const;
  /// Sets all states to what they start as, the caches with memory for `count` pages, or as many more as one sequence
  /// may have and as few less as kernels can count: how many. Row i is then that with the number i again. Memory is
  /// taken where it is touched.
  Result<int64_t> resizePages(int64_t count);
  /// From now on row r of the caches is row r % QUERN_PAGE_ROWS of page `pages[r / QUERN_PAGE_ROWS]`, each below the
  /// number of pages. A row of a position is below QUERN_PAGE_ROWS times their number.
  void setPages(std::span<const int32_t> pages);
  /// Copies page `from` of every cache to its page `to`.
  void copyPage(int64_t from, int64_t to);

  /// Runs an entry on `inputs`, which are in the order of the entry; new tensors with its results.
  Result<std::vector<Tensor>> run(uint32_t entry, std::span<const TensorView> inputs);
  /// The same into memory of the caller's. The shapes of `outputs` must be those that follow from the inputs.
  Result<void> run(uint32_t entry, std::span<const TensorView> inputs, std::span<const MutableTensorView> outputs);

  /// The first state of f16 that holds what is no number, as it does where it was given one beyond f16;
  /// null: there is none.
  const State *findOverflow() const;

  /// Copies row `from` of every cache to its row `to`; both are rows as positions give them. What a device cannot do
  /// here the next run tells of, as of `copyPage` and `resetStates`.
  void moveStateRow(int64_t from, int64_t to);

  /// Sets all states to what they start as and gives their memory back.
  void resetStates();

  /// Begins to move the weights to huge pages in the background, as the first run does: for a caller that has other
  /// things to prepare before it runs an entry.
  void prepareWeights();
  /// The same, and waits until they have moved, as far as they do: for a caller that measures.
  void settleWeights();
  /// Starts (or ends) measuring each kernel launch.
  void setProfiling(bool enabled);
  /// Every launch that was measured, in the order of time.
  const std::vector<KernelLaunch> &getLaunches() const;

  /// From now on `hook` is called, unless it is empty; meanwhile launches are not measured and choices not noted.
  void setLaunchHook(LaunchHook hook);
  /// Asks what runs the kernels for the time at which all is done that was asked for before: the number of this mark.
  size_t mark();
  /// Waits for all marks, puts their times, in nanoseconds, into `times`, and forgets them.
  Result<void> takeMarks(std::vector<int64_t> &times);
  /// Waits until all is done that was asked for; its first error.
  Result<void> finish();

  /// Starts (or ends) to note which experts rows choose.
  void setRoutingRecord(RoutingRecord record);
  /// What was noted, for each array of the description.
  const std::vector<ExpertChoices> &getChoices() const;

private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_H
