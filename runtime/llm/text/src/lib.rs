//! The C interface of `quern_text.h`: it converts pointers and results, the work is in `tokenizer` and
//! `chat`. Ownership and threading rules are stated in the header.

mod boundary;
mod chat;
mod file;
mod growth;
mod python;
mod template;
mod tojson;
mod token_text;
mod tokenizer;
mod trial;

#[cfg(test)]
mod tests;

use boundary::{bytes_in, guard, text_in, Array};
use std::ffi::c_char;
use tokenizer::Tokenizer;

#[no_mangle]
pub extern "C" fn quern_text_on_out_of_memory(tell: extern "C" fn()) {
    // Whoever came first stays.
    let _ = boundary::OUT_OF_MEMORY.set(tell);
}

/// # Safety
/// `json` points to `size` bytes; `error` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn quern_tokenizer_new(
    json: *const u8,
    size: usize,
    error: *mut *mut c_char,
) -> *mut Tokenizer {
    let json = bytes_in(json, size);
    guard(error, || Tokenizer::from_json(json))
        .map_or(std::ptr::null_mut(), |tokenizer| Box::into_raw(Box::new(tokenizer)))
}

/// # Safety
/// `json` points to `size` bytes; `note` is writable; `error` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn quern_tokenizer_try(
    json: *const u8,
    size: usize,
    note: *mut Array<u8>,
    error: *mut *mut c_char,
) -> bool {
    *note = Array::empty();
    let json = bytes_in(json, size);
    match guard(error, || trial::run(json)) {
        Some(found) => {
            *note = Array::copy_of(found.as_bytes());
            true
        }
        None => false,
    }
}

/// # Safety
/// `tokenizer` is null or came from `quern_tokenizer_new` and is not used again.
#[no_mangle]
pub unsafe extern "C" fn quern_tokenizer_free(tokenizer: *mut Tokenizer) {
    if !tokenizer.is_null() {
        drop(Box::from_raw(tokenizer));
    }
}

/// # Safety
/// `tokenizer` is live; `text` points to `size` bytes; `ids` is writable; `error` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn quern_tokenizer_encode(
    tokenizer: *const Tokenizer,
    text: *const u8,
    size: usize,
    parse_special: bool,
    ids: *mut Array<i32>,
    error: *mut *mut c_char,
) -> bool {
    *ids = Array::empty();
    let (tokenizer, text) = (&*tokenizer, text_in(text, size));
    match guard(error, || tokenizer.encode(&text, parse_special)) {
        Some(found) => {
            *ids = Array::copy_of(&found);
            true
        }
        None => false,
    }
}

/// # Safety
/// `tokenizer` is live; `bytes` is writable.
#[no_mangle]
pub unsafe extern "C" fn quern_tokenizer_token_bytes(
    tokenizer: *const Tokenizer,
    id: i32,
    bytes: *mut Array<u8>,
) -> bool {
    let found = (*tokenizer).token_bytes(id);
    *bytes = Array::copy_of(found.as_deref().unwrap_or(&[]));
    found.is_some()
}

/// # Safety
/// `tokenizer` is live; `ids` points to `count` ids; `text` is writable.
#[no_mangle]
pub unsafe extern "C" fn quern_tokenizer_decode(
    tokenizer: *const Tokenizer,
    ids: *const i32,
    count: usize,
    skip_special: bool,
    text: *mut Array<u8>,
) {
    *text = Array::copy_of(&(*tokenizer).decode(bytes_in(ids, count), skip_special));
}

/// # Safety
/// `tokenizer` is live.
#[no_mangle]
pub unsafe extern "C" fn quern_tokenizer_vocab_size(tokenizer: *const Tokenizer) -> usize {
    (*tokenizer).vocab_size()
}

/// # Safety
/// `tokenizer` is live.
#[no_mangle]
pub unsafe extern "C" fn quern_tokenizer_is_special(tokenizer: *const Tokenizer, id: i32) -> bool {
    (*tokenizer).is_special(id)
}

/// # Safety
/// `tokenizer` is live; `token` points to `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn quern_tokenizer_token_to_id(
    tokenizer: *const Tokenizer,
    token: *const u8,
    size: usize,
) -> i32 {
    (*tokenizer).token_to_id(&text_in(token, size)).unwrap_or(-1)
}

/// # Safety
/// Every text points to as many bytes as its size says; `text` and `is_raised` are writable; `error` is null or writable.
#[no_mangle]
pub unsafe extern "C" fn quern_chat_render(
    chat_template: *const u8,
    template_size: usize,
    messages_json: *const u8,
    messages_size: usize,
    bos: *const u8,
    bos_size: usize,
    eos: *const u8,
    eos_size: usize,
    add_generation_prompt: bool,
    text: *mut Array<u8>,
    is_raised: *mut bool,
    error: *mut *mut c_char,
) -> bool {
    *text = Array::empty();
    *is_raised = false;
    let template = text_in(chat_template, template_size);
    let messages = text_in(messages_json, messages_size);
    let (bos, eos) = (text_in(bos, bos_size), text_in(eos, eos_size));
    let render = || {
        chat::render(&template, &messages, &bos, &eos, add_generation_prompt).map_err(|failure| {
            *is_raised = failure.is_raised;
            failure.message
        })
    };
    match guard(error, render) {
        Some(rendered) => {
            *text = Array::copy_of(rendered.as_bytes());
            true
        }
        None => false,
    }
}
