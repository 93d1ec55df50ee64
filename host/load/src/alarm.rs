//! Wakes the thread of a load's desk at a moment. Knows one moment at a time; not what happens then.
//!
//! On Linux it waits for a `timerfd` among the sockets: one wake-up from the kernel's timer to the code that acts, where
//! a thread that sleeps and then tells the other costs two. Measured at 500 moments a second, with a wake-up 80 µs
//! before the moment and spinning from there: half were met within 0.1 µs and 99 of 100 within 60–80 µs by `timerfd`;
//! a sleeping thread that told the other 100 µs before the moment missed by up to 260 µs (`cargo bench --bench arrivals`
//! prints both for the machine at hand). Elsewhere a thread sleeps and tells.

use benchhost_http::RunClock;
use benchhost_model::Nanos;
#[cfg(target_os = "linux")]
use benchhost_os::timer::Timer;

/// Rings at one moment, which can be changed.
#[derive(Debug)]
pub(crate) struct Alarm {
    clock: RunClock,
    kind: Kind,
    /// What the kernel or the thread was told last.
    set: Option<Nanos>,
}

#[derive(Debug)]
enum Kind {
    #[cfg(target_os = "linux")]
    Timer(Timer),
    Thread(sleeper::Sleeper),
}

impl Alarm {
    /// An alarm of the runtime that this is called in. An error says why there is none.
    pub(crate) fn new(clock: RunClock) -> std::io::Result<Self> {
        Ok(Self { clock, kind: kind()?, set: None })
    }

    /// Returns at `at` or, by the time it takes to wake up, later; never early. Dropping the future keeps the alarm set.
    pub(crate) async fn ring(&mut self, at: Nanos) {
        while self.clock.now() < at {
            if self.set != Some(at) {
                self.set_to(at);
            }
            self.wait().await;
        }
    }

    #[cfg(target_os = "linux")]
    fn set_to(&mut self, at: Nanos) {
        self.set = match &self.kind {
            // It fails for a time that is none; then it is tried again, and `wait` keeps it from spinning.
            Kind::Timer(timer) => timer.set(self.clock.monotonic_at(at)).is_ok().then_some(at),
            Kind::Thread(sleeper) => sleeper.set(self.clock.instant(at)).then_some(at),
        };
    }

    #[cfg(not(target_os = "linux"))]
    fn set_to(&mut self, at: Nanos) {
        let Kind::Thread(sleeper) = &self.kind;
        self.set = sleeper.set(self.clock.instant(at)).then_some(at);
    }

    async fn wait(&mut self) {
        if self.set.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            return;
        }
        match &self.kind {
            #[cfg(target_os = "linux")]
            Kind::Timer(timer) => {
                // It does not fail for a timer that was set; if it did, the time would be looked at a little later.
                if timer.rung().await.is_err() {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            }
            Kind::Thread(sleeper) => sleeper.rung.notified().await,
        }
        self.set = None;
    }
}

#[cfg(target_os = "linux")]
fn kind() -> std::io::Result<Kind> {
    Timer::new().map(Kind::Timer).or_else(|_| sleeper::Sleeper::start().map(Kind::Thread))
}

#[cfg(not(target_os = "linux"))]
fn kind() -> std::io::Result<Kind> {
    sleeper::Sleeper::start().map(Kind::Thread)
}

/// The thread that sleeps, where there is no better timer.
mod sleeper {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
    use std::time::Instant;

    use tokio::sync::Notify;

    #[derive(Debug)]
    pub(super) struct Sleeper {
        orders: Sender<Instant>,
        pub(super) rung: Arc<Notify>,
    }

    impl Sleeper {
        pub(super) fn start() -> std::io::Result<Self> {
            let (orders, incoming) = channel();
            let rung = Arc::new(Notify::new());
            let bell = Arc::clone(&rung);
            std::thread::Builder::new().name("alarm".to_owned()).spawn(move || run(&incoming, &bell))?;
            Ok(Self { orders, rung })
        }

        /// False: the thread is gone.
        pub(super) fn set(&self, at: Instant) -> bool {
            self.orders.send(at).is_ok()
        }
    }

    /// Until its owner is gone.
    fn run(incoming: &Receiver<Instant>, bell: &Notify) {
        let mut next = None;
        loop {
            let order = match next {
                None => incoming.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => incoming.recv_timeout(Instant::saturating_duration_since(&at, Instant::now())),
            };
            match order {
                Ok(at) => next = Some(at),
                Err(RecvTimeoutError::Timeout) => {
                    bell.notify_one();
                    next = None;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(clock: RunClock) -> Vec<Alarm> {
        let thread = Alarm { clock, kind: Kind::Thread(sleeper::Sleeper::start().unwrap()), set: None };
        vec![Alarm::new(clock).unwrap(), thread]
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn it_rings_at_its_moment_and_never_early() {
        block_on(async {
            let clock = RunClock::start();
            for mut alarm in kinds(clock) {
                for wait in [0, 3_000_000, 1_000, 2_000_000] {
                    let at = clock.now() + Nanos::new(wait);
                    alarm.ring(at).await;
                    assert!(clock.now() >= at, "{alarm:?}");
                }
                alarm.ring(Nanos::ZERO).await;
            }
        });
    }

    #[test]
    fn it_can_be_set_to_another_moment_at_any_time() {
        block_on(async {
            let clock = RunClock::start();
            for mut alarm in kinds(clock) {
                for far in [Nanos::new(u64::MAX), clock.now() + Nanos::new(3_600_000_000_000)] {
                    let near = tokio::time::sleep(std::time::Duration::from_millis(2));
                    // Were the far moment waited for, the test would not end.
                    tokio::select! {
                        () = alarm.ring(far) => panic!("it rang early"),
                        () = near => {}
                    }
                    let at = clock.now() + Nanos::new(1_000_000);
                    alarm.ring(at).await;
                    assert!(clock.now() >= at);
                }
            }
        });
    }
}
