//! `summary.csv` and `summary.json`: every row, unrounded, in a form that stays. `COLUMNS.md` describes the columns.

use benchhost_model::{Distribution, SummaryRow, Target};
use serde::Serialize;

/// Version of `summary.json`; raised when a field changes its meaning or goes.
const SCHEMA_VERSION: u32 = 1;

/// `summary.csv`: a header and one line for each row. What is not known is empty, never 0; scores of all rows become
/// columns `score_<name>`, in alphabetical order.
pub fn summary_csv(rows: &[SummaryRow]) -> String {
    let scores = score_names(rows);
    let mut text = line(summary_columns(rows));
    for row in rows {
        text.push_str(&line(cells(row, &scores)));
    }
    text
}

/// The columns of [`summary_csv`] for these rows; only the score columns depend on them.
pub fn summary_columns(rows: &[SummaryRow]) -> Vec<String> {
    let distributions = METRICS.iter().flat_map(|m| STATISTICS.iter().map(move |s| format!("{m}_{s}_ms")));
    let scores = score_names(rows);
    START
        .iter()
        .map(ToString::to_string)
        .chain(distributions)
        .chain(END.iter().map(ToString::to_string))
        .chain(scores.iter().map(|s| format!("score_{s}")))
        .collect()
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

/// Columns before the distributions.
const START: [&str; 20] = [
    "run_id",
    "engine",
    "variant",
    "model",
    "target",
    "workload",
    "load",
    "repeat",
    "scheduled",
    "completed",
    "failed",
    "cut",
    "shed",
    "unbuildable",
    "duration_s",
    "req_s",
    "out_tok_s",
    "total_tok_s",
    "input_tokens",
    "output_tokens",
];
/// The distributions, each with all [`STATISTICS`], as `<metric>_<statistic>_ms`.
const METRICS: [&str; 4] = ["ttft", "tpot", "itl", "e2e"];
const STATISTICS: [&str; 4] = ["mean", "p50", "p90", "p99"];
/// Columns between the distributions and the scores.
const END: [&str; 4] = ["decode_tok_s_p50", "gpu_mem_peak_mib", "gpu_power_mean_w", "usd_per_mtok_out"];

/// The cells of one row, in the order of [`summary_columns`].
fn cells(row: &SummaryRow, scores: &[&str]) -> Vec<String> {
    let target = match row.target {
        Target::Real => "real",
        Target::Simulated => "simulated",
    };
    let mut cells: Vec<String> =
        [&row.run_id, &row.engine, &row.variant, &row.model].map(Clone::clone).to_vec();
    cells.extend([target.to_owned(), row.workload.clone(), row.load.to_string(), row.repeat.to_string()]);
    let c = row.counts;
    cells.extend([c.scheduled, c.completed, c.failed, c.cut, c.shed, c.unbuildable].map(|n| n.to_string()));
    cells.extend([row.duration_s, row.req_s, row.out_tok_s, row.total_tok_s].map(number));
    cells.extend([row.input_tokens, row.output_tokens].map(|n| n.map_or(String::new(), |n| n.to_string())));
    for d in [&row.ttft, &row.tpot, &row.itl, &row.e2e] {
        cells.extend(distribution(d).map(number));
    }
    cells.extend(
        [row.decode_tok_s_p50, row.gpu_mem_peak_mib, row.gpu_power_mean_w, row.usd_per_mtok_out].map(number),
    );
    cells.extend(scores.iter().map(|s| number(row.scores.get(*s).copied())));
    cells
}

/// In the order of [`STATISTICS`].
const fn distribution(d: &Distribution) -> [Option<f64>; 4] {
    [d.mean, d.p50, d.p90, d.p99]
}

fn number(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or(String::new(), |v| v.to_string())
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
    use benchhost_model::Record;
    use serde::de::value::Error;
    use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

    const COLUMNS: &str = include_str!("../../COLUMNS.md");

    /// A column is described when its name stands at the start of a table line, in backticks.
    fn described(section: &str, column: &str) -> bool {
        let text = COLUMNS.split("\n## ").find(|s| s.starts_with(section)).unwrap_or_default();
        text.lines().any(|l| {
            l.starts_with("| ") && l.split(" | ").next().is_some_and(|c| c.contains(&format!("`{column}`")))
        })
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
        assert!(!described("`summary.csv`", "nonsense"));
    }

    #[test]
    fn every_column_of_the_requests_is_described() {
        assert!(fields_of::<Record>().contains(&"t_first_ns"));
        for column in fields_of::<Record>().iter().chain(&["score_<name>", "eor"]) {
            assert!(described("`requests.csv`", column), "`{column}` is not in COLUMNS.md");
        }
    }

    #[test]
    fn cells_stand_under_their_columns_and_unknown_ones_are_empty() {
        let mut scored = row("vllm", "fp16, \"fast\"", 8);
        scored.scores.insert("f1".into(), 0.5);
        scored.gpu_mem_peak_mib = Some(f64::NAN);
        insta::assert_snapshot!(summary_csv(&[scored, simulated(all_failed("tgi", "fp16", 8))]), @r#"
        run_id,engine,variant,model,target,workload,load,repeat,scheduled,completed,failed,cut,shed,unbuildable,duration_s,req_s,out_tok_s,total_tok_s,input_tokens,output_tokens,ttft_mean_ms,ttft_p50_ms,ttft_p90_ms,ttft_p99_ms,tpot_mean_ms,tpot_p50_ms,tpot_p90_ms,tpot_p99_ms,itl_mean_ms,itl_p50_ms,itl_p90_ms,itl_p99_ms,e2e_mean_ms,e2e_p50_ms,e2e_p90_ms,e2e_p99_ms,decode_tok_s_p50,gpu_mem_peak_mib,gpu_power_mean_w,usd_per_mtok_out,score_f1
        20260101-000000-0001,vllm,"fp16, ""fast""",llama-3-8b,real,empathetic,concurrency=8,1,100,100,0,0,0,0,6.133333333333333,16.304347826086957,1043.4782608695652,3130.434782608696,12800,6400,37.800000000000004,36,50.4,79.2,7.844444444444445,7.470899470899471,10.459259259259259,16.435978835978837,7.844444444444445,7.470899470899471,10.459259259259259,16.435978835978837,515.1999999999999,490.66666666666663,686.9333333333333,1079.4666666666667,130.43478260869566,,,,0.5
        20260101-000000-0001,tgi,fp16,llama-3-8b,simulated,empathetic,concurrency=8,1,4,0,3,1,0,0,,,,,,,,,,,,,,,,,,,,,,,,,,,
        "#);
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
