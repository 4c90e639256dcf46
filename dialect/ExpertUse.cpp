//===- ExpertUse.cpp - how often rows chose each of several weights ----------------------------===//

#include "dialect/ExpertUse.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <numeric>

using namespace mlir;

namespace quern {

StringRef findExpertArray(ParameterOp parameter) {
  StringRef name = parameter.getSymName();
  if (size_t end = name.find(anyElement); end != StringRef::npos)
    return name.take_front(end);
  if (parameter.isExternal())
    return "";
  for (auto read : parameter.getInit().getOps<ParamOp>())
    if (auto source = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(parameter, read.getParameterAttr()))
      if (StringRef array = findExpertArray(source); !array.empty())
        return array;
  return "";
}

ConcatOp getJoinedExperts(ParameterOp stack) {
  return stack.getInit().front().getTerminator()->getOperand(0).getDefiningOp<ConcatOp>();
}

SmallVector<ExpertArray> findExpertArrays(ModuleOp module) {
  SmallVector<ExpertArray> arrays;
  for (auto parameter : module.getOps<ParameterOp>()) {
    size_t end = parameter.getSymName().find(anyElement);
    if (end == StringRef::npos || parameter.isExternal())
      continue;
    StringRef name = parameter.getSymName().take_front(end);
    auto array = llvm::find_if(arrays, [&](const ExpertArray &other) { return other.name == name; });
    if (array == arrays.end()) {
      ConcatOp joined = getJoinedExperts(parameter);
      array = arrays.insert(array, ExpertArray{name, joined ? int64_t(joined.getInputs().size()) : 1, 0, {}});
    }
    array->numbers += parameter.getTensorType().getNumElements() / array->experts;
    array->stacks.push_back(parameter);
  }
  return arrays;
}

ExpertUse ExpertUse::uniform(int64_t experts, int64_t slots) {
  return ExpertUse(experts, SmallVector<int64_t>(experts, slots));
}

SmallVector<int64_t> ExpertUse::getOrder() const {
  SmallVector<int64_t> order(counts.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int64_t a, int64_t b) { return std::pair(counts[b], a) < std::pair(counts[a], b); });
  return order;
}

int64_t ExpertUse::countOften() const {
  double all = std::accumulate(counts.begin(), counts.end(), 0.0), sum = 0;
  int64_t often = 0;
  for (int64_t expert : getOrder()) {
    if (sum >= 0.9 * all)
      break;
    sum += double(counts[expert]);
    ++often;
  }
  return often;
}

double ExpertUse::getExpected(double rowCount, ArrayRef<int64_t> subset) const {
  double sum = 0;
  for (int64_t expert : subset) {
    double chance = std::min(double(counts[expert]) / double(rows), 1.0);
    sum += 1 - std::pow(1 - chance, rowCount);
  }
  return sum;
}

void setExpertUse(ModuleOp module, StringRef array, const ExpertUse &use) {
  Builder builder(module.getContext());
  NamedAttrList uses(module->getAttrOfType<DictionaryAttr>(expertUseAttribute));
  uses.set(array,
           builder.getDictionaryAttr({builder.getNamedAttr("counts", builder.getDenseI64ArrayAttr(use.getCounts())),
                                      builder.getNamedAttr("rows", builder.getI64IntegerAttr(use.getRows()))}));
  module->setAttr(expertUseAttribute, uses.getDictionary(module.getContext()));
}

std::optional<ExpertUse> getExpertUse(ModuleOp module, StringRef array) {
  auto uses = module->getAttrOfType<DictionaryAttr>(expertUseAttribute);
  auto use = uses ? uses.getAs<DictionaryAttr>(array) : DictionaryAttr();
  auto counts = use ? use.getAs<DenseI64ArrayAttr>("counts") : DenseI64ArrayAttr();
  auto rows = use ? use.getAs<IntegerAttr>("rows") : IntegerAttr();
  if (!counts || !rows || rows.getInt() < 1)
    return std::nullopt;
  return ExpertUse(rows.getInt(), counts.asArrayRef());
}

} // namespace quern
