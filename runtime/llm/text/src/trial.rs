//! What is wrong with a `tokenizer.json`, found before a text is.
//!
//! Some faults the library meets only at the text that needs what is broken, some it answers with a panic
//! and some silently. All of them are looked for here, once, when a model is compiled.

use crate::boundary::{caught, quoted};
use crate::growth::parts;
use crate::tokenizer::Tokenizer;
use fancy_regex::Regex;
use serde_json::{Map, Value};
use std::collections::HashMap;
use tokenizers::processors::PostProcessorWrapper;

/// The size of a long text.
const LONG_BYTES: usize = 8 * 1024;

/// Reads a tokenizer and tries it; time, memory and stack are the caller's to bound. Gives what its user
/// should know.
pub fn run(json: &[u8]) -> Result<String, String> {
    let file: Value = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    check_vocabulary(&file["model"]).map_err(|e| format!("in `model`: {e}"))?;
    check_post_processor(&file).map_err(|e| format!("in `post_processor`: {e}"))?;
    let tokenizer = caught(|| Tokenizer::from_json(json))?;
    let texts = texts(&file);
    for section in ["normalizer", "pre_tokenizer"] {
        for part in parts(&file[section]) {
            check_map(part).map_err(|e| format!("in `{section}`: {e}"))?;
            check_pattern(part, &texts).map_err(|e| format!("in `{section}`: {e}"))?;
        }
    }
    texts.iter().try_for_each(|text| try_text(&tokenizer, text))?;
    let dropout = &file["model"]["dropout"];
    Ok(match dropout.as_f64() {
        Some(rate) if rate > 0.0 => {
            format!("`dropout` is {dropout} and left out: the same text has the same tokens")
        }
        _ => String::new(),
    })
}

fn try_text(tokenizer: &Tokenizer, text: &str) -> Result<(), String> {
    // A long text is there for its length: once is enough.
    let modes: &[bool] = if text.len() < LONG_BYTES / 2 { &[false, true] } else { &[true] };
    let work = || {
        for &parse_special in modes {
            let ids = tokenizer.encode(text, parse_special)?;
            tokenizer.decode(&ids, false);
        }
        Ok(())
    };
    caught(work).map_err(|e| format!("it fails on {}: {e}", describe(text)))
}

/// A text for a message, by how it begins.
fn describe(text: &str) -> String {
    let start: String = text.chars().take(16).flat_map(char::escape_debug).collect();
    match text.chars().nth(16) {
        Some(_) => format!("a text of {} bytes that begins with `{start}`", text.len()),
        None => format!("the text {}", quoted(&start)),
    }
}

/// Texts of many kinds.
fn texts(file: &Value) -> Vec<String> {
    let controls: String = (0..0x20u8).chain(0x7f..0xa1).map(char::from).collect();
    let printable: String = (0x20..0x7fu8).map(char::from).collect();
    let accents = "e\u{301}\u{327}\u{30a}".to_string() + &"\u{301}".repeat(40) + "\u{200d}\u{feff}";
    let short = [
        "",
        "a",
        " ",
        "Hello, world! It's 3.14 o'clock.",
        "  two  spaces \t and\ttabs   ",
        "line\nline\r\n\n\r\r \n",
        "0123456789 1,234,567.89 ٣٤٥ Ⅷ ½",
        "Ünïcode ẞ İı ﷺ ﬁ Ⅸ ㎏ ｶﾅ",
        "Ελληνικά русский עברית العربية हिन्दी ไทย 日本語 한국어 中文，。",
        "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 😀\u{fe0f}",
        "\u{e000}\u{fffd}\u{10ffff}\u{378}",
        &accents,
        &controls,
        &printable,
    ];
    let mixture = short.concat();
    let mut texts: Vec<String> = short.iter().map(|text| text.to_string()).collect();
    texts.extend(["a", " ", "\n", ".", "0", "é", "\u{4e2d}"].map(|letter| repeated(letter)));
    texts.extend(added(file).into_iter().map(|content| format!("a{content} {content}")));
    texts.extend(longest_token(&file["model"]["vocab"]).map(repeated));
    texts.push(repeated(&mixture));
    texts
}

/// `text` over and over, in as many bytes as a long text has; once if it is longer.
fn repeated(text: &str) -> String {
    text.repeat((LONG_BYTES / text.len().max(1)).max(1))
}

/// The texts of the first added tokens.
fn added(file: &Value) -> Vec<&str> {
    let tokens = file["added_tokens"].as_array().into_iter().flatten();
    tokens.filter_map(|token| token["content"].as_str()).take(32).collect()
}

fn longest_token(vocabulary: &Value) -> Option<&str> {
    let pairs = vocabulary.as_array().into_iter().flatten().filter_map(|pair| pair[0].as_str());
    let names = vocabulary.as_object().into_iter().flatten().map(|(token, _)| token.as_str());
    pairs.chain(names).max_by_key(|token| token.len())
}

/// Every id is that of one token, and every merge of tokens that there are.
fn check_vocabulary(model: &Value) -> Result<(), String> {
    let Some(vocabulary) = model["vocab"].as_object() else { return Ok(()) };
    let mut tokens: HashMap<u64, &str> = HashMap::with_capacity(vocabulary.len());
    for (token, id) in vocabulary {
        let Some(id) = id.as_u64().filter(|id| *id <= i32::MAX as u64) else {
            let most = i32::MAX;
            let token = quoted(token);
            return Err(format!("token {token} has id {id}, expected one from 0 to {most}"));
        };
        if let Some(other) = tokens.insert(id, token) {
            let (other, token) = (quoted(other), quoted(token));
            return Err(format!("tokens {other} and {token} both have id {id}"));
        }
    }
    let prefix = model["continuing_subword_prefix"].as_str().unwrap_or("");
    let merges = model["merges"].as_array().into_iter().flatten();
    for (index, merge) in merges.enumerate() {
        check_merge(vocabulary, merge, prefix).map_err(|e| format!("merge {index} {e}"))?;
    }
    Ok(())
}

fn check_merge(vocabulary: &Map<String, Value>, merge: &Value, prefix: &str) -> Result<(), String> {
    let pair: Vec<&str> = match merge {
        Value::String(text) => text.split(' ').collect(),
        Value::Array(pair) => pair.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let [left, right] = pair[..] else {
        if merge.as_str().is_some_and(|text| text.starts_with("#version")) {
            return Ok(());
        }
        return Err(format!("is {merge}, expected two tokens"));
    };
    let Some(rest) = right.get(prefix.len()..) else {
        let (left, right) = (quoted(left), quoted(right));
        return Err(format!("joins {left} and {right}, which does not begin with `{prefix}`"));
    };
    let joined = format!("{left}{rest}");
    for token in [left, right, &joined] {
        if !vocabulary.contains_key(token) {
            let (left, right, token) = (quoted(left), quoted(right), quoted(token));
            return Err(format!(
                "joins {left} and {right}, but the vocabulary has no token {token}"
            ));
        }
    }
    Ok(())
}

/// What others put around a text: of a kind that is known, with tokens that there are.
fn check_post_processor(file: &Value) -> Result<(), String> {
    let section = &file["post_processor"];
    let read = || serde_json::from_value::<Option<PostProcessorWrapper>>(section.clone());
    caught(|| read().map_err(|e| e.to_string()))?;
    for part in parts(section) {
        for piece in part["single"].as_array().into_iter().flatten() {
            let Some(token) = piece["SpecialToken"]["id"].as_str() else { continue };
            if part["special_tokens"][token].is_null() {
                return Err(format!("token {} is not among its `special_tokens`", quoted(token)));
            }
        }
    }
    Ok(())
}

/// A map of characters has an answer for each.
fn check_map(part: &Value) -> Result<(), String> {
    if part["type"] != "Precompiled" {
        return Ok(());
    }
    let text = part["precompiled_charsmap"].as_str().unwrap_or("");
    let map = base64::decode(text).map_err(|e| e.to_string())?;
    let map = spm_precompiled::Precompiled::from(&map).map_err(|e| e.to_string())?;
    let mut bytes = [0; 4];
    for letter in ('\0'..=char::MAX).map(|letter| letter.encode_utf8(&mut bytes).to_string()) {
        let work = || Ok(map.transform(&letter).map(str::len));
        caught(work).map_err(|_| {
            format!("`precompiled_charsmap` has no whole text for `{}`", letter.escape_unicode())
        })?;
    }
    Ok(())
}

/// The library takes a search that gives up for one that finds nothing.
fn check_pattern(part: &Value, texts: &[String]) -> Result<(), String> {
    let Some(pattern) = part["pattern"]["Regex"].as_str() else { return Ok(()) };
    let regex = Regex::new(pattern).map_err(|e| e.to_string())?;
    for text in texts {
        if let Some(Err(e)) = regex.find_iter(text).find(Result::is_err) {
            let (pattern, text) = (quoted(pattern), describe(text));
            return Err(format!("the pattern {pattern} fails on {text}: {e}"));
        }
    }
    Ok(())
}
