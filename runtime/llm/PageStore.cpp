//===- PageStore.cpp - which pages of the caches hold which tokens -----------------------------===//

#include "runtime/llm/PageStore.h"

#include <algorithm>

namespace quern::runtime {

/// Fewer tokens than these are read again: it takes no longer than copying a page.
static constexpr int64_t fewTokens = 8;

PageStore::PageStore(const Options &options) : options(options), sequencePages(countPages(options.sequenceRows)) {
  table.resize(static_cast<size_t>(options.sequences * sequencePages));
  pages.resize(static_cast<size_t>(options.pages));
  sequences.resize(static_cast<size_t>(options.sequences));
}

int64_t PageStore::getUsedPages() const {
  return std::count_if(pages.begin(), pages.end(), [](const Page &page) { return page.users > 0; });
}

int64_t PageStore::getKeptPages() const {
  return std::count_if(pages.begin(), pages.end(), [](const Page &page) { return page.users == 0 && page.isKnown; });
}

/// Pages that the sequences may still ask for.
int64_t PageStore::countOutstanding() const {
  int64_t count = 0;
  for (const Sequence &sequence : sequences)
    count += std::max<int64_t>(sequence.promised - std::ssize(sequence.pages) + sequence.isLastShared, 0);
  return count;
}

void PageStore::setPage(int64_t sequence, size_t place, int64_t page) {
  Sequence &to = at(sequence);
  if (place == to.pages.size())
    to.pages.push_back(page);
  else
    to.pages[place] = page;
  table[static_cast<size_t>(sequence * sequencePages) + place] = static_cast<int32_t>(page);
  ++get(page).users;
  get(page).lastUse = ++clock;
}

/// Takes the last page from a sequence.
void PageStore::dropPage(int64_t sequence) {
  Sequence &from = at(sequence);
  int64_t page = from.pages.back();
  from.pages.pop_back();
  from.isLastShared = false;
  table[static_cast<size_t>(sequence * sequencePages) + from.pages.size()] = 0;
  release(sequence, page);
}

/// Takes a page from a sequence. What nobody has is kept, if it is known, and of what is kept only as much as may be.
void PageStore::release(int64_t sequence, int64_t page) {
  Page &released = get(page);
  --released.users;
  if (released.owner == sequence)
    released.owner = -1;
  if (released.users == 0 && !released.isKnown)
    forget(page);
  while (getKeptPages() > options.kept)
    forget(findOldest());
}

/// Makes a page that nobody has, and behind which none is known, free.
void PageStore::forget(int64_t page) {
  Page &forgotten = get(page);
  if (forgotten.isKnown)
    std::erase(getBehind(forgotten.before), page);
  forgotten = Page();
}

/// Of the kept pages behind which none is known, the one that was used longest ago; -1 if there is none.
int64_t PageStore::findOldest() const {
  int64_t oldest = -1;
  for (size_t i = 0; i < pages.size(); ++i) {
    const Page &page = pages[i];
    if (page.users > 0 || !page.isKnown || !page.behind.empty())
      continue;
    if (oldest < 0 || page.lastUse < pages[static_cast<size_t>(oldest)].lastUse)
      oldest = static_cast<int64_t>(i);
  }
  return oldest;
}

/// A page that nobody has: the first, so that memory is taken where it was before.
std::optional<int64_t> PageStore::allocate() {
  auto isFree = [](const Page &page) { return page.users == 0 && !page.isKnown; };
  auto found = std::find_if(pages.begin(), pages.end(), isFree);
  if (found != pages.end())
    return found - pages.begin();
  int64_t oldest = findOldest();
  if (oldest < 0)
    return std::nullopt;
  forget(oldest);
  return oldest;
}

/// Whether a sequence that has `rows` rows of others can be certain of `most` in the end.
bool PageStore::promise(int64_t sequence, int64_t rows, int64_t most) {
  at(sequence).promised = countPages(most);
  at(sequence).isLastShared = rows % options.pageRows != 0;
  return getUsedPages() + countOutstanding() <= options.pages;
}

std::optional<int64_t> PageStore::begin(int64_t sequence, std::span<const int32_t> tokens, int64_t rows) {
  end(sequence);
  Sequence &begun = at(sequence);
  int64_t before = -1, known = 0;
  while (known < std::ssize(tokens)) {
    std::span<const int32_t> rest = tokens.subspan(static_cast<size_t>(known));
    int64_t best = -1, most = 0;
    for (int64_t page : getBehind(before)) {
      const std::vector<int32_t> &held = get(page).tokens;
      int64_t alike = std::mismatch(rest.begin(), rest.end(), held.begin(), held.end()).first - rest.begin();
      if (alike > most)
        best = page, most = alike;
    }
    if (best < 0 || (most < options.pageRows && most < fewTokens))
      break;
    setPage(sequence, begun.pages.size(), best);
    known += most;
    before = best;
    if (most < options.pageRows)
      break;
  }
  if (promise(sequence, known, rows))
    return known;
  // A page that is had in part takes another one in the end; one that is had as a whole does not.
  if (int64_t part = known % options.pageRows) {
    dropPage(sequence);
    known -= part;
    if (promise(sequence, known, rows))
      return known;
  }
  end(sequence);
  return std::nullopt;
}

/// Whether a sequence may write `page` from row `row` on as it is.
bool PageStore::canWrite(int64_t sequence, const Page &page, int64_t row) const {
  if (page.owner != sequence && page.owner >= 0)
    return false;
  if (std::ssize(page.tokens) <= row)
    return true;
  // Nobody else reads what is behind.
  return page.users == 1 && page.behind.empty();
}

bool PageStore::prepare(int64_t sequence, int64_t from, int64_t to, std::vector<Copy> &copies) {
  Sequence &written = at(sequence);
  for (int64_t place = from / options.pageRows; place * options.pageRows < to; ++place) {
    int64_t row = std::max<int64_t>(from - place * options.pageRows, 0);
    auto index = static_cast<size_t>(place);
    bool isNew = index == written.pages.size();
    int64_t page = isNew ? -1 : written.pages[index];
    if (isNew || !canWrite(sequence, get(page), row)) {
      std::optional<int64_t> fresh = allocate();
      if (!fresh)
        return false;
      setPage(sequence, index, *fresh);
      if (!isNew && row > 0) {
        copies.push_back({page, *fresh});
        const std::vector<int32_t> &held = get(page).tokens;
        get(*fresh).tokens.assign(held.begin(), held.begin() + std::min<int64_t>(row, std::ssize(held)));
      }
      if (!isNew)
        release(sequence, page);
      page = *fresh;
    }
    Page &own = get(page);
    own.owner = sequence;
    if (std::ssize(own.tokens) > row)
      own.tokens.resize(static_cast<size_t>(row));
    if (own.isKnown && own.tokens.empty()) {
      std::erase(getBehind(own.before), page);
      own.isKnown = false;
    }
    if (index + 1 == written.pages.size())
      written.isLastShared = false;
  }
  return true;
}

void PageStore::note(int64_t sequence, std::span<const int32_t> tokens) {
  const std::vector<int64_t> &held = at(sequence).pages;
  // From the last page back to the first that is not whole.
  size_t first = held.size();
  while (first > 0 && std::ssize(get(held[first - 1]).tokens) < options.pageRows)
    --first;
  for (size_t place = first; place < held.size(); ++place) {
    Page &page = get(held[place]);
    int64_t begin = static_cast<int64_t>(place) * options.pageRows;
    int64_t end = std::min(begin + options.pageRows, std::ssize(tokens));
    if (page.owner != sequence || end - begin <= std::ssize(page.tokens))
      continue;
    page.tokens.assign(tokens.begin() + begin, tokens.begin() + end);
    if (page.isKnown || options.kept == 0)
      continue;
    page.before = place == 0 ? -1 : held[place - 1];
    page.isKnown = true;
    getBehind(page.before).push_back(held[place]);
  }
}

void PageStore::rewind(int64_t sequence, int64_t rows) {
  while (std::ssize(at(sequence).pages) > countPages(rows))
    dropPage(sequence);
}

bool PageStore::fork(int64_t from, int64_t to, int64_t rows, int64_t most) {
  end(to);
  for (int64_t place = 0; place < countPages(rows); ++place)
    setPage(to, static_cast<size_t>(place), at(from).pages[static_cast<size_t>(place)]);
  if (promise(to, rows, most))
    return true;
  end(to);
  return false;
}

void PageStore::end(int64_t sequence) {
  rewind(sequence, 0);
  at(sequence).promised = 0;
}

bool PageStore::isConsistent() const {
  std::vector<int64_t> users(pages.size()), known(pages.size());
  bool valid = true;
  for (size_t s = 0; s < sequences.size(); ++s) {
    const std::vector<int64_t> &held = sequences[s].pages;
    for (size_t i = 0; i < static_cast<size_t>(sequencePages); ++i)
      valid &= table[s * static_cast<size_t>(sequencePages) + i] == (i < held.size() ? held[i] : 0);
    for (size_t i = 0; i < held.size(); ++i) {
      const Page &page = pages[static_cast<size_t>(held[i])];
      valid &= !page.isKnown || page.before == (i == 0 ? -1 : held[i - 1]);
      ++users[static_cast<size_t>(held[i])];
    }
  }
  auto count = [&](const std::vector<int64_t> &behind, int64_t before) {
    for (int64_t page : behind) {
      valid &= pages[static_cast<size_t>(page)].before == before;
      ++known[static_cast<size_t>(page)];
    }
  };
  count(roots, -1);
  for (size_t i = 0; i < pages.size(); ++i)
    count(pages[i].behind, static_cast<int64_t>(i));
  for (size_t i = 0; i < pages.size(); ++i) {
    const Page &page = pages[i];
    valid &= page.users == users[i] && known[i] == page.isKnown && (page.users > 0 || page.owner < 0);
    valid &= page.behind.empty() || (page.isKnown && std::ssize(page.tokens) == options.pageRows);
    valid &= page.isKnown || page.users > 0 || page.tokens.empty();
    valid &= !page.isKnown || !page.tokens.empty();
  }
  return valid && getKeptPages() <= options.kept;
}

} // namespace quern::runtime
