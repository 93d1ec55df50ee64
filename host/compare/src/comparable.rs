//! Under what two results were made, and whether their figures may be set side by side. Knows names and values that it is
//! given; where they stand is the reader's affair.

use std::fmt;
use std::str::FromStr;

use benchhost_model::TokensSource;

use crate::gather::Group;
use crate::refusal::Refusal;

/// What two results may differ in. Those above `Hardware` must agree unless they are named by `--allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The adapter.
    Engine,
    /// The model asked for.
    Model,
    /// The workload and its options.
    Workload,
    /// Data sets, by digest.
    Data,
    /// Which items were sent; the seed.
    Items,
    /// Token lengths that were asked for.
    Lengths,
    /// Temperature, top-p.
    Sampling,
    /// The API that was called.
    Route,
    /// What the history of a dialogue holds.
    History,
    /// How requests arrive.
    Load,
    /// The objectives.
    Slo,
    /// Where token counts come from.
    Tokens,
    /// Major version of benchhost.
    Version,
    /// The machine and its GPUs; said, never refused.
    Hardware,
    /// Everything else that is known; said, never refused.
    Setup,
}

const NAMES: [(&str, Aspect); 15] = [
    ("engine", Aspect::Engine),
    ("model", Aspect::Model),
    ("workload", Aspect::Workload),
    ("data", Aspect::Data),
    ("items", Aspect::Items),
    ("lengths", Aspect::Lengths),
    ("sampling", Aspect::Sampling),
    ("route", Aspect::Route),
    ("history", Aspect::History),
    ("load", Aspect::Load),
    ("slo", Aspect::Slo),
    ("tokens", Aspect::Tokens),
    ("version", Aspect::Version),
    ("hardware", Aspect::Hardware),
    ("setup", Aspect::Setup),
];

impl Aspect {
    /// As `--allow` spells it.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, aspect)| *aspect == self).map_or("", |(name, _)| name)
    }

    /// Whether a difference stops the comparison unless it is allowed.
    pub fn refuses(self) -> bool {
        self < Self::Hardware
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word of `--allow` that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseAspectError(String);

impl fmt::Display for ParseAspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = NAMES.iter().filter(|(_, a)| a.refuses()).map(|(name, _)| *name).collect();
        write!(f, "`{}` is nothing that results may differ in: choose from {}", self.0, names.join(", "))
    }
}

impl std::error::Error for ParseAspectError {}

impl FromStr for Aspect {
    type Err = ParseAspectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = NAMES.iter().find(|(name, _)| *name == text.trim());
        found.map(|(_, aspect)| *aspect).ok_or_else(|| ParseAspectError(text.to_owned()))
    }
}

/// What is meant to differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Aspect>);

impl Allowed {
    /// Of these.
    pub const fn new(aspects: Vec<Aspect>) -> Self {
        Self(aspects)
    }

    /// Adds one.
    pub fn allow(&mut self, aspect: Aspect) {
        self.0.push(aspect);
    }

    /// Whether it is meant to differ.
    pub fn has(&self, aspect: Aspect) -> bool {
        self.0.contains(&aspect)
    }
}

/// One thing that is known of how a result was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is part of.
    pub aspect: Aspect,
    /// Its name, for people.
    pub name: String,
    /// Its value, for people.
    pub value: String,
}

/// What differs between two results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// What it is part of.
    pub aspect: Aspect,
    /// Its name.
    pub name: String,
    /// In the base.
    pub base: String,
    /// In the new result.
    pub new: String,
}

impl fmt::Display for Differing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} differs: base `{}`, new `{}`", self.name, self.base, self.new)
    }
}

/// What differs of what both tell. A fact that only one side has is not compared.
pub(crate) fn differing(base: &[Fact], new: &[Fact]) -> Vec<Differing> {
    let pairs = base.iter().filter_map(|b| Some((b, new.iter().find(|n| n.name == b.name)?)));
    pairs
        .filter(|(b, n)| b.value != n.value)
        .map(|(b, n)| Differing {
            aspect: b.aspect,
            name: b.name.clone(),
            base: b.value.clone(),
            new: n.value.clone(),
        })
        .collect()
}

/// What the rows of a side tell of how it was made.
pub(crate) fn facts_of_rows<'a>(groups: impl Iterator<Item = &'a Group> + Clone) -> Vec<Fact> {
    let each_once = |values: Vec<String>| {
        let mut values = values;
        values.sort();
        values.dedup();
        values.join(", ")
    };
    let mut facts = Vec::new();
    let mut fact = |aspect, name: &str, values: Vec<String>| {
        let value = each_once(values);
        if !value.is_empty() {
            facts.push(Fact { aspect, name: name.to_owned(), value });
        }
    };
    fact(Aspect::Engine, "engine", groups.clone().map(|g| g.config.engine.clone()).collect());
    fact(Aspect::Model, "model", groups.clone().map(|g| g.config.model.clone()).collect());
    fact(Aspect::Setup, "variant", groups.clone().map(|g| g.config.variant.clone()).collect());
    let sources = groups.clone().flat_map(|g| g.tokens.iter().filter(|t| **t != TokensSource::None));
    fact(Aspect::Tokens, "token counts", sources.map(|t| token_word(*t).to_owned()).collect());
    fact(Aspect::Load, "arrivals", groups.flat_map(|g| g.arrivals.clone()).collect());
    facts
}

const fn token_word(source: TokensSource) -> &'static str {
    match source {
        TokensSource::Usage => "the server's usage",
        TokensSource::Events => "ids or counts in the events",
        TokensSource::Tokenizer => "the user's tokenizer",
        TokensSource::None => "unknown",
    }
}

/// Refuses what must agree and does not.
pub(crate) fn check(differences: &[Differing], allowed: &Allowed) -> Result<(), Refusal> {
    let wrong: Vec<&Differing> =
        differences.iter().filter(|d| d.aspect.refuses() && !allowed.has(d.aspect)).collect();
    let Some(first) = wrong.first() else { return Ok(()) };
    let mut names: Vec<&str> = wrong.iter().map(|d| d.aspect.name()).collect();
    names.sort_unstable();
    names.dedup();
    let message = match names[..] {
        ["model"] => "the models differ".to_owned(),
        [_] => format!("the results differ in what must agree: {}", first.name),
        _ => format!("the results differ in what must agree: {}", names.join(", ")),
    };
    let refusal = wrong.iter().fold(Refusal::new(message), |refusal, d| refusal.because(d.to_string()));
    Err(refusal.hint(format!("if that is what you mean to compare, add `--allow {}`", names.join(","))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(aspect: Aspect, name: &str, value: &str) -> Fact {
        Fact { aspect, name: name.into(), value: value.into() }
    }

    #[test]
    fn only_what_must_agree_refuses_and_only_if_it_is_not_allowed() {
        let base = [
            fact(Aspect::Sampling, "temperature", "0.0"),
            fact(Aspect::Hardware, "cpu", "a"),
            fact(Aspect::Slo, "slo", "x"),
        ];
        let new = [fact(Aspect::Hardware, "cpu", "b"), fact(Aspect::Sampling, "temperature", "0.7")];
        let found = differing(&base, &new);
        assert_eq!(found.len(), 2, "{found:?}");
        let refused = check(&found, &Allowed::default()).unwrap_err();
        assert!(refused.hints[0].contains("--allow sampling"), "{refused:?}");
        assert!(refused.causes[0].contains("temperature differs: base `0.0`, new `0.7`"));
        assert_eq!(check(&found, &Allowed::new(vec![Aspect::Sampling])), Ok(()));
        assert_eq!(check(&found[..0], &Allowed::default()), Ok(()));
    }

    #[test]
    fn names_read_back_and_others_are_named() {
        for (name, aspect) in NAMES {
            assert_eq!(name.parse(), Ok(aspect));
            assert_eq!(aspect.name(), name);
        }
        assert!("colour".parse::<Aspect>().unwrap_err().to_string().contains("engine, model"));
    }
}
