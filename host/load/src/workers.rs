//! The I/O threads as the desk sees them: hands an exchange to one of them, and gets back how it ended. Knows how busy
//! each is; not why an exchange is sent.

use std::pin::Pin;
use std::sync::Arc;

use benchhost_http::{Cancel, Client, Outgoing, Reuse, RunClock};
use benchhost_model::{Nanos, Timeline};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

/// Runs one exchange: the request, when it is to be sent, and what ends it early.
pub(crate) type Exchange =
    Arc<dyn Fn(Outgoing, Nanos, Cancel) -> Pin<Box<dyn Future<Output = Timeline> + Send>> + Send + Sync>;

/// How an exchange ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The number it was launched with.
    pub(crate) key: u64,
    /// `None`: it broke off inside the program.
    pub(crate) timeline: Option<Timeline>,
}

/// One I/O thread.
struct Worker {
    runtime: Handle,
    exchange: Exchange,
    in_flight: u64,
    /// Connections that should wait there for their next request.
    resting: u64,
}

/// All I/O threads of a load.
pub(crate) struct Workers {
    all: Vec<Worker>,
    reuse: Reuse,
    ended: UnboundedSender<Ended>,
    hang_up: Cancel,
}

impl Workers {
    /// The threads' event loops with their exchanges; never none. What ends is told to `ended`.
    pub(crate) fn new(threads: Vec<(Handle, Exchange)>, reuse: Reuse, ended: UnboundedSender<Ended>) -> Self {
        let all = threads
            .into_iter()
            .map(|(runtime, exchange)| Worker { runtime, exchange, in_flight: 0, resting: 0 })
            .collect();
        Self { all, reuse, ended, hang_up: Cancel::new() }
    }

    /// The thread for a session's first request: one that has a connection to spare, since opening another elsewhere
    /// would cost time and change what the server sees; then the least busy.
    pub(crate) fn pick(&self) -> usize {
        let best = self
            .all
            .iter()
            .enumerate()
            .min_by_key(|(at, worker)| (std::cmp::Reverse(worker.resting), worker.in_flight, *at));
        best.map_or(0, |(at, _)| at)
    }

    /// Hands an exchange to thread `at`.
    pub(crate) fn launch(&mut self, at: usize, key: u64, request: Outgoing, scheduled: Nanos) {
        let Some(worker) = self.all.get_mut(at) else { return };
        worker.in_flight += 1;
        worker.resting = worker.resting.saturating_sub(1);
        let exchange = (worker.exchange)(request, scheduled, self.hang_up.clone());
        let report = Report { key, ended: Some(self.ended.clone()) };
        worker.runtime.spawn(async move { report.send(exchange.await) });
    }

    /// An exchange of thread `at` ended; `whole`: its connection may carry another.
    pub(crate) fn ended(&mut self, at: usize, whole: bool) {
        let Some(worker) = self.all.get_mut(at) else { return };
        worker.in_flight = worker.in_flight.saturating_sub(1);
        worker.resting += u64::from(whole && self.reuse == Reuse::KeepAlive);
    }

    /// Ends every exchange.
    pub(crate) fn hang_up(&self) {
        self.hang_up.cancel();
    }
}

/// Says how an exchange ended, also when it panicked: then it is dropped without having sent.
struct Report {
    key: u64,
    ended: Option<UnboundedSender<Ended>>,
}

impl Report {
    fn send(mut self, timeline: Timeline) {
        if let Some(ended) = self.ended.take() {
            // Nobody listens after the load's end.
            let _ = ended.send(Ended { key: self.key, timeline: Some(timeline) });
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if let Some(ended) = self.ended.take() {
            let _ = ended.send(Ended { key: self.key, timeline: None });
        }
    }
}

/// The exchange of a real load.
///
/// The desk launches a little ahead of time. A request on a kept connection waits inside the exchange until its
/// moment, when all but the writing is done; reads of other exchanges wait meanwhile, which their kernel stamps do not
/// show. A connection that has to be opened is opened at the request's moment, not
/// before: what opening it costs belongs to the request.
pub(crate) fn exchange_of(client: Arc<Client>, clock: RunClock) -> Exchange {
    Arc::new(move |request, scheduled, cancel| {
        let client = Arc::clone(&client);
        Box::pin(async move {
            if client.idle_connections() == 0 {
                clock.spin_until(scheduled);
            }
            client.exchange(&request, scheduled, &cancel).await
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    fn never(_: Outgoing, _: Nanos, _: Cancel) -> Pin<Box<dyn Future<Output = Timeline> + Send>> {
        Box::pin(std::future::pending())
    }

    fn workers(threads: usize, reuse: Reuse) -> (tokio::runtime::Runtime, Workers) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let worker = || (runtime.handle().clone(), Arc::new(never) as Exchange);
        let (ended, _) = unbounded_channel();
        let workers = Workers::new(std::iter::repeat_with(worker).take(threads).collect(), reuse, ended);
        (runtime, workers)
    }

    fn launch(workers: &mut Workers) -> usize {
        let at = workers.pick();
        workers.launch(at, 0, Outgoing::get("/").unwrap(), Nanos::ZERO);
        at
    }

    #[test]
    fn connections_spread_over_the_threads_and_are_used_where_they_are() {
        let (_runtime, mut workers) = workers(3, Reuse::KeepAlive);
        let first: Vec<usize> = (0..6).map(|_| launch(&mut workers)).collect();
        assert_eq!(first, [0, 1, 2, 0, 1, 2]);
        workers.ended(1, true);
        assert_eq!(launch(&mut workers), 1, "the thread whose connection is free");
        workers.ended(2, false);
        assert_eq!(launch(&mut workers), 2, "a broken connection is replaced where there is least to do");
    }

    #[test]
    fn without_kept_connections_the_least_busy_thread_is_next() {
        let (_runtime, mut workers) = workers(2, Reuse::Never);
        assert_eq!([launch(&mut workers), launch(&mut workers), launch(&mut workers)], [0, 1, 0]);
        workers.ended(0, true);
        workers.ended(0, true);
        assert_eq!(launch(&mut workers), 0);
    }
}
