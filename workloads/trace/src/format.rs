//! Which published format a trace has, told from the names of its columns or keys, and how one of its lines reads. Must not
//! know what is kept of a trace.

use std::borrow::Cow;

use serde::Deserialize;

use crate::lines::fields;
use crate::time::{date_time, seconds};

/// Above any context window in use; more is a broken file.
const MOST_TOKENS: u32 = 10_000_000;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// A known form of trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Azure's LLM inference traces of 2023 and 2024.
    Azure,
    /// `BurstGPT`, versions 1 to 3.
    BurstGpt,
    /// Mooncake, with the hashes of prompt blocks.
    Mooncake,
    /// Columns `timestamp`, `input`, `output`.
    Plain,
}

impl Format {
    /// For people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Azure => "Azure",
            Self::BurstGpt => "BurstGPT",
            Self::Mooncake => "Mooncake",
            Self::Plain => "plain",
        }
    }
}

/// One row as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parsed {
    /// Nanoseconds since the file's own zero.
    pub(crate) t_ns: i64,
    pub(crate) input: u32,
    pub(crate) output: u32,
    pub(crate) model: String,
    pub(crate) log_type: String,
    pub(crate) hashes: Vec<u64>,
}

/// Reads lines of one format.
#[derive(Debug)]
pub(crate) enum Reader {
    /// Columns by name.
    Csv(Columns),
    /// A JSON object a line.
    Mooncake,
}

/// Where the columns are.
#[derive(Debug)]
pub(crate) struct Columns {
    format: Format,
    /// As the file spells it, for messages.
    names: Vec<String>,
    time: usize,
    input: usize,
    output: usize,
    model: Option<usize>,
    log_type: Option<usize>,
    /// Of the first row; all others must be alike.
    clock: Option<Clock>,
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Seconds,
    DateTime,
}

#[derive(Deserialize)]
struct MooncakeLine {
    timestamp: serde_json::Number,
    input_length: u32,
    output_length: u32,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

/// Names of the time, input and output column of each format with columns. Case does not count.
const KNOWN: [(Format, [&str; 3]); 4] = [
    (Format::Azure, ["timestamp", "contexttokens", "generatedtokens"]),
    (Format::BurstGpt, ["timestamp", "request tokens", "response tokens"]),
    (Format::Plain, ["timestamp", "input", "output"]),
    (Format::Plain, ["timestamp", "input_tokens", "output_tokens"]),
];

impl Reader {
    /// From the first line of a file: a header, or already a row. The error names what was expected.
    pub(crate) fn of(first: &str) -> Result<Self, String> {
        if first.starts_with('{') {
            return Ok(Self::Mooncake);
        }
        let names: Vec<String> =
            fields(first).ok_or("line 1: a quote does not end")?.into_iter().map(Cow::into_owned).collect();
        let at = |name: &str| names.iter().position(|n| n.eq_ignore_ascii_case(name));
        for (format, [time, input, output]) in KNOWN {
            if let (Some(time), Some(input), Some(output)) = (at(time), at(input), at(output)) {
                let (model, log_type) = (at("model"), at("log type"));
                return Ok(Self::Csv(Columns {
                    format,
                    time,
                    input,
                    output,
                    model,
                    log_type,
                    clock: None,
                    names,
                }));
            }
        }
        Err(format!(
            "line 1: the columns `{}` are those of no known trace; known are `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure), \
             `Timestamp,Request tokens,Response tokens` (BurstGPT), `timestamp,input,output`, and JSON lines with `timestamp`, \
             `input_length`, `output_length` (Mooncake)",
            names.join(",")
        ))
    }

    /// What was found.
    pub(crate) const fn format(&self) -> Format {
        match self {
            Self::Csv(columns) => columns.format,
            Self::Mooncake => Format::Mooncake,
        }
    }

    /// The first line was a header.
    pub(crate) const fn has_header(&self) -> bool {
        matches!(self, Self::Csv(_))
    }

    /// Whether the file has a column of models.
    pub(crate) const fn has_models(&self) -> bool {
        matches!(self, Self::Csv(Columns { model: Some(_), .. }))
    }

    /// Reads a line; the error says what is wrong with it, without the line's number.
    pub(crate) fn read(&mut self, line: &str) -> Result<Parsed, String> {
        match self {
            Self::Csv(columns) => columns.read(line),
            Self::Mooncake => mooncake(line),
        }
    }
}

impl Columns {
    fn read(&mut self, line: &str) -> Result<Parsed, String> {
        let cells = fields(line).ok_or("a quote does not end")?;
        let cell = |at: usize| {
            cells.get(at).map(Cow::as_ref).ok_or_else(|| {
                format!("{} columns, and `{}` is the {}th", cells.len(), self.names[at], at + 1)
            })
        };
        let optional = |at: Option<usize>| at.and_then(|at| cells.get(at)).map_or("", Cow::as_ref).to_owned();
        let tokens = |at: usize| tokens(cell(at)?).map_err(|e| format!("column `{}` {e}", self.names[at]));
        let parsed = Parsed {
            t_ns: 0,
            input: tokens(self.input)?,
            output: tokens(self.output)?,
            model: optional(self.model),
            log_type: optional(self.log_type),
            hashes: Vec::new(),
        };
        let text = cell(self.time)?;
        let (t_ns, clock) = moment(text, self.clock)
            .map_err(|e| format!("column `{}` is `{}`, {e}", self.names[self.time], short(text)))?;
        self.clock = Some(clock);
        Ok(Parsed { t_ns, ..parsed })
    }
}

/// The time in `text`, and how it is written; `before` is how those before it were.
fn moment(text: &str, before: Option<Clock>) -> Result<(i64, Clock), &'static str> {
    match before {
        None => seconds(text)
            .map(|t| (t, Clock::Seconds))
            .or_else(|| date_time(text).map(|t| (t, Clock::DateTime)))
            .ok_or("neither decimal seconds nor a date and time such as `2023-11-16 18:17:03.97`"),
        Some(Clock::Seconds) => {
            seconds(text).map(|t| (t, Clock::Seconds)).ok_or("not decimal seconds as in the rows before it")
        }
        Some(Clock::DateTime) => date_time(text)
            .map(|t| (t, Clock::DateTime))
            .ok_or("not a date and time as in the rows before it"),
    }
}

/// A whole number of tokens; `12.0`, as some tools write it, is 12.
fn tokens(text: &str) -> Result<u32, String> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    match digits.parse::<u32>() {
        Ok(n) if n <= MOST_TOKENS => Ok(n),
        _ => Err(format!("is `{}`, not a number of tokens from 0 to {MOST_TOKENS}", short(text))),
    }
}

fn mooncake(line: &str) -> Result<Parsed, String> {
    let row: MooncakeLine = serde_json::from_str(line).map_err(|e| e.to_string())?;
    if row.input_length.max(row.output_length) > MOST_TOKENS {
        return Err(format!("more than {MOST_TOKENS} tokens"));
    }
    let t_ns = milliseconds(&row.timestamp)
        .ok_or_else(|| format!("`timestamp` is {}, not milliseconds", row.timestamp))?;
    Ok(Parsed {
        t_ns,
        input: row.input_length,
        output: row.output_length,
        hashes: row.hash_ids,
        ..Parsed::default()
    })
}

fn milliseconds(number: &serde_json::Number) -> Option<i64> {
    if let Some(whole) = number.as_i64() {
        return whole.checked_mul(NANOS_PER_MILLI);
    }
    let nanos = (number.as_f64()? * NANOS_PER_MILLI as f64).round();
    // Beyond 2^53 a float does not hold every nanosecond, and no trace is that long.
    #[expect(clippy::cast_possible_truncation, reason = "checked to be within 2^53")]
    (nanos.abs() < 9.0e15).then_some(nanos as i64)
}

/// The beginning of a cell, for messages.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str, line: &str) -> Result<Parsed, String> {
        Reader::of(header)?.read(line)
    }

    #[test]
    fn formats_are_told_by_name_whatever_the_order_and_case() {
        let format = |header: &str| Reader::of(header).map(|r| r.format());
        assert_eq!(format("TIMESTAMP,ContextTokens,GeneratedTokens"), Ok(Format::Azure));
        assert_eq!(
            format("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type"),
            Ok(Format::BurstGpt)
        );
        assert_eq!(
            format("Log Type,Session ID,Response tokens,Elapsed time,Request tokens,Timestamp"),
            Ok(Format::BurstGpt)
        );
        assert_eq!(format("output,\"Timestamp\",input"), Ok(Format::Plain));
        assert_eq!(format("timestamp,input_tokens,output_tokens"), Ok(Format::Plain));
        assert_eq!(format("{\"timestamp\": 0}"), Ok(Format::Mooncake));
        let said = format("time,in,out").unwrap_err();
        assert!(said.contains("`time,in,out`") && said.contains("BurstGPT"), "{said}");
    }

    #[test]
    fn rows_are_read_by_column() {
        let row = read(
            "Log Type,Response tokens,X,Request tokens,Timestamp,Model",
            "API log,18,?,472.0,5.25,GPT-4",
        );
        let row = row.unwrap();
        assert_eq!((row.t_ns, row.input, row.output), (5_250_000_000, 472, 18));
        assert_eq!((row.model.as_str(), row.log_type.as_str()), ("GPT-4", "API log"));
        let azure =
            read("TIMESTAMP,ContextTokens,GeneratedTokens", "2023-11-16 18:15:46.6805900,374,44").unwrap();
        assert_eq!((azure.t_ns % 1_000_000_000, azure.input, azure.output), (680_590_000, 374, 44));
    }

    #[test]
    fn mooncake_rows_have_milliseconds_and_hashes() {
        let row = read(
            "{",
            r#"{"timestamp": 27482, "input_length": 600, "output_length": 52, "hash_ids": [46, 47], "new": 1}"#,
        );
        let row = row.unwrap();
        assert_eq!((row.t_ns, row.input, row.output), (27_482_000_000, 600, 52));
        assert_eq!(row.hashes, [46, 47]);
        let fine = read("{", r#"{"timestamp": 0.25, "input_length": 6, "output_length": 5}"#).unwrap();
        assert_eq!((fine.t_ns, fine.hashes.len()), (250_000, 0));
    }

    #[test]
    fn a_bad_row_is_described() {
        let plain = "timestamp,input,output";
        for (line, reason) in [
            ("1,2", "`output` is the 3th"),
            ("1,-2,3", "column `input` is `-2`"),
            ("1,2,99999999", "column `output`"),
            ("1,2,1.5", "column `output`"),
            ("soon,2,3", "neither decimal seconds"),
            (",2,3", "neither decimal seconds"),
            ("1,\"2,3", "a quote"),
        ] {
            let said = read(plain, line).unwrap_err();
            assert!(said.contains(reason), "{line}: {said}");
        }
        for line in
            ["{\"timestamp\": 1}", "{\"timestamp\": \"1\", \"input_length\": 1, \"output_length\": 1}", "x"]
        {
            assert!(read("{", line).is_err(), "{line}");
        }
        let mut mixed = Reader::of(plain).unwrap();
        mixed.read("1.5,2,3").unwrap();
        assert!(mixed.read("2023-11-16 18:15:46,2,3").unwrap_err().contains("as in the rows before it"));
    }
}
