//! Names of the files in a run's directory, and of the directory itself.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where things are in a run's directory.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The directory `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// Tool, plugins, plan digest, server's answers, host, seeds; written first.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest.json")
    }
    /// The resolved plan; repeats the run.
    pub fn plan(&self) -> PathBuf {
        self.root.join("plan.toml")
    }
    /// One row per request.
    pub fn requests(&self) -> PathBuf {
        self.root.join("requests.csv")
    }
    /// Times, kinds and token counts of output events, a block per request.
    pub fn events(&self) -> PathBuf {
        self.root.join("events.bin")
    }
    /// The same in runs of schema 1, a line per request.
    pub fn old_events(&self) -> PathBuf {
        self.root.join("events.jsonl")
    }
    /// Answers.
    pub fn outputs(&self) -> PathBuf {
        self.root.join("outputs.jsonl")
    }
    /// Scores with their reasons.
    pub fn scores(&self) -> PathBuf {
        self.root.join("scores.csv")
    }
    /// GPU samples and engine gauges.
    pub fn telemetry(&self) -> PathBuf {
        self.root.join("telemetry.csv")
    }
    /// One line per finished load point.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal.jsonl")
    }
    /// The table.
    pub fn summary_csv(&self) -> PathBuf {
        self.root.join("summary.csv")
    }
    /// The table with all its fields.
    pub fn summary_json(&self) -> PathBuf {
        self.root.join("summary.json")
    }
    /// One JSON per load point and repeat.
    pub fn points(&self) -> PathBuf {
        self.root.join("points")
    }
    /// The harness's own health.
    pub fn harness(&self) -> PathBuf {
        self.root.join("harness.json")
    }
    /// Pictures.
    pub fn plots(&self) -> PathBuf {
        self.root.join("plots")
    }
    /// The page with charts, tables and findings.
    pub fn report(&self) -> PathBuf {
        self.root.join("report.html")
    }
    /// What was found, as words and numbers.
    pub fn findings(&self) -> PathBuf {
        self.root.join("findings.json")
    }
    /// What was recorded for load points that a resumed run measured again.
    pub fn abandoned(&self) -> PathBuf {
        self.root.join("abandoned")
    }
    /// Written last: the run ended by itself, or was recovered, with so many rows.
    pub fn complete(&self) -> PathBuf {
        self.root.join("COMPLETE")
    }

    /// Where the torn end of `file` goes: `requests.csv.torn`, and for the `n`-th `requests.csv.torn-n`.
    pub(crate) fn torn(&self, file: &Path, n: u32) -> PathBuf {
        let mut name = file.file_name().unwrap_or(OsStr::new("file")).to_owned();
        name.push(".torn");
        if n > 1 {
            name.push(format!("-{n}"));
        }
        self.root.join(name)
    }

    /// Where the `n`-th part of `file` that belongs to no finished point goes: `abandoned/requests-1.csv`.
    pub(crate) fn set_aside(&self, file: &Path, n: u32) -> PathBuf {
        let text = |part: Option<&OsStr>| part.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
        let dot = if file.extension().is_some() { "." } else { "" };
        self.abandoned().join(format!("{}-{n}{dot}{}", text(file.file_stem()), text(file.extension())))
    }

    /// Whether a path below the root (relative to it) is made from recorded files, by `report`, at any time again. Its
    /// digest would say nothing of what was recorded.
    pub(crate) fn is_derived(relative: &Path) -> bool {
        let first = relative.components().next().map(Component::as_os_str);
        let named = |names: &[&str]| first.is_some_and(|f| names.iter().any(|n| f == *n));
        named(&["summary.csv", "summary.json", "report.html", "findings.json", "points", "plots", "COMPLETE"])
            || relative.extension().is_some_and(|e| e == "part")
    }
}
/// A name that sorts by time and does not repeat: `20261122-034155-1a2b`.
pub fn new_run_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (date, time) = civil(now.as_secs());
    let tail = (now.subsec_nanos() ^ std::process::id().rotate_left(7)) & 0xffff;
    format!("{date}-{time}-{tail:04x}")
}

/// UTC date and time as digits, from seconds since 1970.
///
/// Days to civil date by Hinnant's algorithm (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
fn civil(seconds: u64) -> (String, String) {
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let rest = seconds % 86_400;
    (
        format!("{year:04}{month:02}{day:02}"),
        format!("{:02}{:02}{:02}", rest / 3600, rest / 60 % 60, rest % 60),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_at_the_edges() {
        let check = |seconds, expected: (&str, &str)| {
            assert_eq!(civil(seconds), (expected.0.to_owned(), expected.1.to_owned()));
        };
        check(0, ("19700101", "000000"));
        check(951_782_399, ("20000228", "235959"));
        check(951_782_400, ("20000229", "000000"));
        check(1_795_319_715, ("20261122", "035515"));
    }
}
