//===- ExplainText.cpp - explanations as text -------------------------------------------------===//

#include "tools/driver/ExplainReport.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace quern::tool {

/// `value` with the prefix of its size: `1.25 M` for 1250000.
static std::string scale(double value) {
  constexpr std::pair<double, const char *> prefixes[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (auto [size, prefix] : prefixes)
    if (value >= size)
      return llvm::formatv("{0:F2} {1}", value / size, prefix);
  return llvm::formatv("{0:F0} ", value);
}

static std::string formatBytes(double bytes) { return scale(bytes) + "B"; }
static std::string formatOperations(double operations) { return scale(operations) + "op"; }

static std::string formatTime(double nanoseconds) {
  return nanoseconds >= 1e6 ? llvm::formatv("{0:F2} ms", nanoseconds * 1e-6)
                            : llvm::formatv("{0:F2} us", nanoseconds * 1e-3);
}

static std::string formatShare(double part, double whole) {
  return llvm::formatv("{0:F1} %", whole > 0 ? 100 * part / whole : 0.0);
}

static std::string formatPlace(FileLineColLoc place) {
  return (place.getFilename().getValue() + ":" + llvm::Twine(place.getLine())).str();
}

/// `#1 #3-5`: steps by their numbers, from 1.
static std::string formatNumbers(llvm::ArrayRef<unsigned> steps) {
  std::string text;
  for (size_t i = 0; i < steps.size();) {
    size_t end = i + 1;
    while (end < steps.size() && steps[end] == steps[end - 1] + 1)
      ++end;
    text += (text.empty() ? "#" : " #") + std::to_string(steps[i] + 1);
    if (end - i > 1)
      text += "-" + std::to_string(steps[end - 1] + 1);
    i = end;
  }
  return text;
}

/// `#1 #3-5 (#7)`: what a line became, and what only took it in.
static std::string formatSteps(const Line &line) {
  std::string own = formatNumbers(line.steps), others = formatNumbers(line.fusedInto);
  if (!others.empty())
    others = (own.empty() ? "(" : " (") + others + ")";
  return own + others;
}

/// The words of a list, each once, in their order.
static std::string joinOnce(llvm::ArrayRef<std::string> words, llvm::StringRef separator) {
  llvm::SmallVector<std::string> once;
  for (const std::string &word : words)
    if (!llvm::is_contained(once, word))
      once.push_back(word);
  return llvm::join(once, separator);
}

/// The instances that the main op of `step` belongs to.
static std::string formatInstances(const Step &step) {
  std::vector<std::string> instances;
  for (const SourceOp &op : step.ops)
    if (op.op == step.ops.front().op && !op.instance.empty())
      instances.push_back(op.instance);
  return joinOnce(instances, ", ");
}

namespace {

/// Prints one plan.
class PlanPrinter {
public:
  PlanPrinter(const Plan &plan, GetLine getLine, llvm::raw_ostream &os)
      : plan(plan), getLine(getLine), os(os), measured(plan.getMeasured()), predicted(plan.getPredicted()),
        total(measured ? measured : predicted) {}

  void print();

private:
  void printHead();
  void printExperts(const ExpertReads &experts);
  void printTable();
  void printStep(unsigned index);
  void printOps(const Step &step);
  void printVerdicts(llvm::ArrayRef<Verdict> verdicts);
  void printOrigin(const ScheduleOrigin &origin);
  void printSchedule(const Step &step);
  void printLines();
  llvm::raw_ostream &printLabel(llvm::StringRef label) { return os << "      " << llvm::left_justify(label, 20); }
  /// What it took, or takes at least; 0 where neither is known.
  double getTime(const Step &step) const {
    std::optional<double> taken = step.getTotalMeasured();
    return taken ? *taken : step.getTotalPredicted().value_or(0);
  }

  const Plan &plan;
  GetLine getLine;
  llvm::raw_ostream &os;
  std::optional<double> measured, predicted;
  /// What shares are of.
  std::optional<double> total;
};

void PlanPrinter::printHead() {
  ProgramOp program = plan.program;
  llvm::SmallVector<std::string> sizes;
  for (const auto &[name, size] : plan.sizes)
    sizes.push_back(name + " = " + std::to_string(size));
  if (plan.visible)
    sizes.push_back(std::to_string(plan.depth) + " cache rows before");
  os << "\n== " << program.getSymName() << (sizes.empty() ? "" : ": ") << llvm::join(sizes, ", ") << "\n"
     << plan.launches << " launches in " << plan.steps.size() << " steps, " << formatBytes(plan.getBytes()) << ", "
     << formatOperations(plan.getOperations());
  if (predicted)
    os << "; at least " << formatTime(*predicted);
  if (measured)
    os << ", measured " << formatTime(*measured);
  if (measured && predicted)
    os << " (" << formatShare(*predicted, *measured) << " of the limit)";
  os << "\n";
  if (plan.experts)
    printExperts(*plan.experts);
  os << "\n";
}

void PlanPrinter::printExperts(const ExpertReads &experts) {
  os << "experts: " << formatBytes(experts.read) << " of their " << formatBytes(experts.all) << " on average, ";
  if (experts.isProfiled)
    os << formatShare(experts.oftenRead, experts.read) << " of it among the " << formatBytes(experts.often)
       << " of those that are often chosen";
  else
    os << "if all are chosen equally often";
  os << "; a token reads " << formatBytes(plan.getBytes() / double(experts.rows)) << " in all\n";
}

void PlanPrinter::printTable() {
  os << "   #    x  form            bytes  operations" << (predicted ? "    at least  bound by  " : "")
     << (measured ? "    measured" : "") << (measured && predicted ? "  of limit" : "") << (total ? "     share" : "")
     << "  line\n";
  for (auto [i, step] : llvm::enumerate(plan.steps)) {
    KernelOp kernel = step.kernel;
    os << llvm::formatv("{0,4}  {1,3}  {2,-10}  {3,9}  {4,10}", i + 1, step.launches.size(),
                        stringifyKernelForm(kernel.getForm()), formatBytes(step.bytes),
                        formatOperations(step.operations));
    if (step.predicted)
      os << llvm::formatv("  {0,10}  {1,-10}", formatTime(*step.predicted),
                          step.isComputeBound ? "arithmetic" : "memory");
    if (step.measured)
      os << llvm::formatv("  {0,10}", formatTime(*step.measured));
    if (step.measured && step.predicted)
      os << llvm::formatv("  {0,8}", formatShare(*step.predicted, *step.measured));
    if (total)
      os << llvm::formatv("  {0,8}", formatShare(getTime(step), *total));
    os << llvm::formatv("  {0}  {1}\n", step.ops.empty() ? "" : formatPlace(getModelPlace(step.ops.front().stack)),
                        formatInstances(step));
  }
}

/// By places in the model's own text, and in the library's where the ops themselves stand there.
void PlanPrinter::printOps(const Step &step) {
  struct Place {
    FileLineColLoc model, inner;
    std::vector<std::string> ops;
  };
  std::vector<Place> places;
  for (const SourceOp &op : step.ops) {
    Place place = {getModelPlace(op.stack), op.stack.front(), {}};
    auto same = llvm::find_if(
        places, [&](const Place &other) { return other.model == place.model && other.inner == place.inner; });
    (same == places.end() ? places.emplace_back(place) : *same).ops.push_back(op.op);
  }
  for (const auto &[model, inner, ops] : places)
    printLabel(joinOnce(ops, ", ")) << "  " << formatPlace(model) << (inner == model ? "" : " > " + formatPlace(inner))
                                    << "  | " << getLine(model) << "\n";
}

/// One line for each reason, with the ops that it is said of.
void PlanPrinter::printVerdicts(llvm::ArrayRef<Verdict> verdicts) {
  for (bool isFused : {true, false}) {
    llvm::MapVector<llvm::StringRef, std::vector<std::string>> reasons;
    for (const Verdict &verdict : verdicts)
      if (verdict.isFused == isFused)
        reasons[verdict.reason].push_back(verdict.op.op + " at " + formatPlace(getModelPlace(verdict.op.stack)));
    for (const auto &[reason, ops] : reasons)
      printLabel(isFused ? "fused" : "apart") << "  " << joinOnce(ops, ", ") << ": " << reason << "\n";
  }
}

/// `measured (tuned.json): 1.074 times as fast as rows 2, vectors 1, in 32 pairs of launches, 149.10 us for 160.22 us;
/// 1.020 was predicted`, or
/// `expected (tuned.json): 1.074 times as fast as rows 2, vectors 1, by plans of other kernels`
void PlanPrinter::printOrigin(const ScheduleOrigin &origin) {
  os << (origin.pairs ? "measured (" : "expected (") << origin.path << "): ";
  if (origin.pairs && *origin.pairs == 0) {
    os << "nothing that was tried is faster";
    return;
  }
  os << llvm::format("%.3f times as fast as ", origin.gain);
  llvm::interleaveComma(origin.base, os, [&](const auto &knob) { os << knob.first << " " << knob.second; });
  if (!origin.pairs) {
    os << ", by plans of other kernels";
    return;
  }
  os << ", in " << *origin.pairs << " pairs of launches, " << formatTime(origin.time) << " for "
     << formatTime(origin.baseTime);
  if (origin.predictedGain)
    os << llvm::format("; %.3f was predicted", *origin.predictedGain);
}

void PlanPrinter::printSchedule(const Step &step) {
  printLabel("schedule") << "  ";
  KernelOp kernel = step.kernel;
  ArrayRef<Knob> knobs = step.getKnobs();
  if (knobs.empty())
    os << "follows from the shapes";
  llvm::interleaveComma(knobs, os, [&](const Knob &knob) {
    os << knob.name << " " << *kernel.getSchedule()->getInt(knob.name) << " of " << knob.legal.front() << " to "
       << knob.legal.back();
  });
  if (step.origin) {
    os << "\n";
    printLabel("") << "  ";
    printOrigin(*step.origin);
  }
  os << "\n";
}

void PlanPrinter::printStep(unsigned index) {
  const Step &step = plan.steps[index];
  KernelOp kernel = step.kernel;
  os << "\n  #" << index + 1 << "  " << step.launches.size() << "x " << stringifyKernelForm(kernel.getForm()) << "  "
     << formatInstances(step) << "\n";
  printLabel("kernel") << "  " << kernel.getSymName() << "\n";
  printOps(step);
  printVerdicts(step.verdicts);
  printSchedule(step);
  printLabel("work") << "  " << formatBytes(step.bytes) << ", " << formatOperations(step.operations) << " in "
                     << runtime::toString(step.arithmetic) << "\n";
}

void PlanPrinter::printLines() {
  llvm::StringRef file;
  for (const Line &line : plan.lines) {
    if (line.place.getFilename().getValue() != file) {
      file = line.place.getFilename().getValue();
      os << "\n  " << file << "\n";
    }
    double time = 0;
    for (unsigned step : line.steps)
      time += getTime(plan.steps[step]);
    bool isOwn = !line.steps.empty() && total;
    os << llvm::formatv("  {0,5}  {1,10}  {2,8}  {3,-18}  {4}\n", line.place.getLine(), isOwn ? formatTime(time) : "",
                        isOwn ? formatShare(time, *total) : "", formatSteps(line), getLine(line.place));
  }
}

void PlanPrinter::print() {
  printHead();
  printTable();
  for (unsigned i = 0; i < plan.steps.size(); ++i)
    printStep(i);
  printLines();
  if (plan.others.empty())
    return;
  os << "\n  in no kernel\n";
  printVerdicts(plan.others);
}

} // namespace

/// What a tree is from, as the line of it says.
static llvm::StringRef describeSource(frontend::MedusaTree::Source source) {
  switch (source) {
  case frontend::MedusaTree::Source::File:
    return "as given";
  case frontend::MedusaTree::Source::Calibration:
    return "as the calibration makes it fastest";
  case frontend::MedusaTree::Source::Assumed:
    return "by accuracies that are assumed";
  }
  llvm_unreachable("unknown source");
}

void printTree(const frontend::MedusaTree &tree, const std::optional<StepEstimate> &estimate, llvm::raw_ostream &os) {
  os << "tree of guesses, " << tree.paths.size() + 1 << (tree.paths.empty() ? " node" : " nodes") << " with the root, "
     << describeSource(tree.source) << ":";
  for (const frontend::TreePath &path : tree.paths) {
    os << " [";
    llvm::interleave(path, os, ",");
    os << "]";
  }
  os << "\n";
  if (tree.expectedTokens)
    os << llvm::formatv("{0:F2} tokens expected per step", *tree.expectedTokens);
  if (tree.stepSeconds)
    os << ", " << formatTime(*tree.stepSeconds * 1e9) << " per step";
  os << (tree.expectedTokens ? "\n" : "");
  if (estimate && !tree.stepSeconds)
    os << "a step of " << tree.paths.size() + 1 << (tree.paths.empty() ? " row" : " rows") << " is estimated to take "
       << formatTime(estimate->tree * 1e9) << " at least, one of 1 row " << formatTime(estimate->row * 1e9) << "\n";
}

void printPlan(const Plan &plan, GetLine getLine, llvm::raw_ostream &os) { PlanPrinter(plan, getLine, os).print(); }

} // namespace quern::tool
