//! The text of the live line. A pure function of what is shown; no colours, so `NO_COLOR` has nothing to take away.

use std::time::Duration;

use benchhost_model::Phase;

use super::tally::{Figures, Lag};

/// When a load point is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// After so many measured items.
    Count(u64),
    /// After measuring so long.
    Time(Duration),
    /// When its workload ends, or a rule decides.
    Open,
}

/// Everything that is shown.
#[derive(Debug, Clone)]
pub(super) struct Shown<'a> {
    pub(super) title: &'a str,
    pub(super) goal: Goal,
    pub(super) phase: Phase,
    /// Since the load was first seen measuring.
    pub(super) measured_for: Duration,
    /// Measured items that are over.
    pub(super) done: u64,
    pub(super) in_flight: u64,
    /// Of those done, the ones that did not complete.
    pub(super) failed: u64,
    pub(super) figures: Figures,
}

/// Cells of the bar.
const BAR: usize = 16;
/// Between two parts of a row.
const GAP: &str = "  ";

/// Two rows of at most `width` columns each: what and how far; then the figures.
pub(super) fn rows(shown: &Shown<'_>, width: usize) -> String {
    let how_far = match shown.phase {
        Phase::Warmup => "warming up".to_owned(),
        Phase::Measured => [bar(shown), Some(reached(shown)), eta(shown).map(|eta| format!("ETA {eta}"))]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(GAP),
        Phase::Drain => format!("draining{GAP}{}", reached(shown)),
    };
    let room = width.saturating_sub(columns(&how_far) + GAP.len());
    let title = shortened(shown.title, room);
    format!("{title}{GAP}{how_far}\n{}", figures(shown, width))
}

/// One line for a log.
pub(super) fn plain(shown: &Shown<'_>) -> String {
    let how_far = match shown.phase {
        Phase::Warmup => "warming up".to_owned(),
        Phase::Measured => reached(shown),
        Phase::Drain => format!("draining, {}", reached(shown)),
    };
    let mut parts = vec![how_far];
    parts.extend(parts_of(shown).into_iter().map(|part| part.text));
    parts.extend(eta(shown).map(|eta| format!("ETA {eta}")));
    format!("{}: {}", shortened(shown.title, usize::MAX), parts.join(", "))
}

/// A figure, and how readily it is left out when there is no room: higher goes first, 0 never.
struct Part {
    text: String,
    spare: u8,
}

fn parts_of(shown: &Shown<'_>) -> Vec<Part> {
    let Figures { ttft_p50_ns, tokens_s, lag } = shown.figures;
    let part = |text: String, spare: u8| Part { text, spare };
    let ttft = ttft_p50_ns.map_or_else(|| "–".to_owned(), span);
    let speed = tokens_s.map_or_else(|| "–".to_owned(), |speed| thousands(speed.round()));
    let lag = match lag {
        Some(Lag::Receiving(ns)) => format!("harness lag p99 {}", span(ns)),
        Some(Lag::Sending(ns)) => format!("sent late p99 {}", span(ns)),
        None => "harness lag –".to_owned(),
    };
    let errors = super::super::plural(shown.failed, "error");
    vec![
        part(format!("TTFT p50 {ttft}"), 0),
        part(format!("{speed} tok/s"), 1),
        part(format!("{} in flight", shown.in_flight), 2),
        part(errors, if shown.failed > 0 { 0 } else { 4 }),
        part(lag, 3),
    ]
}

fn figures(shown: &Shown<'_>, width: usize) -> String {
    let mut parts = parts_of(shown);
    loop {
        let row = parts.iter().fold(String::new(), |row, part| row + GAP + &part.text);
        let most = parts.iter().map(|part| part.spare).max().unwrap_or(0);
        if columns(&row) <= width || most == 0 {
            return shortened(&row, width);
        }
        parts.retain(|part| part.spare < most);
    }
}

/// How full the bar is; none where the end is not known.
fn bar(shown: &Shown<'_>) -> Option<String> {
    let share = match shown.goal {
        Goal::Count(total) => shown.done as f64 / total.max(1) as f64,
        Goal::Time(total) => shown.measured_for.as_secs_f64() / total.as_secs_f64().max(1e-9),
        Goal::Open => return None,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share clamped to 0 to 1 of a few cells"
    )]
    let full = (share.clamp(0.0, 1.0) * BAR as f64) as usize;
    Some("█".repeat(full) + &"░".repeat(BAR - full))
}

fn reached(shown: &Shown<'_>) -> String {
    match shown.goal {
        Goal::Count(total) => format!("{}/{total}", shown.done),
        Goal::Time(total) => format!("{}/{}", clock(shown.measured_for.min(total)), clock(total)),
        Goal::Open => format!("{} done in {}", shown.done, clock(shown.measured_for)),
    }
}

/// Time until the measuring ends, at the pace so far.
fn eta(shown: &Shown<'_>) -> Option<String> {
    let left = match shown.goal {
        _ if shown.phase != Phase::Measured => return None,
        Goal::Count(total) if shown.done > 0 => {
            let each = shown.measured_for.as_secs_f64() / shown.done as f64;
            Duration::try_from_secs_f64(each * total.saturating_sub(shown.done) as f64).ok()?
        }
        Goal::Time(total) => total.saturating_sub(shown.measured_for),
        Goal::Count(_) | Goal::Open => return None,
    };
    // To the nearest second, so that the last one is not a long zero.
    Some(clock(left.saturating_add(Duration::from_millis(500))))
}

/// `0:07`, `12:34`, `1:02:03`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Nanoseconds with two or three figures: `0.12 ms`, `3.4 ms`, `123 ms`, `12.3 s`.
fn span(ns: u64) -> String {
    let ms = ns as f64 / 1e6;
    match ms {
        ..0.995 => format!("{ms:.2} ms"),
        ..9.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        ..99_950.0 => format!("{:.1} s", ms / 1e3),
        _ => format!("{:.0} s", ms / 1e3),
    }
}

/// `1,234`.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The first `room` columns; an ellipsis stands for the rest. Control characters become spaces: a title holds names of
/// the user's, and those must not move the cursor.
fn shortened(text: &str, room: usize) -> String {
    let mut clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let fits = columns(text) <= room;
    if fits {
        return clean.collect();
    }
    let mut out: String = clean.by_ref().take(room.saturating_sub(1)).collect();
    if room > 0 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn shown() -> Shown<'static> {
        Shown {
            title: "vllm · mixed · concurrency 4",
            goal: Goal::Count(100),
            phase: Phase::Measured,
            measured_for: Duration::from_secs(37),
            done: 37,
            in_flight: 4,
            failed: 0,
            figures: Figures {
                ttft_p50_ns: Some(123 * MS),
                tokens_s: Some(1234.4),
                lag: Some(Lag::Receiving(120_000)),
            },
        }
    }

    #[test]
    fn a_count_has_a_bar_and_a_pace() {
        assert_eq!(
            rows(&shown(), 80),
            "vllm · mixed · concurrency 4  █████░░░░░░░░░░░  37/100  ETA 1:03\n  TTFT p50 123 ms  1,234 tok/s  4 in flight  0 errors  harness lag p99 0.12 ms"
        );
    }

    #[test]
    fn a_time_has_a_clock() {
        let timed = Shown { goal: Goal::Time(Duration::from_secs(3700)), ..shown() };
        assert!(rows(&timed, 80).contains("░  0:37/1:01:40  ETA 1:01:03\n"), "{}", rows(&timed, 80));
        let over = Shown { goal: Goal::Time(Duration::from_secs(20)), ..shown() };
        assert!(rows(&over, 80).contains("████████████████  0:20/0:20  ETA 0:00\n"), "{}", rows(&over, 80));
        let open = Shown { goal: Goal::Open, ..shown() };
        assert!(rows(&open, 80).starts_with("vllm · mixed · concurrency 4  37 done in 0:37\n"));
    }

    #[test]
    fn what_is_not_known_is_a_dash_and_never_a_number() {
        let empty = Shown { done: 0, figures: Figures::default(), ..shown() };
        assert_eq!(
            rows(&empty, 80),
            "vllm · mixed · concurrency 4  ░░░░░░░░░░░░░░░░  0/100\n  TTFT p50 –  – tok/s  4 in flight  0 errors  harness lag –"
        );
    }

    #[test]
    fn warm_up_and_drain_are_named_and_have_no_end() {
        let warm = rows(&Shown { phase: Phase::Warmup, ..shown() }, 80);
        assert!(warm.starts_with("vllm · mixed · concurrency 4  warming up\n"), "{warm}");
        let drain = rows(&Shown { phase: Phase::Drain, ..shown() }, 80);
        assert!(drain.starts_with("vllm · mixed · concurrency 4  draining  37/100\n"), "{drain}");
        assert!(!warm.contains("ETA") && !drain.contains("ETA"));
    }

    #[test]
    fn no_row_is_wider_than_the_screen_and_errors_stay() {
        let wide = Shown {
            title: "vllm/a-variant-with-a-very-long-name · my-prompts-from-a-file · rate 1000/s · repeat 17/20",
            goal: Goal::Count(1_000_000),
            measured_for: Duration::from_hours(24),
            done: 123_456,
            in_flight: 10_000,
            failed: 98_765,
            figures: Figures {
                ttft_p50_ns: Some(12_345 * MS),
                tokens_s: Some(1_234_567.0),
                lag: Some(Lag::Sending(99_000 * MS)),
            },
            ..shown()
        };
        for phase in [Phase::Warmup, Phase::Measured, Phase::Drain] {
            for goal in [wide.goal, Goal::Time(Duration::from_secs(100_000)), Goal::Open] {
                let text = rows(&Shown { goal, phase, ..wide.clone() }, 80);
                assert_eq!(text.lines().count(), 2);
                assert!(text.lines().all(|row| columns(row) <= 80), "{text}");
                assert!(text.contains("98765 errors") && text.contains("TTFT p50 12.3 s"), "{text}");
            }
        }
        for width in 60..80 {
            let text = rows(&shown(), width);
            assert!(text.lines().all(|row| columns(row) <= width), "{width}: {text}");
        }
        assert!(!rows(&shown(), 70).contains("0 errors"), "what says nothing goes first");
    }

    #[test]
    fn a_name_cannot_move_the_cursor() {
        let text = rows(&Shown { title: "a\x1b[2Jb\nc", ..shown() }, 80);
        assert!(text.starts_with("a [2Jb c  "), "{text:?}");
    }

    #[test]
    fn a_log_gets_one_line() {
        assert_eq!(
            plain(&Shown { failed: 1, ..shown() }),
            "vllm · mixed · concurrency 4: 37/100, TTFT p50 123 ms, 1,234 tok/s, 4 in flight, 1 error, harness lag p99 0.12 ms, ETA 1:03"
        );
        let warm = plain(&Shown { phase: Phase::Warmup, figures: Figures::default(), ..shown() });
        assert!(warm.starts_with("vllm · mixed · concurrency 4: warming up, TTFT p50 –"), "{warm}");
    }

    #[test]
    fn lengths_of_time_keep_two_or_three_figures() {
        let cases = [
            (0, "0.00 ms"),
            (120_000, "0.12 ms"),
            (994_000, "0.99 ms"),
            (996_000, "1.0 ms"),
            (9_960_000, "10 ms"),
            (999_600_000, "1.0 s"),
            (99_960_000_000, "100 s"),
        ];
        for (ns, text) in cases {
            assert_eq!(span(ns), text);
        }
        assert_eq!([0.0, 999.0, 1000.0, 1_234_567.0].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
