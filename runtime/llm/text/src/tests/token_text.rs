//! Single tokens back to bytes.

use super::{sentence_piece, tiny};

#[test]
fn byte_level_tokens_stand_for_their_bytes() {
    let tokenizer = tiny();
    let mut seen = [false; 256];
    for id in 3..259 {
        let bytes = tokenizer.token_bytes(id).unwrap();
        assert_eq!(bytes.len(), 1, "token {id}");
        seen[usize::from(bytes[0])] = true;
    }
    assert!(seen.iter().all(|seen| *seen));
}

#[test]
fn bytes_of_an_encoded_text_join_to_the_text() {
    let tokenizer = tiny();
    let text = "naïve 🦙 \t日本";
    let ids = tokenizer.encode(text, false).unwrap();
    let joined: Vec<u8> = ids.iter().flat_map(|id| tokenizer.token_bytes(*id).unwrap()).collect();
    assert_eq!(joined, text.as_bytes());
}

#[test]
fn sentence_piece_spaces_and_byte_fallback() {
    let tokenizer = sentence_piece();
    assert_eq!(tokenizer.token_bytes(1).unwrap(), b" new");
    assert_eq!(tokenizer.token_bytes(3).unwrap(), [0xc3]);
    assert_eq!(tokenizer.token_bytes(5).unwrap(), b"<0xzz>");
    assert_eq!(tokenizer.decode(&[1, 2, 3, 4], false), " new \u{e9}".trim_start().as_bytes());
    assert_eq!(tokenizer.decode(&[0, 1], false), b"<s> new");
    assert_eq!(tokenizer.decode(&[0, 1], true), b"new");
}

#[test]
fn ids_outside_the_vocabulary_have_no_bytes() {
    let tokenizer = tiny();
    for id in [-1, i32::MIN, 320, i32::MAX] {
        assert!(tokenizer.token_bytes(id).is_none(), "token {id}");
        assert!(!tokenizer.is_special(id), "token {id}");
    }
    assert_eq!(tokenizer.decode(&[-1, 72 + 3, 9999], false), tokenizer.token_bytes(75).unwrap());
}

#[test]
fn special_tokens_are_known_by_name_and_id() {
    let tokenizer = tiny();
    assert_eq!(tokenizer.vocab_size(), 320);
    assert_eq!(tokenizer.token_to_id("<|im_end|>"), Some(2));
    assert_eq!(tokenizer.token_to_id("no such token"), None);
    assert!(tokenizer.is_special(2) && !tokenizer.is_special(3));
    assert_eq!(tokenizer.token_bytes(2).unwrap(), b"<|im_end|>");
    assert_eq!(tokenizer.decode(&[2, 2], true), b"");
}

#[test]
fn a_post_processor_adds_nothing() {
    assert_eq!(sentence_piece().encode("▁new", false).unwrap(), [1]);
}
