//! A process that is killed while it writes loses no row that it handed over. The process is this test program itself,
//! started again with another test's name.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use benchhost_model::{PointFacts, Record};
use benchhost_store::{
    EventBlock, Joined, Layout, OutputRow, RequestsReader, ResumeState, RunWriter, StoreError, mend,
};

/// Tells the child where to write.
const FOLDER: &str = "BENCHHOST_STORE_KILLED_RUN";
/// Rows of one load point of the child.
const POINT: u64 = 40;

fn record(row: u64) -> Record {
    // Some rows are longer than a page, so that a kill may come between two of them.
    let failure_detail = "a long reason, \"quoted\" ".repeat(usize::try_from(row % 7).unwrap() * 60);
    Record { row, run_id: "r".into(), session: Some(row), failure_detail, ..Record::blank() }
}

fn block(row: u64) -> EventBlock {
    EventBlock {
        row,
        gaps: (0..20).map(|i| row + i).collect(),
        kinds: "a".repeat(20),
        ..EventBlock::default()
    }
}

fn point(first: u64, last: u64) -> PointFacts {
    let rows = Some(last - first + 1);
    PointFacts { first_row: Some(first), last_row: Some(last), rows, ..PointFacts::default() }
}

/// Writes rows for ever and says the number of each once it was handed over.
fn write_for_ever(writer: &mut RunWriter) {
    let mut said = std::io::stdout().lock();
    let mut first = writer.next_row();
    loop {
        let row = writer.next_row();
        writer.request(&record(row)).unwrap();
        writeln!(said, "row {row}").unwrap();
        said.flush().unwrap();
        writer.events(&block(row)).unwrap();
        writer.output(&OutputRow { row, text: "answer".into(), ..OutputRow::default() }).unwrap();
        if row - first + 1 == POINT {
            writer.finish_point(&point(first, row)).unwrap();
            writeln!(said, "point {row}").unwrap();
            said.flush().unwrap();
            first = row + 1;
        }
    }
}

#[test]
#[ignore = "the child of the tests below"]
#[expect(clippy::disallowed_methods, reason = "a test program that starts itself has no other way in")]
fn child() {
    let folder = std::env::var(FOLDER).unwrap();
    let layout = Layout::new(folder);
    let mut writer = if layout.requests().exists() {
        let prepared = ResumeState::read(layout.clone()).unwrap().prepare().unwrap();
        RunWriter::resume(layout, vec![], prepared).unwrap()
    } else {
        RunWriter::create(layout, vec![], None).unwrap()
    };
    write_for_ever(&mut writer);
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the child after it said `after` rows and a little longer; the highest row and finished row that it ever said.
fn kill_after(mut child: Child, after: u64, longer: Duration) -> (u64, u64) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut row, mut finished, mut count) = (0, 0, 0);
    let mut note = |line: String| {
        if let Some(number) = line.strip_prefix("row ") {
            row = number.parse().unwrap();
            count += 1;
        } else if let Some(number) = line.strip_prefix("point ") {
            finished = number.parse().unwrap();
        }
        count
    };
    for line in lines.by_ref() {
        if note(line.unwrap()) >= after {
            break;
        }
    }
    std::thread::sleep(longer);
    // SIGKILL on Unix.
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        note(line.unwrap());
    }
    (row, finished)
}

/// A number below `below`, different for each `seed`.
fn scattered(seed: u64, below: u64) -> u64 {
    (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % below
}

#[test]
fn no_row_that_was_handed_over_is_lost_however_the_process_is_killed() {
    for round in 0..25 {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().join("run"));
        let child = start(layout.root());
        let longer = Duration::from_micros(scattered(round + 100, 3000));
        let (said, _) = kill_after(child, 1 + scattered(round, 400), longer);
        assert!(said > 0);
        let check = |torn: u64| {
            let mut reader = RequestsReader::open(layout.root()).unwrap();
            let rows: Vec<Record> = reader.by_ref().collect::<Result<_, _>>().unwrap();
            assert!(rows.len() as u64 >= said, "{said} rows were handed over, {} are there", rows.len());
            assert!(rows.iter().enumerate().all(|(at, row)| *row == record(at as u64 + 1)));
            assert!(reader.torn() <= torn);
            rows.len() as u64
        };
        let before = check(1);
        let mended = mend(&layout).unwrap();
        assert_eq!((check(0), mended.counts.rows), (before, before));
        let mut joined = Joined::open(&layout).unwrap();
        for pair in joined.by_ref() {
            let (record, events) = pair.unwrap();
            assert!(events.is_none_or(|events| events == block(record.row)));
        }
        assert!(!joined.damage().any());
    }
}

#[test]
fn a_run_that_is_killed_and_resumed_again_and_again_keeps_every_finished_point() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path().join("run"));
    let (mut finished, mut highest) = (0, 0);
    for round in 0..8 {
        let child = start(layout.root());
        let (row, done) = kill_after(child, 30 + scattered(round, 100), Duration::ZERO);
        assert!(row > highest, "numbers go on: {row} after {highest}");
        (highest, finished) = (row, done.max(finished));
        let state = loop {
            match ResumeState::read(layout.clone()) {
                // The kernel lets go of a killed process's lock in its own time.
                Err(StoreError::Busy { .. }) => std::thread::sleep(Duration::from_millis(1)),
                read => break read.unwrap(),
            }
        };
        assert!(state.finished().iter().filter_map(|p| p.last_row).max().unwrap_or(0) >= finished);
        let kept: u64 = state.finished().iter().filter_map(|p| p.rows).sum();
        assert_eq!(kept, state.finished().len() as u64 * POINT);
    }
    let prepared = ResumeState::read(layout.clone()).unwrap().prepare().unwrap();
    let points = prepared.counts.points;
    assert_eq!(prepared.counts.rows, points * POINT);
    assert_eq!(prepared.counts.event_blocks, points * POINT, "a finished point's events are there");
    drop(prepared);
    // What is not in the run is in `abandoned`: every row that was ever said is in one of them.
    let mut rows: Vec<u64> = RequestsReader::open(layout.root()).unwrap().map(|r| r.unwrap().row).collect();
    for entry in std::fs::read_dir(layout.abandoned()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("requests-") {
            rows.extend(RequestsReader::open(&path).unwrap().map(|r| r.unwrap().row));
        }
    }
    rows.sort_unstable();
    assert!(rows.len() as u64 >= highest && rows.windows(2).all(|pair| pair[0] < pair[1]));
}
