//! What is written is read back with the same values, nulls and texts; what a file says of itself is true.

use std::collections::BTreeMap;
use std::io::{self, Write};

use benchhost_columnar::{About, ColumnarError, Ending, Event, EventsFile, ROW_GROUP_BYTES, RequestsFile};
use benchhost_model::{Failure, LoadPoint, Nanos, Outcome, Phase, Record, Target, TokensSource};
use bytes::Bytes;
use parquet::basic::{Compression, Repetition};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;

fn about() -> About {
    About {
        exported_by: "benchhost 9.9.9".into(),
        run_id: "2026-11-22-abc".into(),
        schema_version: 2,
        started_unix_s: 1_795_329_412,
    }
}

fn file(rows: &[Record], scores: &[&str]) -> Bytes {
    let scores: Vec<String> = scores.iter().map(|s| (*s).to_owned()).collect();
    let mut out = Vec::new();
    let mut file = RequestsFile::create(&mut out, &about(), &scores).unwrap();
    for row in rows {
        file.push(row).unwrap();
    }
    file.finish(Ending { rows_torn: 1 }).unwrap();
    Bytes::from(out)
}

fn open(bytes: &Bytes) -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(bytes.clone()).unwrap()
}

/// Rows as columns by name.
fn rows_of(bytes: &Bytes) -> Vec<BTreeMap<String, Field>> {
    let reader = open(bytes);
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns().into_iter().collect()).collect()
}

fn said(bytes: &Bytes) -> BTreeMap<String, String> {
    let reader = open(bytes);
    let pairs = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    pairs.into_iter().map(|pair| (pair.key, pair.value.unwrap_or_default())).collect()
}

/// A row with every cell filled, none like another.
fn full() -> Record {
    let at = |ns: u64| Some(Nanos::new(ns));
    Record {
        row: 7,
        run_id: "2026-11-22-abc".into(),
        engine: "vllm".into(),
        variant: "fp8, \"quoted\"".into(),
        model: "模型/ü-🦀".into(),
        target: Target::Simulated,
        workload: "w".into(),
        category: "Größe".into(),
        item: "a,b;c'd".into(),
        turn: 2,
        load: LoadPoint::Rate(2.5),
        arrivals: "gamma:2".into(),
        session: Some(9),
        repeat: 3,
        role: "anchor".into(),
        phase: Phase::Drain,
        plan_digest: "00ff".into(),
        outcome: Outcome::Failed,
        failure: Some(Failure::Http(503)),
        failure_detail: "naïve — “overloaded”".into(),
        status: Some(503),
        finish: "stop".into(),
        attempts: 2,
        conn_reused: true,
        t_sched_ns: Nanos::new(1),
        t_slot_ns: at(2),
        t_conn_ns: at(3),
        t_send_ns: at(4),
        t_headers_ns: at(5),
        t_first_ns: at(6),
        t_last_ns: at(9_007_199_254_740_993),
        t_end_ns: at(9_223_372_036_854_775_807),
        events: 4_294_967_295,
        t_answer_ns: at(8),
        stamps: "kernel".into(),
        lag_first_ns: Some(11),
        lag_max_ns: Some(12),
        censored: 13,
        together: 14,
        input_tokens: Some(15),
        output_tokens: Some(16),
        reasoning_tokens: Some(17),
        cached_tokens: Some(18),
        n_first_tokens: Some(19),
        tokens_source: TokensSource::Tokenizer,
        input_tokens_asked: Some(20),
        template_tokens: Some(21),
        output_tokens_asked: Some(22),
        output_exact: true,
        tokens_by: "server".into(),
        ttft_ms: Some(0.1),
        ttft_sched_ms: Some(1e-300),
        tpot_ms: Some(f64::MAX),
        ttfat_ms: Some(0.1 + 0.2),
        tpot_n1_ms: Some(-0.0),
        itl_mean_ms: Some(5.5),
        icl_max_ms: Some(6.5),
        e2e_ms: Some(7.5),
        e2e_sched_ms: Some(8.5),
        scores: [("bleu".to_owned(), 0.25), ("nan".to_owned(), f64::NAN)].into(),
    }
}

/// The field as the JSON of the row would have it; an empty text is none.
fn as_json(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::Double(value) => (*value).into(),
        Field::Str(value) => value.clone().into(),
        other => panic!("{other} is of a type that no column has"),
    }
}

fn expected(record: &Record) -> BTreeMap<String, Value> {
    let Ok(Value::Object(fields)) = serde_json::to_value(record) else { panic!("a row is an object") };
    fields.into_iter().map(|(k, v)| (k, if v == "" { Value::Null } else { v })).collect()
}

fn found(row: &BTreeMap<String, Field>) -> BTreeMap<String, Value> {
    row.iter().filter(|(k, _)| !k.starts_with("score_")).map(|(k, v)| (k.clone(), as_json(v))).collect()
}

#[test]
fn columns_are_those_of_the_rows_in_their_order() {
    let bytes = file(&[full()], &["bleu"]);
    let reader = open(&bytes);
    let schema = reader.metadata().file_metadata().schema_descr();
    let names: Vec<&str> = schema.columns().iter().map(|c| c.name()).collect();
    let Ok(Value::Object(fields)) = serde_json::to_value(full()) else { panic!("a row is an object") };
    let mut rows: Vec<&str> = fields.keys().map(String::as_str).collect();
    rows.push("score_bleu");
    assert_eq!(names, rows);
    for column in schema.columns() {
        let (name, kind) = (column.name(), column.physical_type().to_string());
        let expected = match name {
            n if n.ends_with("_ns") => "INT64",
            n if n.ends_with("_ms") || n.starts_with("score_") => "DOUBLE",
            "conn_reused" | "output_exact" => "BOOLEAN",
            n if fields[n].is_number() => "INT64",
            _ => "BYTE_ARRAY",
        };
        assert_eq!(kind, expected, "{name}");
    }
}

#[test]
fn every_value_comes_back_and_an_empty_cell_is_null() {
    let rows = [full(), Record::blank(), Record { t_end_ns: None, ttft_ms: None, ..full() }];
    let bytes = file(&rows, &["bleu", "nan", "absent"]);
    let back = rows_of(&bytes);
    assert_eq!(back.len(), rows.len());
    for (row, record) in back.iter().zip(&rows) {
        assert_eq!(found(row), expected(record));
    }
    assert_eq!(back[0]["score_bleu"], Field::Double(0.25));
    for (row, column) in
        [(0, "score_nan"), (0, "score_absent"), (1, "score_bleu"), (1, "t_send_ns"), (1, "failure")]
    {
        assert_eq!(back[row][column], Field::Null, "row {row}, {column}");
    }
}

#[test]
fn cells_that_every_row_has_may_not_be_null() {
    let bytes = file(&[Record::blank()], &[]);
    let reader = open(&bytes);
    let blank = expected(&Record::blank());
    for column in reader.metadata().file_metadata().schema_descr().columns() {
        let required = column.self_type().get_basic_info().repetition() == Repetition::REQUIRED;
        assert_eq!(required, !blank[column.name()].is_null(), "{}", column.name());
    }
}

#[test]
fn a_file_says_where_its_rows_come_from() {
    let told = said(&file(&[full()], &[]));
    for (key, value) in [
        ("table", "requests"),
        ("exported_by", "benchhost 9.9.9"),
        ("run_id", "2026-11-22-abc"),
        ("schema_version", "2"),
        ("started_unix_s", "1795329412"),
        ("target", "simulated"),
        ("simulated", "true"),
        ("rows", "1"),
        ("rows_torn", "1"),
    ] {
        assert_eq!(told[&format!("benchhost.{key}")], value, "{key}");
    }
    let real = Record { target: Target::Real, ..full() };
    let told = said(&file(std::slice::from_ref(&real), &[]));
    assert_eq!((&*told["benchhost.target"], &*told["benchhost.simulated"]), ("real", "false"));
    let told = said(&file(&[real, full()], &[]));
    assert_eq!((&*told["benchhost.target"], &*told["benchhost.simulated"]), ("real,simulated", "true"));
}

#[test]
fn a_run_without_rows_is_a_file_without_rows() {
    let bytes = file(&[], &["bleu"]);
    assert_eq!(rows_of(&bytes).len(), 0);
    let told = said(&bytes);
    assert_eq!((&*told["benchhost.rows"], &*told["benchhost.target"]), ("0", ""));
    assert_eq!(
        open(&bytes).metadata().file_metadata().schema_descr().num_columns(),
        expected(&full()).len() + 1
    );
}

#[test]
fn row_groups_stay_small_however_long_the_run_and_the_texts() {
    // Texts that share nothing: a megabyte a row.
    let long = |i: u64| Record { row: i, item: format!("{}{i}", "x".repeat(1_000_000)), ..full() };
    let rows: Vec<Record> = (0..80).map(long).collect();
    let bytes = file(&rows, &[]);
    let reader = open(&bytes);
    let groups = reader.metadata().row_groups();
    assert!(groups.len() > 1, "{} row groups", groups.len());
    for group in groups {
        assert!(group.total_byte_size() <= i64::try_from(ROW_GROUP_BYTES).unwrap() + 2_000_000);
        assert!(group.columns().iter().all(|c| c.compression_codec() == Compression::SNAPPY.into()));
    }
    let back = rows_of(&bytes);
    assert!(back.iter().zip(&rows).all(|(row, record)| row["item"] == Field::Str(record.item.clone())));
    let short: Vec<Record> = (0..200_000).map(|row| Record { row, ..full() }).collect();
    let bytes = file(&short, &[]);
    let groups = open(&bytes)
        .metadata()
        .row_groups()
        .iter()
        .map(parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect::<Vec<_>>();
    assert_eq!(groups.iter().sum::<i64>(), 200_000);
    assert!(groups.len() > 3, "{groups:?}");
    let last = rows_of(&bytes).pop().unwrap();
    assert_eq!(last["row"], Field::Long(199_999));
}

#[test]
fn a_number_that_does_not_fit_is_named() {
    let mut file = RequestsFile::create(Vec::new(), &about(), &[]).unwrap();
    file.push(&full()).unwrap();
    let error = file.push(&Record { t_end_ns: Some(Nanos::new(1 << 63)), ..full() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2: `t_end_ns` is 9223372036854775808, more than a signed 64-bit integer holds"
    );
}

/// A disk with room for so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_as_such_wherever_it_strikes() {
    let whole = file(&[full()], &[]).len();
    for room in (0..whole).step_by(7) {
        let written = RequestsFile::create(Full(room), &about(), &[]).and_then(|mut file| {
            file.push(&full())?;
            file.finish(Ending { rows_torn: 1 })
        });
        match written {
            Err(ColumnarError::Write(cause)) => assert_eq!(cause.kind(), io::ErrorKind::StorageFull),
            other => panic!("{room} bytes of {whole}: {other:?}"),
        }
    }
}

#[test]
fn events_are_rows_of_their_own() {
    let event = |t_ns, kind, tokens, lag_ns, sharing| Event { t_ns, kind, tokens, lag_ns, sharing };
    let mut out = Vec::new();
    let mut file = EventsFile::create(&mut out, &about()).unwrap();
    let first =
        [event(100, "reasoning", Some(2), Some(0), "alone"), event(150, "answer", None, None, "censored")];
    file.push(&Record { row: 1, ..full() }, first).unwrap();
    file.push(&Record { row: 2, ..full() }, []).unwrap();
    file.push(&Record { row: 4, ..full() }, [event(90, "", Some(1), Some(u32::MAX), "together")]).unwrap();
    file.finish(Ending::default()).unwrap();
    let bytes = Bytes::from(out);
    let back = rows_of(&bytes);
    let of = |column: &str| back.iter().map(|row| as_json(&row[column])).collect::<Vec<_>>();
    let json = |text: &str| serde_json::from_str::<Vec<Value>>(text).unwrap();
    assert_eq!(of("row"), json("[1, 1, 4]"));
    assert_eq!(of("event"), json("[0, 1, 0]"));
    assert_eq!(of("t_ns"), json("[100, 150, 90]"));
    assert_eq!(of("kind"), json("[\"reasoning\", \"answer\", null]"));
    assert_eq!(of("tokens"), json("[2, null, 1]"));
    assert_eq!(of("lag_ns"), json("[0, null, 4294967295]"));
    assert_eq!(of("sharing"), json("[\"alone\", \"censored\", \"together\"]"));
    let told = said(&bytes);
    assert_eq!((&*told["benchhost.table"], &*told["benchhost.simulated"]), ("events", "true"));
}
