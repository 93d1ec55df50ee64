//! What is kept, what is moved, and that nothing is lost on the way.

use benchhost_model::{LoadPoint, Score};

use super::*;
use crate::complete::Completion;
use crate::events::{EventBlock, EventsReader};
use crate::rows::{OutputRow, TelemetryRow};
use crate::writer::RunWriter;

fn key(load: u32) -> PointKey {
    PointKey { run_id: "r".into(), load: LoadPoint::Concurrency(load), ..PointKey::default() }
}

/// Two rows of a point, with everything that goes with them.
fn two_rows(writer: &mut RunWriter, load: u32) -> (u64, u64) {
    let first = writer.next_row();
    for row in [first, first + 1] {
        let record = Record {
            row,
            run_id: "r".into(),
            plan_digest: "p".into(),
            load: LoadPoint::Concurrency(load),
            session: Some(row * 10),
            t_end_ns: Some(Nanos::new(row * 1000)),
            ..Record::blank()
        };
        writer.request(&record).unwrap();
        writer.events(&EventBlock { row, gaps: vec![row], ..EventBlock::default() }).unwrap();
        writer.output(&OutputRow { row, ..OutputRow::default() }).unwrap();
        writer.scores(row, "i", &[Score { name: "f1".into(), value: 1.0, note: String::new() }]).unwrap();
    }
    (first, first + 1)
}

fn finish(writer: &mut RunWriter, load: u32, (first, last): (u64, u64)) {
    let facts = PointFacts {
        key: key(load),
        first_row: Some(first),
        last_row: Some(last),
        rows: Some(last - first + 1),
        ..PointFacts::default()
    };
    writer.finish_point(&facts).unwrap();
}

/// A run that was killed while its second point was measured.
fn killed(folder: &Path) -> Layout {
    let layout = Layout::new(folder.join("run"));
    let mut writer = RunWriter::create(layout.clone(), vec!["f1".into()], None).unwrap();
    let rows = two_rows(&mut writer, 1);
    finish(&mut writer, 1, rows);
    two_rows(&mut writer, 2);
    let sample = TelemetryRow { t_ns: 9_000, source: "gpu0".into(), ..TelemetryRow::default() };
    writer.telemetry(&sample).unwrap();
    layout
}

fn rows(path: &Path) -> Vec<u64> {
    RequestsReader::open(path).unwrap().map(|r| r.unwrap().row).collect()
}

fn numbers(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap();
    let number = |line: &str| line.trim_start_matches("{\"row\":").split(',').next().unwrap().parse().ok();
    text.lines().filter_map(number).collect()
}

#[test]
fn finished_points_stay_and_the_rest_is_moved_and_numbers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let layout = killed(folder.path());
    let state = ResumeState::read(layout.clone()).unwrap();
    assert_eq!((state.finished().len(), state.unfinished_rows()), (1, 2));
    assert!(state.is_finished(&key(1)) && !state.is_finished(&key(2)));
    assert_eq!(state.labels(), Some(("r", "p")));
    let prepared = state.prepare().unwrap();
    assert_eq!((prepared.next_row, prepared.next_session, prepared.clock_from.get()), (5, 41, 9_000));
    assert_eq!(prepared.abandoned, Abandoned { rows: 2, event_blocks: 2, outputs: 2, scores: 2, points: 0 });
    let aside = |name: &str| layout.abandoned().join(name);
    assert_eq!((rows(layout.root()), rows(&aside("requests-1.csv"))), (vec![1, 2], vec![3, 4]));
    assert_eq!((numbers(&layout.outputs()), numbers(&aside("outputs-1.jsonl"))), (vec![1, 2], vec![3, 4]));
    assert_eq!((numbers(&layout.scores()), numbers(&aside("scores-1.csv"))), (vec![1, 2], vec![3, 4]));
    assert!(!aside("journal-1.jsonl").exists());

    let mut writer = RunWriter::resume(layout.clone(), vec!["f1".into()], prepared).unwrap();
    let again = two_rows(&mut writer, 2);
    assert_eq!(again, (5, 6));
    finish(&mut writer, 2, again);
    writer.complete(false).unwrap();
    drop(writer);
    assert_eq!(rows(layout.root()), [1, 2, 5, 6]);
    let blocks: Vec<u64> = EventsReader::open(&layout).unwrap().map(|b| b.unwrap().row).collect();
    assert_eq!(blocks, [1, 2, 5, 6]);
    let completion = Completion::read(&layout).unwrap().unwrap();
    let counts = Counts {
        rows: 4,
        event_blocks: 4,
        outputs: 4,
        scores: 4,
        telemetry: 1,
        points: 2,
        ..Counts::default()
    };
    assert_eq!(completion.counts, counts);
    assert!(completion.files.contains_key("abandoned/events-1.bin"));
    let state = ResumeState::read(layout).unwrap();
    assert!(state.is_finished(&key(2)) && state.unfinished_rows() == 0);
}

#[test]
fn a_point_whose_rows_are_not_all_there_is_not_finished() {
    let folder = tempfile::tempdir().unwrap();
    let layout = killed(folder.path());
    let text = std::fs::read_to_string(layout.requests()).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("2,")).collect();
    std::fs::write(layout.requests(), without.join("\n") + "\n").unwrap();
    let state = ResumeState::read(layout.clone()).unwrap();
    assert_eq!((state.finished().len(), state.unfinished_rows()), (0, 3));
    let prepared = state.prepare().unwrap();
    assert_eq!((prepared.abandoned.rows, prepared.abandoned.points), (3, 1));
    assert_eq!((rows(layout.root()), prepared.next_row), (vec![], 5));
}

#[test]
fn a_second_resume_numbers_its_files_and_rows_after_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let layout = killed(folder.path());
    let prepared = ResumeState::read(layout.clone()).unwrap().prepare().unwrap();
    let mut writer = RunWriter::resume(layout.clone(), vec!["f1".into()], prepared).unwrap();
    two_rows(&mut writer, 2);
    writer.complete(true).unwrap();
    drop(writer);
    let prepared = ResumeState::read(layout.clone()).unwrap().prepare().unwrap();
    assert_eq!(prepared.next_row, 7);
    assert_eq!(rows(&layout.abandoned().join("requests-2.csv")), [5, 6]);
    assert!(layout.abandoned().join("COMPLETE-2").exists() && !layout.complete().exists());
    drop(prepared);
    // Nothing left to move: nothing is touched, and the numbers stay.
    let again = ResumeState::read(layout.clone()).unwrap().prepare().unwrap();
    assert_eq!((again.abandoned, again.next_row), (Abandoned::default(), 7));
    assert!(!layout.abandoned().join("requests-3.csv").exists());
}

#[test]
fn torn_ends_are_mended_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let layout = killed(folder.path());
    for file in [layout.requests(), layout.events(), layout.outputs(), layout.journal()] {
        let mut bytes = std::fs::read(&file).unwrap();
        bytes.extend_from_slice(b"{\"row");
        std::fs::write(&file, bytes).unwrap();
    }
    let prepared = ResumeState::read(layout.clone()).unwrap().prepare().unwrap();
    assert_eq!((prepared.torn.len(), prepared.counts.rows, prepared.counts.points), (4, 2, 1));
    let writer = RunWriter::resume(layout.clone(), vec!["f1".into()], prepared).unwrap();
    drop(writer);
    assert_eq!(rows(layout.root()), [1, 2]);
}

#[test]
fn other_columns_another_writer_and_a_run_without_a_journal_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let layout = killed(folder.path());
    let prepared = ResumeState::read(layout.clone()).unwrap().prepare().unwrap();
    assert!(matches!(ResumeState::read(layout.clone()), Err(StoreError::Busy { .. })));
    let refused = RunWriter::resume(layout.clone(), vec!["other".into()], prepared).unwrap_err();
    assert!(matches!(refused, StoreError::OtherColumns { .. }));
    std::fs::remove_file(layout.journal()).unwrap();
    assert!(matches!(ResumeState::read(layout), Err(StoreError::NotResumable { .. })));
}
