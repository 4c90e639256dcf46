//! The filter `tojson` of transformers: Python's `json.dumps(value, ensure_ascii=False, indent=None, separators=None,
//! sort_keys=False)`.

use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};
use std::fmt::Write;

/// How deep a value may be; what holds itself has no end.
pub const MAX_DEPTH: usize = 200;
/// The widest indent.
const MAX_INDENT: usize = 64;

pub fn tojson(
    state: &State,
    value: &Value,
    places: Rest<Value>,
    names: Kwargs,
) -> Result<Value, Error> {
    if places.len() > 4 {
        return Err(refuse(format!(
            "`tojson` expects at most 4 arguments, found {}",
            places.len()
        )));
    }
    let option = |place: usize, name: &str| -> Result<Option<Value>, Error> {
        let named: Option<Value> = names.get(name)?;
        Ok(places.get(place).cloned().or(named).filter(|value| !value.is_none()))
    };
    let indent = option(1, "indent")?.map(|indent| spell_indent(&indent)).transpose()?;
    let (item, key) = match option(2, "separators")? {
        Some(pair) => {
            (text_of(&pair.get_item(&Value::from(0))?)?, text_of(&pair.get_item(&Value::from(1))?)?)
        }
        None => (if indent.is_some() { "," } else { ", " }.to_string(), ": ".to_string()),
    };
    let mut writer = Writer {
        state,
        text: String::new(),
        ensure_ascii: option(0, "ensure_ascii")?.is_some_and(|value| value.is_true()),
        sort_keys: option(3, "sort_keys")?.is_some_and(|value| value.is_true()),
        indent,
        item,
        key,
    };
    names.assert_all_used()?;
    writer.write(value, 0)?;
    Ok(Value::from(writer.text))
}

fn refuse(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn text_of(value: &Value) -> Result<String, Error> {
    let text = value.as_str().map(str::to_string);
    text.ok_or_else(|| {
        refuse(format!("`tojson` expects separators of text, found {}", value.kind()))
    })
}

/// A number of spaces, or the text itself.
fn spell_indent(indent: &Value) -> Result<String, Error> {
    let text = match (indent.as_str(), indent.as_i64()) {
        (Some(text), _) => text.to_string(),
        (None, Some(spaces)) if spaces <= MAX_INDENT as i64 => " ".repeat(spaces.max(0) as usize),
        _ => indent.to_string(),
    };
    if indent.as_str().is_none() && text.trim() != "" || text.len() > MAX_INDENT {
        return Err(refuse(format!(
            "`tojson` expects an indent of at most {MAX_INDENT}, found {text}"
        )));
    }
    Ok(text)
}

/// A number as Python spells it: the shortest digits, with an exponent from 1e16 and below 1e-4.
pub fn spell_float(number: f64, [not_a_number, infinity]: [&str; 2]) -> String {
    if !number.is_finite() {
        let sign = if number < 0.0 { "-" } else { "" };
        return format!("{sign}{}", if number.is_nan() { not_a_number } else { infinity });
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => format!("{number:?}"),
    }
}

struct Writer<'a> {
    state: &'a State<'a, 'a>,
    text: String,
    ensure_ascii: bool,
    sort_keys: bool,
    indent: Option<String>,
    item: String,
    key: String,
}

impl Writer<'_> {
    fn write(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(refuse(format!("`tojson` found a value nested deeper than {MAX_DEPTH}")));
        }
        // What is made is paid for, before there is much of it.
        self.state.consume_fuel(1)?;
        match value.kind() {
            ValueKind::None => self.text.push_str("null"),
            ValueKind::Bool => self.text.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.text.push_str(&spell_number(value)?),
            ValueKind::String => self.write_text(value.as_str().unwrap_or_default())?,
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.write_items('[', ']', &items, depth, |writer, item| {
                    writer.write(item, depth + 1)
                })?;
            }
            ValueKind::Map => self.write_map(value, depth)?,
            kind => return Err(refuse(format!("`tojson` can't write what is {kind}"))),
        }
        Ok(())
    }

    fn write_map(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let mut keys: Vec<Value> = value.try_iter()?.collect();
        if self.sort_keys {
            keys.sort();
        }
        self.write_items('{', '}', &keys, depth, |writer, key| {
            let name = match key.kind() {
                ValueKind::String => key.as_str().unwrap_or_default().to_string(),
                ValueKind::None => "null".to_string(),
                ValueKind::Bool => if key.is_true() { "true" } else { "false" }.to_string(),
                ValueKind::Number => spell_number(key)?,
                kind => return Err(refuse(format!("`tojson` can't write a key that is {kind}"))),
            };
            writer.write_text(&name)?;
            let separator = writer.key.clone();
            writer.text.push_str(&separator);
            writer.write(&value.get_item(key)?, depth + 1)
        })
    }

    fn write_items(
        &mut self,
        open: char,
        close: char,
        items: &[Value],
        depth: usize,
        write: impl Fn(&mut Self, &Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.text.push(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                let separator = self.item.clone();
                self.text.push_str(&separator);
            }
            self.break_line(depth + 1)?;
            write(self, item)?;
        }
        if !items.is_empty() {
            self.break_line(depth)?;
        }
        self.text.push(close);
        Ok(())
    }

    fn break_line(&mut self, depth: usize) -> Result<(), Error> {
        let Some(indent) = &self.indent else { return Ok(()) };
        self.state.consume_fuel((indent.len() * depth / 64) as u64)?;
        self.text.push('\n');
        self.text.push_str(&indent.repeat(depth));
        Ok(())
    }

    fn write_text(&mut self, text: &str) -> Result<(), Error> {
        self.state.consume_fuel((text.len() / 64) as u64)?;
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                _ if character < ' ' || self.ensure_ascii && character > '~' => {
                    self.escape(character)
                }
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
        Ok(())
    }

    fn escape(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a text can't fail.
            let _ = write!(self.text, "\\u{unit:04x}");
        }
    }
}

fn spell_number(value: &Value) -> Result<String, Error> {
    if value.is_integer() {
        return Ok(value.to_string());
    }
    f64::try_from(value.clone()).map(|number| spell_float(number, ["NaN", "Infinity"]))
}
