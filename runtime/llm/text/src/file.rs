//! The sections of a `tokenizer.json`.
//!
//! The library can read the file itself, but buffers a model several times on the way to find out what
//! kind it is; reading the kind first makes opening a vocabulary of 50 000 tokens three times as fast.

use crate::boundary::{caught, quoted};
use crate::growth::{self, Budget, Normalizers};
use crate::token_text::TokenText;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{json, Value};
use std::sync::Arc;
use tokenizers::models::bpe::BPE;
use tokenizers::models::unigram::Unigram;
use tokenizers::{
    AddedToken, DecoderWrapper, ModelWrapper, PostProcessorWrapper, PreTokenizerWrapper,
    TokenizerBuilder, TokenizerImpl,
};

/// The longest spelling of the unknown token, and of what marks parts of words.
const MAX_MARK_BYTES: usize = 256;
/// The longest piece of a Unigram vocabulary: the library compares and frees them a level per byte.
const MAX_PIECE_BYTES: usize = 4096;
/// The longest word that WordPiece cuts: it takes the square of its length.
const MAX_WORD_CHARS: usize = 1000;

/// The library's tokenizer without post-processor and decoder: what stands around a text is the caller's,
/// and bytes come from `TokenText`.
pub type Inner = TokenizerImpl<
    ModelWrapper,
    Normalizers,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

#[derive(Deserialize)]
struct File<'a> {
    version: String,
    #[serde(default, borrow)]
    added_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    normalizer: Option<&'a RawValue>,
    #[serde(borrow)]
    pre_tokenizer: Option<&'a RawValue>,
    #[serde(borrow)]
    decoder: Option<&'a RawValue>,
    #[serde(borrow)]
    model: &'a RawValue,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    #[serde(flatten)]
    token: AddedToken,
}

/// The part of a model that says what kind it is; absent in old files.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// The kinds of parts that the library knows.
const KINDS: [(&str, &[&str]); 4] = [
    ("model", &["BPE", "Unigram", "WordLevel", "WordPiece"]),
    (
        "normalizer",
        &[
            "Bert",
            "BertNormalizer",
            "ByteLevel",
            "Lowercase",
            "NFC",
            "NFD",
            "NFKC",
            "NFKD",
            "Nmt",
            "Precompiled",
            "Prepend",
            "Replace",
            "Sequence",
            "Strip",
            "StripAccents",
        ],
    ),
    (
        "pre_tokenizer",
        &[
            "BertPreTokenizer",
            "ByteLevel",
            "CharDelimiterSplit",
            "Delimiter",
            "Digits",
            "FixedLength",
            "Metaspace",
            "Punctuation",
            "Sequence",
            "Split",
            "UnicodeScripts",
            "Whitespace",
            "WhitespaceSplit",
        ],
    ),
    (
        "decoder",
        &[
            "BPEDecoder",
            "ByteFallback",
            "ByteLevel",
            "CTC",
            "Fuse",
            "Metaspace",
            "Replace",
            "Sequence",
            "Strip",
            "WordPiece",
        ],
    ),
];

/// A tokenizer, its vocabulary's spelling, and the budget that its normalizers spend.
pub struct Parts {
    pub inner: Inner,
    pub text: TokenText,
    pub budget: Arc<Budget>,
}

/// A tokenizer without truncation, padding and post-processor.
pub fn read(json: &[u8]) -> Result<Parts, String> {
    let file: File = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    if file.version != "1.0" {
        return Err(format!("expected version `1.0`, found {}", quoted(&file.version)));
    }
    let budget = Arc::new(Budget::default());
    let (normalizer, _) = section("normalizer", file.normalizer)?;
    let (pre_tokenizer, splitting) = section("pre_tokenizer", file.pre_tokenizer)?;
    let (_, decoding) = section::<DecoderWrapper>("decoder", file.decoder)?;
    let inner = TokenizerBuilder::new()
        .with_model(caught(|| model(file.model)).map_err(|e| format!("in `model`: {e}"))?)
        .with_normalizer(normalizer.map(|part| Normalizers::new(part, budget.clone())))
        .with_pre_tokenizer(pre_tokenizer)
        .build();
    let mut inner: Inner = inner.map_err(|e| e.to_string())?;
    let added = file.added_tokens.map_or("[]", RawValue::get);
    add_tokens(&mut inner, &budget, added).map_err(|e| format!("in `added_tokens`: {e}"))?;
    Ok(Parts { inner, text: TokenText::new(&decoding, &splitting), budget })
}

/// A section, and the library's own JSON of it.
fn section<T>(name: &str, json: Option<&RawValue>) -> Result<(Option<T>, Value), String>
where
    T: DeserializeOwned + Serialize,
{
    let Some(json) = json else { return Ok((None, json!(null))) };
    // The library panics on some sections.
    let read = || {
        let source: Value = parse(json)?;
        let parts = growth::parts(&source);
        check_kinds(name, parts.iter().filter_map(|part| part["type"].as_str()))?;
        let part: T = parse(json)?;
        let value = serde_json::to_value(&part).map_err(|e| e.to_string())?;
        growth::check(name, &value)?;
        Ok((Some(part), value))
    };
    caught(read).map_err(|e| format!("in `{name}`: {e}"))
}

fn parse<T: DeserializeOwned>(json: &RawValue) -> Result<T, String> {
    serde_json::from_str(json.get()).map_err(|e| without_place(&e))
}

/// Refuses parts of a kind that the library does not know: of some it takes the nearest.
fn check_kinds<'a>(name: &str, kinds: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let known = KINDS.iter().find(|(section, _)| *section == name).map_or(&[][..], |row| row.1);
    for kind in kinds {
        if !known.contains(&kind) {
            let kind = quoted(kind);
            return Err(format!("found type {kind}, expected one of `{}`", known.join("`, `")));
        }
    }
    Ok(())
}

/// The library's message without its line and column, which count from where the section begins.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or(&message).to_string()
}

fn model(json: &RawValue) -> Result<ModelWrapper, String> {
    let Kind { kind } = parse(json)?;
    check_kinds("model", kind.as_deref().into_iter())?;
    let model = match kind.as_deref() {
        Some("BPE") => ModelWrapper::BPE(parse::<BPE>(json)?),
        Some("Unigram") => ModelWrapper::Unigram(parse::<Unigram>(json)?),
        _ => parse(json)?,
    };
    bound(model)
}

/// Refuses what makes work or memory out of proportion to a text. The same text has the same tokens:
/// nothing is left to chance.
fn bound(mut model: ModelWrapper) -> Result<ModelWrapper, String> {
    match &mut model {
        ModelWrapper::BPE(bpe) => {
            bpe.dropout = None;
            bound_mark("unk_token", bpe.unk_token.as_deref())?;
            bound_mark("continuing_subword_prefix", bpe.continuing_subword_prefix.as_deref())?;
            bound_mark("end_of_word_suffix", bpe.end_of_word_suffix.as_deref())?;
        }
        ModelWrapper::WordPiece(pieces) => {
            bound_mark("unk_token", Some(&pieces.unk_token))?;
            bound_mark("continuing_subword_prefix", Some(&pieces.continuing_subword_prefix))?;
            let chars = pieces.max_input_chars_per_word;
            if chars > MAX_WORD_CHARS {
                return Err(format!(
                    "`max_input_chars_per_word` is {chars}, expected at most {MAX_WORD_CHARS}"
                ));
            }
        }
        ModelWrapper::WordLevel(words) => bound_mark("unk_token", Some(&words.unk_token))?,
        ModelWrapper::Unigram(pieces) => {
            let longest = pieces.iter().map(|(piece, _)| piece.len()).max().unwrap_or(0);
            if longest > MAX_PIECE_BYTES {
                // Freeing it would take a frame of the stack per byte.
                std::mem::forget(model);
                return Err(format!(
                    "found a piece of {longest} bytes, expected at most {MAX_PIECE_BYTES}"
                ));
            }
        }
    }
    Ok(model)
}

fn bound_mark(name: &str, mark: Option<&str>) -> Result<(), String> {
    let size = mark.map_or(0, str::len);
    if size > MAX_MARK_BYTES {
        return Err(format!("`{name}` has {size} bytes, expected at most {MAX_MARK_BYTES}"));
    }
    Ok(())
}

/// Adds the tokens that are found in a text before it is split, which have to get the ids that they say.
fn add_tokens(inner: &mut Inner, budget: &Budget, json: &str) -> Result<(), String> {
    let added: Option<Vec<Added>> = serde_json::from_str(json).map_err(|e| without_place(&e))?;
    let added = added.unwrap_or_default();
    let tokens = added.iter().map(|added| added.token.clone());
    budget.begin(added.iter().map(|added| added.token.content.len()).sum());
    inner.add_tokens(tokens).map_err(|e| e.to_string())?;
    budget.end()?;
    for Added { id, token } in added {
        let given = inner.token_to_id(&token.content);
        if given != Some(id) {
            let given = given.map_or("none".to_string(), |given| given.to_string());
            let token = quoted(&token.content);
            return Err(format!("token {token} has id {id}, but the vocabulary gives it {given}"));
        }
    }
    Ok(())
}
