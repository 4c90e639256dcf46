//! Every case of `test/data/tokenizer/tiny.json`, made by llama.cpp.

use super::{data, tiny};
use serde_json::Value;

fn ids_of(case: &Value, key: &str) -> Vec<i32> {
    case[key].as_array().unwrap().iter().map(|id| id.as_i64().unwrap() as i32).collect()
}

#[test]
fn tiny_vocabulary_gives_the_golden_ids() {
    let tokenizer = tiny();
    let golden: Value = serde_json::from_slice(&data("tiny.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 32);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let plain = tokenizer.encode(text, false).unwrap();
        assert_eq!(plain, ids_of(case, "ids"), "{text:?} as plain text");
        let special = tokenizer.encode(text, true).unwrap();
        assert_eq!(special, ids_of(case, "ids_special"), "{text:?} with special tokens");
        for ids in [plain, special] {
            assert_eq!(tokenizer.decode(&ids, false), text.as_bytes(), "{text:?} back to text");
        }
    }
}

#[test]
fn some_case_tells_special_tokens_from_plain_text() {
    let golden: Value = serde_json::from_slice(&data("tiny.json")).unwrap();
    let differs = |case: &&Value| case["ids"] != case["ids_special"];
    assert!(golden["cases"].as_array().unwrap().iter().filter(differs).count() > 0);
}
