//! Services for scorers and token-exact workloads: tokenizers.
//!
//! Knows files of tokenizers and their texts; nothing of plugins, runs or networks.

#![forbid(unsafe_code)]

mod tokenizer;

pub use tokenizer::{QualityError, TokenizerFile};
