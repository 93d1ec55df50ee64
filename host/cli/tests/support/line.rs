//! Runs the program from one line of text, as one types it: words between spaces, no quoting.

#![allow(dead_code, unreachable_pub, reason = "each test file is a crate of its own and uses its part")]

use crate::support::{Bench, Said};

impl Bench {
    /// Runs `line` and returns what was said.
    pub fn line(&self, line: &str) -> Said {
        self.run(&words(line))
    }

    /// Runs `line` and demands success.
    pub fn done(&self, line: &str) -> Said {
        self.ok(&words(line))
    }
}

/// The words of a line.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A cell as a whole number.
pub fn number(row: &std::collections::BTreeMap<String, String>, column: &str) -> u64 {
    row[column].parse().unwrap_or_else(|_| panic!("`{column}` of row {} is `{}`", row["row"], row[column]))
}
