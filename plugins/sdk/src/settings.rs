//! Typed reading of settings. The host has checked the values against the declared kinds; a wrong one is refused all the
//! same, because a plugin may also be called by a test.

use crate::{Refusal, Setting};

/// The settings in force, with typed getters. An unset option is one whose text is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    all: Vec<Setting>,
}

impl Settings {
    /// Reads from these.
    pub const fn new(all: Vec<Setting>) -> Self {
        Self { all }
    }

    /// The text, or empty when unset or undeclared.
    pub fn text(&self, name: &str) -> &str {
        self.all.iter().find(|s| s.name == name).map_or("", |s| s.value.as_str())
    }

    /// A whole number; `None` when unset.
    pub fn count(&self, name: &str) -> Result<Option<u64>, Refusal> {
        self.parsed(name, "a whole number")
    }

    /// A decimal number that is finite; `None` when unset.
    pub fn number(&self, name: &str) -> Result<Option<f64>, Refusal> {
        match self.parsed::<f64>(name, "a number")? {
            Some(value) if !value.is_finite() => Err(self.wrong(name, "a number")),
            other => Ok(other),
        }
    }

    /// `true` or `false`; unset is false.
    pub fn toggle(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.parsed(name, "`true` or `false`")?.unwrap_or(false))
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str, accepts: &str) -> Result<Option<T>, Refusal> {
        match self.text(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| self.wrong(name, accepts)),
        }
    }

    fn wrong(&self, name: &str, accepts: &str) -> Refusal {
        Refusal::Invalid(format!("option `{name}` is `{}`, not {accepts}", self.text(name)))
    }
}

/// For tests: `Settings::from([("count", "12")])`.
impl<const N: usize> From<[(&str, &str); N]> for Settings {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let setting = |(name, value): (&str, &str)| Setting { name: name.into(), value: value.into() };
        Self { all: pairs.into_iter().map(setting).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unset_option_is_none_and_a_wrong_one_is_named() {
        let settings = Settings::from([
            ("a", ""),
            ("n", "12"),
            ("x", "1.5"),
            ("t", "true"),
            ("bad", "no"),
            ("inf", "inf"),
        ]);
        assert_eq!(settings.count("a"), Ok(None));
        assert_eq!(settings.count("missing"), Ok(None));
        assert_eq!(settings.count("n"), Ok(Some(12)));
        assert_eq!(settings.number("x"), Ok(Some(1.5)));
        assert_eq!(settings.toggle("t"), Ok(true));
        assert_eq!(settings.toggle("missing"), Ok(false));
        assert!(settings.number("inf").is_err());
        assert_eq!(
            settings.toggle("bad"),
            Err(Refusal::Invalid("option `bad` is `no`, not `true` or `false`".into()))
        );
    }
}
