//! The load that is offered, and what the simulated server must be told to answer it. Plain data.

use std::time::Duration;

use benchhost_load::IoPlan;

/// How requests come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Offered {
    /// So many streams at a time, each followed at once by the next.
    Streams(u32),
    /// So many requests a second, at random (Poisson), whatever the server does.
    Rate(f64),
}

/// A load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// How requests come.
    pub offered: Offered,
    /// Between two events of a stream.
    pub gap: Duration,
    /// From a request's arrival to its first event.
    pub first: Duration,
    /// Events of an answer.
    pub events: u32,
    /// Events that the server writes at once.
    pub per_write: u32,
    /// Bytes of a prompt.
    pub prompt_bytes: u32,
    /// The threads that do the I/O.
    pub io: IoPlan,
    /// Offered before anything is judged. The first tenths of a second of a fresh thread are not its usual ones.
    pub warmup: Duration,
    /// Judged.
    pub measured: Duration,
}

/// An answer lasts at most this long: else a short check would see too few of them.
const LONGEST_ANSWER: Duration = Duration::from_millis(350);
/// Share of the time that is not judged, the end of the last answers not included.
const WARMUP_SHARE: f64 = 0.25;
/// The server's own time before the first event.
const FIRST: Duration = Duration::from_millis(20);

impl Shape {
    /// Streams that each receive `events_per_s` events a second, checked within `all` seconds.
    pub fn streams(streams: u32, events_per_s: f64, io: IoPlan, all: Duration) -> Self {
        Self::within(Offered::Streams(streams.max(1)), events_per_s, io, all)
    }

    /// Requests at a rate, whose answers come at `events_per_s` events a second, checked within `all` seconds.
    pub fn rate(rate: f64, events_per_s: f64, io: IoPlan, all: Duration) -> Self {
        Self::within(Offered::Rate(rate), events_per_s, io, all)
    }

    fn within(offered: Offered, events_per_s: f64, io: IoPlan, all: Duration) -> Self {
        let gap = Duration::from_secs_f64(1.0 / events_per_s.clamp(0.1, 1e6));
        let first = FIRST.min(gap * 10);
        let judged = all.saturating_sub(LONGEST_ANSWER).max(Duration::from_millis(50));
        let warmup = judged.mul_f64(WARMUP_SHARE);
        let fit = (LONGEST_ANSWER.saturating_sub(first).as_secs_f64() / gap.as_secs_f64()).floor();
        Self {
            offered,
            gap,
            first,
            events: at_least_two(fit),
            per_write: 1,
            prompt_bytes: 400,
            io,
            warmup,
            measured: judged.saturating_sub(warmup),
        }
    }

    /// Answers as long as the plan's, if they fit into the check.
    #[must_use]
    pub fn with_events(self, events: u32) -> Self {
        Self { events: events.clamp(2, self.events), ..self }
    }

    /// Events a second that were asked for: of all streams, or of the requests that come.
    pub fn events_per_s(&self) -> f64 {
        let events = f64::from(self.events);
        match self.offered {
            Offered::Streams(streams) => {
                let answer = self.first.as_secs_f64() + self.gap.as_secs_f64() * (events - 1.0).max(0.0);
                f64::from(streams) * events / answer.max(1e-9)
            }
            Offered::Rate(rate) => rate * events,
        }
    }

    /// Connections at a time: the streams, or those expected at this rate (Little's law).
    pub fn connections(&self) -> f64 {
        match self.offered {
            Offered::Streams(streams) => f64::from(streams),
            Offered::Rate(rate) => {
                rate * (self.first + self.gap * self.events.saturating_sub(1)).as_secs_f64()
            }
        }
    }

    /// Arguments of `benchhost simulate` that make a server for this shape.
    pub fn server_args(&self) -> Vec<String> {
        [
            "--lean".to_owned(),
            "--stamp-writes".to_owned(),
            "--ttft".to_owned(),
            format!("{}ns", self.first.as_nanos()),
            "--itl".to_owned(),
            format!("{}ns", self.gap.as_nanos()),
            "--tokens-per-event".to_owned(),
            self.per_write.max(1).to_string(),
        ]
        .to_vec()
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count between 0 and a few hundred thousand; the cast saturates"
)]
fn at_least_two(count: f64) -> u32 {
    (count as u32).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Duration = Duration::from_secs(2);

    #[test]
    fn a_check_fits_into_its_time_and_sees_several_answers_of_each_stream() {
        for events_per_s in [20.0, 100.0, 1000.0, 100_000.0] {
            let shape = Shape::streams(64, events_per_s, IoPlan::default(), TWO);
            let answer = shape.first + shape.gap * (shape.events - 1);
            assert!(shape.warmup + shape.measured + answer <= TWO + Duration::from_millis(50), "{shape:?}");
            assert!(answer * 3 <= shape.measured, "{shape:?}");
        }
    }

    #[test]
    fn asked_events_follow_from_streams_and_from_rates() {
        let shape = Shape::streams(512, 100.0, IoPlan::default(), TWO);
        // First events come after 20 ms rather than 10, so a stream has a little less than its rate.
        assert!((49_000.0..51_200.0).contains(&shape.events_per_s()), "{}", shape.events_per_s());
        let open = Shape::rate(50.0, 100.0, IoPlan::default(), TWO).with_events(11);
        assert!((open.events_per_s() - 550.0).abs() < 1e-6);
        assert!((open.connections() - 50.0 * 0.12).abs() < 1e-6);
        assert_eq!(open.with_events(0).events, 2);
    }
}
