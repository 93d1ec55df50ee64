//! Which language a component was written in, and how that language makes one without system interfaces. Used for hints
//! only: a file can claim what it likes.

use wasmparser::{KnownCustom, Parser, Payload};

/// A language whose tools are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rust.
    Rust,
    /// Python with componentize-py.
    Python,
    /// JavaScript with componentize-js or componentize-qjs.
    JavaScript,
    /// C or C++.
    C,
}

impl Language {
    /// Reads the `producers` sections. Python and JavaScript components contain an interpreter written in C or Rust, so
    /// they are looked for first.
    pub(crate) fn of(component: &[u8]) -> Option<Self> {
        let words = producers(component);
        let says = |needles: &[&str]| words.iter().any(|w| needles.iter().any(|n| w.contains(n)));
        if says(&["componentize-py", "python"]) {
            Some(Self::Python)
        } else if says(&["componentize-js", "componentize-qjs", "javascript", "starlingmonkey", "quickjs"]) {
            Some(Self::JavaScript)
        } else if says(&["rust"]) {
            Some(Self::Rust)
        } else if says(&["c11", "c99", "c17", "c_plus_plus", "clang"]) {
            Some(Self::C)
        } else {
            None
        }
    }

    /// How to build without system interfaces; all ways when the language is not known.
    pub(crate) fn how_to_build_without(language: Option<Self>) -> String {
        match language {
            Some(language) => format!("{}: {}", language.name(), language.way()),
            None => [Self::Rust, Self::Python, Self::JavaScript, Self::C]
                .map(|l| format!("{}: {}", l.name(), l.way()))
                .join("\n"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::C => "C",
        }
    }

    fn way(self) -> &'static str {
        match self {
            Self::Rust => {
                "build for `wasm32-unknown-unknown` instead of a `wasi` target; `benchhost plugin build` does that"
            }
            Self::Python => "give `componentize-py componentize` the flag `--stub-wasi`",
            Self::JavaScript => {
                "give componentize-qjs `stubWasi: true`, or componentize-js \
                 `disableFeatures: ['random', 'stdio', 'clocks', 'http', 'fetch-event']`"
            }
            Self::C => {
                "compile with `-mexec-model=reactor -nostartfiles -Wl,--no-entry` and use no files, clock or stdio"
            }
        }
    }
}

/// Every word of every `producers` section, in lower case. Stops at the first thing that does not parse.
fn producers(component: &[u8]) -> Vec<String> {
    let mut words = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let Ok(payload) = payload else { break };
        let Payload::CustomSection(section) = payload else { continue };
        let KnownCustom::Producers(fields) = section.as_known() else { continue };
        for field in fields.into_iter().flatten() {
            words.extend(field.values.into_iter().flatten().map(|v| v.name.to_lowercase()));
        }
    }
    words
}
