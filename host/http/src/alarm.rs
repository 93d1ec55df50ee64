//! Wakes tasks at coarse times from a thread of its own. Knows neither what they wait for nor who they are.
//!
//! The runtime has timers, but while one is pending every wait for sockets becomes a wait with a time limit, and every
//! return from it a look at the clock and the timers: about half a microsecond an event, measured. Limits of minutes
//! are not worth that. So an I/O thread that streams has no timer pending; this thread sleeps instead.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Instant;

/// When, and a number that tells alarms of one moment apart.
type Key = (Instant, u64);

/// A task that will be woken once. Dropping it forgets the task.
#[derive(Debug)]
pub(crate) struct Alarm {
    key: Key,
    list: &'static List,
}

#[derive(Debug, Default)]
struct List {
    waiting: Mutex<BTreeMap<Key, Waker>>,
    /// The earliest alarm became an earlier one.
    sooner: Condvar,
    next: AtomicU64,
}

impl Alarm {
    /// Wakes `waker` at `at` or a little later.
    ///
    /// # Errors
    /// The machine gives no thread to wait on.
    pub(crate) fn set(at: Instant, waker: Waker) -> io::Result<Self> {
        let list = running()?;
        let key = (at, list.next.fetch_add(1, Relaxed));
        let mut waiting = list.lock();
        waiting.insert(key, waker);
        if waiting.first_key_value().is_some_and(|(first, _)| *first == key) {
            list.sooner.notify_one();
        }
        Ok(Self { key, list })
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.list.lock().remove(&self.key);
    }
}

impl List {
    /// A panic elsewhere cannot leave a half-changed map, so poison is ignored.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            let Some((at, _)) = waiting.first_key_value().map(|(key, _)| *key) else {
                waiting = self.sooner.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if at > now {
                let slept = self.sooner.wait_timeout(waiting, at - now);
                waiting = slept.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let due = waiting.pop_first();
            // A waker may run a stranger's code: not under the lock.
            drop(waiting);
            if let Some((_, waker)) = due {
                waker.wake();
            }
            waiting = self.lock();
        }
    }
}

/// The list, with the thread that watches it. A failure to start the thread is not kept: the next may succeed.
fn running() -> io::Result<&'static List> {
    static RUNNING: OnceLock<&'static List> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(list) = RUNNING.get() {
        return Ok(list);
    }
    let _only_one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(list) = RUNNING.get() {
        return Ok(list);
    }
    let list: &'static List = Box::leak(Box::default());
    thread::Builder::new().name("limits".to_owned()).spawn(|| list.run())?;
    Ok(RUNNING.get_or_init(|| list))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};
    use std::task::Wake;
    use std::time::Duration;

    use super::*;

    struct Bell(Mutex<Sender<&'static str>>, &'static str);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.lock().unwrap().send(self.1).unwrap();
        }
    }

    #[test]
    fn alarms_ring_in_the_order_of_their_moments_and_not_early_and_a_dropped_one_never() {
        let (tell, told) = channel();
        let bell = |name| Waker::from(Arc::new(Bell(Mutex::new(tell.clone()), name)));
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let _late = Alarm::set(after(40), bell("late")).unwrap();
        let dropped = Alarm::set(after(10), bell("dropped")).unwrap();
        let _soon = Alarm::set(after(20), bell("soon")).unwrap();
        drop(dropped);
        assert_eq!(told.recv().unwrap(), "soon");
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(told.recv().unwrap(), "late");
        assert!(start.elapsed() >= Duration::from_millis(40));
        assert!(told.try_recv().is_err());
    }
}
