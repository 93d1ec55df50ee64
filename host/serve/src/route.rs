//! From a request's target to what is asked for. Names that could leave a directory do not get through, in any spelling;
//! whether what is named exists is decided elsewhere.

/// Most differences that a comparison can be asked to allow.
const MOST_ALLOWED: usize = 32;
/// Longest name of an engine in a query, in bytes.
const LONGEST_NAME: usize = 300;

/// How two runs are to be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// `ENGINE` or `ENGINE/VARIANT` of the base; empty: its only one, or the one that both have.
    pub base_engine: String,
    /// The same of the new run.
    pub new_engine: String,
    /// What may differ: words of small letters.
    pub allow: Vec<String>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// The list of runs.
    Index,
    /// The style sheet.
    Style,
    /// The little picture of a browser's tab.
    Icon,
    /// A comparison of two runs, by their names.
    Compare {
        /// The base.
        base: String,
        /// What is compared with it.
        new: String,
        /// How.
        choices: Choices,
    },
    /// A run's page or one of its files: sound names between slashes.
    Run(Vec<String>),
}

impl Route {
    /// Of a path and a query; `None`: nothing that is served here.
    pub(crate) fn parse(path: &str, query: Option<&str>) -> Option<Self> {
        match path {
            "/" => return Some(Self::Index),
            "/style.css" => return Some(Self::Style),
            "/icon.svg" => return Some(Self::Icon),
            "/compare" => return compare(query.unwrap_or_default()),
            _ => {}
        }
        let below = path.strip_prefix("/runs/")?;
        let below = below.strip_suffix('/').unwrap_or(below);
        if below.is_empty() {
            return Some(Self::Run(Vec::new()));
        }
        below
            .split('/')
            .map(|name| decoded(name, false).filter(|name| is_sound(name)))
            .collect::<Option<_>>()
            .map(Self::Run)
    }
}

/// Whether a name is that of something in a directory and of nothing else: not `.` or `..`, no separator of any system,
/// no control character (NUL among them).
pub(crate) fn is_sound(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.chars().any(|c| matches!(c, '/' | '\\') || c.is_control())
}

fn compare(query: &str) -> Option<Route> {
    let (mut base, mut new, mut base_engine, mut new_engine) = (None, None, None, None);
    let mut allow = Vec::new();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=')?;
        let value = decoded(value, true)?;
        let place = match key {
            "base" => &mut base,
            "new" => &mut new,
            "base_engine" if is_name(&value) => &mut base_engine,
            "new_engine" if is_name(&value) => &mut new_engine,
            "allow" if is_word(&value) && allow.len() < MOST_ALLOWED => {
                if !allow.contains(&value) {
                    allow.push(value);
                }
                continue;
            }
            _ => return None,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    let choices = Choices {
        base_engine: base_engine.unwrap_or_default(),
        new_engine: new_engine.unwrap_or_default(),
        allow,
    };
    Some(Route::Compare { base: base?, new: new?, choices })
}

/// Small letters, as the differences are called.
fn is_word(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// Something that an engine can be called.
fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && !text.chars().any(char::is_control)
}

/// Percent-decoded once; `form`: a plus is a space. `None`: cut short, no hexadecimal digits, or not UTF-8.
fn decoded(text: &str, form: bool) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => digit(bytes.next()?)? * 16 + digit(bytes.next()?)?,
            b'+' if form => b' ',
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(names: &[&str]) -> Route {
        Route::Run(names.iter().map(|&n| n.to_owned()).collect())
    }

    #[test]
    fn names_are_decoded_once() {
        assert_eq!(Route::parse("/", None), Some(Route::Index));
        assert_eq!(Route::parse("/runs/", None), Some(run(&[])));
        assert_eq!(Route::parse("/runs/a%20b/plots/x.png", None), Some(run(&["a b", "plots", "x.png"])));
        assert_eq!(Route::parse("/runs/a+b/", None), Some(run(&["a+b"])));
        assert_eq!(
            Route::parse("/runs/%252e%252e/x", None),
            Some(run(&["%2e%2e", "x"])),
            "a name like any other"
        );
    }

    #[test]
    fn no_spelling_of_a_way_out_gets_through() {
        for path in [
            "/runs/../secret",
            "/runs/a/../../secret",
            "/runs/%2e%2e/secret",
            "/runs/%2E%2e/secret",
            "/runs/.%2e/secret",
            "/runs/a/./b",
            "/runs/..%2fsecret",
            "/runs/a%2f..%2f..%2fsecret",
            "/runs/..%5csecret",
            "/runs/..\\secret",
            "/runs/a%00.png",
            "/runs/a\0b",
            "/runs//etc/passwd",
            "/runs/%2fetc%2fpasswd",
            "/runs/a//b",
            "/runs/a%0d%0ab",
            "/runs/%c0%ae%c0%ae/secret",
            "/runs/%2",
            "/runs/%zz",
            "/etc/passwd",
            "//runs/a",
            "/runs",
            "runs/a",
            "",
            "*",
        ] {
            assert_eq!(Route::parse(path, None), None, "{path:?}");
        }
    }

    #[test]
    fn a_comparison_names_two_runs_and_nothing_else() {
        let both = |choices| Some(Route::Compare { base: "a b/c".into(), new: String::new(), choices });
        assert_eq!(Route::parse("/compare", Some("base=a+b%2Fc&new=")), both(Choices::default()));
        let choices = Choices {
            base_engine: "vllm/fp 8".into(),
            new_engine: String::new(),
            allow: vec!["slo".into(), "engine".into()],
        };
        assert_eq!(
            Route::parse(
                "/compare",
                Some("base=a+b/c&new=&base_engine=vllm/fp+8&new_engine=&allow=slo&allow=engine&allow=slo")
            ),
            both(choices)
        );
        let many = format!(
            "base=a&new=b{}",
            (1..=40).fold(String::new(), |all, n| all + "&allow=" + &"a".repeat(n))
        );
        let long = format!("base=a&new=b&base_engine={}", "a".repeat(301));
        for query in [
            "",
            "base=a",
            "new=b",
            "base=a&new=b&new=c",
            "base=a&new=b&x=y",
            "base=%f&new=b",
            "base",
            "base=a&new=b&allow=",
            "base=a&new=b&allow=--format",
            "base=a&new=b&allow=a,b",
            "base=a&new=b&base_engine=%00",
            "base=a&new=b&new_engine=a&new_engine=b",
            &many,
            &long,
        ] {
            assert_eq!(Route::parse("/compare", Some(query)), None, "{query}");
        }
    }
}
