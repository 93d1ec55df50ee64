//! The `tokens` import: the target's tokenizer from a file, from the server's own endpoint, or an estimate that every
//! row flags.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use benchhost_model::{ProbeAnswer, ProbeKind};
use benchhost_plugin::{Tokens, TokensBy};
use benchhost_quality::TokenizerFile;

use super::prober::Prober;

/// Counts how often the tokenizer behind it is asked.
pub(crate) struct Watched {
    tokens: Arc<dyn Tokens>,
    asked: AtomicU64,
}

impl Watched {
    /// Nothing was asked so far.
    pub(crate) fn new(tokens: Arc<dyn Tokens>) -> Self {
        Self { tokens, asked: AtomicU64::new(0) }
    }

    /// Questions so far.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Tokens for Watched {
    fn source(&self) -> TokensBy {
        self.tokens.source()
    }
    fn count(&self, texts: &[String]) -> Result<Vec<u32>, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.tokens.count(texts)
    }
    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.tokens.encode(text)
    }
}

/// A `tokenizer.json` the user named.
#[derive(Debug)]
pub(crate) struct FileTokens(pub(crate) TokenizerFile);

impl Tokens for FileTokens {
    fn source(&self) -> TokensBy {
        TokensBy::File
    }
    fn count(&self, texts: &[String]) -> Result<Vec<u32>, String> {
        self.0.count(texts).map_err(|e| e.to_string())
    }
    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        self.0.encode(text).map_err(|e| e.to_string())
    }
}

/// The server's tokenize endpoint.
pub(crate) struct ServerTokens {
    prober: Arc<Mutex<Prober>>,
    /// Counts already told: workloads ask for the same words again for each instance.
    known: Mutex<HashMap<String, u32>>,
}

impl std::fmt::Debug for ServerTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTokens")
    }
}

impl ServerTokens {
    /// Uses `prober`'s server, if it has such an endpoint and answers a first question.
    pub(crate) fn probe(prober: Arc<Mutex<Prober>>) -> Option<Self> {
        let tokens = Self { prober, known: Mutex::default() };
        tokens.count(&["a".into()]).ok().map(|_| tokens)
    }

    fn ask(&self, text: &str) -> Result<ProbeAnswer, String> {
        let mut prober = self.prober.lock().unwrap_or_else(PoisonError::into_inner);
        match prober.ask(ProbeKind::Tokenize, text) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err("the server has no tokenize endpoint".into()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Tokens for ServerTokens {
    fn source(&self) -> TokensBy {
        TokensBy::Server
    }
    fn count(&self, texts: &[String]) -> Result<Vec<u32>, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        texts
            .iter()
            .map(|text| {
                if let Some(count) = known.get(text) {
                    return Ok(*count);
                }
                let count = match self.ask(text)? {
                    ProbeAnswer::TokenCount(n) => n,
                    ProbeAnswer::TokenIds(ids) => u32::try_from(ids.len()).map_err(|e| e.to_string())?,
                    _ => return Err("the tokenize endpoint answered something else".into()),
                };
                // Prompts are long and asked once; words are short and asked often.
                if text.len() <= 64 {
                    known.insert(text.clone(), count);
                }
                Ok(count)
            })
            .collect()
    }
    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        match self.ask(text)? {
            ProbeAnswer::TokenIds(ids) => Ok(ids),
            _ => Err("the server tells counts only, not token ids".into()),
        }
    }
}

/// An estimate: a run of letters or digits is one token per 8 characters begun, any other visible character is one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ApproximateTokens;

impl Tokens for ApproximateTokens {
    fn source(&self) -> TokensBy {
        TokensBy::Approximate
    }
    fn count(&self, texts: &[String]) -> Result<Vec<u32>, String> {
        Ok(texts.iter().map(|t| estimate(t)).collect())
    }
    fn encode(&self, _text: &str) -> Result<Vec<u32>, String> {
        Err("an estimate has no token ids; name a `tokenizer.json` with `--tokenizer`".into())
    }
}

fn estimate(text: &str) -> u32 {
    let mut tokens = 0_u32;
    let mut run = 0_u32;
    for c in text.chars() {
        if c.is_alphanumeric() {
            tokens += u32::from(run.is_multiple_of(8));
            run += 1;
        } else {
            run = 0;
            tokens += u32::from(!c.is_whitespace());
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_additive_over_words() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("hello world"), 2);
        assert_eq!(estimate("extraordinary, no?"), 5);
    }
}
