//! Jinja chat templates, with the environment that Hugging Face's `apply_chat_template` gives them.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{context, Environment, Error, ErrorKind};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io;

/// Instructions and 64-byte pieces of memory that one rendering may use: far above any template that
/// is meant well (256 MiB), and reached within seconds by one that never ends.
const FUEL: u64 = 4_000_000;

pub fn render(
    template: &str,
    messages: &str,
    bos: &str,
    eos: &str,
    add_generation_prompt: bool,
) -> Result<String, String> {
    let messages: serde_json::Value =
        serde_json::from_str(messages).map_err(|e| format!("broken messages: {e}"))?;
    if !messages.is_array() {
        return Err(format!("broken messages: expected an array, found {}", kind(&messages)));
    }
    let environment = environment().map_err(|e| explain(&e))?;
    let template = environment.template_from_str(template).map_err(|e| explain(&e))?;
    let values = context! {
        messages => Value::from(Serde(messages)),
        bos_token => bos,
        eos_token => eos,
        add_generation_prompt,
        tools => Value::from(()),
        documents => Value::from(()),
    };
    template.render(values).map_err(|e| explain(&e))
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_fuel(Some(FUEL));
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", tojson);
    environment.add_function("raise_exception", raise_exception);
    Ok(environment)
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// Python's `json.dumps(value, ensure_ascii=False, indent=indent)`.
fn tojson(value: Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let mut bytes = Vec::new();
    let written = match indent {
        Some(indent) if indent <= 64 => {
            let spaces = " ".repeat(indent);
            let formatter = PrettyFormatter::with_indent(spaces.as_bytes());
            value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter))
        }
        Some(indent) => {
            let message = format!("`tojson` expects an indent of at most 64, found {indent}");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut bytes, OneLine)),
    };
    let refuse = |e: String| Error::new(ErrorKind::InvalidOperation, e);
    written.map_err(|e| refuse(e.to_string()))?;
    String::from_utf8(bytes).map(Value::from).map_err(|e| refuse(e.to_string()))
}

/// Python's separators: `, ` and `: `.
struct OneLine;

impl OneLine {
    fn separate<W: ?Sized + io::Write>(writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }
}

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        Self::separate(w, first)
    }
    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        Self::separate(w, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "an array",
        serde_json::Value::Object(_) => "an object",
    }
}

fn explain(error: &Error) -> String {
    let place = error.line().map_or(String::new(), |line| format!(", line {line}"));
    let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_string);
    format!("chat template{place}: {reason}")
}
