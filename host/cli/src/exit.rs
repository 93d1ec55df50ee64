//! Exit codes, one table for every command. Tested by `tests/exit_codes.rs`.

use std::process::ExitCode;

/// What a command's end means to a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: a regression was found, or a declared objective missed.
    Regression,
    /// 2: wrong usage, a wrong plan, or an input that cannot be read.
    Usage,
    /// 3: inconclusive, under `--strict`.
    Inconclusive,
    /// 4: the results cannot be compared.
    NotComparable,
    /// 5: a measurement is INVALID, under `--strict`.
    Invalid,
    /// 6: setup failed: target unreachable, plugin refused.
    Setup,
    /// 7: no request completed.
    NothingCompleted,
    /// 70: a bug in benchhost.
    Internal,
    /// 130: interrupted; partial results were written.
    Interrupted,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Regression => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::NotComparable => 4,
            Self::Invalid => 5,
            Self::Setup => 6,
            Self::NothingCompleted => 7,
            Self::Internal => 70,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
