//! Puts five runs against five with `benchhost compare --format json` and counts what was said.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cases::{CASES, Case};
use crate::order::{Random, shuffled};
use crate::pool::Pool;

/// Runs a side.
pub(crate) const SIDE: usize = 5;

/// Runs of the base and of the new side.
pub(crate) type Split = [Vec<PathBuf>; 2];

/// What was said of some pairs.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    /// Pairs.
    pub(crate) pairs: u64,
    /// A gating figure regressed that should not have.
    pub(crate) alarms: u64,
    /// Every figure that should be called worse was.
    pub(crate) found: u64,
    /// Different work was said.
    pub(crate) work: u64,
    /// No gating figure stayed open.
    pub(crate) decided: u64,
    /// Gating figures with an interval.
    pub(crate) intervals: u64,
    /// Those whose interval lies above no change, and below it.
    pub(crate) outside: [u64; 2],
    /// Gating figures with a permutation p, and those below 0.05.
    pub(crate) tested: [u64; 2],
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.alarms += other.alarms;
        self.found += other.found;
        self.work += other.work;
        self.decided += other.decided;
        self.intervals += other.intervals;
        for side in 0..2 {
            self.outside[side] += other.outside[side];
            self.tested[side] += other.tested[side];
        }
    }
}

/// Pairs that share no run.
pub(crate) fn disjoint(pool: &Pool, case: &Case) -> Vec<Split> {
    let groups = |server: &str, seed: u64| -> Vec<Vec<PathBuf>> {
        let runs = pool.runs_of(server);
        let order = shuffled(runs.len(), seed);
        order.chunks_exact(SIDE).map(|five| five.iter().map(|at| runs[*at].clone()).collect()).collect()
    };
    let base = groups("base", pool.seed + 1);
    if case.same() {
        return base.chunks_exact(2).map(|two| [two[0].clone(), two[1].clone()]).collect();
    }
    let new = groups(case.server, pool.seed + 2);
    base.into_iter().zip(new).map(|(base, new)| [base, new]).collect()
}

/// Random pairs of the same runs, which depend on one another.
pub(crate) fn random(pool: &Pool, case: &Case, count: usize) -> Vec<Split> {
    let mut random = Random::new(pool.seed + 3);
    let mut draw = |runs: &[PathBuf], wanted: usize| -> Vec<PathBuf> {
        let mut left: Vec<usize> = (0..runs.len()).collect();
        (0..wanted.min(runs.len()))
            .map(|_| runs[left.swap_remove(random.below(left.len()))].clone())
            .collect()
    };
    let (base, new) = (pool.runs_of("base"), pool.runs_of(case.server));
    (0..count)
        .map(|_| {
            if case.same() {
                let mut both = draw(&base, 2 * SIDE);
                let second = both.split_off(SIDE);
                return [both, second];
            }
            [draw(&base, SIDE), draw(&new, SIDE)]
        })
        .collect()
}

/// Compares all splits of a case, two at a time.
pub(crate) fn tally(pool: &Pool, case: &Case, splits: &[Split]) -> Result<Tally, String> {
    let half = splits.len().div_ceil(2).max(1);
    let parts: Vec<Result<Tally, String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = splits
            .chunks(half)
            .enumerate()
            .map(|(thread, part)| {
                scope.spawn(move || {
                    let mut tally = Tally::default();
                    for split in part {
                        tally.add(&compared(pool, case, split, thread)?);
                    }
                    Ok(tally)
                })
            })
            .collect();
        let ended = |_| Err("a thread stopped".to_owned());
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(ended)).collect()
    });
    let mut all = Tally::default();
    for part in parts {
        all.add(&part?);
    }
    Ok(all)
}

fn compared(pool: &Pool, case: &Case, split: &Split, thread: usize) -> Result<Tally, String> {
    let mut files = Vec::new();
    for (side, runs) in ["base", "new"].iter().zip(split) {
        let file = pool.directory.join(format!("{side}-{thread}.csv"));
        join(runs, &file)?;
        files.push(file);
    }
    let out = Command::new(&pool.benchhost)
        .arg("compare")
        .args(&files)
        .arg("--format=json")
        .args(case.flags)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot start `{}`: {e}", pool.benchhost.display()))?;
    let said: Value = serde_json::from_slice(&out.stdout)
        .map_err(|e| format!("no JSON: {e}; {}", String::from_utf8_lossy(&out.stderr)))?;
    Ok(read(&said, case))
}

/// Five files of rows as one: the header once. Each run has an id of its own, so one file holds five replicates.
fn join(runs: &[PathBuf], into: &Path) -> Result<(), String> {
    let mut text = String::new();
    for run in runs {
        let path = run.join("requests.csv");
        let rows =
            std::fs::read_to_string(&path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
        let (header, body) = rows.split_once('\n').ok_or("a file without rows")?;
        match text.split_once('\n') {
            None => text = rows,
            Some((first, _)) if first == header => text.push_str(body),
            Some(_) => return Err(format!("`{}` has other columns", path.display())),
        }
    }
    std::fs::write(into, text).map_err(|e| format!("cannot write `{}`: {e}", into.display()))
}

fn read(said: &Value, case: &Case) -> Tally {
    let mut tally = Tally { pairs: 1, ..Tally::default() };
    let groups = said["groups"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<&Value> = groups.iter().filter_map(|g| g["rows"].as_array()).flatten().collect();
    let regressed = |name: &str| rows.iter().any(|r| r["metric"] == name && r["verdict"] == "regressed");
    let gating = || rows.iter().filter(|r| r["gates"] == true);
    let expected = |row: &Value| case.worse.iter().any(|name| row["metric"] == *name);
    tally.alarms = u64::from(gating().any(|row| row["verdict"] == "regressed" && !expected(row)));
    tally.found = u64::from(!case.worse.is_empty() && case.worse.iter().all(|name| regressed(name)));
    tally.work = u64::from(said["work"].as_array().is_some_and(|lines| !lines.is_empty()));
    tally.decided = u64::from(gating().all(|row| row["tone"] != "open"));
    for row in gating() {
        let interval = &row["change"]["interval"];
        if let (Some(low), Some(high)) = (interval[0].as_f64(), interval[1].as_f64()) {
            tally.intervals += 1;
            tally.outside[0] += u64::from(low > 0.0);
            tally.outside[1] += u64::from(high < 0.0);
        }
        if let Some(p) = row["p"].as_f64() {
            tally.tested[0] += 1;
            tally.tested[1] += u64::from(p < 0.05);
        }
    }
    tally
}

/// The verdicts on the measurements themselves, by server, and figures of the base.
pub(crate) fn measurements(pool: &Pool, server: &str) -> Result<Vec<Value>, String> {
    let read = |run: &PathBuf| -> Result<Value, String> {
        let path = run.join("summary.json");
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
        let whole: Value = serde_json::from_str(&text).map_err(|e| format!("`{}`: {e}", path.display()))?;
        Ok(whole["rows"][0].clone())
    };
    pool.runs_of(server).iter().map(read).collect()
}

/// The lines of the table.
pub(crate) fn all(pool: &Pool, splits: usize) -> Result<Vec<(&'static Case, Tally, Tally)>, String> {
    CASES
        .iter()
        .map(|case| {
            let apart = tally(pool, case, &disjoint(pool, case))?;
            Ok((case, apart, tally(pool, case, &random(pool, case, splits))?))
        })
        .collect()
}
