//! A `requests.csv` of a million rows a side, read from disk by two threads and compared: time and memory. `cargo bench --bench million`;
//! `-- 200000` for another number of rows.

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

use std::path::Path;
use std::time::Instant;

use benchhost_compare::{Gatherer, Settings, Sheet, Side, compare};
use benchhost_store::{Layout, RequestsReader, RunWriter};
use synthetic::Truth;

/// Resident memory at most, in MB; 0 where the system does not tell.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM"));
    line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok()).map_or(0, |kb| kb / 1024)
}

fn write(directory: &Path, truth: &Truth) {
    let mut writer = RunWriter::create(Layout::new(directory), vec!["exact".into()], None).expect("a run");
    truth.rows(|row| writer.request(row).expect("a row"));
    drop(writer);
}

fn read(directory: &Path) -> Sheet {
    let mut gatherer = Gatherer::new(benchhost_analysis::Options::default(), Vec::new());
    for record in RequestsReader::open(directory).expect("rows") {
        gatherer.push(&record.expect("a row"));
    }
    gatherer.finish(&mut |_, _| benchhost_analysis::GpuFigures::default())
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn main() {
    let rows = std::env::args().skip(1).find_map(|a| a.parse::<u64>().ok()).unwrap_or(1_000_000);
    for runs in [5_u32, 1] {
        let folder = std::env::temp_dir().join(format!("benchhost-million-{}-{runs}", std::process::id()));
        let side = |name: &str| folder.join(name);
        let truth = |seed| Truth { runs, requests: rows / u64::from(runs), seed, ..Truth::default() };
        write(&side("a"), &truth(1));
        write(&side("b"), &Truth { tpot_ms: 10.3, ..truth(2) });
        let start = Instant::now();
        let (a, b) = (side("a"), side("b"));
        let (base, new) = std::thread::scope(|scope| {
            let other = scope.spawn(|| read(&b));
            (read(&a), other.join().expect("rows"))
        });
        let read_s = start.elapsed().as_secs_f64();
        let whole = |sheet| Side { sheet, config: base.groups[0].config.clone(), facts: &[] };
        let decision = compare(&whole(&base), &whole(&new), &Settings::default()).expect("comparable");
        let total_s = start.elapsed().as_secs_f64();
        println!("{rows} rows a side, {runs} runs each");
        println!("  read both         {read_s:.2} s ({:.2} µs a row)", read_s * 1e6 / (2 * rows) as f64);
        println!("  compare           {:.2} s", total_s - read_s);
        println!("  together          {total_s:.2} s");
        println!("  memory at most    {} MB (of the process so far)", peak_mb());
        println!("  {}", decision.sentence);
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
