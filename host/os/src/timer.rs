//! A timer that an event loop can wait for like for a socket. Knows moments of the monotonic clock and nothing else.
//!
//! Event loops round their own timers up to a millisecond; this one has the kernel's grain. Linux only: it is a
//! `timerfd`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::read;
use tokio::io::unix::AsyncFd;

/// A timer of one tokio runtime.
#[derive(Debug)]
pub struct Timer(AsyncFd<Owned>);

/// What tokio wants of a descriptor.
#[derive(Debug)]
struct Owned(TimerFd);

impl AsRawFd for Owned {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Timer {
    /// A timer that is not set, in the runtime that this is called in.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, as everything of tokio does.
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        #[allow(unsafe_code, reason = "the safe constructor is deprecated in favour of this one")]
        // SAFETY: a `TimerFd` owns its descriptor, names the same one whenever asked, and closes it only when dropped.
        let timer = unsafe { AsyncFd::register(Owned(timer)) };
        Ok(Self(timer.map_err(io::Error::from)?))
    }

    /// Rings at `at`, a moment of [`crate::clock::monotonic_ns`]; at once if it has passed. What was set before is forgotten.
    pub fn set(&self, at: u64) -> io::Result<()> {
        // A time of zero would switch the timer off.
        let at = at.max(1);
        let seconds = i64::try_from(at / 1_000_000_000).unwrap_or(i64::MAX);
        let nanos = i64::try_from(at % 1_000_000_000).unwrap_or(0);
        let moment = Expiration::OneShot(TimeSpec::new(seconds, nanos));
        Ok(self.0.get_ref().0.set(moment, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?)
    }

    /// Waits until it rings; each setting rings once. Dropping the future loses nothing.
    pub async fn rung(&self) -> io::Result<()> {
        loop {
            let mut ready = self.0.readable().await?;
            let mut count = [0; 8];
            let taken = read(self.0.get_ref().0.as_fd(), &mut count);
            ready.clear_ready();
            match taken {
                Ok(_) => return Ok(()),
                // It was set anew after it had become ready.
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::monotonic_ns;
    use std::time::Duration;

    #[test]
    fn it_rings_once_at_its_moment_and_can_be_set_anew() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let timer = Timer::new().unwrap();
            let at = monotonic_ns() + 2_000_000;
            timer.set(at).unwrap();
            timer.rung().await.unwrap();
            assert!(monotonic_ns() >= at, "it came early");
            // Rung but not waited for, then set to a moment that does not come.
            for far in [u64::MAX, at + 3_600_000_000_000] {
                timer.set(0).unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
                timer.set(far).unwrap();
                let none = tokio::time::timeout(Duration::from_millis(5), timer.rung()).await;
                assert!(none.is_err(), "it rang for a moment that was taken back");
            }
            timer.set(0).unwrap();
            timer.rung().await.unwrap();
        });
    }
}
