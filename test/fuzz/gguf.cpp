/// Any bytes as a GGUF file: container, tensors, configuration and tokenizer are right or refused.

#include "frontend/checkpoint/GgufModel.h"
#include "frontend/checkpoint/GgufVocabulary.h"

#include <cstdlib>
#include <vector>

using namespace llvm;
using namespace quern::frontend;

/// Reads the first numbers of a tensor, which must lie in the file.
static void readNumbers(ArrayRef<uint8_t> file, const StoredTensor &tensor) {
  if (tensor.offset > file.size() || tensor.bytes > file.size() - tensor.offset)
    std::abort();
  const StorageTraits &traits = getTraits(tensor.type);
  std::vector<float> numbers(traits.unitElements);
  decodeNumbers(tensor.type, file.slice(tensor.offset, traits.unitBytes), numbers);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ArrayRef<uint8_t> bytes(data, size);
  Expected<GgufFile> file = GgufFile::parse(bytes, "f");
  if (!file) {
    consumeError(file.takeError());
    return 0;
  }
  for (const StoredTensor &tensor : file->tensors())
    readNumbers(bytes, tensor);
  consumeError(readGgufTensors(*file).takeError());
  consumeError(readGgufConfig(*file).takeError());
  consumeError(readGgufText(*file).takeError());
  return 0;
}
