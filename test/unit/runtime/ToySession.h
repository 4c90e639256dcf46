/// The model of ToyModel.h, opened, and what takes its texts.
#ifndef QUERN_TEST_UNIT_RUNTIME_TOYSESSION_H
#define QUERN_TEST_UNIT_RUNTIME_TOYSESSION_H

#include "ToyModel.h"
#include "runtime/llm/Generate.h"

#include <memory>
#include <vector>

namespace quern::test {

alignas(64) inline const uint8_t toyWeights[toyWeightsBytes] = {};

inline std::unique_ptr<runtime::Session> makeSession(unsigned threads) {
  runtime::SessionOptions options;
  options.threads = threads;
  return runtime::Session::create({&quern_programs, getToyDescription(), toyWeights}, options).value();
}

/// Collects the tokens of a text.
struct Collector : runtime::TokenSink {
  std::vector<int32_t> tokens;
  runtime::Result<void> take(int32_t token) override {
    tokens.push_back(token);
    return {};
  }
};

} // namespace quern::test

#endif
