//! Torn and damaged rows, and files of older versions.

use super::*;
use crate::writer::RunWriter;

/// A run with three rows, whose cells hold characters of several bytes.
fn run(folder: &Path, run_id: &str) -> Layout {
    let layout = Layout::new(folder.join(run_id));
    let mut writer = RunWriter::create(layout.clone(), vec![], None).unwrap();
    for row in 1..=3 {
        let (run_id, item) = (run_id.to_owned(), "größe 日本 \"q\"".to_owned());
        writer.request(&Record { row, run_id, item, ..Record::blank() }).unwrap();
    }
    layout
}

fn read(path: &Path) -> Result<(Vec<Record>, u64), StoreError> {
    let mut reader = RequestsReader::open(path)?;
    let records = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((records, reader.torn()))
}

#[test]
fn a_row_cut_at_every_byte_is_torn_or_whole_and_never_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let layout = run(folder.path(), "r");
    let whole = std::fs::read(layout.requests()).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    let full = read(layout.root()).unwrap().0;
    assert_eq!(full.len(), 3);
    for cut in last..=whole.len() {
        std::fs::write(layout.requests(), &whole[..cut]).unwrap();
        let (records, torn) = read(layout.root()).unwrap();
        let is_whole = cut >= whole.len() - 1;
        assert_eq!(torn, u64::from(cut > last && !is_whole), "cut at {cut}");
        assert_eq!(records, full[..2 + usize::from(is_whole)], "cut at {cut}");
    }
}

#[test]
fn each_killed_run_of_a_shared_file_may_have_one_torn_row() {
    let folder = tempfile::tempdir().unwrap();
    let text = |id: &str| std::fs::read_to_string(run(folder.path(), id).requests()).unwrap();
    let (a, b) = (text("a"), text("b"));
    let header = a.lines().next().unwrap();
    let rows = |text: &str, cut: usize| {
        let lines: Vec<&str> = text.lines().skip(1).collect();
        format!("{}\n{}\n{}\n", lines[0], lines[1], &lines[2][..cut])
    };
    let shared = folder.path().join("shared.csv");
    for cut in [1, 12] {
        std::fs::write(&shared, format!("{header}\n{}{}", rows(&a, cut), rows(&b, cut))).unwrap();
        let (records, torn) = read(&shared).unwrap();
        assert_eq!((records.len(), torn), (4, 2), "cut at {cut}");
        std::fs::write(&shared, format!("{header}\n{}{}", rows(&a, cut), rows(&a, cut))).unwrap();
        let said = reasons(&read(&shared).unwrap_err());
        assert!(said.contains("line 7") && said.contains("second"), "{said}");
    }
}

#[test]
fn a_whole_row_that_is_no_text_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let layout = run(folder.path(), "r");
    let mut bytes = std::fs::read(layout.requests()).unwrap();
    let umlaut = bytes.iter().position(|b| *b == 0xc3).unwrap();
    bytes[umlaut] = 0xff;
    std::fs::write(layout.requests(), &bytes).unwrap();
    let said = reasons(&read(layout.root()).unwrap_err());
    assert!(said.contains("line 2") && said.contains("utf-8"), "{said}");
}

#[test]
fn a_quote_that_swallows_rows_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(run(folder.path(), "r").requests()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let torn = &lines[1][..=lines[1].find('"').unwrap()];
    let file = folder.path().join("swallowed.csv");
    std::fs::write(&file, format!("{}\n{torn}\n{}\n{}\n", lines[0], lines[2], lines[3])).unwrap();
    let said = reasons(&read(&file).unwrap_err());
    assert!(said.contains("line 2") && said.contains("quote"), "{said}");
}

#[test]
fn what_does_not_read_names_its_line_and_column_and_ends_the_stream() {
    let folder = tempfile::tempdir().unwrap();
    let layout = run(folder.path(), "r");
    let text = std::fs::read_to_string(layout.requests()).unwrap();
    std::fs::write(layout.requests(), text.replacen("concurrency=1", "concurrency=x", 1)).unwrap();
    let mut reader = RequestsReader::open(layout.root()).unwrap();
    let said = reasons(&reader.next().unwrap().unwrap_err());
    assert!(said.contains("line 2") && said.contains("`concurrency=x`"), "{said}");
    assert!(reader.next().is_none());
    std::fs::write(layout.requests(), "a,b\n1,2\n").unwrap();
    assert!(matches!(RequestsReader::open(layout.root()), Err(StoreError::NotRequests { .. })));
}

#[test]
fn a_file_of_schema_1_reads_with_the_columns_it_has() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1/requests.csv");
    let (records, torn) = read(&file).unwrap();
    assert_eq!((records.len(), torn), (3, 0));
    assert_eq!(records[0].t_first_ns.map(benchhost_model::Nanos::get), Some(41_873_112));
    assert_eq!((records[0].session, records[0].arrivals.as_str(), records[0].censored), (None, "", 0));
    assert_eq!(records[1].scores.get("f1"), Some(&0.5));
}

#[test]
fn columns_in_another_order_read_as_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path().join("r"));
    let mut writer = RunWriter::create(layout.clone(), vec!["exact".into()], None).unwrap();
    for row in 1..=3 {
        let scores = [("exact".to_owned(), row as f64 / 3.0)].into();
        let (item, ttft_ms) = (format!("item-{row}"), (row > 1).then_some(12.25 * row as f64));
        let run_id = "r".to_owned();
        writer.request(&Record { row, run_id, item, ttft_ms, scores, ..Record::blank() }).unwrap();
    }
    drop(writer);
    let records = read(layout.root()).unwrap().0;
    assert_eq!((records.len(), records[2].ttft_ms, records[0].scores["exact"]), (3, Some(36.75), 1.0 / 3.0));
    // The first column goes before the last.
    let text = std::fs::read_to_string(layout.requests()).unwrap();
    let moved: Vec<String> = text
        .lines()
        .map(|line| {
            let mut cells: Vec<&str> = line.split(',').collect();
            let first = cells.remove(0);
            cells.insert(cells.len() - 1, first);
            cells.join(",") + "\n"
        })
        .collect();
    let other = folder.path().join("other.csv");
    std::fs::write(&other, moved.concat()).unwrap();
    assert_eq!(read(&other).unwrap().0, records);
}
