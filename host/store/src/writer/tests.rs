//! What a run leaves behind, also beside other runs and where it may not write.

use super::*;
use crate::requests::RequestsReader;

fn record(row: u64, run: &str) -> Record {
    Record { row, run_id: run.into(), failure_detail: "a \"word\", quoted".into(), ..Record::blank() }
}

fn run_into(folder: &Path, name: &str, also: &Path) -> Result<(), StoreError> {
    let mut writer = RunWriter::create(Layout::new(folder.join(name)), vec!["f1".into()], Some(also))?;
    writer.request(&record(1, name))?;
    writer.request(&record(2, name))
}

fn read(path: &Path) -> (Vec<Record>, u64) {
    let mut reader = RequestsReader::open(path).unwrap();
    let records = reader.by_ref().map(Result::unwrap).collect();
    (records, reader.torn())
}

#[test]
fn a_run_without_rows_has_a_readable_file() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    RunWriter::create(Layout::new(&root), vec![], None).unwrap();
    assert!(read(&root).0.is_empty());
}

#[test]
fn a_row_that_was_handed_over_is_in_the_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = RunWriter::create(Layout::new(folder.path()), vec![], None).unwrap();
    for row in 1..=20 {
        writer.request(&record(row, "r")).unwrap();
        assert_eq!(read(folder.path()).0.len() as u64, row);
    }
    assert_eq!((writer.next_row(), writer.counts().rows), (21, 20));
}

#[test]
fn what_was_handed_over_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    let mut writer = RunWriter::create(layout.clone(), vec!["f1".into()], None).unwrap();
    let mut full = record(1, "r");
    full.scores.insert("f1".into(), 1.0 / 3.0);
    (full.ttft_ms, full.status) = (Some(0.1 + 0.2), Some(200));
    full.t_first_ns = Some(benchhost_model::Nanos::new(u64::MAX));
    writer.request(&full).unwrap();
    let scores = [Score { name: "f1".into(), value: 0.5, note: "two\nlines".into() }];
    writer.scores(1, "item", &scores).unwrap();
    writer.output(&OutputRow { row: 1, text: "ü\n".into(), ..OutputRow::default() }).unwrap();
    writer.flush().unwrap();
    assert_eq!(read(folder.path()).0, [full]);
    let text = std::fs::read_to_string(layout.scores()).unwrap();
    assert_eq!(text, "row,item,score,value,note\n1,item,f1,0.5,two lines\n");
    let output = std::fs::read_to_string(layout.outputs()).unwrap();
    assert_eq!(output, "{\"row\":1,\"item\":\"\",\"turn\":0,\"text\":\"ü\\n\"}\n");
}

#[test]
fn a_shared_file_torn_at_any_byte_takes_the_next_run_whole() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("l.csv");
    run_into(folder.path(), "first", &shared).unwrap();
    let whole = std::fs::read(&shared).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for cut in last..=whole.len() {
        std::fs::write(&shared, &whole[..cut]).unwrap();
        run_into(folder.path(), &format!("next-{cut}"), &shared).unwrap();
        let (records, dropped) = read(&shared);
        let kept = 1 + usize::from(cut >= whole.len() - 1);
        let torn = u64::from(cut > last && cut < whole.len() - 1);
        assert_eq!((records.len(), dropped), (kept + 2, torn), "cut at {cut} of {}", whole.len());
    }
}

#[test]
fn a_copy_that_cannot_be_written_stops_the_run_before_anything_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results/run");
    let create = |also: &Path| RunWriter::create(Layout::new(&root), vec![], Some(also)).unwrap_err();
    create(&folder.path().join("nodir/l.csv"));
    let other = folder.path().join("other.csv");
    std::fs::write(&other, "a,b\n1,2").unwrap();
    assert!(create(&other).to_string().contains("other columns"));
    assert_eq!(std::fs::read(&other).unwrap(), b"a,b\n1,2");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_directory_that_cannot_be_created_leaves_no_copy_behind() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("results");
    std::fs::write(&blocked, "a file").unwrap();
    let also = folder.path().join("l.csv");
    RunWriter::create(Layout::new(blocked.join("run")), vec![], Some(&also)).unwrap_err();
    assert!(!also.exists());
    std::fs::write(&also, "").unwrap();
    RunWriter::create(Layout::new(blocked.join("run")), vec![], Some(&also)).unwrap_err();
    assert!(also.exists(), "a file of the user's is not removed");
}

#[test]
fn a_result_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x"), "").unwrap();
    let refused = RunWriter::create(Layout::new(folder.path()), vec![], None).unwrap_err();
    assert!(matches!(refused, StoreError::NotEmpty { .. }));
}

#[test]
fn events_whose_lists_do_not_fit_together_are_counted_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path());
    let mut writer = RunWriter::create(layout.clone(), vec![], None).unwrap();
    writer
        .events(&EventBlock { row: 1, gaps: vec![1, 2], kinds: "a".into(), ..EventBlock::default() })
        .unwrap();
    writer.events(&EventBlock { row: 2, gaps: vec![1], kinds: "a".into(), ..EventBlock::default() }).unwrap();
    assert_eq!((writer.counts().event_blocks, writer.counts().event_blocks_dropped), (1, 1));
    writer.flush().unwrap();
    let rows: Vec<_> = crate::EventsReader::open(&layout).unwrap().map(|b| b.unwrap().row).collect();
    assert_eq!(rows, [2]);
}
