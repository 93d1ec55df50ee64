//! What a result measured: engine, variant and model, and which of them a side stands for. Knows names only.

use crate::refusal::Refusal;

/// One configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Config {
    /// Adapter.
    pub engine: String,
    /// The user's label; may be empty.
    pub variant: String,
    /// Model asked for.
    pub model: String,
}

impl Config {
    /// For people: `vllm · fp8`.
    pub fn title(&self) -> String {
        match (self.engine.as_str(), self.variant.as_str()) {
            ("", "") if self.model.is_empty() => "unnamed".to_owned(),
            ("", "") => self.model.clone(),
            ("", variant) => variant.to_owned(),
            (engine, "") => engine.to_owned(),
            (engine, variant) => format!("{engine} · {variant}"),
        }
    }
}

/// `ENGINE` or `ENGINE/VARIANT`: which configuration of a result is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    engine: String,
    variant: Option<String>,
}

impl Selection {
    /// Parses; anything is a name.
    pub fn parse(text: &str) -> Self {
        match text.split_once('/') {
            Some((engine, variant)) => Self { engine: engine.into(), variant: Some(variant.into()) },
            None => Self { engine: text.into(), variant: None },
        }
    }

    /// Whether it names this one.
    pub fn takes(&self, config: &Config) -> bool {
        self.engine == config.engine && self.variant.as_ref().is_none_or(|v| *v == config.variant)
    }
}

/// The configuration that a side stands for, of those it `have`. With several, the selection decides or, without one,
/// that the `other` side has exactly one and this side has it too. `side` is the word of the flag: `base`, `new`.
pub fn pick(
    side: &str,
    wish: Option<&Selection>,
    have: &[&Config],
    other: &[&Config],
) -> Result<Config, Refusal> {
    let fitting: Vec<&&Config> = have.iter().filter(|c| wish.is_none_or(|w| w.takes(c))).collect();
    let titles = || {
        have.iter()
            .map(|c| format!("`{}/{}` ({})", c.engine, c.variant, c.model))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match fitting[..] {
        [one] => Ok((*one).clone()),
        [] => Err(Refusal::new(format!("the {side} result has no such engine"))
            .hint(format!("it has {}", titles()))),
        _ => match other {
            [only] if wish.is_none() && have.contains(only) => Ok((*only).clone()),
            _ => Err(Refusal::new(format!("the {side} result holds several configurations"))
                .because(titles())
                .hint(format!(
                    "choose one with `--select-{side} ENGINE/VARIANT`, or compare them with `--by`"
                ))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(engine: &str, variant: &str) -> Config {
        Config { engine: engine.into(), variant: variant.into(), model: "m".into() }
    }

    #[test]
    fn one_configuration_is_found_or_the_choice_is_named() {
        let (a, b, c) = (config("vllm", "fp16"), config("vllm", "fp8"), config("tgi", ""));
        let all = [&a, &b, &c];
        assert_eq!(pick("base", None, &[&a], &all), Ok(a.clone()));
        assert_eq!(pick("base", None, &all, &[&c]), Ok(c.clone()));
        assert_eq!(pick("new", Some(&Selection::parse("vllm/fp8")), &all, &all), Ok(b.clone()));
        assert_eq!(pick("new", Some(&Selection::parse("tgi")), &all, &all), Ok(c.clone()));
        for (wish, words) in
            [(None, "--select-new"), (Some("vllm"), "--select-new"), (Some("sglang"), "it has")]
        {
            let refused = pick("new", wish.map(Selection::parse).as_ref(), &all, &all).unwrap_err();
            assert!(refused.hints.iter().any(|h| h.contains(words)), "{refused:?}");
        }
    }
}
