//===- Parser.h - PTX tokens to what they say --------------------------------------------------===//

#ifndef QUERN_TEST_PTX_PARSER_H
#define QUERN_TEST_PTX_PARSER_H

#include "test/ptx/Syntax.h"

namespace quern::ptx {

class Diagnostics;

/// Reads the text of a module, which the result refers to. Instructions are not looked at but for their form.
ModuleSyntax parse(std::string_view source, Diagnostics &diagnostics);

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_PARSER_H
