//===- Budget.cpp - how much the elaboration of a model may take ------------------------------===//

#include "frontend/Budget.h"
#include "frontend/Diagnostics.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace quern::frontend {

namespace {

/// How much of each resource one model takes at most. A model of 60 layers with 256 experts each has 110 000 members.
constexpr uint64_t maxSteps = 10'000'000;
constexpr uint64_t maxBytes = 256 << 20;
constexpr uint64_t maxMembers = 400'000;
constexpr uint64_t maxOperations = 1'000'000;

struct Row {
  StringLiteral unit;
  uint64_t limit;
};

/// By `Resource`.
constexpr Row rows[] = {
    {"steps", maxSteps},
    {"bytes of lists, strings and paths", maxBytes},
    {"members", maxMembers},
    {"operations", maxOperations},
};

/// How many parts of a limit are charged to places.
constexpr uint64_t samples = 4096;

} // namespace

Budget::Budget(const SourceMgr &sources, DiagnosticEngine &diagnostics) : sources(sources), diagnostics(diagnostics) {
  for (auto [account, row] : zip_equal(accounts, rows)) {
    account.left = row.limit;
    account.interval = std::max<uint64_t>(row.limit / samples, 1);
  }
}

void Budget::close() {
  closed = true;
  diagnostics.close();
}

bool Budget::count(Resource resource, SourceRange place) {
  Account &account = accounts[size_t(resource)];
  auto &[range, amount] = account.places.insert({place.Start.getPointer(), {place, 0}}).first->second;
  amount += std::exchange(account.uncounted, 0);
  if (account.left >= 0 && !diagnostics.isFull())
    return true;
  if (account.left < 0)
    refuse(resource);
  close();
  return false;
}

void Budget::refuse(Resource resource) {
  const Row &row = rows[size_t(resource)];
  // By file and line, with the first place of each.
  MapVector<std::pair<unsigned, unsigned>, std::pair<SourceRange, uint64_t>> lines;
  uint64_t total = 0;
  for (const auto &[start, spent] : accounts[size_t(resource)].places) {
    total += spent.second;
    unsigned buffer = start ? sources.FindBufferContainingLoc(spent.first.Start) : 0;
    std::pair<unsigned, unsigned> line(buffer, buffer ? sources.FindLineNumber(spent.first.Start, buffer) : 0);
    lines.insert({line, {spent.first, 0}}).first->second.second += spent.second;
  }
  const auto *most = max_element(lines, [](const auto &a, const auto &b) { return a.second.second < b.second.second; });
  const auto &[place, amount] = most->second;
  diagnostics.error(place, "the model takes more than " + Twine(row.limit) + " " + row.unit + " to elaborate; " +
                               Twine(amount * 100 / total) + " % of them are of this line");
}

} // namespace quern::frontend
