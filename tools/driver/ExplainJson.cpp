//===- ExplainJson.cpp - explanations as JSON -------------------------------------------------===//

#include "tools/driver/ExplainReport.h"

#include "passes/Signature.h"

namespace json = llvm::json;
using namespace mlir;

namespace quern::tool {

static json::Array describeStack(llvm::ArrayRef<FileLineColLoc> stack) {
  json::Array places;
  for (FileLineColLoc place : stack)
    places.push_back(
        (place.getFilename().getValue() + ":" + llvm::Twine(place.getLine()) + ":" + llvm::Twine(place.getColumn()))
            .str());
  return places;
}

static json::Object describeOp(const SourceOp &op) {
  return json::Object{{"op", op.op}, {"instance", op.instance}, {"places", describeStack(op.stack)}};
}

static json::Array describeVerdicts(llvm::ArrayRef<Verdict> verdicts) {
  json::Array list;
  for (const Verdict &verdict : verdicts) {
    json::Object said = describeOp(verdict.op);
    said["fused"] = verdict.isFused;
    said["reason"] = verdict.reason;
    list.push_back(std::move(said));
  }
  return list;
}

static json::Value toJson(std::optional<double> value) { return value ? json::Value(*value) : json::Value(nullptr); }

static json::Value toMicroseconds(std::optional<double> nanoseconds) {
  if (nanoseconds)
    return *nanoseconds * 1e-3;
  return nullptr;
}

static json::Object describeStep(const Step &step) {
  KernelOp kernel = step.kernel;
  json::Array ops;
  for (const SourceOp &op : step.ops)
    ops.push_back(describeOp(op));
  json::Object schedule;
  for (const Knob &knob : step.getKnobs())
    schedule[knob.name] =
        json::Object{{"value", *kernel.getSchedule()->getInt(knob.name)}, {"legal", json::Array(knob.legal)}};
  json::Value origin = nullptr;
  if (step.origin) {
    json::Object base;
    for (const auto &[name, value] : step.origin->base)
      base[name] = value;
    origin = json::Object{{"file", step.origin->path},
                          {"default", std::move(base)},
                          {"measured", step.origin->pairs.has_value()},
                          {"gain", step.origin->gain},
                          {"pairs", int64_t(step.origin->pairs.value_or(0))},
                          {"default_ns", step.origin->baseTime},
                          {"plan_ns", step.origin->time},
                          {"predicted_gain", toJson(step.origin->predictedGain)}};
  }
  json::Value bound = nullptr;
  if (step.predicted)
    bound = step.isComputeBound ? "arithmetic" : "memory";
  return json::Object{{"kernel", kernel.getSymName()},
                      {"digest", getFullDigest(kernel)},
                      {"form", stringifyKernelForm(kernel.getForm())},
                      {"arithmetic", runtime::toString(step.arithmetic)},
                      {"launches", json::Array(step.launches)},
                      {"ops", std::move(ops)},
                      {"verdicts", describeVerdicts(step.verdicts)},
                      {"schedule", std::move(schedule)},
                      {"tuned", std::move(origin)},
                      {"bytes", step.bytes},
                      {"operations", step.operations},
                      {"bound_by", std::move(bound)},
                      {"predicted_us", toMicroseconds(step.predicted)},
                      {"measured_us", toMicroseconds(step.measured)}};
}

static json::Object describeLine(const Line &line, const Plan &plan, GetLine getLine) {
  std::optional<double> predicted = plan.getPredicted() ? std::optional(0.0) : std::nullopt;
  std::optional<double> measured = plan.getMeasured() ? std::optional(0.0) : std::nullopt;
  for (unsigned step : line.steps) {
    if (predicted)
      *predicted += *plan.steps[step].getTotalPredicted();
    if (measured)
      *measured += *plan.steps[step].getTotalMeasured();
  }
  return json::Object{{"file", line.place.getFilename().getValue()},
                      {"line", line.place.getLine()},
                      {"text", getLine(line.place)},
                      {"steps", json::Array(line.steps)},
                      {"fused_into", json::Array(line.fusedInto)},
                      {"predicted_us", toMicroseconds(predicted)},
                      {"measured_us", toMicroseconds(measured)}};
}

static json::Value describeExperts(const Plan &plan) {
  if (!plan.experts)
    return nullptr;
  const ExpertReads &experts = *plan.experts;
  return json::Object{{"bytes", experts.all},
                      {"often_bytes", experts.often},
                      {"read_bytes", experts.read},
                      {"often_read_bytes", experts.oftenRead},
                      {"token_bytes", plan.getBytes() / double(experts.rows)},
                      {"profiled", experts.isProfiled}};
}

json::Value describeTree(const std::optional<frontend::MedusaTree> &tree, const std::optional<StepEstimate> &estimate) {
  if (!tree)
    return nullptr;
  json::Array paths;
  for (const frontend::TreePath &path : tree->paths)
    paths.push_back(json::Array(path));
  auto optional = [](std::optional<double> number) { return number ? json::Value(*number) : json::Value(nullptr); };
  return json::Object{{"tree", std::move(paths)},
                      {"source", frontend::toString(tree->source)},
                      {"expected_tokens", optional(tree->expectedTokens)},
                      {"step_us", tree->stepSeconds ? json::Value(*tree->stepSeconds * 1e6) : nullptr},
                      {"estimated_step_us", estimate ? json::Value(estimate->tree * 1e6) : nullptr},
                      {"estimated_row_us", estimate ? json::Value(estimate->row * 1e6) : nullptr}};
}

json::Object describePlan(const Plan &plan, GetLine getLine) {
  ProgramOp program = plan.program;
  json::Object sizes;
  for (const auto &[name, size] : plan.sizes)
    sizes[name] = size;
  json::Array steps, lines;
  for (const Step &step : plan.steps)
    steps.push_back(describeStep(step));
  for (const Line &line : plan.lines)
    lines.push_back(describeLine(line, plan, getLine));
  return json::Object{{"program", program.getSymName()},
                      {"sizes", std::move(sizes)},
                      {"cache_rows_before", plan.depth},
                      {"experts", describeExperts(plan)},
                      {"steps", std::move(steps)},
                      {"lines", std::move(lines)},
                      {"in_no_kernel", describeVerdicts(plan.others)},
                      {"predicted_us", toMicroseconds(plan.getPredicted())},
                      {"measured_us", toMicroseconds(plan.getMeasured())}};
}

} // namespace quern::tool
