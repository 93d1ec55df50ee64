//! Receive stamps of the kernel: asking a socket for them, and reading with them. Knows sockets, not what they carry.
//!
//! A stamp says when the segment that holds the *last byte returned* entered the network stack (Linux,
//! `SO_TIMESTAMPNS`; kernel commit 98aaa913b4ed), on `CLOCK_REALTIME`. On a loopback connection that is inside the
//! sender's write; with a network card it is after the card's interrupt. Elsewhere than on Linux there are none, and of
//! this module only [`keep_enabled`], which says so.

#[cfg(target_os = "linux")]
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;

/// What one read delivered.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Bytes, 0 at the end of the stream.
    pub bytes: usize,
    /// When the last of them arrived, `CLOCK_REALTIME` in nanoseconds; `None` if the kernel gave no stamp.
    pub realtime_ns: Option<u64>,
}

/// Asks for stamps on this socket. False: the platform has none.
#[cfg(target_os = "linux")]
pub fn enable(socket: &impl AsFd) -> bool {
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::ReceiveTimestampns, &true).is_ok()
}

/// Reads once without waiting longer than the socket's own mode says, and takes the stamp along.
///
/// One system call and no allocation: the control buffer holds exactly one stamp.
///
/// # Errors
/// Those of `recvmsg`, as `read` would give them.
#[cfg(target_os = "linux")]
#[inline]
pub fn recv(socket: &impl AsFd, buf: &mut [u8]) -> io::Result<Received> {
    use std::io::IoSliceMut;
    use std::os::fd::AsRawFd as _;

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

    let mut control = ControlSpace::default();
    let mut target = [IoSliceMut::new(buf)];
    let fd = socket.as_fd().as_raw_fd();
    let message = recvmsg::<()>(fd, &mut target, Some(&mut control.0), MsgFlags::empty())?;
    let mut realtime_ns = None;
    // A truncated control area is an error of the iterator; it means no stamp, not no bytes.
    if let Ok(messages) = message.cmsgs() {
        for one in messages {
            if let ControlMessageOwned::ScmTimestampns(at) = one {
                realtime_ns = Some(crate::clock::from_timespec(at));
            }
        }
    }
    Ok(Received { bytes: message.bytes, realtime_ns })
}

/// Room for one control message with a `timespec`: a header of 16 bytes and 16 of data, aligned as the kernel wants it.
#[cfg(target_os = "linux")]
#[derive(Default)]
#[repr(align(8))]
struct ControlSpace([u8; 32]);

/// Switches stamping on for the whole process and says whether stamps arrive.
///
/// The kernel stamps packets only while some socket wants it, and switches that on from a deferred worker: packets that
/// arrive meanwhile carry no stamp. So one socket that wants stamps is held until the process ends, and the first caller
/// waits until a packet sent to it comes back stamped: a fraction of a millisecond, 200 ms at most. Later calls cost
/// nothing.
#[cfg(target_os = "linux")]
pub fn keep_enabled() -> bool {
    use std::net::UdpSocket;
    use std::sync::OnceLock;

    static HELD: OnceLock<Option<UdpSocket>> = OnceLock::new();
    HELD.get_or_init(|| open_probe().ok().filter(stamps_arrive)).is_some()
}

/// Stamps are a matter of Linux.
#[cfg(not(target_os = "linux"))]
pub fn keep_enabled() -> bool {
    false
}

/// A socket that wants stamps and talks to itself.
#[cfg(target_os = "linux")]
fn open_probe() -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(("127.0.0.1", 0))?;
    socket.connect(socket.local_addr()?)?;
    socket.set_read_timeout(Some(std::time::Duration::from_millis(10)))?;
    if enable(&socket) { Ok(socket) } else { Err(io::ErrorKind::Unsupported.into()) }
}

/// Sends packets until one arrives with a stamp.
#[cfg(target_os = "linux")]
fn stamps_arrive(socket: &std::net::UdpSocket) -> bool {
    use std::time::{Duration, Instant};

    let begin = Instant::now();
    let mut byte = [0];
    while begin.elapsed() < Duration::from_millis(200) {
        let stamped = socket.send(&byte).and_then(|_| recv(socket, &mut byte));
        if stamped.is_ok_and(|received| received.realtime_ns.is_some()) {
            return true;
        }
        // Leaves the processor to the worker that switches stamping on.
        std::thread::sleep(Duration::from_micros(50));
    }
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::clock::{Offset, monotonic_ns};

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, listener.accept().unwrap().0)
    }

    #[test]
    fn a_stamp_lies_between_the_write_and_the_read() {
        assert!(keep_enabled());
        let (near, mut far) = pair();
        assert!(enable(&near));
        let offset = Offset::measure();
        let mut buf = [0; 16];
        for _ in 0..100 {
            let before = monotonic_ns();
            far.write_all(b"abc").unwrap();
            let received = recv(&near, &mut buf).unwrap();
            let after = monotonic_ns();
            assert_eq!((received.bytes, &buf[..3]), (3, &b"abc"[..]));
            let at = offset.monotonic_of(received.realtime_ns.unwrap()).unwrap();
            let slack = offset.residual_ns();
            assert!(at + slack >= before && at <= after + slack);
        }
    }

    #[test]
    fn a_socket_that_asked_for_no_stamp_gets_none_and_the_end_of_a_stream_has_none() {
        assert!(keep_enabled());
        let (near, mut far) = pair();
        let mut buf = [0; 16];
        far.write_all(b"ab").unwrap();
        assert_eq!(recv(&near, &mut buf).unwrap(), Received { bytes: 2, realtime_ns: None });
        assert!(enable(&near));
        drop(far);
        assert_eq!(recv(&near, &mut buf).unwrap(), Received { bytes: 0, realtime_ns: None });
    }

    #[test]
    fn a_read_that_would_wait_says_so() {
        let (near, _far) = pair();
        near.set_nonblocking(true).unwrap();
        assert_eq!(recv(&near, &mut [0; 4]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn the_stamp_is_that_of_the_last_byte_returned() {
        assert!(keep_enabled());
        let (near, mut far) = pair();
        assert!(enable(&near));
        let offset = Offset::measure();
        far.write_all(b"first").unwrap();
        let between = monotonic_ns();
        far.write_all(b"second").unwrap();
        let received = recv(&near, &mut [0; 64]).unwrap();
        assert_eq!(received.bytes, 11);
        let at = offset.monotonic_of(received.realtime_ns.unwrap()).unwrap();
        assert!(at + offset.residual_ns() >= between);
    }
}
