//! What is kept of one request: stamps and counts, no text, less than 200 bytes. Latencies are made from the stamps, so
//! there is one definition of each. Knows one row; nothing of points or windows.

use benchhost_model::{NS_PER_MS, Nanos, Outcome, Phase, Record};

/// A number or its absence in eight bytes; the largest `u64` stands for absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Maybe64(u64);

impl Maybe64 {
    fn of(value: Option<u64>) -> Self {
        Self(value.unwrap_or(u64::MAX))
    }

    fn time(value: Option<Nanos>) -> Self {
        Self::of(value.map(Nanos::get))
    }

    pub(crate) fn get(self) -> Option<u64> {
        (self.0 != u64::MAX).then_some(self.0)
    }
}

/// The same in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Maybe32(u32);

impl Maybe32 {
    fn of(value: Option<u32>) -> Self {
        Self(value.unwrap_or(u32::MAX))
    }

    pub(crate) fn get(self) -> Option<u32> {
        (self.0 != u32::MAX).then_some(self.0)
    }
}

/// One request. Times are nanoseconds on the run's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) sched: u64,
    slot: Maybe64,
    conn: Maybe64,
    send: Maybe64,
    first: Maybe64,
    answer: Maybe64,
    last: Maybe64,
    end: Maybe64,
    lag_first: Maybe64,
    lag_max: Maybe64,
    /// Longest gap between output events in ms; NaN: none.
    icl_max_ms: f64,
    /// Output tokens that arrived in the declared window.
    pub(crate) inside: f64,
    output: Maybe32,
    input: Maybe32,
    cached: Maybe32,
    n_first: u32,
    pub(crate) events: u32,
    pub(crate) censored: u32,
    pub(crate) together: u32,
    pub(crate) turn: u32,
    pub(crate) outcome: Outcome,
    pub(crate) phase: Phase,
    /// All stamps of output events are the kernel's.
    pub(crate) kernel: bool,
}

impl Kept {
    /// What a row says; which of its tokens lie in a window is not in it.
    pub(crate) fn of(r: &Record) -> Self {
        Self {
            inside: 0.0,
            sched: r.t_sched_ns.get(),
            slot: Maybe64::time(r.t_slot_ns),
            conn: Maybe64::time(r.t_conn_ns),
            send: Maybe64::time(r.t_send_ns),
            first: Maybe64::time(r.t_first_ns),
            answer: Maybe64::time(r.t_answer_ns),
            last: Maybe64::time(r.t_last_ns),
            end: Maybe64::time(r.t_end_ns),
            lag_first: Maybe64::of(r.lag_first_ns),
            lag_max: Maybe64::of(r.lag_max_ns),
            icl_max_ms: r.icl_max_ms.unwrap_or(f64::NAN),
            output: Maybe32::of(r.output_tokens),
            input: Maybe32::of(r.input_tokens),
            cached: Maybe32::of(r.cached_tokens),
            n_first: r.n_first_tokens.unwrap_or(1).max(1),
            events: r.events,
            censored: r.censored,
            together: r.together,
            turn: r.turn,
            outcome: r.outcome,
            phase: r.phase,
            kernel: r.stamps == "kernel",
        }
    }

    /// The same request, so many of whose output tokens arrived in the declared window.
    pub(crate) fn with_inside(self, tokens: f64) -> Self {
        Self { inside: tokens, ..self }
    }

    /// Part of the figures.
    pub(crate) fn measured(&self) -> bool {
        self.phase == Phase::Measured
    }

    /// A whole answer.
    pub(crate) fn completed(&self) -> bool {
        self.outcome == Outcome::Completed
    }

    pub(crate) fn send(&self) -> Option<u64> {
        self.send.get()
    }

    pub(crate) fn first(&self) -> Option<u64> {
        self.first.get()
    }

    pub(crate) fn last(&self) -> Option<u64> {
        self.last.get()
    }

    /// End of the body; where that was not stamped, the last output event.
    pub(crate) fn end(&self) -> Option<u64> {
        self.end.get().or(self.last.get())
    }

    pub(crate) fn output(&self) -> Option<u32> {
        self.output.get()
    }

    pub(crate) fn input(&self) -> Option<u32> {
        self.input.get()
    }

    pub(crate) fn cached(&self) -> Option<u32> {
        self.cached.get()
    }

    pub(crate) fn lag_first(&self) -> Option<u64> {
        self.lag_first.get()
    }

    pub(crate) fn lag_max(&self) -> Option<u64> {
        self.lag_max.get()
    }

    /// Where the row stands among others: by its sending, or by when it was due.
    pub(crate) fn order(&self) -> u64 {
        self.send.get().unwrap_or(self.sched)
    }

    /// First output event − send.
    pub(crate) fn ttft(&self) -> Option<f64> {
        span(self.send, self.first)
    }

    /// First output event − due.
    pub(crate) fn ttft_sched(&self) -> Option<f64> {
        self.sent().and_then(|_| span(Maybe64(self.sched), self.first))
    }

    /// First answer or tool event − send.
    pub(crate) fn ttfat(&self) -> Option<f64> {
        span(self.send, self.answer)
    }

    /// First answer or tool event − due.
    pub(crate) fn ttfat_sched(&self) -> Option<f64> {
        span(Maybe64(self.sched), self.answer)
    }

    /// Tokens after the first output event, at least 1, where there is more than one event.
    pub(crate) fn later_tokens(&self) -> Option<u32> {
        let later = self.output.get()?.saturating_sub(self.n_first);
        (later > 0 && self.last.get()? > self.first.get()?).then_some(later)
    }

    /// From the first to the last output event, per token after the first event.
    pub(crate) fn tpot(&self) -> Option<f64> {
        Some(span(self.first, self.last)? / f64::from(self.later_tokens()?))
    }

    /// The same by tokens − 1.
    pub(crate) fn tpot_n1(&self) -> Option<f64> {
        self.later_tokens()?;
        let later = self.output.get()?.checked_sub(1).filter(|n| *n > 0)?;
        Some(span(self.first, self.last)? / f64::from(later))
    }

    /// Last output event − send.
    pub(crate) fn e2e(&self) -> Option<f64> {
        span(self.send, self.last)
    }

    /// Last output event − due.
    pub(crate) fn e2e_sched(&self) -> Option<f64> {
        self.sent().and_then(|_| span(Maybe64(self.sched), self.last))
    }

    /// End of the body − send.
    pub(crate) fn e2e_body(&self) -> Option<f64> {
        span(self.send, Maybe64::of(self.end()))
    }

    /// End-to-end latency per output token.
    pub(crate) fn norm_latency(&self) -> Option<f64> {
        let tokens = self.output.get().filter(|n| *n > 0)?;
        Some(self.e2e()? / f64::from(tokens))
    }

    /// Longest gap between output events.
    pub(crate) fn icl_max(&self) -> Option<f64> {
        Some(self.icl_max_ms).filter(|ms| !ms.is_nan())
    }

    /// Tokens a second from the first to the last output event.
    pub(crate) fn decode_tok_s(&self) -> Option<f64> {
        let seconds = span(self.first, self.last)? / 1000.0;
        (seconds > 0.0).then(|| f64::from(self.output.get().unwrap_or(0)) / seconds).filter(|v| *v > 0.0)
    }

    /// Sent − due.
    pub(crate) fn slip(&self) -> Option<f64> {
        span(Maybe64(self.sched), self.send)
    }

    /// Slot granted − due; 0 where no cap held it.
    pub(crate) fn wait_slot(&self) -> Option<f64> {
        self.send.get()?;
        Some(span(Maybe64(self.sched), self.slot).unwrap_or(0.0))
    }

    /// Connection usable − slot granted (or due).
    pub(crate) fn wait_conn(&self) -> Option<f64> {
        self.send.get()?;
        let from = self.slot.get().unwrap_or(self.sched);
        span(Maybe64(from), self.conn)
    }

    fn sent(&self) -> Option<u64> {
        self.send.get()
    }
}

/// Milliseconds between two stamps, never negative; none where one is missing.
fn span(from: Maybe64, to: Maybe64) -> Option<f64> {
    Some(to.get()?.saturating_sub(from.get()?) as f64 / NS_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(at: u64) -> Nanos {
        Nanos::new(at * 1_000_000)
    }

    fn whole() -> Record {
        Record {
            t_sched_ns: ms(10),
            t_slot_ns: Some(ms(14)),
            t_conn_ns: Some(ms(16)),
            t_send_ns: Some(ms(17)),
            t_first_ns: Some(ms(37)),
            t_answer_ns: Some(ms(57)),
            t_last_ns: Some(ms(137)),
            t_end_ns: Some(ms(140)),
            output_tokens: Some(12),
            n_first_tokens: Some(2),
            events: 6,
            ..Record::blank()
        }
    }

    #[test]
    fn every_latency_by_hand() {
        let k = Kept::of(&whole());
        let all = [
            (k.ttft(), 20.0),
            (k.ttft_sched(), 27.0),
            (k.ttfat(), 40.0),
            (k.ttfat_sched(), 47.0),
            (k.tpot(), 10.0),
            (k.tpot_n1(), 100.0 / 11.0),
            (k.e2e(), 120.0),
            (k.e2e_sched(), 127.0),
            (k.e2e_body(), 123.0),
            (k.norm_latency(), 10.0),
            (k.decode_tok_s(), 120.0),
            (k.slip(), 7.0),
            (k.wait_slot(), 4.0),
            (k.wait_conn(), 2.0),
        ];
        for (at, (got, want)) in all.iter().enumerate() {
            assert!(got.is_some_and(|v| (v - want).abs() < 1e-9), "{at}: {got:?}, not {want}");
        }
    }

    #[test]
    fn one_event_has_no_time_per_token_and_what_was_not_sent_has_no_latency() {
        let one = Kept::of(&Record { t_last_ns: Some(ms(37)), ..whole() });
        assert_eq!((one.tpot(), one.tpot_n1(), one.decode_tok_s()), (None, None, None));
        let never = Kept::of(&Record { t_send_ns: None, t_first_ns: None, t_last_ns: None, ..whole() });
        assert_eq!(
            (never.ttft(), never.ttft_sched(), never.slip(), never.wait_slot()),
            (None, None, None, None)
        );
    }

    #[test]
    fn a_request_takes_less_than_200_bytes() {
        assert!(size_of::<Kept>() < 200, "{}", size_of::<Kept>());
    }
}
