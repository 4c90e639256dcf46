mod bad_input;
mod chat;
mod golden;
mod hostile;
mod interface;
mod token_text;

use crate::tokenizer::Tokenizer;

/// A file under `test/data/tokenizer`.
fn data(name: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../test/data/tokenizer/");
    std::fs::read(format!("{root}{name}")).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn tiny() -> Tokenizer {
    Tokenizer::from_json(&data("tiny.tokenizer.json")).expect("a sound tokenizer")
}

/// A word-level vocabulary spelt as SentencePiece does, with its usual decoder.
fn sentence_piece() -> Tokenizer {
    let json = serde_json::json!({
        "version": "1.0",
        "added_tokens": [{
            "id": 0, "content": "<s>", "special": true, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false
        }],
        "normalizer": null, "pre_tokenizer": null, "truncation": null, "padding": null,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}
        },
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}
        ]},
        "model": {"type": "WordLevel", "unk_token": "<s>",
                  "vocab": {"<s>": 0, "▁new": 1, "▁": 2, "<0xC3>": 3, "<0xA9>": 4, "<0xzz>": 5}}
    });
    Tokenizer::from_json(json.to_string().as_bytes()).expect("a sound tokenizer")
}
