//===- Explanation.cpp - what a model became, and why -----------------------------------------===//

#include "tools/driver/Explanation.h"

#include "codegen/Program.h"
#include "codegen/RoutedLaunches.h"
#include "dialect/KernelWork.h"
#include "passes/fuse/Explain.h"
#include "passes/tile/CostModel.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace quern::tool {

ArrayRef<Knob> Step::getKnobs() const {
  KernelOp op = kernel;
  return quern::getKnobs(op.getForm(), getScheduleKind(getTarget(op->getParentOfType<ModuleOp>())));
}

namespace {

/// Keeps remarks.
class RemarkCollector : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit RemarkCollector(std::vector<FusionRemark> &remarks) : remarks(remarks) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    FusionRemark kept = {remark.getFunction().str(), remark.getRemarkName().str(), "",
                         remark.getRemarkType() == llvm::remarks::Type::Passed, remark.getLocation()};
    for (const remark::detail::Remark::Arg &argument : remark.getArgs())
      if (argument.key == "Reason")
        kept.reason = argument.val;
    remarks.push_back(std::move(kept));
  }

private:
  std::vector<FusionRemark> &remarks;
};

} // namespace

void collectRemarks(MLIRContext *context, std::vector<FusionRemark> &remarks) {
  remark::RemarkCategories categories;
  categories.passed = categories.missed = fusionCategory.str();
  LogicalResult enabled =
      remark::enableOptimizationRemarks(*context, std::make_unique<RemarkCollector>(remarks),
                                        std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
  assert(succeeded(enabled) && "a context without remarks takes an engine for them");
  (void)enabled;
}

/// `model.layers.*.mlp` of `model.layers.7.mlp`.
static std::string generalize(StringRef instance) {
  SmallVector<StringRef> names;
  instance.split(names, '.');
  for (StringRef &name : names)
    if (!name.empty() && llvm::all_of(name, llvm::isDigit))
      name = "*";
  return llvm::join(names, ".");
}

/// The ops of a location, each once.
static SmallVector<SourceOp> getOps(Location location) {
  SmallVector<SourceOp> ops;
  for (Origin &origin : getOrigins(location)) {
    SourceOp op = {origin.op.str(), generalize(origin.instance), std::move(origin.stack)};
    if (!llvm::is_contained(ops, op))
      ops.push_back(std::move(op));
  }
  return ops;
}

/// Whether a remark on `said` is one on `op`: of the same text, where a map stands for the elementwise ops that it was.
static bool isAbout(const SourceOp &said, const SourceOp &op) {
  return said.instance == op.instance && said.stack == op.stack && (said.op == op.op || op.op == "map");
}

/// The sizes of a program's symbols: what its variant is for, else what the user gave, else the bounds.
static std::vector<std::pair<std::string, int64_t>> getSizes(ProgramOp program, const PlanSizes &given) {
  DictionaryAttr bounds = codegen::getGeneralForm(program).getBoundsAttr(), when = program.getWhenAttr();
  auto find = [](DictionaryAttr sizes, StringAttr symbol) {
    auto size = sizes ? sizes.getAs<IntegerAttr>(symbol) : IntegerAttr();
    return size ? std::optional(size.getInt()) : std::nullopt;
  };
  std::vector<std::pair<std::string, int64_t>> sizes;
  for (StringAttr symbol : codegen::getSymbols(program)) {
    int64_t bound = find(bounds, symbol).value_or(1);
    auto wanted = given.given.find(symbol.str());
    int64_t size = wanted == given.given.end() ? bound : wanted->second;
    sizes.emplace_back(symbol.str(), find(when, symbol).value_or(size));
  }
  return sizes;
}

namespace {

/// Builds a plan, launch by launch.
class Planner {
public:
  Planner(ProgramOp program, const codegen::TargetSpec &target, const PlanSizes &sizes,
          const std::optional<runtime::Roofline> &roofline)
      : target(target), roofline(roofline), routed(codegen::getRoutedLaunches(program)) {
    plan.program = program;
    plan.sizes = getSizes(program, sizes);
    for (Type input : program.getInputTypes()) {
      auto type = cast<RankedTensorType>(input);
      if (!isa<PositionType>(type.getElementType()))
        continue;
      plan.depth = sizes.depth;
      plan.visible = plan.depth + getSize(getDims(type).front());
    }
  }

  Plan build(ArrayRef<FusionRemark> remarks);

private:
  int64_t getSize(const Dim &dim) const { return dim.isStatic() ? dim.size() : getSize(dim.name().getValue()); }
  int64_t getSize(StringRef symbol) const;
  double evaluate(ArrayRef<WorkTerm> terms, double chosen) const;
  double addExperts(ArrayRef<WorkTerm> bytes, unsigned launch);
  Step makeStep(KernelOp kernel, SmallVector<SourceOp> ops) const;
  void addLaunch(LaunchOp launch, KernelOp kernel);
  void addRemark(const FusionRemark &remark);
  void addLines();
  Line &getLine(FileLineColLoc place);

  const codegen::TargetSpec &target;
  const std::optional<runtime::Roofline> &roofline;
  SmallVector<codegen::RoutedLaunches> routed;
  Plan plan;
};

int64_t Planner::getSize(StringRef symbol) const {
  for (const auto &[name, size] : plan.sizes)
    if (name == symbol)
      return size;
  return 1;
}

/// The sum of `terms` where `chosen` experts are.
double Planner::evaluate(ArrayRef<WorkTerm> terms, double chosen) const {
  double sum = 0;
  for (const WorkTerm &term : terms) {
    double product = double(term.count);
    for (StringRef size : term.sizes)
      product *= size == chosenExperts ? chosen : double(size == visibleRows ? plan.visible : getSize(size));
    sum += product;
  }
  return sum;
}

/// How many experts the rows of a launch choose on average. Counts what is read of them, of the launch's `bytes`.
double Planner::addExperts(ArrayRef<WorkTerm> bytes, unsigned launch) {
  auto choice = llvm::find_if(routed, [&](const auto &other) { return llvm::is_contained(other.readers, launch); });
  if (choice == routed.end())
    return 0;
  ModuleOp module = plan.program->getParentOfType<ModuleOp>();
  std::optional<ExpertUse> known = getExpertUse(module, choice->array);
  ExpertUse use = known ? *known : ExpertUse::uniform(choice->experts, choice->slots);
  SmallVector<int64_t> order = use.getOrder();
  ArrayRef<int64_t> often = ArrayRef(order).take_front(known ? use.countOften() : 0);
  int64_t rows = getSize(choice->rows);
  double chosen = use.getExpected(double(rows), order);
  if (!plan.experts)
    plan.experts = ExpertReads{};
  ExpertReads &reads = *plan.experts;
  reads.isProfiled |= known.has_value();
  reads.rows = std::max(reads.rows, rows);
  for (const WorkTerm &term : bytes)
    if (llvm::is_contained(term.sizes, chosenExperts)) {
      reads.all += double(term.count) * double(order.size());
      reads.often += double(term.count) * double(often.size());
      reads.read += double(term.count) * chosen;
      reads.oftenRead += double(term.count) * use.getExpected(double(rows), often);
    }
  return chosen;
}

Step Planner::makeStep(KernelOp kernel, SmallVector<SourceOp> ops) const {
  Step step;
  step.kernel = kernel;
  step.ops = std::move(ops);
  step.arithmetic = *runtime::findArithmetic(std::string_view(getArithmetic(kernel)));
  return step;
}

void Planner::addLaunch(LaunchOp launch, KernelOp kernel) {
  SmallVector<SourceOp> ops = getOps(launch.getLoc());
  auto same = llvm::find_if(plan.steps, [&](const Step &step) { return step.kernel == kernel && step.ops == ops; });
  if (same == plan.steps.end())
    same = plan.steps.insert(same, makeStep(kernel, std::move(ops)));
  KernelWork work = getWork(kernel);
  double chosen = addExperts(work.bytes, plan.launches);
  double bytes = evaluate(work.bytes, chosen), operations = evaluate(work.operations, chosen);
  same->launches.push_back(plan.launches++);
  auto addToMean = [count = double(same->launches.size())](double &mean, double value) {
    mean += (value - mean) / count;
  };
  addToMean(same->bytes, bytes);
  addToMean(same->operations, operations);
  if (!roofline)
    return;
  same->predicted = same->predicted.value_or(0);
  addToMean(*same->predicted, roofline->getTime(same->arithmetic, bytes, operations));
  same->isComputeBound =
      roofline->getComputeTime(same->arithmetic, same->operations) > roofline->getMemoryTime(same->bytes);
}

/// Adds what a remark says to the steps that hold its op, each verdict once.
void Planner::addRemark(const FusionRemark &remark) {
  auto add = [](auto &verdicts, Verdict verdict) {
    if (!llvm::is_contained(verdicts, verdict))
      verdicts.push_back(std::move(verdict));
  };
  for (SourceOp &said : getOps(nameOp(remark.location, remark.op))) {
    bool isHeld = false;
    for (Step &step : plan.steps)
      if (llvm::any_of(step.ops, [&](const SourceOp &op) { return isAbout(said, op); })) {
        add(step.verdicts, {said, remark.reason, remark.isFused});
        isHeld = true;
      }
    if (!isHeld)
      add(plan.others, {said, remark.reason, remark.isFused});
  }
}

Line &Planner::getLine(FileLineColLoc place) {
  auto same = llvm::find_if(plan.lines, [&](const Line &line) {
    return line.place.getFilename() == place.getFilename() && line.place.getLine() == place.getLine();
  });
  return same == plan.lines.end() ? plan.lines.emplace_back(Line{place, {}, {}}) : *same;
}

/// Lists the lines of all steps, by file and number.
void Planner::addLines() {
  auto add = [](SmallVector<unsigned> &steps, unsigned step) {
    if (!llvm::is_contained(steps, step))
      steps.push_back(step);
  };
  for (auto [i, step] : llvm::enumerate(plan.steps))
    for (const SourceOp &op : step.ops)
      // From the outside in: the entry's file comes first.
      for (FileLineColLoc place : llvm::reverse(op.stack)) {
        Line &line = getLine(place);
        add(op.op == step.ops.front().op ? line.steps : line.fusedInto, i);
      }
  for (Line &line : plan.lines)
    llvm::erase_if(line.fusedInto, [&](unsigned step) { return llvm::is_contained(line.steps, step); });
  SmallVector<StringAttr> files;
  for (const Line &line : plan.lines)
    if (!llvm::is_contained(files, line.place.getFilename()))
      files.push_back(line.place.getFilename());
  auto getKey = [&](const Line &line) {
    return std::pair(llvm::find(files, line.place.getFilename()) - files.begin(), line.place.getLine());
  };
  llvm::sort(plan.lines, [&](const Line &a, const Line &b) { return getKey(a) < getKey(b); });
}

Plan Planner::build(ArrayRef<FusionRemark> remarks) {
  ProgramOp program = plan.program;
  for (auto launch : program.getBody().getOps<LaunchOp>())
    addLaunch(launch, SymbolTable::lookupNearestSymbolFrom<KernelOp>(program, launch.getKernelAttr()));
  for (const FusionRemark &remark : remarks)
    if (remark.entry == program.getSymName())
      addRemark(remark);
  addLines();
  return std::move(plan);
}

} // namespace

Plan explain(ProgramOp program, const codegen::TargetSpec &target, ArrayRef<FusionRemark> remarks,
             const PlanSizes &sizes, const std::optional<runtime::Roofline> &roofline) {
  return Planner(program, target, sizes, roofline).build(remarks);
}

double Plan::getBytes() const {
  double sum = 0;
  for (const Step &step : steps)
    sum += step.bytes * double(step.launches.size());
  return sum;
}

double Plan::getOperations() const {
  double sum = 0;
  for (const Step &step : steps)
    sum += step.operations * double(step.launches.size());
  return sum;
}

std::optional<double> Plan::getPredicted() const {
  double sum = 0;
  for (const Step &step : steps) {
    if (!step.predicted)
      return std::nullopt;
    sum += *step.getTotalPredicted();
  }
  return sum;
}

std::optional<double> Plan::getMeasured() const {
  double sum = 0;
  for (const Step &step : steps) {
    if (!step.measured)
      return std::nullopt;
    sum += *step.getTotalMeasured();
  }
  return sum;
}

} // namespace quern::tool
