//! What the user asks for: which rows are kept and what becomes of them. Must not know files.

use benchhost_sdk::{OptionSpec, Refusal, Settings};

/// Tokens of a prompt block in Mooncake's traces.
const BLOCK: u64 = 512;

/// What a category is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CategoryBy {
    Model,
    LogType,
    Nothing,
}

/// The options in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Rows that are kept at most; `None`: all.
    pub(crate) limit: Option<usize>,
    /// From and until, nanoseconds since the earliest row.
    pub(crate) from_ns: Option<i64>,
    pub(crate) until_ns: Option<i64>,
    /// Only rows of this model.
    pub(crate) model: Option<String>,
    pub(crate) category_by: CategoryBy,
    /// Failed requests are sent, with an answer of one token.
    pub(crate) keep_failed: bool,
    pub(crate) max_input: Option<u32>,
    pub(crate) max_output: Option<u32>,
    /// Longer rows are left out instead of cut.
    pub(crate) drop_long: bool,
    /// Tokens that one hash stands for.
    pub(crate) block: u32,
    /// Mixed into the words, and into nothing else.
    pub(crate) reseed: u64,
}

impl Choice {
    /// The options for `describe`.
    pub(crate) fn options() -> Vec<OptionSpec> {
        vec![
            OptionSpec::count(
                "limit",
                0,
                "Number of rows, the earliest of those kept by the other options; 0: all.",
            ),
            OptionSpec::text(
                "window",
                "",
                "Part of the trace, from the earliest row: `600..1200` in seconds, or `10m..20m`; either side may be left out.",
            ),
            OptionSpec::text(
                "model",
                "",
                "Keep only rows of this model (BurstGPT's column `Model`); empty: all.",
            ),
            OptionSpec::choice(
                "category",
                &["model", "log-type", "none"],
                "What tables by category go by, where the trace has it (BurstGPT).",
            ),
            OptionSpec::choice(
                "failed",
                &["drop", "keep"],
                "Rows without an answer (0 output tokens): left out, or sent with an answer of one token.",
            ),
            OptionSpec::count("max-input", 0, "Longest prompt in tokens; 0: as in the trace."),
            OptionSpec::count("max-output", 0, "Longest answer in tokens; 0: as in the trace."),
            OptionSpec::choice(
                "too-long",
                &["clip", "drop"],
                "Rows above `max-input` or `max-output`: cut to it, or left out. Counted in the log.",
            ),
            OptionSpec::count("block-size", BLOCK, "Prompt tokens that one hash stands for (Mooncake)."),
            OptionSpec::count(
                "reseed",
                0,
                "Other words for the same lengths and arrivals, so that a repeat does not find its prompts in the prefix cache.",
            ),
        ]
    }

    /// Reads the options; a wrong one is refused by name.
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, Refusal> {
        let count = |name: &str| settings.count(name).map(|n| n.filter(|n| *n > 0));
        let tokens = |name: &str| -> Result<Option<u32>, Refusal> {
            let small = |n| {
                u32::try_from(n).map_err(|_| Refusal::Invalid(format!("option `{name}` is {n}, too large")))
            };
            count(name)?.map(small).transpose()
        };
        let word = |name: &str, first: &str, second: &str| match settings.text(name) {
            "" => Ok(false),
            text if text == first => Ok(false),
            text if text == second => Ok(true),
            text => {
                Err(Refusal::Invalid(format!("option `{name}` is `{text}`, not `{first}` or `{second}`")))
            }
        };
        let window = settings.text("window");
        let (from_ns, until_ns) =
            window_of(window).map_err(|e| Refusal::Invalid(format!("option `window` is `{window}`: {e}")))?;
        let model = settings.text("model").trim();
        Ok(Self {
            limit: count("limit")?.map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
            from_ns,
            until_ns,
            model: (!model.is_empty()).then(|| model.to_owned()),
            category_by: match settings.text("category") {
                "" | "model" => CategoryBy::Model,
                "log-type" => CategoryBy::LogType,
                "none" => CategoryBy::Nothing,
                other => {
                    return Err(Refusal::Invalid(format!(
                        "option `category` is `{other}`, not `model`, `log-type` or `none`"
                    )));
                }
            },
            keep_failed: word("failed", "drop", "keep")?,
            max_input: tokens("max-input")?,
            max_output: tokens("max-output")?,
            drop_long: word("too-long", "clip", "drop")?,
            block: tokens("block-size")?.ok_or_else(|| {
                Refusal::Invalid("option `block-size` is 0; a hash stands for 1 token or more".into())
            })?,
            reseed: settings.count("reseed")?.unwrap_or(0),
        })
    }

    /// A window was asked for.
    pub(crate) const fn has_window(&self) -> bool {
        self.from_ns.is_some() || self.until_ns.is_some()
    }

    /// Whether a row `since_ns` after the earliest lies in the window: from is included, until is not.
    pub(crate) fn in_window(&self, since_ns: i64) -> bool {
        self.from_ns.is_none_or(|from| since_ns >= from) && self.until_ns.is_none_or(|until| since_ns < until)
    }
}

/// `A..B`, `A..`, `..B` or nothing, in nanoseconds.
fn window_of(text: &str) -> Result<(Option<i64>, Option<i64>), String> {
    if text.trim().is_empty() {
        return Ok((None, None));
    }
    let (from, until) =
        text.split_once("..").ok_or("write `FROM..UNTIL`, such as `600..1200` or `10m..20m`")?;
    let side = |text: &str| match text.trim() {
        "" => Ok(None),
        text => {
            span(text).map(Some).ok_or_else(|| format!("`{text}` is not a time such as `90`, `1.5m` or `2h`"))
        }
    };
    let (from, until) = (side(from)?, side(until)?);
    if let (Some(from), Some(until)) = (from, until)
        && from >= until
    {
        return Err("it ends before it begins".into());
    }
    Ok((from, until))
}

/// Nanoseconds of a number of seconds, or of one with the unit `ms`, `s`, `m`, `h` or `d`.
fn span(text: &str) -> Option<i64> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let nanos = crate::time::seconds(number.trim()).filter(|n| *n >= 0)?;
    match unit {
        "" | "s" => Some(nanos),
        "ms" => Some(nanos / 1000),
        "m" => nanos.checked_mul(60),
        "h" => nanos.checked_mul(3600),
        "d" => nanos.checked_mul(86_400),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_seconds_or_have_units() {
        let s = 1_000_000_000;
        assert_eq!(window_of(""), Ok((None, None)));
        assert_eq!(window_of("600..1200"), Ok((Some(600 * s), Some(1200 * s))));
        assert_eq!(window_of(" 10m .. 0.5h "), Ok((Some(600 * s), Some(1800 * s))));
        assert_eq!(window_of("..250ms"), Ok((None, Some(s / 4))));
        assert_eq!(window_of("1d.."), Ok((Some(86_400 * s), None)));
        for (text, reason) in [
            ("600", "FROM..UNTIL"),
            ("600-1200", "FROM..UNTIL"),
            ("a..b", "not a time"),
            ("-5..10", "not a time"),
            ("5y..", "not a time"),
            ("20..10", "ends before"),
            ("10..10", "ends before"),
        ] {
            let said = window_of(text).unwrap_err();
            assert!(said.contains(reason), "{text}: {said}");
        }
    }
}
