//! A trace in memory: the rows that are kept, 24 bytes each, and a count of everything that was not. Must not know
//! prompts.

use crate::choice::{CategoryBy, Choice};
use crate::format::{Format, Parsed, Reader};
use crate::lines::Lines;

/// Rows that fit into a plugin's memory (64 MiB) with room to spare; the largest published file has 1.4 million.
const MOST_ROWS: usize = 1_750_000;
/// Hashes that fit, 8 bytes each.
const MOST_HASHES: usize = 2_000_000;
/// Rows after which the number of all rows is guessed from the file's size.
const GUESS_AFTER: usize = 4096;

/// Categories that a row may have: `BurstGPT`'s models, then its log types.
pub(crate) const CATEGORIES: [&str; 4] = ["ChatGPT", "GPT-4", "Conversation log", "API log"];

/// One request of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// On the file's own clock.
    pub(crate) t_ns: i64,
    /// In the file, from 1.
    pub(crate) line: u32,
    pub(crate) input: u32,
    pub(crate) output: u32,
    /// Where the hashes begin, or the category from 1; 0: none. Above [`TAG`], marks.
    tag: u32,
}

/// The bits of a tag that are no marks.
const TAG: u32 = (1 << 28) - 1;
const CLIPPED_INPUT: u32 = 1 << 28;
const CLIPPED_OUTPUT: u32 = 1 << 29;
/// Other than one hash for each block.
const OTHER_BLOCKS: u32 = 1 << 30;
/// A category that is not among [`CATEGORIES`].
const OTHER_CATEGORY: u32 = 1 << 31;

impl Row {
    const fn place(&self) -> usize {
        (self.tag & TAG) as usize
    }
}

/// What became of the file's rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    rows: u32,
    outside: u32,
    other_model: u32,
    failed: u32,
    without_prompt: u32,
    too_long: u32,
    eligible: u32,
    unsorted: bool,
}

/// The rows that are sent, in the order of their times.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) format: Format,
    pub(crate) rows: Vec<Row>,
    /// For each row that has them: how many, then the hashes.
    hashes: Vec<u64>,
    tally: Tally,
}

impl Trace {
    /// Reads a trace of `bytes` bytes. `lines` opens it, a second time when a window turns out to be relative to a row
    /// that comes later in the file. Errors begin with the line.
    pub(crate) fn read<'a>(
        lines: impl Fn() -> Lines<'a>,
        bytes: u64,
        choice: &Choice,
    ) -> Result<Self, String> {
        let mut origin = None;
        loop {
            let mut reading = Reading::begin(lines(), bytes, choice, origin)?;
            reading.all()?;
            let earliest = reading.earliest;
            if choice.has_window() && earliest < reading.origin && earliest != origin {
                origin = earliest;
                continue;
            }
            return Ok(reading.end());
        }
    }

    /// Microseconds from the first row that is kept.
    pub(crate) fn arrival_us(&self, row: &Row) -> u64 {
        let first = self.rows.first().map_or(row.t_ns, |first| first.t_ns);
        u64::try_from(row.t_ns.saturating_sub(first)).unwrap_or(0) / 1000
    }

    /// The hashes of its prompt blocks; empty: none.
    pub(crate) fn hashes(&self, row: &Row) -> &[u64] {
        if self.format != Format::Mooncake || row.place() == 0 {
            return &[];
        }
        let at = row.place();
        let length = self.hashes.get(at).and_then(|n| usize::try_from(*n).ok()).unwrap_or(0);
        self.hashes.get(at + 1..at + 1 + length).unwrap_or_default()
    }

    /// One of [`CATEGORIES`], or empty.
    pub(crate) fn category(&self, row: &Row) -> &'static str {
        let known = if self.format == Format::Mooncake { None } else { row.place().checked_sub(1) };
        known.and_then(|at| CATEGORIES.get(at)).copied().unwrap_or("")
    }

    /// Whether anything is not as in the file.
    pub(crate) fn is_changed(&self) -> bool {
        let t = &self.tally;
        let counts = [t.failed, t.without_prompt, t.too_long];
        t.unsorted || counts.iter().any(|n| *n > 0) || self.rows.iter().any(|row| row.tag > TAG)
    }

    /// Kept rows with this mark.
    fn marked(&self, mark: u32) -> u32 {
        u32::try_from(self.rows.iter().filter(|row| row.tag & mark != 0).count()).unwrap_or(u32::MAX)
    }

    /// One line for people: what was kept and what was not.
    pub(crate) fn summary(&self) -> String {
        let t = &self.tally;
        let span = match (self.rows.first(), self.rows.last()) {
            (Some(first), Some(last)) => last.t_ns.saturating_sub(first.t_ns) as f64 / 1e9,
            _ => 0.0,
        };
        let mut text =
            format!("{} trace: {} of {} rows over {span:.1} s", self.format.name(), self.rows.len(), t.rows);
        let beyond = t.eligible.saturating_sub(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        let left_out = [
            (t.outside, "outside the window"),
            (t.other_model, "of other models"),
            (t.failed, "failed (0 output tokens)"),
            (t.without_prompt, "with 0 input tokens"),
            (t.too_long, "too long"),
            (beyond, "beyond the limit"),
        ];
        let listed = |counts: &[(u32, &str)]| -> Vec<String> {
            counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect()
        };
        let left_out = listed(&left_out);
        if !left_out.is_empty() {
            text.push_str("; left out: ");
            text.push_str(&left_out.join(", "));
        }
        let changed = listed(&[
            (self.marked(CLIPPED_INPUT), "prompts clipped"),
            (self.marked(CLIPPED_OUTPUT), "answers clipped"),
            (
                self.marked(OTHER_BLOCKS),
                "rows with other than one hash for each block: is `block-size` right?",
            ),
            (self.marked(OTHER_CATEGORY), "rows of a category this workload does not know"),
        ]);
        for part in changed {
            text.push_str("; ");
            text.push_str(&part);
        }
        if t.unsorted {
            text.push_str("; the rows were not in the order of their times and were sorted");
        }
        text
    }
}

/// One pass over the file.
struct Reading<'a> {
    lines: Lines<'a>,
    reader: Reader,
    choice: &'a Choice,
    bytes: u64,
    /// The row that a window is relative to, as far as known.
    origin: Option<i64>,
    earliest: Option<i64>,
    /// Time of the row before.
    last_ns: i64,
    trace: Trace,
}

impl<'a> Reading<'a> {
    fn begin(
        mut lines: Lines<'a>,
        bytes: u64,
        choice: &'a Choice,
        origin: Option<i64>,
    ) -> Result<Self, String> {
        let first = lines.next()?.ok_or("the file is empty")?.to_owned();
        let reader = Reader::of(&first)?;
        if choice.model.is_some() && !reader.has_models() {
            return Err(format!(
                "option `model` needs a column `Model`, and this {} trace has none",
                reader.format().name()
            ));
        }
        let trace =
            Trace { format: reader.format(), rows: Vec::new(), hashes: vec![0], tally: Tally::default() };
        let mut reading =
            Self { lines, reader, choice, bytes, origin, earliest: None, last_ns: i64::MIN, trace };
        if !reading.reader.has_header() {
            let line = reading.lines.number();
            reading.one(line, &first)?;
        }
        Ok(reading)
    }

    fn all(&mut self) -> Result<(), String> {
        loop {
            // The line borrows its reader, which `one` needs whole.
            let parsed = match self.lines.next()? {
                Some(line) => self.reader.read(line),
                None => return Ok(()),
            };
            let line = self.lines.number();
            let parsed = parsed.map_err(|e| format!("line {line}: {e}"))?;
            self.take(line, &parsed)?;
        }
    }

    fn one(&mut self, line: u32, text: &str) -> Result<(), String> {
        let parsed = self.reader.read(text).map_err(|e| format!("line {line}: {e}"))?;
        self.take(line, &parsed)
    }

    /// Keeps the row or counts why not.
    fn take(&mut self, line: u32, parsed: &Parsed) -> Result<(), String> {
        let (choice, tally) = (self.choice, &mut self.trace.tally);
        tally.rows += 1;
        tally.unsorted |= parsed.t_ns < self.last_ns;
        self.last_ns = parsed.t_ns;
        let earliest = *self.earliest.insert(self.earliest.map_or(parsed.t_ns, |e| e.min(parsed.t_ns)));
        let origin = *self.origin.get_or_insert(parsed.t_ns);
        let since = parsed.t_ns.checked_sub(origin.min(earliest));
        let since = since.ok_or_else(|| format!("line {line}: the times lie more than 292 years apart"))?;
        if choice.has_window() && !choice.in_window(since) {
            tally.outside += 1;
        } else if choice.model.as_ref().is_some_and(|m| !m.eq_ignore_ascii_case(&parsed.model)) {
            tally.other_model += 1;
        } else if parsed.input == 0 {
            tally.without_prompt += 1;
        } else if parsed.output == 0 && !choice.keep_failed {
            tally.failed += 1;
        } else {
            return self.keep(line, parsed);
        }
        Ok(())
    }

    fn keep(&mut self, line: u32, parsed: &Parsed) -> Result<(), String> {
        let (choice, tally) = (self.choice, &mut self.trace.tally);
        let (input, clipped_input) = clipped(parsed.input, choice.max_input);
        let (output, clipped_output) = clipped(parsed.output.max(1), choice.max_output);
        if choice.drop_long && (clipped_input || clipped_output) {
            tally.too_long += 1;
            return Ok(());
        }
        tally.eligible += 1;
        let mut tag = if self.trace.format == Format::Mooncake {
            self.blocks(parsed, input).map_err(|e| format!("line {line}: {e}"))?
        } else {
            self.category(parsed)
        };
        tag |= if clipped_input { CLIPPED_INPUT } else { 0 };
        tag |= if clipped_output { CLIPPED_OUTPUT } else { 0 };
        self.room().map_err(|e| format!("line {line}: {e}"))?;
        self.trace.rows.push(Row { t_ns: parsed.t_ns, line, input, output, tag });
        Ok(())
    }

    /// Keeps the hashes of the prompt's tokens; answers where.
    fn blocks(&mut self, parsed: &Parsed, input: u32) -> Result<u32, String> {
        let hashes = &mut self.trace.hashes;
        let expected =
            |tokens: u32| usize::try_from(tokens.div_ceil(self.choice.block)).unwrap_or(usize::MAX);
        if parsed.hashes.is_empty() {
            return Ok(0);
        }
        let mark = if parsed.hashes.len() == expected(parsed.input) { 0 } else { OTHER_BLOCKS };
        let kept = parsed.hashes.len().min(expected(input));
        if hashes.len() + kept >= MOST_HASHES {
            return Err(format!("more than {MOST_HASHES} hashes; keep fewer rows with `limit` or `window`"));
        }
        let at = hashes.len();
        hashes.push(kept as u64);
        hashes.extend(parsed.hashes.iter().take(kept));
        u32::try_from(at).map(|at| at | mark).map_err(|e| e.to_string())
    }

    fn category(&self, parsed: &Parsed) -> u32 {
        let name = match self.choice.category_by {
            CategoryBy::Model => parsed.model.as_str(),
            CategoryBy::LogType => parsed.log_type.as_str(),
            CategoryBy::Nothing => "",
        };
        if name.is_empty() {
            return 0;
        }
        let known = (1..).zip(CATEGORIES).find(|(_, category)| category.eq_ignore_ascii_case(name));
        known.map_or(OTHER_CATEGORY, |(tag, _)| tag)
    }

    /// Makes sure of room for one more row. A limit keeps twice as many and forgets the later half when they are full.
    fn room(&mut self) -> Result<(), String> {
        let rows = &mut self.trace.rows;
        if let Some(limit) = self.choice.limit
            && rows.len() >= limit.saturating_mul(2).max(GUESS_AFTER)
        {
            in_order(rows);
            rows.truncate(limit);
        }
        if rows.len() >= MOST_ROWS {
            return Err(format!("more than {MOST_ROWS} rows; keep fewer with `limit` or `window`"));
        }
        if rows.len() == rows.capacity() {
            // A vector that doubles would need half as much again while it moves.
            let more = match rows.len() {
                0..GUESS_AFTER => GUESS_AFTER,
                len => self.guess(len),
            };
            let rows = &mut self.trace.rows;
            rows.try_reserve_exact(more).map_err(
                |_| "too many rows for the memory of a plugin; keep fewer with `limit` or `window`",
            )?;
        }
        Ok(())
    }

    /// How many more rows are to come if the rest of the file is like the part before, and a little.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number below the most rows"
    )]
    fn guess(&self, len: usize) -> usize {
        let most = self
            .choice
            .limit
            .map_or(MOST_ROWS, |limit| limit.saturating_mul(2).clamp(GUESS_AFTER, MOST_ROWS));
        let share = len as f64 / self.lines.taken().max(1) as f64;
        let left = share * self.bytes.saturating_sub(self.lines.taken()) as f64;
        ((left * 1.03) as usize).saturating_add(1024).min(most.saturating_sub(len).max(1))
    }

    fn end(mut self) -> Trace {
        in_order(&mut self.trace.rows);
        if let Some(limit) = self.choice.limit {
            self.trace.rows.truncate(limit);
        }
        self.trace
    }
}

/// By time; rows of the same time stay in the order of the file.
fn in_order(rows: &mut [Row]) {
    rows.sort_unstable_by_key(|row| (row.t_ns, row.line));
}

fn clipped(tokens: u32, most: Option<u32>) -> (u32, bool) {
    match most {
        Some(most) if tokens > most => (most, true),
        _ => (tokens, false),
    }
}
