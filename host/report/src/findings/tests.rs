//! Every finding has words, and what was not decided says so.

use benchhost_model::{
    Advice, Choice, CurveShape, Findings, GainStep, Goal, Parted, Parting, Reached, Study,
};

use super::{findings_json, findings_sentences, findings_table};

fn choice(subject: &str, value: f64) -> Choice {
    Choice { subject: subject.into(), load: "concurrency=8".into(), value, unit: "tokens/s".into() }
}

fn findings() -> Findings {
    let parting = Parting {
        subjects: ["a".into(), "b".into()],
        workload: "w".into(),
        axis: "concurrency".into(),
        figure: "throughput (tokens/s)".into(),
        shared: 3,
        first: Some(Parted { at: 16.0, better: "b".into(), value: 900.0, other: 700.0 }),
        resolved: true,
    };
    Findings {
        studies: vec![Study {
            subject: "a".into(),
            workload: "w".into(),
            axis: "concurrency".into(),
            unit: "tokens/s".into(),
            points: 4,
            repeats: 3,
            range: [1.0, 64.0],
            lowest: Reached { at: 1.0, value: 10.0 },
            highest: Reached { at: 64.0, value: 400.0 },
            optimal: Reached { at: 32.0, value: 390.0 },
            by_goodput: false,
            bend: Some(GainStep { from: 16.0, to: 32.0, per_doubling: 0.21 }),
            shape: CurveShape::Plateau,
            dents: Some(vec![Reached { at: 8.0, value: 5.0 }]),
        }],
        partings: vec![
            parting.clone(),
            Parting { first: None, ..parting.clone() },
            Parting { first: None, resolved: false, ..parting },
        ],
        advice: vec![
            Advice {
                goal: Goal::HighestThroughput,
                workload: "w".into(),
                best: Some(choice("b", 900.0)),
                rival: Some(choice("a", 880.0)),
                alone: false,
            },
            Advice {
                goal: Goal::LowestLatency,
                workload: "w".into(),
                best: Some(choice("b", 900.0)),
                rival: None,
                alone: true,
            },
            Advice {
                goal: Goal::BestResourceUse,
                workload: "w".into(),
                best: None,
                rival: None,
                alone: false,
            },
        ],
        invalid_rows: 2,
    }
}

#[test]
fn every_finding_has_its_sentence() {
    let said = findings_sentences(&findings());
    assert_eq!(
        said,
        [
            "Highest throughput: b at concurrency=8 with 900 tokens/s; not resolved from a at concurrency=8 with 880 \
             tokens/s: the runs' intervals overlap, or there are too few runs for one.",
            "Lowest latency: b at concurrency=8 with 900 tokens/s; no other configuration was measured.",
            "Best use of resources: not resolved, no energy, price or GPU memory was recorded.",
            "a, w: over concurrency 1 to 64, 10.0 to 400 tokens/s; a plateau at the end; 95 % of the highest throughput \
             from 32 on; from 16 to 32 a doubling brings +21.0%, below half; out of the run of the curve by more than the \
             intervals: 8 (5.00).",
            "a and b, w, throughput (tokens/s): first apart at concurrency=16, where b is better with 900 against 700.",
            "a and b, w, throughput (tokens/s): the intervals overlap at every shared concurrency.",
            "a and b, w, throughput (tokens/s): not resolved, both need two runs at a shared concurrency.",
            "2 rows are INVALID and left out of the findings.",
        ]
    );
}

#[test]
fn the_table_has_a_row_a_study_and_says_what_is_not_resolved() {
    let mut found = findings();
    found.studies[0].dents = None;
    let (heads, rows) = findings_table(&found);
    assert_eq!((rows.len(), rows[0].len()), (1, heads.len()));
    assert_eq!(rows[0][5].0, "32 (390)");
    assert_eq!(rows[0][8].0, "not resolved");
}

#[test]
fn the_json_has_words_and_numbers() {
    let value: serde_json::Value = serde_json::from_str(&findings_json(&findings())).unwrap();
    assert_eq!(value["schema_version"], 1);
    assert_eq!(value["studies"][0]["shape"], "plateau");
    assert_eq!(value["sentences"].as_array().unwrap().len(), 8);
}
