//! Our rows in the forms of other tools, so that what reads their files reads ours. Streams: rows go in one by one; of the
//! forms that need aggregates, one load point is held, as numbers.

mod aiperf;
mod guidellm;
mod jsonl;
mod list;
mod numbers;
mod openmetrics;
mod point;
mod vllm;

use std::io::{self, Write};

use benchhost_model::{Nanos, Phase, Record};

pub use openmetrics::openmetrics;
use point::Point;

/// A form that rows can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `vllm bench serve --save-detailed`: one line a load point and repeat.
    Vllm,
    /// `AIPerf`'s summary: one line a load point and repeat.
    Aiperf,
    /// `AIPerf`'s `profile_export.jsonl`: one line a request.
    AiperfRequests,
    /// `GuideLLM`'s `benchmarks.json`: one document.
    Guidellm,
    /// Our own columns: one line a request, of every phase.
    Jsonl {
        /// With the gaps between output events.
        gaps: bool,
    },
}

/// Who exports, and when the run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Name and version of this program.
    pub exported_by: String,
    /// Seconds since 1970 at the run's epoch. Whole seconds: wall-clock times in files are that exact, differences exact.
    pub started_unix_s: u64,
}

impl Origin {
    fn wall_ns(&self, at: Nanos) -> u64 {
        self.started_unix_s.saturating_mul(1_000_000_000).saturating_add(at.get())
    }

    fn wall_s(&self, at: Nanos) -> f64 {
        self.started_unix_s as f64 + at.as_secs()
    }

    /// `YYYYmmdd-HHMMSS` of the start, UTC.
    fn date(&self) -> String {
        let ([year, month, day], [hour, minute, second]) = calendar(self.started_unix_s);
        format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
    }

    /// ISO 8601 of a point of the run, UTC, without a zone, as Python writes it.
    fn iso(&self, at: Nanos) -> String {
        let ns = self.wall_ns(at);
        let ([year, month, day], [hour, minute, second]) = calendar(ns / 1_000_000_000);
        let micros = ns % 1_000_000_000 / 1000;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}")
    }
}

/// Year, month, day and hour, minute, second, UTC. Gregorian, by eras of 400 years that begin in March.
fn calendar(unix_s: u64) -> ([u64; 3], [u64; 3]) {
    let (days, of_day) = (unix_s / 86_400 + 719_468, unix_s % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    ([year, month, day], [of_day / 3600, of_day / 60 % 60, of_day % 60])
}

/// Writes rows in a form.
pub struct Exporter<W> {
    form: Form,
    origin: Origin,
    out: W,
    /// The point whose rows are coming in.
    point: Option<Point>,
    points: u64,
}

impl<W> std::fmt::Debug for Exporter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exporter")
            .field("form", &self.form)
            .field("points", &self.points)
            .finish_non_exhaustive()
    }
}

impl<W: Write> Exporter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(form: Form, origin: Origin, mut out: W) -> io::Result<Self> {
        if form == Form::Guidellm {
            out.write_all(guidellm::head(&origin).as_bytes())?;
        }
        Ok(Self { form, origin, out, point: None, points: 0 })
    }

    /// Takes a row and the gaps between its output events in nanoseconds, where they were kept. Rows of one load point
    /// stand together in a run; should one come back, it makes another object. Only [`Form::Jsonl`] has warm-up and drain.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn push(&mut self, record: &Record, gaps_ns: Option<&[u64]>) -> io::Result<()> {
        let known = gaps_ns.unwrap_or_default();
        match self.form {
            Form::Jsonl { gaps } => {
                let gaps_ns = gaps_ns.filter(|_| gaps);
                self.line(&jsonl::Line::new(record, gaps_ns, &self.origin.exported_by.clone()))
            }
            _ if record.phase != Phase::Measured => Ok(()),
            Form::AiperfRequests => self.line(&aiperf::line(record, known, &self.origin)),
            Form::Vllm | Form::Aiperf | Form::Guidellm => {
                if self.point.as_ref().is_some_and(|p| !p.covers(record)) {
                    self.end_point()?;
                }
                let by = &self.origin.exported_by;
                self.point.get_or_insert_with(|| Point::new(record, by)).push(record, known);
                Ok(())
            }
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.end_point()?;
        if self.form == Form::Guidellm {
            self.out.write_all(guidellm::TAIL.as_bytes())?;
        }
        self.out.flush()?;
        Ok(self.out)
    }

    fn end_point(&mut self) -> io::Result<()> {
        let Some(point) = self.point.take() else { return Ok(()) };
        self.points += 1;
        let origin = self.origin.clone();
        match self.form {
            Form::Aiperf => self.line(&aiperf::summary(&point, &origin)),
            Form::Guidellm => {
                if self.points > 1 {
                    self.out.write_all(b",\n")?;
                }
                Ok(serde_json::to_writer(&mut self.out, &guidellm::Form { point: &point, origin: &origin })?)
            }
            _ => self.line(&vllm::Form { point: &point, origin: &origin }),
        }
    }

    fn line(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let date = |started_unix_s| Origin { exported_by: String::new(), started_unix_s }.date();
        assert_eq!(date(0), "19700101-000000");
        assert_eq!(date(951_782_399), "20000228-235959");
        assert_eq!(date(951_782_400), "20000229-000000");
        assert_eq!(date(1_795_329_412), "20261122-063652");
        let origin = Origin { exported_by: String::new(), started_unix_s: 1_795_329_412 };
        assert_eq!(origin.iso(Nanos::new(1_500_000_000)), "2026-11-22T06:36:53.500000");
    }
}
