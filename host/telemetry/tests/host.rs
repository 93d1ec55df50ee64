//! Host facts from fixture trees, from hostile files, and from the machine the tests run on.

use std::fs;
use std::path::{Path, PathBuf};

use benchhost_telemetry::host::{
    CpuLimit, FrequencyFacts, HostCounters, HostFacts, HostPressure, Pressure, Throttled, Waited,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn every_fact_is_read() {
    let expected = HostFacts {
        os: Some("Example Linux 12 (fixture)".to_owned()),
        kernel: Some("6.8.0-45-generic".to_owned()),
        architecture: Some("x86_64".to_owned()),
        cpu_model: Some("AMD EPYC 9354 32-Core Processor".to_owned()),
        logical_cores: Some(4),
        allowed_cores: Some(3),
        cpu_limit: Some(CpuLimit::Cores(2.5)),
        cpu_governor: Some("performance".to_owned()),
        frequency: FrequencyFacts::default(),
        hypervisor: None,
        isolated_cores: None,
        memory_bytes: Some(65_841_152 * 1024),
        memory_available_bytes: Some(32 << 30),
        load_average: Some([1.25, 0.5, 0.1]),
        clocksource: Some("tsc".to_owned()),
        container: Some("podman".to_owned()),
        counters: HostCounters {
            cpu_ticks: Some(10_000),
            busy_ticks: Some(1_360),
            steal_ticks: Some(600),
            pressure: Pressure {
                cpu: Waited { some_ns: Some(1_234_567_000), full_ns: Some(0) },
                ..Pressure::default()
            },
            group_pressure: Pressure {
                memory: Waited { some_ns: Some(5_000), full_ns: Some(2_000) },
                ..Pressure::default()
            },
            throttled: Throttled { periods: Some(4), time_ns: Some(9_000) },
        },
    };
    assert_eq!(HostFacts::read(&fixture("host-v2")), expected);
}

#[test]
fn what_an_older_machine_lacks_is_left_out() {
    let expected = HostFacts {
        os: Some("Older Linux 7".to_owned()),
        // No list of online cores: the processors are counted.
        logical_cores: Some(2),
        cpu_limit: Some(CpuLimit::Unlimited),
        clocksource: Some("hpet".to_owned()),
        counters: HostCounters {
            cpu_ticks: Some(11_000),
            busy_ticks: Some(1_860),
            steal_ticks: Some(700),
            ..HostCounters::default()
        },
        ..HostFacts::default()
    };
    assert_eq!(HostFacts::read(&fixture("host-v1")), expected);
}

#[test]
fn nothing_to_read_gives_no_facts() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(HostFacts::read(empty.path()), HostFacts::default());
    assert_eq!(HostFacts::read(Path::new("/nonexistent")), HostFacts::default());
}

#[test]
fn hostile_files_give_no_number_that_is_not_there() {
    let root = tempfile::tempdir().unwrap();
    let files: [(&str, &[u8]); 9] = [
        ("proc/stat", b"cpu  1 2 3 4 5 6 7\ncpu0 1 2 3 4 5 6 7 8\n"),
        ("proc/meminfo", b"MemTotal: 99999999999999999999 kB\nMemAvailable: -4 kB\n"),
        ("proc/loadavg", b"nan inf -1 1/2 3\n"),
        ("proc/pressure/cpu", b"some avg10=0.00 total=\n"),
        ("proc/cpuinfo", b"\xff\xfe\x00model name\n"),
        ("proc/self/status", b"Cpus_allowed_list:\t3-1\n"),
        ("proc/self/cgroup", b"0::/../../../../etc\n"),
        ("sys/devices/system/cpu/online", b"0-99999999999\n"),
        ("etc/os-release", b"PRETTY_NAME=\"\x1b[31m\x07\"\n"),
    ];
    for (path, content) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let expected = HostFacts { os: Some("[31m".to_owned()), ..HostFacts::default() };
    assert_eq!(HostFacts::read(root.path()), expected);
}

#[test]
fn steal_and_pressure_are_what_the_counters_gained() {
    let counters = |all, steal, waited| HostCounters {
        cpu_ticks: Some(all),
        busy_ticks: Some(all / 2),
        steal_ticks: Some(steal),
        pressure: Pressure { cpu: Waited { some_ns: waited, full_ns: None }, ..Pressure::default() },
        ..HostCounters::default()
    };
    let gained = counters(3_000, 300, Some(9)).since(&counters(1_000, 200, Some(4)));
    assert_eq!((gained.steal_share, gained.busy_share), (Some(0.05), Some(0.5)));
    assert_eq!(gained.pressure.cpu, Waited { some_ns: Some(5), full_ns: None });
    // Two readings within one tick, a counter that fell, and one that is missing.
    let none = HostPressure::default();
    assert_eq!(counters(1_000, 200, None).since(&counters(1_000, 200, Some(4))), none);
    let fell = counters(2_000, 100, Some(3)).since(&counters(1_000, 200, Some(4)));
    assert_eq!((fell.steal_share, fell.pressure), (None, Pressure::default()));
    assert_eq!(HostCounters::default().since(&counters(1, 1, Some(1))), none);
}

#[test]
fn what_bends_times_is_said_in_words() {
    let calm = HostFacts {
        clocksource: Some("tsc".to_owned()),
        cpu_governor: Some("performance".to_owned()),
        logical_cores: Some(4),
        load_average: Some([1.0, 9.0, 9.0]),
        cpu_limit: Some(CpuLimit::Unlimited),
        ..HostFacts::default()
    };
    assert_eq!((calm.concerns(), HostFacts::default().concerns()), (Vec::<String>::new(), Vec::new()));
    let rough = HostFacts {
        clocksource: Some("hpet".to_owned()),
        cpu_governor: Some("powersave".to_owned()),
        load_average: Some([2.5, 0.0, 0.0]),
        cpu_limit: Some(CpuLimit::Cores(1.5)),
        ..calm
    };
    let words = rough.concerns();
    for (words, told) in words.iter().zip(["`hpet`", "`powersave`", "2.5 tasks ran on 4 cores", "1.5 cores"])
    {
        assert!(words.contains(told), "{words}");
    }
    assert_eq!(words.len(), 4);
}

#[test]
fn facts_survive_json() {
    let facts = HostFacts::read(&fixture("host-v2"));
    let text = serde_json::to_string(&facts).unwrap();
    assert!(text.contains(r#""cpu_limit":{"cores":2.5}"#), "{text}");
    assert_eq!(serde_json::from_str::<HostFacts>(&text).unwrap(), facts);
}

#[cfg(target_os = "linux")]
#[test]
fn this_machine_tells_what_every_linux_tells() {
    let facts = HostFacts::read(Path::new("/"));
    assert!(facts.kernel.is_some() && facts.memory_bytes > Some(1 << 20));
    assert!(facts.logical_cores >= Some(1) && facts.load_average.is_some());
    assert!(facts.counters.cpu_ticks > Some(0));
}
