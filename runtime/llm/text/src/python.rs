//! What Python's values do in templates and the library's do not: methods, and texts with `%`.

use minijinja::value::{from_args, Kwargs, Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat;

/// Methods that the library does not know.
pub fn call_method(
    state: &mut State,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let known = match (value.kind(), value.as_str()) {
        (ValueKind::String, Some(text)) => call_text(state, text, method, args)?,
        (ValueKind::Map, _) if method == "copy" => Some(value.clone()),
        (ValueKind::Seq, _) if method == "index" => Some(find_item(value, args)?),
        _ => None,
    };
    match known {
        Some(result) => Ok(result),
        None => pycompat::unknown_method_callback(state, value, method, &by_place(method, args)?),
    }
}

fn refuse(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The arguments without their names, of methods that Python lets be called with names.
fn by_place(method: &str, args: &[Value]) -> Result<Vec<Value>, Error> {
    let names: &[&str] = match method {
        "split" | "rsplit" => &["sep", "maxsplit"],
        "splitlines" => &["keepends"],
        "expandtabs" => &["tabsize"],
        _ => return Ok(args.to_vec()),
    };
    let Some((last, first)) = args.split_last().filter(|(last, _)| last.is_kwargs()) else {
        return Ok(args.to_vec());
    };
    let named = Kwargs::try_from(last.clone())?;
    let mut places = first.to_vec();
    for name in names.iter().skip(first.len()) {
        places.push(named.get::<Option<Value>>(name)?.unwrap_or_default());
    }
    named.assert_all_used()?;
    // An argument that was not given is undefined, and none in between.
    while places.last().is_some_and(Value::is_undefined) {
        places.pop();
    }
    Ok(places
        .into_iter()
        .map(|value| if value.is_undefined() { Value::from(()) } else { value })
        .collect())
}

fn call_text(
    state: &State,
    text: &str,
    method: &str,
    args: &[Value],
) -> Result<Option<Value>, Error> {
    let value = match method {
        "format" => {
            pay_for_widths(state, text, args)?;
            return Ok(None);
        }
        "rsplit" => split_from_end(text, &by_place(method, args)?)?,
        "partition" | "rpartition" => partition(text, method, args)?,
        "index" | "rindex" => {
            let (what,): (&str,) = from_args(args)?;
            let found = if method == "index" { text.find(what) } else { text.rfind(what) };
            let found = found.ok_or_else(|| refuse(format!("`{what}` is not in the text")))?;
            Value::from(text[..found].chars().count())
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "center" | "ljust" | "rjust" | "zfill" => pad(state, text, method, args)?,
        "casefold" => Value::from(text.to_uppercase().to_lowercase()),
        "swapcase" => Value::from(text.chars().flat_map(swap_case).collect::<String>()),
        "expandtabs" => expand_tabs(state, text, &by_place(method, args)?)?,
        "isdecimal" => Value::from(!text.is_empty() && text.chars().all(char::is_numeric)),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// The widths that a format asks for are memory: it is paid for before it is taken.
fn pay_for_widths(state: &State, format: &str, args: &[Value]) -> Result<(), Error> {
    let digits = format.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let mut bytes =
        digits.fold(0u64, |sum, digits| sum.saturating_add(digits.parse().unwrap_or(u64::MAX)));
    // A width may be an argument.
    if format.matches('{').count() > format.matches('}').count()
        || format.contains(":{")
        || format.contains("{}}")
    {
        let numbers = args.iter().filter_map(Value::as_i64);
        bytes = numbers.fold(bytes, |sum, number| sum.saturating_add(number.unsigned_abs()));
    }
    state.consume_fuel(bytes / 64)
}

fn split_from_end(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
    let pieces = most.filter(|most| *most >= 0).map_or(usize::MAX, |most| most as usize + 1);
    let mut parts: Vec<Value> = match separator {
        Some("") => return Err(refuse("`rsplit` expects a separator, found an empty one".into())),
        Some(separator) => text.rsplitn(pieces, separator).map(Value::from).collect(),
        None => {
            let mut rest = text.trim_end();
            let mut words = Vec::new();
            while !rest.is_empty() {
                let cut = rest.rfind(char::is_whitespace).filter(|_| words.len() + 1 < pieces);
                let from =
                    cut.map_or(0, |cut| cut + rest[cut..].chars().next().map_or(0, char::len_utf8));
                words.push(Value::from(&rest[from..]));
                rest = cut.map_or("", |cut| rest[..cut].trim_end());
            }
            words
        }
    };
    parts.reverse();
    Ok(Value::from(parts))
}

/// What is before, the separator, and what is after it; without one, the text and two empty ones.
fn partition(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator,): (&str,) = from_args(args)?;
    let is_first = method == "partition";
    let found = if is_first { text.split_once(separator) } else { text.rsplit_once(separator) };
    let parts = match found {
        _ if separator.is_empty() => {
            return Err(refuse(format!("`{method}` expects a separator, found an empty one")))
        }
        Some((before, after)) => [before, separator, after],
        None if is_first => [text, "", ""],
        None => ["", "", text],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn pad(state: &State, text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, fill): (i64, Option<&str>) = from_args(args)?;
    let fill = if method == "zfill" { "0" } else { fill.unwrap_or(" ") };
    if fill.chars().count() != 1 {
        return Err(refuse(format!(
            "`{method}` expects one character to fill with, found `{fill}`"
        )));
    }
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(text.chars().count());
    state.consume_fuel((missing / 16) as u64)?;
    // Python's rule for what can't be shared evenly.
    let half = missing / 2 + (missing & width as usize & 1);
    let (left, right) = match method {
        "ljust" => (0, missing),
        "center" => (half, missing - half),
        _ => (missing, 0),
    };
    let (sign, digits) =
        text.split_at(usize::from(method == "zfill" && text.starts_with(['+', '-'])));
    Ok(Value::from(format!("{sign}{}{digits}{}", fill.repeat(left), fill.repeat(right))))
}

fn swap_case(c: char) -> Vec<char> {
    if c.is_uppercase() {
        c.to_lowercase().collect()
    } else {
        c.to_uppercase().collect()
    }
}

fn expand_tabs(state: &State, text: &str, args: &[Value]) -> Result<Value, Error> {
    let (size,): (Option<i64>,) = from_args(args)?;
    let size = size.unwrap_or(8).max(0) as usize;
    state.consume_fuel(text.matches('\t').count().saturating_mul(size / 64 + 1) as u64)?;
    let (mut result, mut column) = (String::new(), 0);
    for character in text.chars() {
        match character {
            '\t' if size == 0 => {}
            '\t' => {
                let spaces = size - column % size;
                result.push_str(&" ".repeat(spaces));
                column += spaces;
            }
            _ => {
                result.push(character);
                column = if matches!(character, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(Value::from(result))
}

fn find_item(list: &Value, args: &[Value]) -> Result<Value, Error> {
    let (what,): (&Value,) = from_args(args)?;
    let found = list.try_iter()?.position(|item| item == *what);
    found.map(Value::from).ok_or_else(|| refuse("the item is not in the list".into()))
}

/// `format % operand`: a tuple has the operands, a map has them by name, everything else is the operand.
pub fn percent(state: &mut State, format: Value, operand: Value) -> Result<Value, Error> {
    let mut args = vec![format];
    if let Some(operands) = operand.downcast_object_ref::<Tuple>() {
        args.extend(operands.iter().cloned());
    } else if operand.kind() == ValueKind::Map
        && args[0].as_str().is_some_and(|text| text.contains("%("))
    {
        let names = operand.try_iter()?;
        let pairs = names.map(|name| Ok((name.to_string(), operand.get_item(&name)?)));
        args.push(Value::from(pairs.collect::<Result<Kwargs, Error>>()?));
    } else {
        args.push(operand);
    }
    state.apply_filter("format", &args)
}
