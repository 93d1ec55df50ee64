//! Measures the pool: runs of every server in a seeded random order, each by a `benchhost run` against a `benchhost
//! simulate` of its own. Finished runs are kept, so an interrupted pool goes on where it stopped.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cases::{BASE, LOAD, SERVERS, Server, problems, talk};
use crate::order::shuffled;

/// Files of a run that no comparison reads.
const UNREAD: [&str; 4] = ["events.bin", "outputs.jsonl", "report.html", "scores.csv"];
/// Items of each kind.
const ITEMS: u32 = 120;

/// What is measured.
pub(crate) struct Pool {
    /// Where runs are kept.
    pub(crate) directory: PathBuf,
    /// The program.
    pub(crate) benchhost: PathBuf,
    /// Runs of the base.
    pub(crate) base: usize,
    /// Runs of each other server.
    pub(crate) each: usize,
    /// Requests a run.
    pub(crate) requests: u32,
    /// Seed of the order.
    pub(crate) seed: u64,
}

impl Pool {
    /// The directories of a server's runs, by number.
    pub(crate) fn runs_of(&self, server: &str) -> Vec<PathBuf> {
        let count = if server == SERVERS[0].name { self.base } else { self.each };
        (0..count).map(|n| self.directory.join("runs").join(format!("{server}-{n:03}"))).collect()
    }

    /// Measures what is missing.
    #[expect(clippy::print_stderr, reason = "progress of a long program")]
    pub(crate) fn measure(&self) -> Result<(), String> {
        let data = self.directory.join("data");
        std::fs::create_dir_all(&data).map_err(|e| format!("cannot make `{}`: {e}", data.display()))?;
        write(&data.join("problems.jsonl"), &problems(ITEMS))?;
        write(&data.join("talk.jsonl"), &talk(ITEMS))?;
        let planned: Vec<(&Server, PathBuf)> = SERVERS
            .iter()
            .flat_map(|server| self.runs_of(server.name).into_iter().map(move |path| (server, path)))
            .collect();
        let start = Instant::now();
        let mut made = 0_u32;
        for (place, at) in shuffled(planned.len(), self.seed).into_iter().enumerate() {
            let (server, path) = &planned[at];
            if path.join("COMPLETE").exists() {
                continue;
            }
            // Twice, since a run on a busy machine may meet a port that was taken in between.
            self.run(server, path).or_else(|_| self.run(server, path))?;
            made += 1;
            let each = start.elapsed().as_secs_f64() / f64::from(made);
            let left = planned.len() - place - 1;
            eprintln!(
                "{} of {}: {} ({each:.1} s a run, {:.0} min at most left)",
                place + 1,
                planned.len(),
                path.file_name().unwrap_or_default().to_string_lossy(),
                each * left as f64 / 60.0
            );
        }
        Ok(())
    }

    fn run(&self, server: &Server, path: &Path) -> Result<(), String> {
        if path.exists() {
            std::fs::remove_dir_all(path).map_err(|e| format!("cannot clear `{}`: {e}", path.display()))?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let simulator = Simulator::start(&self.benchhost, server, seed_of(&name))?;
        let data = self.directory.join("data");
        let file = |slot: &str, name: &str| format!("--data={slot}={}", data.join(name).display());
        let run = Command::new(&self.benchhost)
            .arg("run")
            .arg(format!("--engine=openai=http://127.0.0.1:{}", simulator.port))
            .args(LOAD)
            .args([file("gsm8k", "problems.jsonl"), file("hh", "talk.jsonl")])
            .arg(format!("--requests={}", self.requests))
            .arg("--out")
            .arg(path)
            .stdin(Stdio::null())
            .output()
            .map_err(|e| format!("cannot start `{}`: {e}", self.benchhost.display()))?;
        if !run.status.success() || !path.join("COMPLETE").exists() {
            return Err(format!(
                "`{}` was not measured: {}",
                path.display(),
                String::from_utf8_lossy(&run.stderr)
            ));
        }
        for name in UNREAD {
            let _not_written = std::fs::remove_file(path.join(name));
        }
        Ok(())
    }
}

/// A seed for each run, the same however many there are (FNV-1a of its name).
fn seed_of(name: &str) -> u64 {
    let step = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("cannot write `{}`: {e}", path.display()))
}

/// A server that ends with this value.
struct Simulator {
    child: Child,
    port: u16,
}

impl Simulator {
    fn start(benchhost: &Path, server: &Server, seed: u64) -> Result<Self, String> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|e| format!("no free port: {e}"))?
            .port();
        // A flag given twice is refused, so those that differ replace those of the base.
        let kept = BASE.iter().filter(|(name, _)| server.flags.iter().all(|(other, _)| other != name));
        let mut command = Command::new(benchhost);
        command.args(["simulate", "--quiet"]).arg(format!("--port={port}")).arg(format!("--seed={seed}"));
        for (name, value) in kept.chain(server.flags) {
            command.args([name, value]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("cannot start `{}`: {e}", benchhost.display()))?;
        let simulator = Self { child, port };
        for _ in 0..250 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(simulator);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the simulator of `{}` did not start", server.name))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}
