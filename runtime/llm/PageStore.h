//===- PageStore.h - which pages of the caches hold which tokens -------------------------------===//

#ifndef QUERN_RUNTIME_LLM_PAGESTORE_H
#define QUERN_RUNTIME_LLM_PAGESTORE_H

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace quern::runtime {

/// Shares out pages of the caches' rows among sequences: as they grow, and back when they end. What a page holds
/// follows from the tokens up to it, so that it is found again by them: a sequence that begins as another did has the
/// same pages, up to where they differ, and a page of its own from the row on that it writes in one of another's.
/// Pages that no sequence has any more are kept for that, some of them, until others need them: those that were used
/// last the longest.
class PageStore {
public:
  struct Options {
    /// Pages in all, and rows of each.
    int64_t pages = 0, pageRows = 0;
    int64_t sequences = 1;
    /// Rows of a sequence at most.
    int64_t sequenceRows = 0;
    /// Pages that are kept for what begins alike; 0: every text is read as a whole.
    int64_t kept = 0;
  };
  /// A page whose rows another is to have, too.
  struct Copy {
    int64_t from = 0, to = 0;
  };

  explicit PageStore(const Options &options);

  /// The page of rows i · pageRows … of sequence s at place s · `getSequencePages()` + i; 0 where it has none.
  std::span<const int32_t> getTable() const { return table; }
  int64_t getSequencePages() const { return sequencePages; }
  /// Pages that sequences have, and of those that none has those that are kept.
  int64_t getUsedPages() const;
  int64_t getKeptPages() const;
  int64_t countPages(int64_t rows) const { return (rows + options.pageRows - 1) / options.pageRows; }

  /// Begins a text of at most `rows` rows in `sequence`, which ends what it had: how many rows it has already, which
  /// hold the first of `tokens`. No value, and no text, where the rest of its rows could find no pages until other
  /// texts end: what runs is certain of its own.
  std::optional<int64_t> begin(int64_t sequence, std::span<const int32_t> tokens, int64_t rows);
  /// Gives a sequence pages of its own for the rows `from` … `to` - 1, none of which is behind one that it has not;
  /// what has to be copied before they are written is added to `copies`. False where there is no page left.
  bool prepare(int64_t sequence, int64_t from, int64_t to, std::vector<Copy> &copies);
  /// The rows of `sequence` hold `tokens`, of a text that began with what they held before.
  void note(int64_t sequence, std::span<const int32_t> tokens);
  /// Lets `sequence` have its first `rows` rows alone. Where it then writes a page that others have, too, it is not
  /// certain to find another one.
  void rewind(int64_t sequence, int64_t rows);
  /// Lets `to` have the first `rows` rows of `from`, which it has noted, and no others, and in the end at most `most`.
  /// False where there are no pages for it, as in `begin`.
  bool fork(int64_t from, int64_t to, int64_t rows, int64_t most);
  /// Lets `sequence` have no rows.
  void end(int64_t sequence);

  /// Whether pages, sequences and the table agree: for tests.
  bool isConsistent() const;

private:
  struct Page {
    /// How many sequences have it, and which of them writes behind its tokens, or -1.
    int64_t users = 0, owner = -1;
    /// What its rows hold, from the first on.
    std::vector<int32_t> tokens;
    /// The page before it, or -1, and the pages known to be behind it.
    int64_t before = -1;
    std::vector<int64_t> behind;
    /// Whether it is among those behind the page before it.
    bool isKnown = false;
    int64_t lastUse = 0;
  };
  struct Sequence {
    std::vector<int64_t> pages;
    /// Pages that it may have in the end.
    int64_t promised = 0;
    /// Whether the last page becomes another one when it is written.
    bool isLastShared = false;
  };

  Page &get(int64_t page) { return pages[static_cast<size_t>(page)]; }
  Sequence &at(int64_t sequence) { return sequences[static_cast<size_t>(sequence)]; }
  std::vector<int64_t> &getBehind(int64_t page) { return page < 0 ? roots : get(page).behind; }
  int64_t countOutstanding() const;
  bool promise(int64_t sequence, int64_t rows, int64_t most);
  void setPage(int64_t sequence, size_t place, int64_t page);
  void dropPage(int64_t sequence);
  void release(int64_t sequence, int64_t page);
  void forget(int64_t page);
  int64_t findOldest() const;
  std::optional<int64_t> allocate();
  bool canWrite(int64_t sequence, const Page &page, int64_t row) const;

  Options options;
  int64_t sequencePages = 0;
  std::vector<int32_t> table;
  std::vector<Page> pages;
  std::vector<Sequence> sequences;
  /// The pages that texts begin with.
  std::vector<int64_t> roots;
  int64_t clock = 0;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_LLM_PAGESTORE_H
