//! The C interface as C callers use it.

use super::data;
use crate::boundary::Array;
use crate::*;
use std::ffi::{c_char, c_void, CStr};

extern "C" {
    fn free(memory: *mut c_void);
}

fn take<T: Copy>(array: Array<T>) -> Vec<T> {
    unsafe {
        let items = bytes_in(array.data, array.size).to_vec();
        free(array.data.cast());
        items
    }
}

fn take_message(error: *mut c_char) -> String {
    assert!(!error.is_null());
    unsafe {
        let message = CStr::from_ptr(error).to_str().unwrap().to_string();
        free(error.cast());
        message
    }
}

#[test]
fn a_text_there_and_back() {
    let json = data("tiny.tokenizer.json");
    let text = b"a<|im_end|>\xff";
    unsafe {
        let mut error = std::ptr::dangling_mut();
        let tokenizer = quern_tokenizer_new(json.as_ptr(), json.len(), &mut error);
        assert!(!tokenizer.is_null() && error.is_null());
        assert_eq!(quern_tokenizer_vocab_size(tokenizer), 320);

        let mut ids = Array::empty();
        let (start, size) = (text.as_ptr(), text.len());
        assert!(quern_tokenizer_encode(tokenizer, start, size, true, &mut ids, &mut error));
        let ids = take(ids);
        assert_eq!(ids[..2], [100, 2]);
        assert!(quern_tokenizer_is_special(tokenizer, 2));
        assert_eq!(quern_tokenizer_token_to_id(tokenizer, b"<|im_end|>".as_ptr(), 10), 2);
        assert_eq!(quern_tokenizer_token_to_id(tokenizer, std::ptr::null(), 0), -1);

        let mut back = Array::empty();
        quern_tokenizer_decode(tokenizer, ids.as_ptr(), ids.len(), false, &mut back);
        assert_eq!(take(back), "a<|im_end|>\u{fffd}".as_bytes());

        let mut bytes = Array::empty();
        assert!(quern_tokenizer_token_bytes(tokenizer, 100, &mut bytes));
        assert_eq!(take(bytes), b"a");
        let mut bytes = Array::copy_of(b"left over");
        free(bytes.data.cast());
        assert!(!quern_tokenizer_token_bytes(tokenizer, -1, &mut bytes));
        assert!(bytes.data.is_null() && bytes.size == 0);
        quern_tokenizer_free(tokenizer);
        quern_tokenizer_free(std::ptr::null_mut());
    }
}

#[test]
fn errors_are_messages_and_may_be_ignored() {
    unsafe {
        let mut error = std::ptr::null_mut();
        assert!(quern_tokenizer_new(b"{".as_ptr(), 1, &mut error).is_null());
        assert!(take_message(error).starts_with("EOF while parsing an object"));
        assert!(quern_tokenizer_new(std::ptr::null(), 0, std::ptr::null_mut()).is_null());

        let (template, none) = (b"{{ raise_exception('no\\u0000t so') }}", std::ptr::null());
        let (mut text, mut is_raised) = (Array::empty(), false);
        let (start, size) = (template.as_ptr(), template.len());
        let drawn = quern_chat_render(
            start,
            size,
            b"[]".as_ptr(),
            2,
            none,
            0,
            none,
            0,
            true,
            &mut text,
            &mut is_raised,
            &mut error,
        );
        assert!(!drawn && is_raised && text.data.is_null());
        assert_eq!(take_message(error), "chat template, line 1: no\u{fffd}t so");
    }
}

#[test]
fn a_panic_in_a_library_is_an_error() {
    let mut error = std::ptr::null_mut();
    let outcome: Option<()> =
        unsafe { boundary::guard(&mut error, || panic!("out of {}", "luck")) };
    assert!(outcome.is_none());
    assert_eq!(take_message(error), "the text library stopped: out of luck");
}
