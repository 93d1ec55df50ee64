//! The text of the live line. A pure function of what is shown; no colours, so `NO_COLOR` has nothing to take away.

use std::time::Duration;

use benchhost_model::Phase;

use crate::snapshot::{Current, Figures, Goal, Lag};
use crate::words::{bar, clock, columns, plural, shortened, span, thousands};

/// Cells of the bar.
const BAR: usize = 16;
/// Between two parts of a row.
const GAP: &str = "  ";

/// Two rows of at most `width` columns each: what and how far; then the figures.
pub fn rows(current: &Current, width: usize) -> String {
    let how_far = match current.phase {
        Phase::Warmup => "warming up".to_owned(),
        Phase::Measured => [
            share(current).map(|share| bar(share, BAR)),
            Some(reached(current)),
            eta(current).map(|eta| format!("ETA {eta}")),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(GAP),
        Phase::Drain => format!("draining{GAP}{}", reached(current)),
    };
    let room = width.saturating_sub(columns(&how_far) + GAP.len());
    let title = shortened(&current.title, room);
    format!("{title}{GAP}{how_far}\n{}", figures(current, width))
}

/// One line for a log.
pub fn plain(current: &Current) -> String {
    let how_far = match current.phase {
        Phase::Warmup => "warming up".to_owned(),
        Phase::Measured => reached(current),
        Phase::Drain => format!("draining, {}", reached(current)),
    };
    let mut parts = vec![how_far];
    parts.extend(parts_of(current).into_iter().map(|part| part.text));
    parts.extend(eta(current).map(|eta| format!("ETA {eta}")));
    format!("{}: {}", shortened(&current.title, usize::MAX), parts.join(", "))
}

/// A figure, and how readily it is left out when there is no room: higher goes first, 0 never.
struct Part {
    text: String,
    spare: u8,
}

fn parts_of(current: &Current) -> Vec<Part> {
    let Figures { ttft_p50_ns, lag, recent } = current.figures;
    let part = |text: String, spare: u8| Part { text, spare };
    let ttft = ttft_p50_ns.map_or_else(|| "–".to_owned(), span);
    let speed = recent.tokens_s.map_or_else(|| "–".to_owned(), |speed| thousands(speed.round()));
    let lag = match lag {
        Some(Lag::Receiving(ns)) => format!("harness lag p99 {}", span(ns)),
        Some(Lag::Sending(ns)) => format!("sent late p99 {}", span(ns)),
        None => "harness lag –".to_owned(),
    };
    let errors = plural(current.failed, "error");
    vec![
        part(format!("TTFT p50 {ttft}"), 0),
        part(format!("{speed} tok/s"), 1),
        part(format!("{} in flight", current.in_flight), 2),
        part(errors, if current.failed > 0 { 0 } else { 4 }),
        part(lag, 3),
    ]
}

/// The figures, as many as `width` columns have room for.
pub(crate) fn figures(current: &Current, width: usize) -> String {
    let mut parts = parts_of(current);
    loop {
        let row = parts.iter().fold(String::new(), |row, part| row + GAP + &part.text);
        let most = parts.iter().map(|part| part.spare).max().unwrap_or(0);
        if columns(&row) <= width || most == 0 {
            return shortened(&row, width);
        }
        parts.retain(|part| part.spare < most);
    }
}

/// How much of it is done, from 0 to 1; `None` where the end is not known.
pub(crate) fn share(current: &Current) -> Option<f64> {
    match current.goal {
        Goal::Count(total) => Some(current.done as f64 / total.max(1) as f64),
        Goal::Time(total) => Some(current.measured_for.as_secs_f64() / total.as_secs_f64().max(1e-9)),
        Goal::Open => None,
    }
}

/// How far it is, in its own unit.
pub(crate) fn reached(current: &Current) -> String {
    match current.goal {
        Goal::Count(total) => format!("{}/{total}", current.done),
        Goal::Time(total) => format!("{}/{}", clock(current.measured_for.min(total)), clock(total)),
        Goal::Open => format!("{} done in {}", current.done, clock(current.measured_for)),
    }
}

/// Time until the measuring ends, at the pace so far.
pub(crate) fn eta(current: &Current) -> Option<String> {
    let left = match current.goal {
        _ if current.phase != Phase::Measured => return None,
        Goal::Count(total) if current.done > 0 => {
            let each = current.measured_for.as_secs_f64() / current.done as f64;
            Duration::try_from_secs_f64(each * total.saturating_sub(current.done) as f64).ok()?
        }
        Goal::Time(total) => total.saturating_sub(current.measured_for),
        Goal::Count(_) | Goal::Open => return None,
    };
    // To the nearest second, so that the last one is not a long zero.
    Some(clock(left.saturating_add(Duration::from_millis(500))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Recent;

    const MS: u64 = 1_000_000;

    fn current() -> Current {
        Current {
            title: "vllm · mixed · concurrency=4".into(),
            goal: Goal::Count(100),
            phase: Phase::Measured,
            measured_for: Duration::from_secs(37),
            done: 37,
            in_flight: 4,
            failed: 0,
            figures: Figures {
                ttft_p50_ns: Some(123 * MS),
                lag: Some(Lag::Receiving(120_000)),
                recent: Recent { tokens_s: Some(1234.4), ..Recent::default() },
            },
        }
    }

    #[test]
    fn a_count_has_a_bar_and_a_pace() {
        assert_eq!(
            rows(&current(), 80),
            "vllm · mixed · concurrency=4  █████░░░░░░░░░░░  37/100  ETA 1:03\n  TTFT p50 123 ms  1,234 tok/s  4 in flight  0 errors  harness lag p99 0.12 ms"
        );
    }

    #[test]
    fn a_time_has_a_clock() {
        let timed = Current { goal: Goal::Time(Duration::from_secs(3700)), ..current() };
        assert!(rows(&timed, 80).contains("░  0:37/1:01:40  ETA 1:01:03\n"), "{}", rows(&timed, 80));
        let over = Current { goal: Goal::Time(Duration::from_secs(20)), ..current() };
        assert!(rows(&over, 80).contains("████████████████  0:20/0:20  ETA 0:00\n"), "{}", rows(&over, 80));
        let open = Current { goal: Goal::Open, ..current() };
        assert!(rows(&open, 80).starts_with("vllm · mixed · concurrency=4  37 done in 0:37\n"));
    }

    #[test]
    fn what_is_not_known_is_a_dash_and_never_a_number() {
        let empty = Current { done: 0, figures: Figures::default(), ..current() };
        assert_eq!(
            rows(&empty, 80),
            "vllm · mixed · concurrency=4  ░░░░░░░░░░░░░░░░  0/100\n  TTFT p50 –  – tok/s  4 in flight  0 errors  harness lag –"
        );
    }

    #[test]
    fn warm_up_and_drain_are_named_and_have_no_end() {
        let warm = rows(&Current { phase: Phase::Warmup, ..current() }, 80);
        assert!(warm.starts_with("vllm · mixed · concurrency=4  warming up\n"), "{warm}");
        let drain = rows(&Current { phase: Phase::Drain, ..current() }, 80);
        assert!(drain.starts_with("vllm · mixed · concurrency=4  draining  37/100\n"), "{drain}");
        assert!(!warm.contains("ETA") && !drain.contains("ETA"));
    }

    #[test]
    fn no_row_is_wider_than_the_screen_and_errors_stay() {
        let wide = Current {
            title: "vllm/a-variant-with-a-very-long-name · my-prompts-from-a-file · rate=1000 · repeat 17/20"
                .into(),
            goal: Goal::Count(1_000_000),
            measured_for: Duration::from_hours(24),
            done: 123_456,
            in_flight: 10_000,
            failed: 98_765,
            figures: Figures {
                ttft_p50_ns: Some(12_345 * MS),
                lag: Some(Lag::Sending(99_000 * MS)),
                recent: Recent { tokens_s: Some(1_234_567.0), ..Recent::default() },
            },
            ..current()
        };
        for phase in [Phase::Warmup, Phase::Measured, Phase::Drain] {
            for goal in [wide.goal, Goal::Time(Duration::from_secs(100_000)), Goal::Open] {
                let text = rows(&Current { goal, phase, ..wide.clone() }, 80);
                assert_eq!(text.lines().count(), 2);
                assert!(text.lines().all(|row| columns(row) <= 80), "{text}");
                assert!(text.contains("98765 errors") && text.contains("TTFT p50 12.3 s"), "{text}");
            }
        }
        for width in 60..80 {
            let text = rows(&current(), width);
            assert!(text.lines().all(|row| columns(row) <= width), "{width}: {text}");
        }
        assert!(!rows(&current(), 70).contains("0 errors"), "what says nothing goes first");
    }

    #[test]
    fn a_name_cannot_move_the_cursor() {
        let text = rows(&Current { title: "a\x1b[2Jb\nc".into(), ..current() }, 80);
        assert!(text.starts_with("a [2Jb c  "), "{text:?}");
    }

    #[test]
    fn a_log_gets_one_line() {
        assert_eq!(
            plain(&Current { failed: 1, ..current() }),
            "vllm · mixed · concurrency=4: 37/100, TTFT p50 123 ms, 1,234 tok/s, 4 in flight, 1 error, harness lag p99 0.12 ms, ETA 1:03"
        );
        let warm = plain(&Current { phase: Phase::Warmup, figures: Figures::default(), ..current() });
        assert!(warm.starts_with("vllm · mixed · concurrency=4: warming up, TTFT p50 –"), "{warm}");
    }
}
