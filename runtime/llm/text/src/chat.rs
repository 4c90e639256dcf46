//! Jinja chat templates, with the environment that Hugging Face's `apply_chat_template` gives them.

use crate::python;
use crate::template::{prepare, PERCENT};
use crate::tojson::{spell_float, tojson, MAX_DEPTH};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value, ValueKind};
use minijinja::{context, filters, Environment, Error, ErrorKind, Output, State};
use std::error::Error as _;
use std::ffi::{c_char, CString};

/// Steps that one rendering may take beside one per byte of the messages: an instruction is one, and so are 64 bytes that
/// are made. Templates in use take a few thousand; one that never ends has taken them within 0.1 s.
const STEPS: u64 = 500_000;

/// The longest text of a date.
const MAX_DATE: usize = 256;

/// Why there is no text.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    /// The template itself refused the conversation, by `raise_exception`.
    pub is_raised: bool,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Failure { message, is_raised: false }
    }
}

pub fn render(
    template: &str,
    messages: &str,
    bos: &str,
    eos: &str,
    add_generation_prompt: bool,
) -> Result<String, Failure> {
    let steps = STEPS + messages.len() as u64;
    let messages: serde_json::Value =
        serde_json::from_str(messages).map_err(|e| format!("broken messages: {e}"))?;
    if !messages.is_array() {
        return Err(format!("broken messages: expected an array, found {}", kind(&messages)).into());
    }
    let environment = environment(steps).map_err(|e| explain(&e))?;
    let source =
        prepare(template, environment.syntax()).map_err(|e| format!("chat template, {e}"))?;
    let template = environment.template_from_str(&source).map_err(|e| explain(&e))?;
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

fn environment(steps: u64) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_fuel(Some(steps));
    environment.set_formatter(print);
    environment.set_unknown_method_callback(python::call_method);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("tojson", tojson);
    environment.add_filter(PERCENT, python::percent);
    environment.add_test("callable", |value: &Value| {
        value.kind() == ValueKind::Plain && value.as_object().is_some()
    });
    environment.add_test("sequence", |value: &Value| is_iterable(value));
    environment.add_test("iterable", |value: &Value| is_iterable(value));
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("strftime_now", strftime_now);
    environment.add_function("cycler", minijinja_contrib::globals::cycler);
    environment.add_function("joiner", minijinja_contrib::globals::joiner);
    Ok(environment)
}

/// Prints a value, unless it is deeper than the stack may be: printing descends.
fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    check_depth(state, value, MAX_DEPTH)?;
    if value.kind() == ValueKind::Number && !value.is_integer() {
        let number = f64::try_from(value.clone())?;
        return Ok(out.write_str(&spell_float(number, ["nan", "inf"]))?);
    }
    minijinja::escape_formatter(out, state, value)
}

/// Of what a template has, all that Python can iterate over has a length and items, too; what is undefined is empty.
fn is_iterable(value: &Value) -> bool {
    use ValueKind::{Iterable, Map, Seq, String, Undefined};
    matches!(value.kind(), Seq | Iterable | Map | String | Undefined)
}

fn check_depth(state: &State, value: &Value, left: usize) -> Result<(), Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Map) {
        return Ok(());
    }
    if left == 0 {
        let message = format!("found a value nested deeper than {MAX_DEPTH}");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    for item in value.try_iter()? {
        // The same list may stand in many places, so the walk has to be paid for.
        state.consume_fuel(1)?;
        let item = if value.kind() == ValueKind::Map { value.get_item(&item)? } else { item };
        check_depth(state, &item, left - 1)?;
    }
    Ok(())
}

/// Jinja's: what is no number is the default, or 0.
fn int(
    state: &State,
    value: &Value,
    default: Option<Value>,
    base: Option<u32>,
    options: Kwargs,
) -> Result<Value, Error> {
    let default = default.or(options.get("default")?).unwrap_or(Value::from(0));
    filters::int(state, value, Some(default), base, options)
}

fn float(
    state: &State,
    value: &Value,
    default: Option<Value>,
    options: Kwargs,
) -> Result<Value, Error> {
    let default = default.or(options.get("default")?).unwrap_or(Value::from(0.0));
    filters::float(state, value, Some(default), options)
}

/// What the message of `raise_exception` comes with.
#[derive(Debug)]
struct Raised;

impl std::fmt::Display for Raised {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("raised by the template")
    }
}

impl std::error::Error for Raised {}

fn raise_exception(message: Value) -> Result<Value, Error> {
    let message = match message.to_string() {
        empty if empty.is_empty() => "it gives no reason".to_string(),
        given => given,
    };
    Err(Error::new(ErrorKind::InvalidOperation, message).with_source(Raised))
}

extern "C" {
    fn time(now: *mut i64) -> i64;
    fn localtime_r(time: *const i64, parts: *mut DateParts) -> *mut DateParts;
    fn strftime(
        text: *mut u8,
        size: usize,
        format: *const c_char,
        parts: *const DateParts,
    ) -> usize;
}

/// Room for libc's `struct tm`.
#[repr(C)]
struct DateParts([u64; 16]);

/// Python's `datetime.now().strftime(format)`, which is libc's, too.
fn strftime_now(format: &str) -> Result<Value, Error> {
    // A text is never empty with a mark behind it, so that nothing written means no room.
    let marked = CString::new(format!("{format}|"))
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "a format of dates has no zeros"))?;
    let mut text = [0; MAX_DATE + 2];
    // SAFETY: the parts are larger than `struct tm`, and `strftime` writes at most the text's size.
    let size = unsafe {
        let now = time(std::ptr::null_mut());
        let mut parts = DateParts([0; 16]);
        if localtime_r(&now, &mut parts).is_null() {
            return Err(Error::new(ErrorKind::InvalidOperation, "the clock has no date"));
        }
        strftime(text.as_mut_ptr(), text.len(), marked.as_ptr(), &parts)
    };
    if size == 0 {
        let message = format!("a date of more than {MAX_DATE} bytes");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(Value::from(String::from_utf8_lossy(&text[..size - 1])))
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

fn explain(error: &Error) -> Failure {
    let place = error.line().map_or(String::new(), |line| format!(", line {line}"));
    let reason = match error.kind() {
        ErrorKind::OutOfFuel => {
            format!("it takes more than {STEPS} steps and one per byte of the messages")
        }
        kind => error.detail().map_or_else(|| kind.to_string(), str::to_string),
    };
    let is_raised = error.source().is_some_and(|source| source.is::<Raised>());
    Failure { message: format!("chat template{place}: {reason}"), is_raised }
}
