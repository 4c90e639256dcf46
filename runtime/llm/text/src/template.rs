//! A chat template's source, before it is parsed: bounded, its line ends as Jinja has them, and what the library lacks of
//! the environment that transformers gives written in other words on the same line.

use minijinja::machinery::{tokenize, Span, Token};
use minijinja::syntax::SyntaxConfig;

/// The largest template; those in use have up to 30 kB.
pub const MAX_BYTES: usize = 1 << 20;
/// Operators, calls and attributes that follow each other in one expression: its tree is as deep. Jinja2 reaches Python's
/// limit of recursion before.
pub const MAX_CHAIN: usize = 1000;
/// Brackets in brackets, as the library has it for expressions.
pub const MAX_BRACKETS: usize = 150;

/// The filter that stands for `%` after a text.
pub const PERCENT: &str = "_percent";

/// What the library is to read: `{% generation %}`, which marks the assistant's text for training, is a scope, and
/// `'%s' % x` a filter of the text.
pub fn prepare(template: &str, syntax: &SyntaxConfig) -> Result<String, String> {
    if template.len() > MAX_BYTES {
        let found = template.len();
        return Err(format!("found {found} bytes, expected at most {MAX_BYTES}"));
    }
    let source = template.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader::default();
    for token in tokenize(&source, false, syntax.clone()) {
        // What is wrong here is the parser's to say.
        let Ok((token, span)) = token else { break };
        reader.read(&token, span);
        reader.check().map_err(|error| format!("line {}: {error}", span.start_line))?;
    }
    Ok(apply(&source, reader.edits))
}

/// Puts `text` in place of the bytes from `start` to `end`.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

fn apply(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.start);
    let mut result = String::with_capacity(source.len());
    let mut done = 0;
    for edit in edits {
        result.push_str(&source[done..edit.start]);
        result.push_str(&edit.text);
        done = edit.end;
    }
    result.push_str(&source[done..]);
    result
}

/// What is inside of one pair of brackets, or of a tag.
#[derive(Default)]
struct Level {
    /// Operators since the last comma.
    chain: usize,
    /// Where the text begins that is all that stands before the next token.
    text: Option<usize>,
    /// The same of the text before a `%` whose operand has not ended.
    percent: Option<usize>,
}

/// What came last, as far as the meaning of what follows depends on it.
#[derive(Clone, Copy, Default, PartialEq)]
enum Last {
    /// The beginning of a block.
    Block,
    /// `generation` or `endgeneration` right there, from this byte, and what stands for it.
    Generation(usize, &'static str),
    #[default]
    Operator,
    /// An operator that binds as `%` does, or more.
    Factor,
    /// `.` or `|`.
    Member,
    Is,
    Text,
    Operand,
}

#[derive(Default)]
struct Reader {
    edits: Vec<Edit>,
    levels: Vec<Level>,
    last: Last,
    /// Of all conditions.
    elifs: usize,
}

impl Reader {
    fn check(&self) -> Result<(), String> {
        if self.levels.last().is_some_and(|level| level.chain > MAX_CHAIN) {
            return Err(format!("more than {MAX_CHAIN} operators follow each other"));
        }
        if self.levels.len() > MAX_BRACKETS {
            return Err(format!("brackets are nested deeper than {MAX_BRACKETS}"));
        }
        if self.elifs > MAX_CHAIN {
            return Err(format!("there are more than {MAX_CHAIN} `elif`"));
        }
        Ok(())
    }

    fn read(&mut self, token: &Token, span: Span) {
        let start = span.start_offset as usize;
        let last = self.last;
        self.last = match token {
            Token::TemplateData(_) => return,
            Token::VariableStart | Token::BlockStart => {
                self.levels = vec![Level::default()];
                if matches!(token, Token::BlockStart) {
                    Last::Block
                } else {
                    Last::Operator
                }
            }
            Token::VariableEnd | Token::BlockEnd => return self.end_tag(start),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                self.count(last == Last::Operand);
                self.level().text = None;
                self.levels.push(Level::default());
                Last::Operator
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.end_operand(start);
                self.levels.pop();
                Last::Operand
            }
            Token::Comma | Token::Colon | Token::Assign => {
                self.end_operand(start);
                self.level().chain = 0;
                Last::Operator
            }
            Token::Str(_) | Token::String(_) => {
                let begins = matches!(last, Last::Operator).then_some(start);
                let level = self.level();
                level.text = begins.or(level.text.filter(|_| last == Last::Text));
                Last::Text
            }
            Token::Mod => self.read_percent(span),
            Token::Mul | Token::Div | Token::FloorDiv => self.read_operator(start, Last::Factor),
            Token::Minus | Token::Pow if last != Last::Operand && last != Last::Text => {
                self.count(true);
                Last::Factor
            }
            Token::Pow => {
                self.count(true);
                self.level().text = None;
                Last::Factor
            }
            Token::Dot | Token::Pipe => {
                self.count(true);
                self.level().text = None;
                Last::Member
            }
            Token::Ident(word) => self.read_word(word, start, last),
            Token::Int(_) | Token::Int128(_) | Token::Float(_) => Last::Operand,
            _ => self.read_operator(start, Last::Operator),
        };
    }

    fn read_word(&mut self, word: &str, start: usize, last: Last) -> Last {
        match word {
            _ if last == Last::Member => Last::Operand,
            "generation" if last == Last::Block => Last::Generation(start, "with"),
            "endgeneration" if last == Last::Block => Last::Generation(start, "endwith"),
            "elif" if last == Last::Block => {
                self.elifs += 1;
                Last::Operator
            }
            "is" => {
                self.count(true);
                Last::Is
            }
            "not" if last == Last::Is => Last::Is,
            "and" | "or" | "not" | "in" | "if" | "else" if last != Last::Is => {
                self.read_operator(start, Last::Operator)
            }
            // The first word of a block says what it is; an expression may follow.
            _ if last == Last::Block => Last::Operator,
            _ => Last::Operand,
        }
    }

    fn read_operator(&mut self, start: usize, kind: Last) -> Last {
        self.end_operand(start);
        self.count(true);
        kind
    }

    /// `'%s' % x` becomes `('%s'|_percent(x))`; `'%s' % x % y` is that of `('%s'|_percent(x))`.
    fn read_percent(&mut self, span: Span) -> Last {
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        let level = self.level();
        let text = level.percent.or(level.text);
        self.end_operand(start);
        self.count(true);
        if let Some(text) = text {
            self.level().percent = Some(text);
            self.edits.push(Edit { start: text, end: text, text: "(".into() });
            self.edits.push(Edit { start, end, text: format!("|{PERCENT}(") });
        }
        Last::Factor
    }

    fn end_tag(&mut self, start: usize) {
        if let Last::Generation(word, text) = self.last {
            // `endgeneration` and `endwith` end alike.
            let end = word + text.len() - "with".len() + "generation".len();
            self.edits.push(Edit { start: word, end, text: text.into() });
        }
        self.end_operand(start);
        self.levels.clear();
    }

    /// What stands before `start` is no longer a text alone, and closes a `%`.
    fn end_operand(&mut self, start: usize) {
        let level = self.level();
        level.text = None;
        if level.percent.take().is_some() {
            self.edits.push(Edit { start, end: start, text: "))".into() });
        }
    }

    fn count(&mut self, is_operator: bool) {
        self.level().chain += usize::from(is_operator);
    }

    /// The innermost; brackets that do not match are the parser's to refuse.
    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        self.levels.last_mut().expect("one was added")
    }
}
