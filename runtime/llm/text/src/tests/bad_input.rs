//! Damaged vocabularies: an error or a tokenizer that works, never the end of the process.

use super::data;
use crate::boundary::guard;
use crate::tokenizer::Tokenizer;
use serde_json::{json, Value};

/// Loads and uses a vocabulary as the C interface would; true if it was accepted.
fn survives(json: &[u8]) -> bool {
    let work = || {
        let tokenizer = Tokenizer::from_json(json)?;
        tokenizer.encode("a <|im_end|> é\n", true)?;
        tokenizer.encode("a <|im_end|> é\n", false)?;
        tokenizer.decode(&[-1, 0, 5, 319, i32::MAX], true);
        Ok(())
    };
    unsafe { guard(std::ptr::null_mut(), work) }.is_some()
}

/// Marsaglia's xorshift: the same damage in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn truncated_and_overwritten_files() {
    let sound = data("tiny.tokenizer.json");
    assert!(survives(&sound));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..200 {
        assert!(!survives(&sound[..random.below(sound.len() - 2)]));
        let mut damaged = sound.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(damaged.len());
            damaged[at] = b"0{}[]\",:x\xff"[random.below(10)];
        }
        survives(&damaged);
    }
}

#[test]
fn sections_of_the_wrong_kind_or_value() {
    let sound: Value = serde_json::from_slice(&data("tiny.tokenizer.json")).unwrap();
    let wrong =
        [json!(null), json!(-1), json!(1e300), json!("x"), json!([]), json!({}), json!([[{}]])];
    let sections =
        ["added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"];
    for section in sections {
        for value in &wrong {
            let mut damaged = sound.clone();
            damaged[section] = value.clone();
            survives(damaged.to_string().as_bytes());
        }
    }
    let mut far = sound.clone();
    far["model"]["vocab"]["!"] = json!(u32::MAX);
    survives(far.to_string().as_bytes());
    let mut merges = sound;
    merges["model"]["merges"] = json!([["no", "such"]]);
    assert!(!survives(merges.to_string().as_bytes()));
}

#[test]
fn padding_and_truncation_are_ignored() {
    let mut json: Value = serde_json::from_slice(&data("tiny.tokenizer.json")).unwrap();
    json["truncation"] =
        json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
    json["padding"] = json!({"strategy": {"Fixed": 1_000_000_000_000_u64}, "direction": "Right",
        "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "x"});
    let tokenizer = Tokenizer::from_json(json.to_string().as_bytes()).unwrap();
    assert_eq!(tokenizer.encode("aaaaa", false).unwrap().len(), 5);
}

#[test]
fn deep_nesting_is_refused() {
    assert!(!survives("[".repeat(1_000_000).as_bytes()));
    assert!(!survives("{\"model\":".repeat(100_000).as_bytes()));
}
