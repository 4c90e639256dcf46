//! How much longer the parts of a tokenizer make a text.
//!
//! A text is bounded twice: by what each part can do at most, when a tokenizer is read, and by what the
//! normalizers did to the text at hand, while it is normalized.

use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokenizers::{NormalizedString, Normalizer, NormalizerWrapper};

/// The most parts that a section may have.
const MAX_PARTS: usize = 64;
/// The most bytes that one part may make of a byte. NFKC, the most that tokenizers do, makes 11.
const MAX_PART_GROWTH: usize = 64;
/// The most bytes that all parts which split a text, or join tokens, may make of a byte.
const MAX_SECTION_GROWTH: usize = 16;
/// The most bytes that all normalizers may make of a byte of the text at hand.
const MAX_TEXT_GROWTH: usize = 16;
/// What may be put before a text of any size.
const FREE_BYTES: usize = 1024;

/// The parts of a section: of sequences those that they hold, in order.
pub fn parts(section: &Value) -> Vec<&Value> {
    let lists = ["normalizers", "pretokenizers", "decoders", "processors"];
    let inner = lists.iter().find_map(|list| section[*list].as_array());
    match inner {
        Some(list) => list.iter().flat_map(parts).collect(),
        None if section.is_null() => Vec::new(),
        None => vec![section],
    }
}

/// Refuses a section with too many parts or with one that makes a text too long.
pub fn check(name: &str, section: &Value) -> Result<(), String> {
    let parts = parts(section);
    if parts.len() > MAX_PARTS {
        return Err(format!("found {} parts, expected at most {MAX_PARTS}", parts.len()));
    }
    let mut together = 1usize;
    for part in parts {
        let growth = growth(name, part)?;
        let kind = part["type"].as_str().unwrap_or("");
        if growth > MAX_PART_GROWTH {
            return Err(format!(
                "`{kind}` makes up to {growth} bytes of one, expected at most {MAX_PART_GROWTH}"
            ));
        }
        together = together.saturating_mul(growth);
    }
    // What normalizers do together is bounded by what they do to each text.
    if name != "normalizer" && together > MAX_SECTION_GROWTH {
        return Err(format!(
            "its parts make up to {together} bytes of one, expected at most {MAX_SECTION_GROWTH}"
        ));
    }
    Ok(())
}

/// How many bytes a part makes of one, at most.
fn growth(section: &str, part: &Value) -> Result<usize, String> {
    let length = |name: &str| part[name].as_str().map_or(0, str::len);
    Ok(match (section, part["type"].as_str().unwrap_or("")) {
        (_, "Replace") => match part["pattern"]["String"].as_str() {
            // An empty pattern, and an expression that matches nothing, put their content between
            // any two characters.
            None | Some("") => 1 + length("content"),
            Some(pattern) => length("content").div_ceil(pattern.len()).max(1),
        },
        ("decoder", _) => 1,
        (_, "Prepend") => 1 + length("prepend"),
        (_, "Precompiled") => longest_replacement(length_decoded(part)?),
        (_, "NFC" | "NFD") => 3,
        (_, "NFKC" | "NFKD") => 11,
        // Spaces around ideographs, NFD and lower case.
        (_, "BertNormalizer") => 12,
        (_, "Lowercase") => 2,
        ("normalizer", "ByteLevel") => 2,
        // A space in front, and then two bytes for each.
        (_, "ByteLevel") => 4,
        (_, "Metaspace") => 2 * length("replacement"),
        _ => 1,
    })
}

/// The bytes of a map of characters.
fn length_decoded(part: &Value) -> Result<Vec<u8>, String> {
    let text = part["precompiled_charsmap"].as_str().unwrap_or("");
    base64::decode(text).map_err(|e| format!("broken `precompiled_charsmap`: {e}"))
}

/// The longest text in a map of characters: a trie of so many bytes as its first four say, and texts that
/// end with a zero.
fn longest_replacement(map: Vec<u8>) -> usize {
    let size = map.first_chunk().map_or(0, |size| u32::from_le_bytes(*size) as usize);
    let texts = map.get(4usize.saturating_add(size)..).unwrap_or(&[]);
    texts.split(|byte| *byte == 0).map(<[u8]>::len).max().unwrap_or(0).max(1)
}

/// What normalizers may still make of the text at hand.
#[derive(Default)]
pub struct Budget {
    left: AtomicUsize,
    problem: Mutex<Option<String>>,
}

impl Budget {
    /// Begins a text of `size` bytes.
    pub fn begin(&self, size: usize) {
        self.left.store(size.saturating_mul(MAX_TEXT_GROWTH) + FREE_BYTES, Relaxed);
        *self.problem() = None;
    }

    /// What went wrong since then; the library drops what normalizers return.
    pub fn end(&self) -> Result<(), String> {
        self.problem().take().map_or(Ok(()), Err)
    }

    fn problem(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The normalizers of a tokenizer, one after the other, within the budget of a text.
pub struct Normalizers {
    steps: Vec<NormalizerWrapper>,
    budget: Arc<Budget>,
}

impl Normalizers {
    pub fn new(normalizer: NormalizerWrapper, budget: Arc<Budget>) -> Self {
        let mut steps = Vec::new();
        flatten(normalizer, &mut steps);
        Normalizers { steps, budget }
    }

    fn run(&self, text: &mut NormalizedString) -> Result<(), String> {
        let left = self.budget.left.load(Relaxed);
        for step in &self.steps {
            step.normalize(text).map_err(|e| e.to_string())?;
            if text.len() > left {
                return Err(format!(
                    "the normalizer makes more than {MAX_TEXT_GROWTH} bytes of one"
                ));
            }
        }
        self.budget.left.store(left - text.len(), Relaxed);
        Ok(())
    }
}

fn flatten(normalizer: NormalizerWrapper, steps: &mut Vec<NormalizerWrapper>) {
    match normalizer {
        NormalizerWrapper::Sequence(sequence) => {
            sequence.into_iter().for_each(|step| flatten(step, steps));
        }
        step => steps.push(step),
    }
}

impl Normalizer for Normalizers {
    fn normalize(&self, text: &mut NormalizedString) -> tokenizers::Result<()> {
        self.run(text).map_err(|problem| {
            text.clear();
            *self.budget.problem() = Some(problem.clone());
            problem.into()
        })
    }
}
