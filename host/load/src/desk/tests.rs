//! What the desk does with exchanges that a server cannot bring about.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use benchhost_http::{Cancel, Outgoing, Reuse, RunClock};
use benchhost_model::{Ending, Nanos, Phase, Timeline};
use tokio::sync::mpsc::unbounded_channel;

use super::{Desk, LOOK_AHEAD, Setup};
use crate::alarm::Alarm;
use crate::control::Control;
use crate::drive::attend;
use crate::job::{Finished, Job, Pattern, Think};
use crate::phases::Phases;
use crate::report::LoadReport;
use crate::workers::{Exchange, Workers};

fn job(id: u64, due: u64) -> Job {
    let request = Outgoing::get(&format!("/{id}")).unwrap();
    Job { id, session: id, last_in_session: true, due: Some(Nanos::new(due)), request }
}

/// Runs the jobs of `lane` through `exchange`.
fn run(
    pattern: Pattern,
    exchange: impl Fn(&Outgoing, Nanos, Cancel) -> Pin<Box<dyn Future<Output = Timeline> + Send>>
    + Send
    + Sync
    + 'static,
    mut lane: tokio::sync::mpsc::Receiver<Job>,
    control: &Control,
) -> (LoadReport, Receiver<Finished>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = RunClock::start();
        let (tell, mut ended) = unbounded_channel();
        let exchange: Exchange =
            Arc::new(move |request, scheduled, cancel| exchange(&request, scheduled, cancel));
        let workers = Workers::new(vec![(runtime.handle().clone(), exchange)], Reuse::Never, tell);
        let (finished, answers) = channel();
        let setup = Setup {
            pattern,
            phases: Phases::ENDLESS,
            early: Nanos::ZERO,
            give_up: Nanos::ZERO,
            clock,
            control: control.clone(),
        };
        let mut desk = Desk::new(setup, workers, finished);
        let (_turns, mut follow_ups) = unbounded_channel();
        let mut alarm = Alarm::new(clock).unwrap();
        attend(&mut desk, &mut alarm, &mut lane, &mut follow_ups, &mut ended, control).await;
        (desk.report(), answers)
    })
}

#[test]
fn an_exchange_that_panics_costs_its_own_request_and_no_more() {
    let exchange = |request: &Outgoing, scheduled, _| -> Pin<Box<dyn Future<Output = Timeline> + Send>> {
        let breaks = request.path() == "/2";
        Box::pin(async move {
            assert!(!breaks, "a bug, for this test");
            Timeline { ending: Ending::Complete, ..Timeline::never_sent(scheduled, scheduled) }
        })
    };
    for pattern in [
        Pattern::Closed { concurrency: 1, stagger: std::time::Duration::ZERO, think: Think::None },
        Pattern::Open { cap: Some(1) },
        Pattern::Batch { size: 2 },
    ] {
        let (give, lane) = tokio::sync::mpsc::channel(8);
        (0..5).for_each(|id| give.try_send(job(id, 0)).unwrap());
        drop(give);
        let (report, answers) = run(pattern, exchange, lane, &Control::new());
        let broken: Vec<(u64, Ending)> = answers
            .iter()
            .filter(|done| done.timeline.failure.is_some())
            .map(|done| (done.id, done.timeline.ending))
            .collect();
        assert_eq!((broken, report.finished), (vec![(2, Ending::Cut)], 5), "{pattern:?}");
    }
}

#[test]
fn a_million_arrivals_wait_where_they_are_made() {
    // Nothing is answered, so under the cap nothing moves; without one, nothing is due for an hour.
    let never = |_: &Outgoing, at, cancel: Cancel| -> Pin<Box<dyn Future<Output = Timeline> + Send>> {
        Box::pin(async move {
            cancel.cancelled().await;
            Timeline::never_sent(at, at)
        })
    };
    for (pattern, due) in
        [(Pattern::Open { cap: Some(1) }, 0), (Pattern::Open { cap: None }, 3_600_000_000_000)]
    {
        const LANE: usize = 16;
        let (give, lane) = tokio::sync::mpsc::channel(LANE);
        let control = Control::new();
        let stop = control.clone();
        // Whoever makes the jobs is held up until the load is cut; a desk that took all of them would not hold it up.
        let cutter = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(100));
            stop.cut();
        });
        let maker = std::thread::spawn(move || {
            (0..1_000_000).take_while(|id| give.blocking_send(job(*id, due)).is_ok()).count()
        });
        let (report, answers) = run(pattern, never, lane, &control);
        let made = maker.join().unwrap();
        cutter.join().unwrap();
        // One in flight under the cap.
        assert!(made <= LOOK_AHEAD + LANE + 1, "{made} jobs were taken");
        assert_eq!(report.given, answers.iter().filter(|done| done.phase == Phase::Measured).count() as u64);
        assert_eq!(report.given, made as u64);
    }
}
