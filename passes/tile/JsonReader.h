//===- JsonReader.h - untrusted JSON, value by value ------------------------------------------===//

#ifndef QUERN_PASSES_TILE_JSONREADER_H
#define QUERN_PASSES_TILE_JSONREADER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"

#include <cstdint>
#include <string>
#include <utility>

namespace quern {

/// Reads a JSON text (RFC 8259) whose shape the caller knows, from front to back and without a tree of it, so that
/// neither time nor memory depends on anything but what is asked for. The first mistake is kept, with its line, its
/// column and its place (`rows[3].threads`); everything that is read after it is empty.
class JsonReader {
public:
  explicit JsonReader(llvm::StringRef text) : text(text) {}

  /// A member of an object: `read` reads its value.
  struct Member {
    llvm::StringRef name;
    llvm::function_ref<void()> read;
    bool isOptional = false;
  };

  /// An object that has these members, at most 32, in any order, once each, and no others.
  void readObject(llvm::ArrayRef<Member> members);
  /// An object of at most `most` members with names (see `readName`), whose values `read` reads. It returns false where
  /// it knows the name already.
  void readMap(size_t most, llvm::function_ref<bool(std::string name)> read);
  /// A list of at most `most` elements, each of which `read` reads.
  void readList(size_t most, llvm::function_ref<void()> read);
  /// 1 to `maxNameBytes` letters, digits, `_`, `-`, `.` and spaces.
  std::string readName();
  /// Text of 1 to `maxTextBytes` bytes of UTF-8, without control characters.
  std::string readText();
  /// `digits` digits of a hexadecimal number in lower case.
  std::string readDigest(size_t digits);
  /// An integer from `least` to `most`, written without fraction and exponent.
  int64_t readInteger(int64_t least, int64_t most);
  /// Goes over a list of two integers from 1 to `most` that is written without spaces, `[12,34]`, and only such a one:
  /// long lists of them are read fast.
  bool consumePair(int64_t most, std::pair<int64_t, int64_t> &pair);
  /// A finite number.
  double readNumber(bool mayBeNegative);
  bool readBool();
  /// Nothing follows.
  void finish();

  /// Where the value begins that comes next.
  size_t getPlace();
  /// Notes that the string, number or sign that was read last, or the value that comes next, is none of those expected.
  void refuse(const llvm::Twine &expected);
  /// Notes what was found at a place that `getPlace` gave.
  void refuseAt(size_t place, const llvm::Twine &found, const llvm::Twine &expected);

  bool hasFailed() const { return !mistake.empty(); }
  /// `line 9, column 5: \`rows[3].threads\`: found …, expected …`; empty where there is none.
  const std::string &getMistake() const { return mistake; }

  static constexpr size_t maxNameBytes = 64, maxTextBytes = 1024;

private:
  /// Goes to the next value or sign.
  void skipSpace();
  bool consume(char sign);
  /// Goes over `sign`, or refuses what is there.
  bool expect(char sign, const llvm::Twine &expected);
  /// The string that comes next, without its escapes.
  std::string readString(const llvm::Twine &expected);
  /// Appends what the escape sequence stands for whose backslash was read.
  bool readEscape(std::string &value);
  /// Four hexadecimal digits, or -1.
  int32_t readUnit();
  /// The member whose name comes next, most likely the one with the index `likely`; the end where there is none.
  const Member *readMember(llvm::ArrayRef<Member> members, size_t likely);
  /// The longest prefix of the rest that could belong to a number or a word.
  llvm::StringRef peekToken() const;
  std::string describeFound(size_t from) const;
  std::string describePlace() const;

  llvm::StringRef text;
  /// Where the next value begins, and where the last one did.
  size_t next = 0, last = 0;
  std::string mistake;
  /// The way from the root to here: a name, or an index where that is empty.
  struct Step {
    llvm::StringRef name;
    size_t index;
  };
  llvm::SmallVector<Step, 8> way;
};

} // namespace quern

#endif // QUERN_PASSES_TILE_JSONREADER_H
