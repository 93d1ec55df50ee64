//! What is kept of one request's output events. Knows nothing of bytes.

/// Times, kinds, tokens and receive conditions of the output events of one request. The lists that are not empty have one
/// entry an event; a block whose lists do not fit together cannot be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventBlock {
    /// The row of `requests.csv`.
    pub row: u64,
    /// The first event's time from the run's start, then the gap to each next event, in nanoseconds.
    pub gaps: Vec<u64>,
    /// Kind of each, one ASCII letter: `a` answer, `r` reasoning, `t` tool call, `f` refusal, `n` tokens without text.
    pub kinds: String,
    /// Tokens of each; empty where any is unknown.
    pub tokens: Vec<u32>,
    /// How much later than the kernel the program saw each, in nanoseconds, at most 4.29 s; `None` where the kernel did
    /// not stamp it. Empty: it stamped none.
    pub lags: Vec<Option<u32>>,
    /// Which shared a read with a later one. Empty: none did.
    pub sharing: Vec<Sharing>,
    /// Source of the times.
    pub stamps: StampsFrom,
}

/// Whether an event shared a read with a later one, and so has no time of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    /// It did not.
    #[default]
    Alone,
    /// The server or the network sent them together.
    Together,
    /// This program was late, so the event's own time is not known.
    Censored,
    /// Without a kernel stamp nobody can tell which of the two.
    Unknown,
}

impl Sharing {
    /// The event may have come earlier than its time says, by this program's fault.
    pub fn is_doubtful(self) -> bool {
        matches!(self, Self::Censored | Self::Unknown)
    }
}

/// Who stamped the events of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StampsFrom {
    /// The clock read after the read returned.
    #[default]
    User,
    /// The kernel, when the segment arrived.
    Kernel,
    /// Some by one, some by the other; those with a lag are the kernel's.
    Mixed,
}

impl EventBlock {
    /// Events in it.
    pub fn len(&self) -> usize {
        self.gaps.len()
    }

    /// No events.
    pub fn is_empty(&self) -> bool {
        self.gaps.is_empty()
    }

    /// The times themselves, from the run's start, in nanoseconds; rising.
    pub fn stamps_ns(&self) -> impl Iterator<Item = u64> {
        self.gaps.iter().scan(0_u64, |at, gap| {
            *at = at.saturating_add(*gap);
            Some(*at)
        })
    }

    /// Whether every list is empty or has one entry an event, and kinds are letters.
    pub(crate) fn fits_together(&self) -> bool {
        let fits = |n: usize| n == 0 || n == self.len();
        self.kinds.is_ascii()
            && [self.kinds.len(), self.tokens.len(), self.lags.len(), self.sharing.len()]
                .into_iter()
                .all(fits)
    }
}
