//! A vocabulary: text to ids and ids to bytes.

use crate::file::{self, Inner, Parts};
use crate::growth::Budget;
use crate::token_text::TokenText;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// An entry of `added_tokens`.
struct Added {
    content: String,
    special: bool,
}

pub struct Tokenizer {
    /// Behind a lock because whether special tokens are recognised is a setting of the library's
    /// tokenizer and not an argument of its `encode`.
    inner: Mutex<Inner>,
    added: HashMap<u32, Added>,
    text: TokenText,
    /// Of the text that is encoded, under the same lock.
    budget: Arc<Budget>,
}

impl Tokenizer {
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let Parts { inner, text, budget } = file::read(json)?;
        let added = |(id, token): (u32, tokenizers::AddedToken)| {
            (id, Added { content: token.content, special: token.special })
        };
        let added = inner.get_added_tokens_decoder().into_iter().map(added).collect();
        Ok(Tokenizer { inner: Mutex::new(inner), added, text, budget })
    }

    pub fn encode(&self, text: &str, parse_special: bool) -> Result<Vec<i32>, String> {
        let mut inner = self.lock();
        inner.set_encode_special_tokens(!parse_special);
        self.budget.begin(text.len());
        let encoding = inner.encode_fast(text, false);
        self.budget.end()?;
        let encoding = encoding.map_err(|e| e.to_string())?;
        let signed = |id: &u32| {
            i32::try_from(*id)
                .map_err(|_| format!("token id {id} is above {}, the largest", i32::MAX))
        };
        encoding.get_ids().iter().map(signed).collect()
    }

    pub fn token_bytes(&self, id: i32) -> Option<Vec<u8>> {
        let id = u32::try_from(id).ok()?;
        if let Some(added) = self.added.get(&id) {
            return Some(added.content.clone().into_bytes());
        }
        self.lock().id_to_token(id).map(|token| self.text.bytes_of(&token))
    }

    pub fn decode(&self, ids: &[i32], skip_special: bool) -> Vec<u8> {
        let shown = ids.iter().filter(|id| !(skip_special && self.is_special(**id)));
        let mut bytes: Vec<u8> = shown.filter_map(|id| self.token_bytes(*id)).flatten().collect();
        let front = bytes.iter().take(self.text.leading_spaces).take_while(|b| **b == b' ').count();
        bytes.drain(..front);
        bytes
    }

    pub fn vocab_size(&self) -> usize {
        self.lock().get_vocab_size(true)
    }

    pub fn is_special(&self, id: i32) -> bool {
        u32::try_from(id).is_ok_and(|id| self.added.get(&id).is_some_and(|added| added.special))
    }

    pub fn token_to_id(&self, token: &str) -> Option<i32> {
        self.lock().token_to_id(token).and_then(|id| i32::try_from(id).ok())
    }

    /// A panic inside the library leaves nothing half-changed: `encode` only sets a flag.
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
