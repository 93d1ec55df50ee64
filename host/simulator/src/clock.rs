//! The monotonic clock as an absolute number.
//!
//! The only place that asks the kernel for the time of a write. It knows nothing of requests; whoever stamps calls it as
//! late as possible before the bytes go to the socket.

/// The kernel's `CLOCK_MONOTONIC` in nanoseconds since its own epoch (on Linux: the boot of the machine).
///
/// A client on the same machine may subtract this from its own reading of the same clock. 0 if the clock cannot be read,
/// which no supported kernel does.
#[allow(
    unsafe_code,
    reason = "std hides the absolute value of the monotonic clock; one call into libc reads it"
)]
pub fn monotonic_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid, writable timespec for the length of the call, and the clock id is a constant of libc.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    if status != 0 {
        return 0;
    }
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds * 1_000_000_000 + nanoseconds
}

#[cfg(test)]
mod tests {
    use super::monotonic_ns;

    #[test]
    fn never_goes_back_and_is_not_zero() {
        let readings: Vec<u64> = (0..100).map(|_| monotonic_ns()).collect();
        assert!(readings[0] > 0);
        assert!(readings.is_sorted());
    }
}
