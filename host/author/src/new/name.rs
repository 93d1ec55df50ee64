//! Names of plugins: what is allowed, and their forms in Rust.

use std::fmt;

/// Longest name, in characters.
const LONGEST: usize = 64;

/// Names that cargo or Rust keep for themselves, or that collide with a package every plugin depends on.
const TAKEN: [&str; 15] = [
    "test",
    "core",
    "std",
    "alloc",
    "proc-macro",
    "build",
    "deps",
    "examples",
    "incremental",
    "serde",
    "serde-json",
    "benchhost-sdk",
    "benchhost-framing",
    "wit-bindgen",
    "vendor",
];

/// Words of the language, which cannot name a crate.
const KEYWORDS: [&str; 45] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "unsafe", "while",
];

/// A name in kebab-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// Why a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` cannot be a plugin's name: {cause}; use lower-case words joined by hyphens, for instance `my-server`"
)]
pub struct NameError {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub cause: &'static str,
}

impl Name {
    /// Checks a name: ASCII lower-case words that begin with a letter, digits inside, joined by single hyphens.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let not = |cause| Err(NameError { name: text.to_owned(), cause });
        if text.is_empty() {
            return not("it is empty");
        }
        if text.len() > LONGEST {
            return not("it is longer than 64 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return not("it has a character other than `a` to `z`, `0` to `9` and `-`");
        }
        // A word that begins with a digit would not be kebab-case in WIT, and would merge with the word before it in Rust.
        if !text.split('-').all(|word| word.starts_with(|c: char| c.is_ascii_lowercase())) {
            return not("each word must begin with a letter");
        }
        if KEYWORDS.contains(&text) {
            return not("it is a word of the Rust language");
        }
        if TAKEN.contains(&text) {
            return not("it is taken by Rust or by a package that plugins use");
        }
        Ok(Self(text.to_owned()))
    }

    /// The placeholder in the template of `kind`.
    pub(crate) fn marker(kind: &str) -> Self {
        Self(format!("my-{kind}"))
    }

    /// As written: `my-server`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a crate in code: `my_server`.
    pub fn snake(&self) -> String {
        self.0.replace('-', "_")
    }

    /// As a type: `MyServer`.
    pub fn pascal(&self) -> String {
        self.0
            .split('-')
            .flat_map(|word| {
                let mut letters = word.chars();
                letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
            })
            .collect()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_have_three_forms() {
        let name = Name::parse("my-server2").unwrap();
        assert_eq!(
            (name.as_str(), name.snake().as_str(), name.pascal().as_str()),
            ("my-server2", "my_server2", "MyServer2")
        );
        assert_eq!(Name::parse("x").unwrap().pascal(), "X");
    }

    #[test]
    fn bad_names_are_refused_with_their_reason() {
        for (name, reason) in [
            ("", "empty"),
            ("Upper", "other than"),
            ("with space", "other than"),
            ("a/b", "other than"),
            ("..", "other than"),
            ("ünïcode", "other than"),
            ("-a", "begin with a letter"),
            ("a-", "begin with a letter"),
            ("a--b", "begin with a letter"),
            ("4ever", "begin with a letter"),
            ("v-2", "begin with a letter"),
            ("match", "Rust language"),
            ("serde", "taken"),
        ] {
            let error = Name::parse(name).unwrap_err().to_string();
            assert!(error.contains(reason), "`{name}`: {error}");
        }
        assert!(Name::parse(&"a".repeat(65)).is_err());
        assert!(Name::parse(&"a".repeat(64)).is_ok());
    }
}
