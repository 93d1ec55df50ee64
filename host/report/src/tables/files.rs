//! `summary.csv` and `summary.json`: every row, unrounded, in a form that stays. `COLUMNS.md` describes the columns.

use benchhost_model::{LoadPoint, SummaryRow};
use serde::Serialize;

use super::columns::columns;

/// Version of `summary.json`; raised when a field changes its meaning or goes.
const SCHEMA_VERSION: u32 = 1;

/// `summary.csv`: a header and one line for each row. What is not known is empty, never 0; scores of all rows become
/// columns `score_<name>`, in alphabetical order.
pub fn summary_csv(rows: &[SummaryRow]) -> String {
    let scores = score_names(rows);
    let mut text = line(summary_columns(rows));
    for row in rows {
        text.push_str(&line(columns(row, &scores).into_iter().map(|(_, cell)| cell).collect()));
    }
    text
}

/// The columns of [`summary_csv`] for these rows; only the score columns depend on them.
pub fn summary_columns(rows: &[SummaryRow]) -> Vec<String> {
    let blank = SummaryRow::blank(LoadPoint::Concurrency(1));
    columns(&blank, &score_names(rows)).into_iter().map(|(name, _)| name).collect()
}

/// `summary.json`: `{"schema_version": 1, "rows": […]}` with every field of a summary row.
pub fn summary_json(rows: &[SummaryRow]) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        schema_version: u32,
        rows: &'a [SummaryRow],
    }
    // Maps have text keys and numbers that are not finite become null, so this cannot fail.
    let mut text =
        serde_json::to_string_pretty(&File { schema_version: SCHEMA_VERSION, rows }).unwrap_or_default();
    text.push('\n');
    text
}

fn score_names(rows: &[SummaryRow]) -> Vec<&str> {
    let mut names: Vec<&str> = rows.iter().flat_map(|r| r.scores.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// One line of RFC 4180, ended by a line feed.
fn line(cells: Vec<String>) -> String {
    let quoted = |cell: String| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    let mut text = cells.into_iter().map(quoted).collect::<Vec<_>>().join(",");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{all_failed, row, simulated};
    use benchhost_model::{Distribution, Record};
    use serde::de::value::Error;
    use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

    const COLUMNS: &str = include_str!("../../COLUMNS.md");

    /// A column is described when its name stands at the start of a table line, in backticks, or when it is made of a
    /// latency and a statistic that do: `ttft_…` and `…_p50_ms`.
    fn described(section: &str, column: &str) -> bool {
        let text = COLUMNS.split("\n## ").find(|s| s.starts_with(section)).unwrap_or_default();
        let firsts: Vec<&str> =
            text.lines().filter(|l| l.starts_with("| ")).filter_map(|l| l.split(" | ").next()).collect();
        let stands = |name: &str| firsts.iter().any(|first| first.contains(&format!("`{name}`")));
        let made = column
            .match_indices('_')
            .any(|(at, _)| stands(&format!("{}_…", &column[..at])) && stands(&format!("…{}", &column[at..])));
        stands(column) || made
    }

    /// The fields that serde asks for when it reads a `T`.
    fn fields_of<T: for<'a> Deserialize<'a>>() -> Vec<&'static str> {
        struct Asked<'f>(&'f mut Vec<&'static str>);
        impl<'de> Deserializer<'de> for Asked<'_> {
            type Error = Error;
            fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
                Err(Error::custom("only structs are asked for"))
            }
            fn deserialize_struct<V: Visitor<'de>>(
                self,
                _: &'static str,
                fields: &'static [&'static str],
                visitor: V,
            ) -> Result<V::Value, Error> {
                self.0.extend_from_slice(fields);
                self.deserialize_any(visitor)
            }
            serde::forward_to_deserialize_any! {
                bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
                unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
            }
        }
        let mut fields = Vec::new();
        let _always_an_error = T::deserialize(Asked(&mut fields));
        fields
    }

    #[test]
    fn every_column_of_the_summary_is_described() {
        let mut scored = row("vllm", "fp16", 1);
        scored.scores.insert("<name>".into(), 1.0);
        for column in summary_columns(&[scored]) {
            assert!(described("`summary.csv`", &column), "`{column}` is not in COLUMNS.md");
        }
        for nonsense in ["nonsense", "ttft_nonsense_ms", "nonsense_p50_ms"] {
            assert!(!described("`summary.csv`", nonsense), "{nonsense}");
        }
    }

    #[test]
    fn every_column_of_the_requests_is_described() {
        assert!(fields_of::<Record>().contains(&"t_first_ns"));
        for column in fields_of::<Record>().iter().chain(&["score_<name>", "eor"]) {
            assert!(described("`requests.csv`", column), "`{column}` is not in COLUMNS.md");
        }
    }

    #[test]
    fn labels_are_quoted_and_what_is_unknown_is_empty() {
        let mut scored = row("vllm", "fp16, \"fast\"", 8);
        scored.scores.insert("f1".into(), 0.5);
        scored.gpu_mem_peak_mib = Some(f64::NAN);
        let csv = summary_csv(&[scored, simulated(all_failed("tgi", "fp16", 8))]);
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[1].contains(",\"fp16, \"\"fast\"\"\","), "{}", lines[1]);
        assert!(lines[1].ends_with(",0.5") && lines[2].ends_with(','), "{csv}");
        assert!(!csv.contains("NaN"), "{csv}");
        assert!(lines[2].contains(",simulated,empathetic,concurrency=8,,1,,4,0,3,0,1,0,0,"), "{}", lines[2]);
    }

    #[test]
    fn the_columns_are_those_of_the_cells() {
        let row = row("vllm", "fp16", 8);
        let csv = summary_csv(std::slice::from_ref(&row));
        let lines: Vec<Vec<&str>> = csv.lines().map(|l| l.split(',').collect()).collect();
        assert_eq!(lines[0].len(), lines[1].len());
        let cell = |name: &str| lines[1][lines[0].iter().position(|c| *c == name).unwrap()];
        assert_eq!(cell("load"), "concurrency=8");
        assert_eq!(cell("output_tokens"), "6400");
        assert_eq!(cell("e2e_p50_ms"), row.e2e.p50.unwrap().to_string());
        assert_eq!(cell("itl_p99_ms"), row.itl.p99.unwrap().to_string());
        assert_eq!(cell("usd_per_mtok_out"), "");
        assert_eq!((cell("verdict"), cell("steady"), cell("window")), ("valid", "steady", "declared"));
    }

    #[test]
    fn json_reads_back_and_names_its_version() {
        let rows = [row("vllm", "fp16", 8), simulated(all_failed("tgi", "fp16", 8))];
        let file: serde_json::Value = serde_json::from_str(&summary_json(&rows)).unwrap();
        assert_eq!(file["schema_version"], 1);
        assert_eq!(file["rows"][1]["target"], "simulated");
        assert!(file["rows"][1]["req_s"].is_null());
        let back: Vec<SummaryRow> = serde_json::from_value(file["rows"].clone()).unwrap();
        // Every field is there; serde_json reads numbers to within the last digit.
        let plain = |rows: &[SummaryRow]| -> Vec<SummaryRow> {
            let none = Distribution::default();
            let less = |r: &SummaryRow| SummaryRow {
                duration_s: None,
                req_s: None,
                out_tok_s: None,
                total_tok_s: None,
                decode_tok_s_p50: None,
                makespan: benchhost_model::Rates::default(),
                ttft: none,
                ttft_sched: none,
                tpot: none,
                itl: none,
                e2e: none,
                ..r.clone()
            };
            rows.iter().map(less).collect()
        };
        assert_eq!(plain(&back), plain(&rows));
        assert!((back[0].e2e.p50.unwrap() / rows[0].e2e.p50.unwrap() - 1.0).abs() < 1e-12);
    }
}
