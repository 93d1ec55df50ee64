//! A server that answers every request with a function, and a load against it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use benchhost_http::{Connector, Limits, Outgoing, Reuse, RunClock, Target, TlsOptions};
use benchhost_load::{
    Control, Finished, FollowUp, IoPlan, Job, Lanes, LoadPlan, LoadReport, Pattern, Phases, Think, drive,
};
use benchhost_model::{Nanos, Timeline};
use tokio::sync::mpsc::UnboundedSender;

/// What to do with the connection after a request was handled.
pub(crate) enum Then {
    Keep,
    Close,
}

/// Serves until the test's process ends: `handle` gets the number in the request's path.
pub(crate) fn serve(handle: impl Fn(u64, &mut TcpStream) -> Then + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (mut socket, handle) = (socket.unwrap(), Arc::clone(&handle));
            thread::spawn(move || {
                socket.set_nodelay(true).unwrap();
                while let Some(id) = request(&mut socket) {
                    if matches!(handle(id, &mut socket), Then::Close) {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Reads a request without body and returns the number in its path.
fn request(socket: &mut TcpStream) -> Option<u64> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if !matches!(socket.read(&mut byte), Ok(1)) {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    head.split(' ').nth(1)?.trim_start_matches('/').parse().ok()
}

/// A 200 answer that holds the number.
pub(crate) fn ok(id: u64, socket: &mut TcpStream) -> Then {
    let body = id.to_string();
    let _ = write!(socket, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    Then::Keep
}

/// Waits until the client hangs up.
pub(crate) fn hold(socket: &mut TcpStream) -> Then {
    let _ = socket.read(&mut [0]);
    Then::Close
}

/// Counts how many are inside at a time.
#[derive(Default)]
pub(crate) struct Crowd {
    now: AtomicU64,
    most: AtomicU64,
}

impl Crowd {
    pub(crate) fn enter(&self) {
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
    }

    pub(crate) fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }

    pub(crate) fn most(&self) -> u64 {
        self.most.load(SeqCst)
    }
}

/// A job of its own session, to be sent at once.
pub(crate) fn job(id: u64) -> Job {
    let request = Outgoing::get(&format!("/{id}")).unwrap();
    Job { id, session: id, last_in_session: true, due: None, request }
}

/// The same, due so many milliseconds after the start.
pub(crate) fn job_at(id: u64, ms: u64) -> Job {
    Job { due: Some(Nanos::new(ms * 1_000_000)), ..job(id) }
}

/// As many slots, all at once.
pub(crate) fn closed(concurrency: u32) -> Pattern {
    Pattern::Closed { concurrency, stagger: Duration::ZERO, think: Think::None }
}

/// A load with generous limits.
pub(crate) fn plan(address: SocketAddr, pattern: Pattern) -> LoadPlan {
    LoadPlan {
        pattern,
        phases: Phases::ENDLESS,
        io: IoPlan::default(),
        give_up: Duration::from_mins(1),
        target: Target {
            base: format!("http://{address}").parse().unwrap(),
            connector: Connector::new(&TlsOptions::default()).unwrap(),
            headers: Vec::new(),
            limits: Limits { timeout: Duration::from_mins(1), ..Limits::default() },
            reuse: Reuse::KeepAlive,
        },
        clock: RunClock::start(),
    }
}

/// A load's answers, in the order in which they came, and its account.
pub(crate) struct Outcome {
    pub(crate) finished: Vec<Finished>,
    pub(crate) report: LoadReport,
}

impl Outcome {
    /// The timelines by job; fails if a job came back twice.
    pub(crate) fn by_id(&self) -> HashMap<u64, &Timeline> {
        let map: HashMap<u64, &Timeline> = self.finished.iter().map(|f| (f.id, &f.timeline)).collect();
        assert_eq!(map.len(), self.finished.len(), "a job came back twice");
        map
    }

    /// The ids, in the order in which they came back.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.finished.iter().map(|f| f.id).collect()
    }
}

/// Runs the jobs; `react` sees each answer as it comes and may send follow-ups or stop the load.
pub(crate) fn run_with(
    plan: LoadPlan,
    jobs: Vec<Job>,
    control: &Control,
    mut react: impl FnMut(&Finished, &UnboundedSender<FollowUp>) + Send,
) -> Outcome {
    let (give, fresh) = tokio::sync::mpsc::channel(jobs.len().max(1));
    for job in jobs {
        give.try_send(job).unwrap();
    }
    drop(give);
    let (turns, follow_ups) = tokio::sync::mpsc::unbounded_channel();
    let (finished, answers) = mpsc::channel();
    thread::scope(|scope| {
        let listener = scope.spawn(move || {
            let mut all = Vec::new();
            for answer in answers {
                react(&answer, &turns);
                all.push(answer);
            }
            all
        });
        let report = drive(plan, Lanes { fresh, follow_ups, finished }, control);
        Outcome { finished: listener.join().unwrap(), report }
    })
}

/// Runs the jobs to their end.
pub(crate) fn run(plan: LoadPlan, jobs: Vec<Job>) -> Outcome {
    run_with(plan, jobs, &Control::new(), |_, _| {})
}

/// Runs the jobs that `make` gives, one after the other, for as long as the load takes any; at most `most`. Also says how
/// many jobs the load's lane took.
pub(crate) fn run_fed(
    plan: LoadPlan,
    most: u64,
    make: impl Fn(u64) -> Job + Send,
    control: &Control,
    mut react: impl FnMut(&Finished, &UnboundedSender<FollowUp>) + Send,
) -> (Outcome, u64) {
    let (give, fresh) = tokio::sync::mpsc::channel(LANE);
    let (turns, follow_ups) = tokio::sync::mpsc::unbounded_channel();
    let (finished, answers) = mpsc::channel();
    thread::scope(|scope| {
        let feeder = scope
            .spawn(move || (0..most).take_while(|id| give.blocking_send(make(*id)).is_ok()).count() as u64);
        let listener = scope.spawn(move || {
            let mut all = Vec::new();
            for answer in answers {
                react(&answer, &turns);
                all.push(answer);
            }
            all
        });
        let report = drive(plan, Lanes { fresh, follow_ups, finished }, control);
        (Outcome { finished: listener.join().unwrap(), report }, feeder.join().unwrap())
    })
}

/// Jobs that wait in the lane of [`run_fed`].
pub(crate) const LANE: usize = 4;
