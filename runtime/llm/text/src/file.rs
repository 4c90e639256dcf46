//! The sections of a `tokenizer.json`.
//!
//! The library can read the file itself, but buffers a model several times on the way to find out what
//! kind it is; reading the kind first makes opening a vocabulary of 50 000 tokens three times as fast.

use serde::Deserialize;
use serde_json::value::RawValue;
use tokenizers::models::bpe::BPE;
use tokenizers::{
    AddedToken, DecoderWrapper, ModelWrapper, NormalizerWrapper, PostProcessorWrapper,
    PreTokenizerWrapper, Tokenizer, TokenizerBuilder,
};

#[derive(Deserialize)]
struct File<'a> {
    version: String,
    #[serde(default)]
    added_tokens: Vec<Added>,
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
    post_processor: Option<PostProcessorWrapper>,
    decoder: Option<DecoderWrapper>,
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

/// A tokenizer without truncation and padding.
pub fn read(json: &[u8]) -> Result<Tokenizer, String> {
    let file: File = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    if file.version != "1.0" {
        return Err(format!("expected version `1.0`, found `{}`", file.version));
    }
    let tokenizer = TokenizerBuilder::new()
        .with_model(model(file.model.get()).map_err(|e| format!("in `model`: {e}"))?)
        .with_normalizer(file.normalizer)
        .with_pre_tokenizer(file.pre_tokenizer)
        .with_post_processor(file.post_processor)
        .with_decoder(file.decoder)
        .build();
    let mut tokenizer = Tokenizer::from(tokenizer.map_err(|e| e.to_string())?);
    let tokens = file.added_tokens.iter().map(|added| added.token.clone());
    tokenizer.add_tokens(tokens).map_err(|e| e.to_string())?;
    for Added { id, token } in file.added_tokens {
        let given = tokenizer.token_to_id(&token.content);
        if given != Some(id) {
            let given = given.map_or("none".to_string(), |given| given.to_string());
            return Err(format!(
                "added token `{}` has id {id}, but the vocabulary gives it {given}",
                token.content
            ));
        }
    }
    Ok(tokenizer)
}

fn model(json: &str) -> serde_json::Result<ModelWrapper> {
    let Kind { kind } = serde_json::from_str(json)?;
    match kind.as_deref() {
        Some("BPE") => serde_json::from_str::<BPE>(json).map(ModelWrapper::BPE),
        _ => serde_json::from_str(json),
    }
}
