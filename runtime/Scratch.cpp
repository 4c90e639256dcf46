//===- Scratch.cpp - the memory that kernels ask for while they run ---------------------------===//

#include "runtime/Scratch.h"

#include <bit>
#include <cstdlib>

namespace quern::runtime {

/// The class of blocks of `bytes`: they hold 2^class bytes, 256 at least.
static uint32_t getSizeClass(size_t bytes) {
  return bytes <= 256 ? 8 : static_cast<uint32_t>(std::bit_width(bytes - 1));
}

ScratchCache::~ScratchCache() {
  for (FreeList &list : lists)
    while (Header *header = list.first) {
      list.first = header->next;
      std::free(header);
    }
}

void *ScratchCache::allocate(ScratchCache *cache, size_t bytes) {
  uint32_t sizeClass = getSizeClass(bytes);
  if (sizeClass >= classCount)
    return nullptr;
  Header *header = cache ? cache->lists[sizeClass].first : nullptr;
  if (header) {
    cache->lists[sizeClass].first = header->next;
    --cache->lists[sizeClass].length;
  } else {
    // One alignment's worth in front for the header, one behind for reads past the end.
    size_t total = (size_t{1} << sizeClass) + 2 * alignment;
    header = static_cast<Header *>(std::aligned_alloc(alignment, total));
    if (!header)
      return nullptr;
    header->sizeClass = sizeClass;
  }
  return reinterpret_cast<uint8_t *>(header) + alignment;
}

void ScratchCache::release(ScratchCache *cache, void *block) {
  if (!block)
    return;
  auto *header = reinterpret_cast<Header *>(static_cast<uint8_t *>(block) - alignment);
  FreeList *list = cache ? &cache->lists[header->sizeClass] : nullptr;
  if (!list || list->length == keptPerClass) {
    std::free(header);
    return;
  }
  header->next = list->first;
  list->first = header;
  ++list->length;
}

} // namespace quern::runtime
