//===- Parser.cpp - PTX tokens to what they say ------------------------------------------------===//

#include "test/ptx/Parser.h"

#include "test/ptx/Diagnostics.h"
#include "test/ptx/Lexer.h"
#include "test/ptx/Number.h"

#include <algorithm>
#include <cstdlib>

namespace quern::ptx {

/// Operands within operands at most: `[{…}]` needs two.
static constexpr unsigned maxDepth = 4;
/// Bytes of a variable at most, so that sizes cannot overflow.
static constexpr uint64_t maxCount = uint64_t{1} << 32;

static constexpr std::pair<std::string_view, Space> spaces[] = {{".global", Space::Global},
                                                                {".const", Space::Const},
                                                                {".shared", Space::Shared},
                                                                {".local", Space::Local},
                                                                {".param", Space::Param}};

static Statement makeStatement(Statement::Kind kind, unsigned line) {
  Statement statement;
  statement.kind = kind;
  statement.line = line;
  return statement;
}

namespace {
class Parser {
public:
  Parser(std::string_view source, Diagnostics &diagnostics)
      : diagnostics(diagnostics), tokens(tokenize(source, diagnostics)) {}

  ModuleSyntax run();

private:
  const Token &peek() const { return diagnostics.failed() ? tokens.back() : tokens[at]; }
  Token take() {
    Token token = peek();
    if (token.kind != Token::Kind::End)
      ++at;
    return token;
  }
  bool isNext(std::string_view text) const {
    return peek().text == text && (peek().kind == Token::Kind::Mark || peek().kind == Token::Kind::Word);
  }
  bool accept(std::string_view text) {
    bool found = isNext(text);
    if (found)
      take();
    return found;
  }
  void expect(std::string_view text) {
    if (!accept(text))
      failHere("`" + std::string(text) + "`");
  }
  void failHere(const std::string &expected) {
    const Token &token = peek();
    diagnostics.fail(token.line, token.kind == Token::Kind::End
                                     ? "found the end of the text, expected " + expected
                                     : "found `" + std::string(token.text) + "`, expected " + expected);
  }
  bool atEnd() const { return peek().kind == Token::Kind::End; }

  std::string_view takeName();
  uint64_t takeInteger();
  unsigned takeVersion();
  unsigned takeTarget();
  void skipSection();
  std::optional<Space> acceptSpace();
  Variable takeVariable(Space space);
  void takeDimensions(Variable &variable);
  void takeInitial(Variable &variable);
  Function takeFunction(bool isEntry);
  std::vector<Variable> takeParameters();
  void takeLimits(Function &function);
  void takeBody(Function &function);
  void takeRegisters(Function &function);
  void takeTargets(Function &function);
  void takeInstruction(Function &function);
  Operand takeOperand(unsigned depth);
  std::vector<Operand> takeOperands(std::string_view close, unsigned depth);
  void takeNumber(Operand &operand, bool isNegative);

  Diagnostics &diagnostics;
  std::vector<Token> tokens;
  size_t at = 0;
};
} // namespace

std::string_view Parser::takeName() {
  if (peek().kind != Token::Kind::Word)
    failHere("a name");
  return take().text;
}

uint64_t Parser::takeInteger() {
  Operand operand;
  takeNumber(operand, accept("-"));
  if (operand.kind != Operand::Kind::Integer)
    failHere("an integer");
  return operand.bits;
}

/// A number in decimal, hexadecimal, octal or binary, or the bits of one: 0f3F800000, 0d3FF0000000000000, 1.5.
void Parser::takeNumber(Operand &operand, bool isNegative) {
  if (peek().kind != Token::Kind::Number)
    failHere("a number");
  std::string text(take().text);
  if (diagnostics.failed())
    return;
  char *end = nullptr;
  char mark = text.size() > 1 && text[0] == '0' ? static_cast<char>(text[1] | 0x20) : ' ';
  if (mark == 'f' || mark == 'd') {
    operand.kind = mark == 'f' ? Operand::Kind::Single : Operand::Kind::Double;
    operand.bits = std::strtoull(text.c_str() + 2, &end, 16);
    if (isNegative)
      operand.bits ^= mark == 'f' ? uint64_t{1} << 31 : uint64_t{1} << 63;
  } else if (mark != 'x' && text.find('.') != std::string::npos) {
    double value = std::strtod(text.c_str(), &end);
    operand.kind = Operand::Kind::Double;
    operand.bits = bitsOf(isNegative ? -value : value);
  } else {
    operand.kind = Operand::Kind::Integer;
    bool isBinary = mark == 'b';
    operand.bits = std::strtoull(text.c_str() + (isBinary ? 2 : 0), &end, isBinary ? 2 : 0);
    if (*end == 'U')
      ++end;
    if (isNegative)
      operand.bits = -operand.bits;
  }
  if (*end != '\0') {
    --at;
    failHere("a number");
  }
}

/// A number of a version, or many where it is none.
static unsigned getSmall(const char *text) {
  return static_cast<unsigned>(std::min(std::strtoul(text, nullptr, 10), 10000ul));
}

/// `7.0`: 70.
unsigned Parser::takeVersion() {
  std::string text(take().text);
  size_t point = text.find('.');
  if (point == std::string::npos) {
    --at;
    failHere("a version");
    return 0;
  }
  return getSmall(text.c_str()) * 10 + getSmall(text.c_str() + point + 1);
}

/// `sm_80`, `sm_90a, debug`: 80, 90.
unsigned Parser::takeTarget() {
  std::string_view name = takeName();
  unsigned target = 0;
  if (name.starts_with("sm_"))
    target = getSmall(std::string(name.substr(3)).c_str());
  while (accept(","))
    takeName();
  return target;
}

/// `.section .debug_info { … }`: for debuggers.
void Parser::skipSection() {
  takeName();
  expect("{");
  while (!atEnd() && !accept("}"))
    take();
}

std::optional<Space> Parser::acceptSpace() {
  for (auto [name, space] : spaces)
    if (accept(name))
      return space;
  return std::nullopt;
}

/// What follows the space: `.align 4 .b8 name[16] = {1, 2}`, also as a parameter, without the semicolon.
Variable Parser::takeVariable(Space space) {
  Variable variable;
  variable.space = space;
  variable.line = peek().line;
  uint64_t align = 0;
  std::optional<Type> type;
  while (!atEnd() && peek().text.starts_with('.')) {
    std::string_view word = take().text;
    if (word == ".align")
      align = takeInteger();
    else if (auto known = parseType(word.substr(1)))
      type = known;
    else if (word == ".v2" || word == ".v4")
      variable.count = word == ".v2" ? 2 : 4;
    // `.ptr .global`: what a parameter points to.
    else if (word != ".ptr" &&
             std::ranges::find(spaces, word, &std::pair<std::string_view, Space>::first) == std::end(spaces))
      diagnostics.fail(variable.line, "found `" + std::string(word) + "`, expected a type");
  }
  if (!type)
    failHere("a type");
  variable.type = type.value_or(Type::B8);
  variable.align = std::max<uint64_t>(align, variable.count * getBytes(variable.type));
  // An alignment after `.ptr` is that of what it points to; no parameter needs more than 16.
  if (space == Space::Param && variable.count == 1)
    variable.align = std::min<uint64_t>(variable.align, 16);
  variable.name = takeName();
  takeDimensions(variable);
  if (accept("="))
    takeInitial(variable);
  if (variable.align == 0 || (variable.align & (variable.align - 1)) != 0 || variable.align > 4096)
    diagnostics.fail(variable.line,
                     "the alignment is " + std::to_string(variable.align) + ", expected a power of two up to 4096");
  return variable;
}

void Parser::takeDimensions(Variable &variable) {
  while (accept("[")) {
    uint64_t extent = isNext("]") ? 0 : takeInteger();
    expect("]");
    if (extent > maxCount || variable.count * extent > maxCount)
      diagnostics.fail(variable.line, "`" + std::string(variable.name) + "` is too large");
    else
      variable.count *= extent;
  }
}

void Parser::takeInitial(Variable &variable) {
  std::vector<Operand> values;
  if (accept("{"))
    values = takeOperands("}", 1);
  else
    values.push_back(takeOperand(0));
  unsigned bytes = getBytes(variable.type);
  for (const Operand &value : values) {
    if (value.kind != Operand::Kind::Integer && value.kind != Operand::Kind::Single &&
        value.kind != Operand::Kind::Double)
      diagnostics.fail(value.line, "the first value of a variable is not a number");
    uint64_t bits = value.bits;
    if (value.kind == Operand::Kind::Double && variable.type == Type::F32)
      bits = bitsOf(static_cast<float>(std::bit_cast<double>(bits)));
    else if (value.kind == Operand::Kind::Single && variable.type == Type::F64)
      bits = bitsOf(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))));
    for (unsigned i = 0; i < bytes; ++i)
      variable.initial.push_back(static_cast<uint8_t>(bits >> (8 * i)));
  }
  if (variable.count == 0)
    variable.count = values.size();
  if (variable.initial.size() > variable.count * bytes)
    diagnostics.fail(variable.line, "`" + std::string(variable.name) + "` has more values than elements");
}

std::vector<Variable> Parser::takeParameters() {
  std::vector<Variable> parameters;
  expect("(");
  while (!atEnd() && !accept(")")) {
    if (!accept(".param"))
      failHere("`.param`; parameters in registers are not supported");
    parameters.push_back(takeVariable(Space::Param));
    if (!isNext(")"))
      expect(",");
  }
  return parameters;
}

/// `.maxntid 256, 1, 1` and such, between the parameters and the body.
void Parser::takeLimits(Function &function) {
  while (!atEnd() && peek().text.starts_with('.')) {
    std::string_view word = take().text;
    bool isThreads = word == ".maxntid" || word == ".reqntid";
    uint64_t product = 1;
    while (peek().kind == Token::Kind::Number) {
      product = std::min<uint64_t>(product * takeInteger(), 1 << 20);
      accept(",");
    }
    if (isThreads)
      function.maxThreads = static_cast<unsigned>(product);
    else if (word == ".pragma")
      take(), expect(";");
    else if (word != ".minnctapersm" && word != ".maxnreg" && word != ".noreturn")
      diagnostics.fail(peek().line, "unknown directive `" + std::string(word) + "`");
  }
}

Function Parser::takeFunction(bool isEntry) {
  Function function;
  function.isEntry = isEntry;
  function.line = peek().line;
  if (!isEntry && isNext("("))
    function.results = takeParameters();
  function.name = takeName();
  if (isNext("("))
    function.parameters = takeParameters();
  takeLimits(function);
  if (accept(";"))
    return function;
  function.hasBody = true;
  expect("{");
  takeBody(function);
  return function;
}

void Parser::takeBody(Function &function) {
  for (unsigned depth = 1; !atEnd();) {
    unsigned line = peek().line;
    if (accept("{")) {
      ++depth;
      function.body.push_back(makeStatement(Statement::Kind::Open, line));
    } else if (accept("}")) {
      if (--depth == 0)
        return;
      function.body.push_back(makeStatement(Statement::Kind::Close, line));
    } else if (accept(".reg")) {
      takeRegisters(function);
    } else if (auto space = acceptSpace()) {
      Statement statement = makeStatement(Statement::Kind::Variable, line);
      statement.variable = takeVariable(*space);
      function.body.push_back(std::move(statement));
      expect(";");
    } else if (accept(".loc")) {
      // `.loc 1 7 3`, perhaps with `, function_name …` on the same line.
      while (!atEnd() && peek().line == line)
        take();
    } else if (accept(".pragma")) {
      take();
      expect(";");
    } else if (accept(".branchtargets")) {
      takeTargets(function);
    } else if (!accept(";")) {
      takeInstruction(function);
    }
  }
  failHere("`}`");
}

/// `.reg .b32 %r<8>, a;`
void Parser::takeRegisters(Function &function) {
  std::string_view word = takeName();
  std::optional<Type> type = word.starts_with('.') ? parseType(word.substr(1)) : std::nullopt;
  if (!type)
    diagnostics.fail(peek().line, "found `" + std::string(word) + "`, expected the type of a register");
  do {
    Statement statement = makeStatement(Statement::Kind::Register, peek().line);
    statement.variable.type = type.value_or(Type::B8);
    statement.variable.name = takeName();
    statement.variable.count = 0; // One register that is called so.
    if (accept("<")) {
      statement.variable.count = takeInteger();
      expect(">");
      if (statement.variable.count > 1 << 20)
        diagnostics.fail(statement.line, "there are too many registers");
    }
    function.body.push_back(std::move(statement));
  } while (accept(","));
  expect(";");
}

/// `$list: .branchtargets $a, $b;`: the label before it is that of the list.
void Parser::takeTargets(Function &function) {
  Statement statement = makeStatement(Statement::Kind::Targets, peek().line);
  if (function.body.empty() || function.body.back().kind != Statement::Kind::Label)
    return diagnostics.fail(statement.line, "a list of targets has no label");
  statement.text = function.body.back().text;
  statement.operands = takeOperands(";", 0);
  function.body.back() = std::move(statement);
}

/// A label, or an instruction up to its semicolon.
void Parser::takeInstruction(Function &function) {
  Statement statement = makeStatement(Statement::Kind::Instruction, peek().line);
  if (accept("@")) {
    statement.negated = accept("!");
    statement.predicate = takeName();
  }
  statement.text = takeName();
  if (statement.predicate.empty() && accept(":")) {
    statement.kind = Statement::Kind::Label;
    function.body.push_back(std::move(statement));
    return;
  }
  std::string_view rest = statement.text;
  for (bool isFirst = true; !rest.empty(); isFirst = false) {
    size_t point = std::min(rest.find('.'), rest.size());
    if (isFirst)
      statement.opcode = rest.substr(0, point);
    else
      statement.modifiers.push_back(rest.substr(0, point));
    rest.remove_prefix(std::min(point + 1, rest.size()));
  }
  statement.operands = takeOperands(";", 0);
  function.body.push_back(std::move(statement));
}

/// Operands up to `close`, which is taken.
std::vector<Operand> Parser::takeOperands(std::string_view close, unsigned depth) {
  std::vector<Operand> operands;
  if (depth > maxDepth) {
    failHere("fewer brackets");
    return operands;
  }
  while (!atEnd() && !accept(close)) {
    operands.push_back(takeOperand(depth));
    if (!isNext(close) && !accept(","))
      failHere("`,` or `" + std::string(close) + "`");
  }
  return operands;
}

Operand Parser::takeOperand(unsigned depth) {
  Operand operand;
  operand.line = peek().line;
  if (accept("{") || isNext("(")) {
    bool isCall = accept("(");
    operand.kind = Operand::Kind::List;
    operand.parts = takeOperands(isCall ? ")" : "}", depth + 1);
    return operand;
  }
  bool isAddress = accept("[");
  operand.negated = accept("!");
  if (isNext("-") || peek().kind == Token::Kind::Number)
    takeNumber(operand, accept("-"));
  else
    operand.name = takeName();
  if (!operand.name.empty() && (isNext("+") || isNext("-"))) {
    bool isMinus = take().text == "-";
    uint64_t offset = takeInteger();
    operand.offset = static_cast<int64_t>(isMinus ? -offset : offset);
  }
  if (isAddress) {
    operand.kind = Operand::Kind::Address;
    expect("]");
  } else if (accept("|")) {
    operand.second = takeName();
  }
  return operand;
}

ModuleSyntax Parser::run() {
  ModuleSyntax module;
  while (!atEnd()) {
    bool isExternal = false;
    while (isNext(".visible") || isNext(".extern") || isNext(".weak") || isNext(".common"))
      isExternal |= take().text == ".extern";
    if (accept(".version")) {
      module.version = takeVersion();
    } else if (accept(".target")) {
      module.target = takeTarget();
    } else if (accept(".address_size")) {
      if (takeInteger() != 64)
        diagnostics.fail(peek().line, "the addresses have not 64 bits");
    } else if (isNext(".entry") || isNext(".func")) {
      module.functions.push_back(takeFunction(take().text == ".entry"));
    } else if (accept(".section")) {
      skipSection();
    } else if (accept(".file")) {
      for (unsigned line = peek().line; !atEnd() && peek().line == line;)
        take();
    } else if (accept(".pragma")) {
      take();
      expect(";");
    } else if (auto space = acceptSpace()) {
      module.variables.push_back(takeVariable(*space));
      module.variables.back().isExternal = isExternal;
      expect(";");
    } else {
      failHere("a directive");
    }
  }
  return module;
}

ModuleSyntax parse(std::string_view source, Diagnostics &diagnostics) { return Parser(source, diagnostics).run(); }

} // namespace quern::ptx
