//! Vocabularies that would fail on some text, or take memory or time out of proportion to it: each is
//! refused, with what is wrong, before a text is read.

use crate::tokenizer::Tokenizer;
use crate::trial;
use serde_json::{json, Value};

/// A sound vocabulary of three letters.
fn sound() -> Value {
    let added = added_token(4, "<s>");
    json!({
        "version": "1.0", "added_tokens": [added], "normalizer": null, "pre_tokenizer": null,
        "post_processor": null, "decoder": null,
        "model": {"type": "BPE", "unk_token": "<unk>", "merges": [["a", "b"]],
                  "vocab": {"a": 0, "b": 1, "ab": 2, "<unk>": 3}}
    })
}

fn added_token(id: i64, content: &str) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
           "normalized": false, "special": true})
}

/// A change of the sound vocabulary: where, to what, and what is said of it.
type Row = (&'static str, Value, &'static str);

fn refuses(rows: Vec<Row>) {
    for (place, value, expected) in rows {
        let mut file = sound();
        *file.pointer_mut(place).unwrap() = value;
        if place == "/model" {
            // Their ids follow on those of another vocabulary.
            file["added_tokens"] = json!([]);
        }
        let file = file.to_string();
        let shown: String = file.chars().take(200).collect();
        let problem = trial::run(file.as_bytes()).expect_err(&shown);
        assert!(problem.contains(expected), "{shown}: {problem}");
    }
}

fn replace(pattern: Value, content: &str) -> Value {
    json!({"type": "Replace", "pattern": pattern, "content": content})
}

fn split(pattern: &str) -> Value {
    json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
}

fn sequence(list: &str, part: Value, count: usize) -> Value {
    json!({"type": "Sequence", list: vec![part; count]})
}

/// A map of characters: its trie, and texts that it points to.
fn map(trie: &[u32], texts: &[u8]) -> Value {
    let mut bytes = ((trie.len() * 4) as u32).to_le_bytes().to_vec();
    bytes.extend(trie.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes.extend(texts);
    json!({"type": "Precompiled", "precompiled_charsmap": base64::encode(bytes)})
}

#[test]
fn a_sound_vocabulary_passes() {
    assert_eq!(trial::run(sound().to_string().as_bytes()).unwrap(), "");
    assert_eq!(trial::run(&super::data("tiny.tokenizer.json")).unwrap(), "");
}

#[test]
fn normalizers() {
    let bytes_level = json!({"type": "ByteLevel"});
    refuses(vec![
        ("/normalizer", json!({"type": "New"}), "in `normalizer`: found type `New`, expected one"),
        // The library takes these for the kind that has such members.
        ("/normalizer", json!({"type": "New", "prepend": "a"}), "found type `New`"),
        ("/normalizer", sequence("normalizers", json!({"type": "New"}), 1), "found type `New`"),
        ("/normalizer", json!(1), "in `normalizer`: "),
        ("/normalizer", json!("NFC"), "in `normalizer`: "),
        ("/normalizer", json!([]), "in `normalizer`: "),
        ("/normalizer", json!({"type": "Sequence", "normalizers": 1}), "in `normalizer`: "),
        ("/normalizer", json!({"type": "Strip"}), "in `normalizer`: "),
        ("/normalizer", replace(json!({"String": "a"}), &"a".repeat(65)), "up to 65 bytes of one"),
        ("/normalizer", replace(json!({"String": ""}), &"a".repeat(64)), "up to 65 bytes of one"),
        ("/normalizer", replace(json!({"Regex": "b*"}), &"a".repeat(64)), "up to 65 bytes of one"),
        ("/normalizer", replace(json!({"Regex": "("}), ""), "in `normalizer`: "),
        (
            "/normalizer",
            replace(json!({"Regex": r"(a+)+\1$b"}), ""),
            "the pattern `(a+)+\\1$b` fails",
        ),
        ("/normalizer", json!({"type": "Prepend", "prepend": "a".repeat(64)}), "up to 65 bytes"),
        ("/normalizer", sequence("normalizers", json!({"type": "NFC"}), 65), "found 65 parts"),
        (
            "/normalizer",
            sequence("normalizers", replace(json!({"String": "a"}), "aa"), 64),
            "the normalizer makes more than 16 bytes of one",
        ),
        ("/normalizer", sequence("normalizers", bytes_level, 64), "more than 16 bytes of one"),
        (
            "/normalizer",
            sequence("normalizers", json!({"type": "Prepend", "prepend": "a".repeat(63)}), 64),
            "more than 16 bytes of one",
        ),
    ]);
}

#[test]
fn maps_of_characters() {
    // Its root leads to the letter `a`, which has the text at `place`.
    let letter = |place: u32, texts: &[u8]| {
        let mut trie = vec![0; 512];
        trie[0] = 256 << 10;
        trie[256 ^ 97] = 97 | 1 << 8 | (97 << 10);
        trie[256 ^ 97 ^ 97] = place;
        map(&trie, texts)
    };
    refuses(vec![
        ("/normalizer", map(&[], b""), "in `normalizer`: "),
        ("/normalizer", map(&[0], b"\xff\0"), "in `normalizer`: "),
        ("/normalizer", map(&[u32::MAX], b""), "in `normalizer`: "),
        ("/normalizer", map(&[0; 8], &[b'a'; 100_000]), "up to 100000 bytes of one"),
        ("/normalizer", letter(9, b"b\0"), "has no whole text for `\\u{61}`"),
        ("/normalizer", letter(1, "é\0".as_bytes()), "has no whole text for `\\u{61}`"),
        (
            "/normalizer",
            json!({"type": "Precompiled", "precompiled_charsmap": "%"}),
            "in `normalizer`: ",
        ),
        (
            "/normalizer",
            json!({"type": "Precompiled", "precompiled_charsmap": base64::encode(b"\xff\xff\xff\xff")}),
            "in `normalizer`: ",
        ),
    ]);
}

#[test]
fn pre_tokenizers() {
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true});
    let metaspace = |members: &str| -> Value {
        serde_json::from_str(&format!("{{\"type\": \"Metaspace\", {members}}}")).unwrap()
    };
    refuses(vec![
        ("/pre_tokenizer", json!({"type": "New"}), "in `pre_tokenizer`: found type `New`"),
        ("/pre_tokenizer", sequence("pretokenizers", json!({"type": "New"}), 1), "type `New`"),
        ("/pre_tokenizer", json!({"type": "Sequence"}), "in `pre_tokenizer`: "),
        ("/pre_tokenizer", json!({"type": "Split"}), "in `pre_tokenizer`: "),
        ("/pre_tokenizer", json!({"type": "FixedLength", "length": 0}), "the text library stopped"),
        ("/pre_tokenizer", json!({"type": "FixedLength", "length": -1}), "in `pre_tokenizer`: "),
        ("/pre_tokenizer", split("["), "in `pre_tokenizer`: "),
        ("/pre_tokenizer", split("((a{999}){999}){999}"), "in `pre_tokenizer`: "),
        ("/pre_tokenizer", split(r"(?:(a+)\1?)+\1b"), "fails on"),
        ("/pre_tokenizer", split(&"(".repeat(10_000)), "in `pre_tokenizer`: "),
        ("/pre_tokenizer", sequence("pretokenizers", split("a"), 65), "found 65 parts"),
        ("/pre_tokenizer", sequence("pretokenizers", byte_level, 3), "up to 64 bytes of one"),
        ("/pre_tokenizer", metaspace(r#""replacement": """#), "in `pre_tokenizer`: "),
        ("/pre_tokenizer", metaspace(r#""replacement": "ab""#), "in `pre_tokenizer`: "),
        (
            "/pre_tokenizer",
            metaspace(
                r#""replacement": "_", "add_prefix_space": false, "prepend_scheme": "first""#,
            ),
            "in `pre_tokenizer`: ",
        ),
    ]);
}

#[test]
fn decoders() {
    let doubling = replace(json!({"String": "a"}), "aa");
    refuses(vec![
        ("/decoder", json!({"type": "New"}), "in `decoder`: found type `New`"),
        ("/decoder", sequence("decoders", json!({"type": "New"}), 1), "found type `New`"),
        ("/decoder", json!({"type": "Strip"}), "in `decoder`: "),
        ("/decoder", replace(json!({"Regex": "("}), ""), "in `decoder`: "),
        ("/decoder", replace(json!({"String": "a"}), &"a".repeat(17)), "up to 17 bytes of one"),
        ("/decoder", replace(json!({"String": ""}), &"a".repeat(1000)), "up to 1001 bytes of one"),
        ("/decoder", sequence("decoders", doubling, 5), "up to 32 bytes of one"),
        ("/decoder", sequence("decoders", json!({"type": "Fuse"}), 65), "found 65 parts"),
        ("/decoder", json!(1), ""),
    ]);
}

#[test]
fn byte_pair_models() {
    refuses(vec![
        ("/model", json!(null), ""),
        ("/model", json!({}), "in `model`: "),
        ("/model", json!({"type": "New"}), "in `model`: found type `New`, expected one of `BPE`"),
        ("/model", json!({"type": "BPE"}), "in `model`: "),
        ("/model/vocab", json!(["a"]), "in `model`: "),
        ("/model/vocab/a", json!(-1), "token `a` has id -1, expected one from 0 to 2147483647"),
        ("/model/vocab/a", json!(1.5), "token `a` has id 1.5"),
        ("/model/vocab/a", json!("0"), "token `a` has id \"0\""),
        ("/model/vocab/a", json!(1_u64 << 31), "token `a` has id 2147483648"),
        ("/model/vocab/a", json!(u64::MAX), "token `a` has id 18446744073709551615"),
        ("/model/vocab/a", json!(1), "tokens `a` and `b` both have id 1"),
        (
            "/model/merges/0",
            json!(["x", "b"]),
            "merge 0 joins `x` and `b`, but the vocabulary has no token `x`",
        ),
        ("/model/merges/0", json!(["a", "x"]), "no token `x`"),
        ("/model/merges/0", json!(["b", "a"]), "no token `ba`"),
        ("/model/merges/0", json!(["<unk>", "<unk>"]), "no token `<unk><unk>`"),
        ("/model/merges/0", json!("a b b"), "merge 0 is \"a b b\", expected two tokens"),
        ("/model/merges/0", json!(["a"]), "expected two tokens"),
        ("/model/merges/0", json!(1), "expected two tokens"),
        ("/model/merges", json!(1), "in `model`: "),
        ("/model/unk_token", json!("<none>"), "it fails on the text `"),
        (
            "/model/unk_token",
            json!("u".repeat(257)),
            "`unk_token` has 257 bytes, expected at most 256",
        ),
        (
            "/model",
            json!({"type": "BPE", "vocab": {"a": 0}, "merges": [],
                   "continuing_subword_prefix": "#".repeat(1000)}),
            "`continuing_subword_prefix` has 1000 bytes",
        ),
        (
            "/model",
            json!({"type": "BPE", "vocab": {"a": 0}, "merges": [],
                   "end_of_word_suffix": "#".repeat(1000)}),
            "`end_of_word_suffix` has 1000 bytes",
        ),
        (
            "/model",
            json!({"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": [["a", "b"]],
                   "continuing_subword_prefix": "##"}),
            "joins `a` and `b`, which does not begin with `##`",
        ),
        (
            "/model",
            json!({"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 2.0}),
            "in `model`: ",
        ),
    ]);
}

#[test]
fn other_models() {
    let pieces = |chars: u64| {
        json!({"type": "WordPiece", "unk_token": "a", "continuing_subword_prefix": "##",
               "max_input_chars_per_word": chars, "vocab": {"a": 0}})
    };
    let unigram = |unk: Value, vocabulary: Value| json!({"type": "Unigram", "unk_id": unk, "vocab": vocabulary});
    let mut without_unknown = pieces(100);
    without_unknown["unk_token"] = json!("[UNK]");
    refuses(vec![
        (
            "/model",
            pieces(1_000_000_000),
            "`max_input_chars_per_word` is 1000000000, expected at most 1000",
        ),
        ("/model", without_unknown, "it fails on the text `"),
        ("/model", json!({"type": "WordPiece", "vocab": {"a": 0}}), "in `model`: "),
        (
            "/model",
            json!({"type": "WordLevel", "unk_token": "<unk>", "vocab": {"a": 0}}),
            "it fails on the text `",
        ),
        ("/model", unigram(json!(0), json!([])), "in `model`: "),
        ("/model", unigram(json!(1), json!([["a", 0.0]])), "in `model`: "),
        ("/model", unigram(json!(null), json!([["a", 0.0]])), "it fails on the text `"),
        ("/model", unigram(json!(0), json!([["a", "b"]])), "in `model`: "),
        ("/model", unigram(json!(0), json!({"a": 0})), "in `model`: "),
        (
            "/model",
            unigram(json!(0), json!([["a".repeat(1_000_000), 0.0]])),
            "found a piece of 1000000 bytes, expected at most 4096",
        ),
    ]);
}

#[test]
fn added_tokens_and_files() {
    refuses(vec![
        ("/added_tokens/0/id", json!(7), "token `<s>` has id 7, but the vocabulary gives it 4"),
        ("/added_tokens/0/id", json!(-1), "in `added_tokens`: "),
        ("/added_tokens/0/id", json!(u64::MAX), "in `added_tokens`: "),
        ("/added_tokens/0/id", json!(0), "token `<s>` has id 0"),
        (
            "/added_tokens/0/content",
            json!(""),
            "token `\"\"` has id 4, but the vocabulary gives it none",
        ),
        ("/added_tokens/0", json!({"id": 4, "content": "<s>"}), "in `added_tokens`: "),
        ("/added_tokens", json!({}), "in `added_tokens`: "),
        ("/added_tokens", json!([added_token(4, "x"), added_token(5, "x")]), "token `x` has id 5"),
        ("/post_processor", json!({"type": "New"}), "in `post_processor`: "),
        ("/post_processor", json!(1), "in `post_processor`: "),
        (
            "/post_processor",
            json!({"type": "TemplateProcessing", "pair": [], "special_tokens": {},
                   "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}]}),
            "in `post_processor`: token `<s>` is not among its `special_tokens`",
        ),
        ("/version", json!("2.0"), "expected version `1.0`, found `2.0`"),
        ("", json!([]), ""),
        ("", json!(null), ""),
        ("", json!({"version": "1.0"}), "missing field `model`"),
    ]);
    assert!(trial::run(b"").is_err());
    let nested = "{\"type\":\"Sequence\",\"normalizers\":[".repeat(10_000);
    assert!(trial::run(format!("{{\"normalizer\":{nested}").as_bytes()).is_err());
}

#[test]
fn nothing_is_left_to_chance() {
    let mut file = sound();
    file["model"]["dropout"] = json!(0.5);
    let note = trial::run(file.to_string().as_bytes()).unwrap();
    assert_eq!(note, "`dropout` is 0.5 and left out: the same text has the same tokens");
    let tokenizer = Tokenizer::from_json(file.to_string().as_bytes()).unwrap();
    assert_eq!(tokenizer.encode(&"ab".repeat(100), false).unwrap(), [2; 100]);
}

#[test]
fn a_text_may_grow_by_what_it_is_long() {
    let mut file = sound();
    file["normalizer"] = replace(json!({"String": "a"}), &"b".repeat(17));
    let tokenizer = Tokenizer::from_json(file.to_string().as_bytes()).unwrap();
    assert_eq!(tokenizer.encode(&"a".repeat(1000), false).unwrap().len(), 17_000);
    assert!(tokenizer.encode(&"a".repeat(2000), false).is_err());
    // Later texts have a budget of their own.
    assert_eq!(tokenizer.encode(&"ab".repeat(10_000), false).unwrap().len(), 180_000);
}
