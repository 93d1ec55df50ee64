//! Usage of a process from fixtures, where the numbers are known, and of the test itself.

use std::fs;
use std::path::{Path, PathBuf};

use benchhost_telemetry::process::{ProcessUsage, SchedulerDelta, ThreadUsage};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn a_process_is_read_at_one_hundred_ticks_a_second_unless_told_otherwise() {
    let usage = ProcessUsage::read(&fixture("process-before"));
    assert_eq!((usage.cpu_user_ns, usage.cpu_system_ns), (Some(1_500_000_000), Some(500_000_000)));
    assert_eq!((usage.peak_memory_bytes, usage.thread_count()), (Some(2 << 20), 3));

    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixture("process-before/stat"), folder.path().join("stat")).unwrap();
    let auxv: Vec<u8> = [6_usize, 4096, 17, 250, 0, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
    fs::write(folder.path().join("auxv"), &auxv).unwrap();
    assert_eq!(ProcessUsage::read(folder.path()).cpu_user_ns, Some(600_000_000));
    // A zero in that place must not divide anything.
    let auxv: Vec<u8> = [17_usize, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
    fs::write(folder.path().join("auxv"), &auxv).unwrap();
    assert_eq!(ProcessUsage::read(folder.path()).cpu_user_ns, Some(1_500_000_000));
}

#[test]
fn a_difference_follows_threads_by_id_and_start() {
    let before = ProcessUsage::read(&fixture("process-before"));
    let after = ProcessUsage::read(&fixture("process-after"));
    let thread = |name: &str, numbers: [u64; 4]| ThreadUsage {
        name: name.to_owned(),
        run_ns: Some(numbers[0]),
        run_delay_ns: Some(numbers[1]),
        voluntary_switches: Some(numbers[2]),
        involuntary_switches: Some(numbers[3]),
    };
    let expected = SchedulerDelta {
        cpu_ns: Some(2_250_000_000),
        run_delay_ns: Some(2_500 + 40 + 60),
        voluntary_switches: Some(15 + 3 + 5),
        involuntary_switches: Some(3 + 2 + 6),
        // The second kept its id but started later: another thread.
        threads: vec![
            thread("a (b) c", [8_000_000, 2_500, 15, 3]),
            thread("worker", [600, 40, 3, 2]),
            thread("fresh", [700, 60, 5, 6]),
        ],
        threads_ended: 2,
    };
    assert_eq!(after.since(&before), expected);
}

#[test]
fn a_kernel_without_schedstat_leaves_only_the_delay_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let task = folder.path().join("task/100");
    fs::create_dir_all(&task).unwrap();
    for file in ["stat", "status"] {
        fs::copy(fixture("process-before/task/100").join(file), task.join(file)).unwrap();
    }
    let delta = ProcessUsage::read(folder.path()).since(&ProcessUsage::default());
    assert_eq!((delta.run_delay_ns, delta.voluntary_switches, delta.cpu_ns), (None, Some(10), None));
}

#[test]
fn nothing_to_read_is_not_zero() {
    let nothing = ProcessUsage::read(Path::new("/nonexistent"));
    assert_eq!(nothing, ProcessUsage::default());
    assert_eq!(nothing.since(&nothing), SchedulerDelta::default());
}

#[test]
fn garbage_is_not_a_thread() {
    let folder = tempfile::tempdir().unwrap();
    for (name, stat) in [("7", "7 (x"), ("8", "8 (x) S 1"), ("nine", "9 (x) S"), ("10", "\u{0}")] {
        let task = folder.path().join("task").join(name);
        fs::create_dir_all(&task).unwrap();
        fs::write(task.join("stat"), stat).unwrap();
    }
    assert_eq!(ProcessUsage::read(folder.path()).thread_count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_counts_its_own_thread_and_its_waiting() {
    let before = ProcessUsage::now();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("known-name".to_owned()).spawn(move || {
        tell.send(()).unwrap();
        wait.recv().unwrap_err();
    });
    told.recv().unwrap();
    let delta = ProcessUsage::now().since(&before);
    drop(go);
    thread.unwrap().join().unwrap();
    assert!(delta.cpu_ns.is_some());
    assert!(delta.threads.iter().any(|thread| thread.name == "known-name"), "{delta:?}");
    assert!(delta.voluntary_switches.is_some() && delta.involuntary_switches.is_some());
}
