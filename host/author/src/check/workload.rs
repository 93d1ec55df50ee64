//! The promises of a workload. Items and scores are held to the rules of the contract by the plugin host at each call;
//! here they are provoked, repeated and compared.

use std::collections::BTreeSet;
use std::sync::Arc;

use benchhost_model::{Answer, Finish, Item, Score, Setting};
use benchhost_plugin::{CallError, Imports, Silent, Tokens, TokensBy, WorkloadInstance, WorkloadPlugin};

use super::{CheckReport, CheckRequest, Outcome};

/// Items that are looked at, from the front; the last one too.
const ITEMS: u32 = 50;

/// A tokenizer for checks: a word with the space before it is one token, and so is every other visible character. Its ids
/// are made up, and stable.
#[derive(Debug, Clone, Copy, Default)]
pub struct WordTokens;

impl Tokens for WordTokens {
    fn source(&self) -> TokensBy {
        TokensBy::File
    }

    fn count(&self, texts: &[String]) -> Result<Vec<u32>, String> {
        texts.iter().map(|t| u32::try_from(words(t).len()).map_err(|e| e.to_string())).collect()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        // FNV-1a, cut to the size of a large vocabulary.
        let id = |word: &str| {
            word.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
        };
        Ok(words(text).into_iter().map(|word| id(word) % 150_000).collect())
    }
}

/// Runs of letters and digits, and every other visible character by itself.
fn words(text: &str) -> Vec<&str> {
    let pieces = text.split_inclusive(|c: char| !c.is_alphanumeric()).flat_map(|piece| {
        let end = piece
            .char_indices()
            .next_back()
            .filter(|(_, c)| !c.is_alphanumeric())
            .map_or(piece.len(), |(at, _)| at);
        let (word, sign) = piece.split_at(end);
        [word, sign]
    });
    pieces.filter(|piece| !piece.trim().is_empty()).collect()
}

/// Tries each promise.
pub(super) fn check(plugin: &WorkloadPlugin, request: &CheckRequest, report: &mut CheckReport) {
    const OPENS: &str = "it opens with its default options and has items";
    const REST: [&str; 3] = [
        "items are complete, distinct, and the same when asked again",
        "the same seed gives the same items in any instance",
        "any answer is scored or refused, never a trap, and twice alike",
    ];
    let settings: Vec<Setting> = plugin
        .info()
        .options
        .iter()
        .map(|o| Setting { name: o.name.clone(), value: o.default.clone() })
        .collect();
    let trial = Trial { plugin, request, settings };
    match trial.opened(7) {
        Ok((instance, count)) => {
            report.add(OPENS, trial.seeds());
            let mut subject = Subject { instance, count, items: Vec::new() };
            report.add(REST[0], subject.items());
            report.add(REST[1], trial.same_seed(&subject));
            report.add(REST[2], subject.scores());
        }
        Err(CallError::Refused(refusal)) if !plugin.info().slots.is_empty() => {
            let reason = format!("it needs data: {refusal}; give it with `--data`");
            report.add(OPENS, Outcome::Skip(reason));
            skip(&REST, report);
        }
        Err(error) => {
            report.add(OPENS, Outcome::Fail(error.to_string()));
            skip(&REST, report);
        }
    }
}

fn skip(names: &[&'static str], report: &mut CheckReport) {
    for name in names {
        report.add(name, Outcome::Skip("it did not open".into()));
    }
}

/// What instances are made from.
struct Trial<'a> {
    plugin: &'a WorkloadPlugin,
    request: &'a CheckRequest,
    settings: Vec<Setting>,
}

impl Trial<'_> {
    fn opened(&self, seed: u64) -> Result<(WorkloadInstance, u32), CallError> {
        let imports = Imports {
            data: Arc::clone(&self.request.data),
            tokens: Arc::clone(&self.request.tokens),
            log: Arc::new(Silent),
        };
        let mut instance = self.plugin.instance(imports)?;
        let count = instance.open(&self.settings, seed)?;
        Ok((instance, count))
    }

    fn seeds(&self) -> Result<(), String> {
        for seed in [0, 1, u64::MAX] {
            self.opened(seed).map_err(|e| format!("with seed {seed}: {e}"))?;
        }
        Ok(())
    }

    fn same_seed(&self, subject: &Subject) -> Result<(), String> {
        let (mut other, count) = self.opened(7).map_err(|e| e.to_string())?;
        if count != subject.count {
            return Err(format!("{count} items in one instance, {} in another", subject.count));
        }
        // In the other direction: an item must not depend on those asked for before it.
        for (index, item) in subject.items.iter().rev() {
            let again = other.item(*index).map_err(|e| format!("item {index}: {e}"))?;
            if again != *item {
                return Err(format!("item {index} differs between two instances"));
            }
        }
        Ok(())
    }
}

/// An open instance and the items seen so far.
struct Subject {
    instance: WorkloadInstance,
    count: u32,
    items: Vec<(u32, Item)>,
}

impl Subject {
    fn items(&mut self) -> Result<(), String> {
        let mut ids = BTreeSet::new();
        let last = self.count.saturating_sub(1);
        for index in (0..self.count.min(ITEMS)).chain((last >= ITEMS).then_some(last)) {
            let at = |e: CallError| format!("item {index}: {e}");
            let item = self.instance.item(index).map_err(at)?;
            if item.turns.is_empty() {
                return Err(format!("item {index} has no turn"));
            }
            if !ids.insert(item.id.clone()) {
                return Err(format!("the id `{}` of item {index} belongs to an earlier item too", item.id));
            }
            // Kept before the next promise is tried: the later ones need items, whatever becomes of this one.
            self.items.push((index, item.clone()));
            if self.instance.item(index).map_err(at)? != item {
                return Err(format!("item {index} differs when asked again"));
            }
        }
        Ok(())
    }

    fn scores(&mut self) -> Result<(), String> {
        if self.items.is_empty() {
            return Err("there is no item whose answers could be scored".into());
        }
        let long = "many words and \u{1f600} ".repeat(20_000);
        let texts = [
            "",
            " \n",
            "42",
            "The answer is (B).",
            "\u{0}\u{202e}\u{fffd}",
            "{\"a\":",
            "def f():\n  return 1",
            &long,
        ];
        for (index, item) in &self.items {
            let turns = u32::try_from(item.turns.len()).unwrap_or(u32::MAX);
            for text in texts {
                for turn in [0, turns.saturating_sub(1)] {
                    let finish = if text.is_empty() { Finish::Error } else { Finish::Length };
                    let answer = Answer { turn, text: text.into(), reasoning: String::new(), finish };
                    let first = score(&mut self.instance, *index, &answer)?;
                    if score(&mut self.instance, *index, &answer)? != first {
                        return Err(format!("item {index}: two scores of one answer differ"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Scores, or none when the workload declines.
fn score(instance: &mut WorkloadInstance, index: u32, answer: &Answer) -> Result<Vec<Score>, String> {
    match instance.score(index, answer) {
        Ok(scores) => Ok(scores),
        Err(CallError::Refused(refusal)) if !matches!(refusal, benchhost_model::Refusal::Internal(_)) => {
            Ok(Vec::new())
        }
        Err(error) => {
            let start: String = answer.text.chars().take(20).collect();
            Err(format!("item {index}, answer {start:?}…: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_signs_are_tokens() {
        assert_eq!(words("Hello, big  w\u{f6}rld!"), ["Hello", ",", "big", "w\u{f6}rld", "!"]);
        assert_eq!(words(""), [""; 0]);
        assert_eq!(WordTokens.count(&["a b".into(), "...".into()]), Ok(vec![2, 3]));
        let ids = WordTokens.encode("one two one").unwrap();
        assert!(ids[0] == ids[2] && ids[0] != ids[1]);
    }
}
