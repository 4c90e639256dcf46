//! From the spelling of a token in the vocabulary to the bytes it stands for.

use serde_json::Value;
use std::collections::HashMap;

/// How a vocabulary spells bytes, read from the `decoder` section of a `tokenizer.json`.
#[derive(Default)]
pub struct TokenText {
    /// Byte-level vocabularies: the byte of each stand-in character; empty for other vocabularies.
    bytes: HashMap<char, u8>,
    /// Replacements in order, such as `▁` by a space.
    replacements: Vec<(String, String)>,
    /// Whether `<0xAB>` spells the byte 0xAB (SentencePiece).
    byte_fallback: bool,
    /// How many spaces in front of a whole text are the tokenizer's own and not part of it.
    pub leading_spaces: usize,
}

impl TokenText {
    /// `decoder` null falls back on what the pre-tokenizer does to a text.
    pub fn new(decoder: &Value, pre_tokenizer: &Value) -> Self {
        let mut text = TokenText::default();
        text.read(if decoder.is_null() { pre_tokenizer } else { decoder });
        text
    }

    fn read(&mut self, section: &Value) {
        match section["type"].as_str() {
            Some("Sequence") => {
                let parts = section["decoders"].as_array().or(section["pretokenizers"].as_array());
                parts.into_iter().flatten().for_each(|part| self.read(part));
            }
            Some("ByteLevel") => self.bytes = byte_characters(),
            Some("ByteFallback") => self.byte_fallback = true,
            Some("Replace") => {
                if let Some(pattern) = section["pattern"]["String"].as_str() {
                    let content = section["content"].as_str().unwrap_or("");
                    self.replacements.push((pattern.into(), content.into()));
                }
            }
            Some("Metaspace") => {
                let mark = section["replacement"].as_str().unwrap_or("\u{2581}");
                self.replacements.push((mark.into(), " ".into()));
                self.leading_spaces = (section["prepend_scheme"] != "never").into();
            }
            Some("Strip") if section["content"] == " " => {
                self.leading_spaces = section["start"].as_u64().unwrap_or(0) as usize;
            }
            _ => {}
        }
    }

    /// The bytes of a token of the model's vocabulary (added tokens stand for their own text).
    pub fn bytes_of(&self, token: &str) -> Vec<u8> {
        if !self.bytes.is_empty() {
            let mapped: Option<Vec<u8>> =
                token.chars().map(|c| self.bytes.get(&c).copied()).collect();
            return mapped.unwrap_or_else(|| token.as_bytes().to_vec());
        }
        if let Some(byte) = self.byte_fallback.then(|| fallback_byte(token)).flatten() {
            return vec![byte];
        }
        let replace = |text: String, (from, to): &(String, String)| text.replace(from, to);
        self.replacements.iter().fold(token.to_string(), replace).into_bytes()
    }
}

/// `<0xAB>` to 0xAB.
fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let hexadecimal = digits.len() == 2 && digits.bytes().all(|c| c.is_ascii_hexdigit());
    hexadecimal.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// GPT-2's table (`bytes_to_unicode`): printable Latin-1 bytes are themselves, the other bytes in
/// ascending order are U+0100, U+0101, ...
fn byte_characters() -> HashMap<char, u8> {
    let printable = |b: &u8| matches!(b, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let own = (0..=255u8).filter(printable).map(|b| (char::from(b), b));
    let others = (0..=255u8).filter(|b| !printable(b));
    own.chain(('\u{100}'..).zip(others)).collect()
}
