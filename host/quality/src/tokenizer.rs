//! A `tokenizer.json` that counts and encodes text as the model would see it, without special tokens. Knows nothing of who
//! asks, and never goes to a network.

use std::path::{Path, PathBuf};

use thiserror::Error;
use tokenizers::{Encoding, Tokenizer};

/// A tokenizer that cannot be loaded or used.
#[derive(Debug, Error)]
pub enum QualityError {
    /// The file cannot be read.
    #[error("cannot read the tokenizer `{}`: {source}; {}", path.display(), hint(path))]
    Read {
        /// As given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("`{}` is not a tokenizer: {reason}; give the `tokenizer.json` of a Hugging Face model", path.display())]
    Form {
        /// As given.
        path: PathBuf,
        /// Where reading stopped.
        reason: String,
    },
    /// A text that this tokenizer refuses.
    #[error(
        "the tokenizer `{name}` cannot encode a text of {bytes} bytes: {reason}; check that its file is whole"
    )]
    Encode {
        /// The tokenizer's name.
        name: String,
        /// Length of the text.
        bytes: usize,
        /// What the tokenizer said.
        reason: String,
    },
    /// More tokens than a count holds.
    #[error("a text of {bytes} bytes has more than {} tokens; split it", u32::MAX)]
    TooLong {
        /// Length of the text.
        bytes: usize,
    },
}

/// A folder is the likeliest mistake: models are named by their folder.
fn hint(path: &Path) -> &'static str {
    if path.is_dir() {
        "it is a folder, name the `tokenizer.json` inside it"
    } else {
        "give the path of a model's `tokenizer.json`"
    }
}

/// A loaded tokenizer. Cutting and padding that the file asks for are off: a count is that of the whole text.
#[derive(Debug, Clone)]
pub struct TokenizerFile {
    name: String,
    tokenizer: Tokenizer,
}

impl TokenizerFile {
    /// Reads a `tokenizer.json` in Hugging Face's form.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, QualityError> {
        let path = path.as_ref();
        let bytes =
            std::fs::read(path).map_err(|source| QualityError::Read { path: path.to_path_buf(), source })?;
        let wrong =
            |e: tokenizers::Error| QualityError::Form { path: path.to_path_buf(), reason: e.to_string() };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(wrong)?;
        tokenizer.with_truncation(None).map_err(wrong)?;
        tokenizer.with_padding(None);
        Ok(Self { name: name_of(path), tokenizer })
    }

    /// The folder and the file, such as `llama-3-8b/tokenizer.json`: the file alone has the same name for every model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tokens of each text, special tokens not added.
    pub fn count(&self, texts: &[String]) -> Result<Vec<u32>, QualityError> {
        texts
            .iter()
            .map(|text| {
                let length = self.encoding(text)?.len();
                u32::try_from(length).map_err(|_| QualityError::TooLong { bytes: text.len() })
            })
            .collect()
    }

    /// Ids of `text`'s tokens, special tokens not added.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, QualityError> {
        Ok(self.encoding(text)?.get_ids().to_vec())
    }

    fn encoding(&self, text: &str) -> Result<Encoding, QualityError> {
        self.tokenizer.encode_fast(text, false).map_err(|e| QualityError::Encode {
            name: self.name.clone(),
            bytes: text.len(),
            reason: e.to_string(),
        })
    }
}

fn name_of(path: &Path) -> String {
    let part = |p: Option<&std::ffi::OsStr>| p.map(|n| n.to_string_lossy().into_owned());
    let file = part(path.file_name()).unwrap_or_default();
    match part(path.parent().and_then(Path::file_name)) {
        Some(folder) => format!("{folder}/{file}"),
        None => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Words of a tiny vocabulary, with a special token at the start, cutting at 2 and padding to 8: what a real file may
    /// ask for and must not get here.
    fn word_level() -> Value {
        json!({
            "version": "1.0",
            "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
            "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
            "added_tokens": [
                {"id": 1, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}
            ],
            "normalizer": {"type": "Lowercase"},
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]}}
            },
            "decoder": null,
            "model": {"type": "WordLevel", "vocab": {"[PAD]": 0, "[CLS]": 1, "[UNK]": 2, "hello": 3, "world": 4}, "unk_token": "[UNK]"}
        })
    }

    /// A loaded tokenizer and the folder that holds its file.
    fn load(content: &str) -> (Result<TokenizerFile, QualityError>, tempfile::TempDir) {
        let folder = tempfile::Builder::new().prefix("tiny-model").tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, content).unwrap();
        (TokenizerFile::load(&path), folder)
    }

    #[test]
    fn counts_are_of_the_whole_text_without_special_tokens_or_padding() {
        let (tokenizer, _folder) = load(&word_level().to_string());
        let tokenizer = tokenizer.unwrap();
        let texts = ["", "hello", "Hello world", "hello world hello there world"].map(String::from);
        assert_eq!(tokenizer.count(&texts).unwrap(), [0, 1, 2, 5]);
        assert_eq!(tokenizer.encode("hello there world").unwrap(), [3, 2, 4]);
        assert!(tokenizer.count(&[]).unwrap().is_empty());
    }

    #[test]
    fn byte_pairs_merge() {
        let file = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
            "pre_tokenizer": null, "post_processor": null, "decoder": null,
            "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                "vocab": {"a": 0, "b": 1, "ab": 2, "aba": 3}, "merges": [["a", "b"], ["ab", "a"]]}
        });
        let (tokenizer, _folder) = load(&file.to_string());
        assert_eq!(tokenizer.unwrap().encode("ababa").unwrap(), [2, 3]);
    }

    #[test]
    fn the_name_tells_models_apart() {
        let (tokenizer, _folder) = load(&word_level().to_string());
        let name = tokenizer.unwrap().name().to_owned();
        assert!(name.starts_with("tiny-model") && name.ends_with("/tokenizer.json"), "{name}");
    }

    #[test]
    fn a_missing_file_is_named_with_a_hint() {
        let error = TokenizerFile::load("no/such/tokenizer.json").unwrap_err().to_string();
        assert!(error.starts_with("cannot read the tokenizer `no/such/tokenizer.json`: "), "{error}");
        assert!(error.ends_with("; give the path of a model's `tokenizer.json`"), "{error}");
    }

    #[test]
    fn a_folder_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let error = TokenizerFile::load(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("; it is a folder, name the `tokenizer.json` inside it"), "{error}");
    }

    #[test]
    fn whatever_is_no_tokenizer_is_refused_by_name() {
        let whole = word_level().to_string();
        let torn = &whole[..whole.len() / 2];
        for content in ["", "{}", "[1, 2]", "not json", "\u{0}\u{1}", torn] {
            let (tokenizer, folder) = load(content);
            let error = tokenizer.unwrap_err().to_string();
            let path = folder.path().join("tokenizer.json");
            assert!(error.starts_with(&format!("`{}` is not a tokenizer: ", path.display())), "{error}");
            assert!(error.contains("give the `tokenizer.json` of a Hugging Face model"), "{error}");
        }
    }
}
