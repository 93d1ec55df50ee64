//! What a simulated answer tells of itself: when the request arrived, and when each event was written.
//!
//! Pure. It reads the bytes of a body without a JSON parser: the time of the write is always the last member of an event, so
//! it stands right before the event's end.

/// The member with the time of the write, as it stands before its digits.
const WRITE: &[u8] = b"\"sim_write_ns\":";
/// The member with the arrival of the request.
const ARRIVAL: &[u8] = b"\"sim_arrival_ns\":";

/// One stamped event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// Offset in the body one past the event's last byte.
    pub(crate) end: u64,
    /// When it was handed to the server's socket, on the machine's monotonic clock, nanoseconds.
    pub(crate) written: u64,
}

/// A body's truth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answer {
    /// When the request arrived at the server.
    pub(crate) arrived: Option<u64>,
    /// Its stamped events; those without a stamp (usage, end marker) are left out.
    pub(crate) events: Vec<Told>,
}

/// Reads a body, whole or cut anywhere. An event that is not complete is none.
pub(crate) fn read(body: &[u8]) -> Answer {
    let mut answer = Answer::default();
    let mut begin = 0;
    while let Some(end) = next_end(body, begin) {
        let event = body.get(begin..end).unwrap_or_default();
        if let Some(written) = write_time(event) {
            if answer.events.is_empty() {
                answer.arrived = arrival_time(event);
            }
            answer.events.push(Told { end: end as u64, written });
        }
        begin = end;
    }
    answer
}

/// The offset one past the blank line that ends the event which begins at `begin`.
fn next_end(body: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin;
    loop {
        // JSON has no bare line break, so nearly every one that is found ends an event.
        at += body.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1;
        if body.get(at) == Some(&b'\n') {
            return Some(at + 1);
        }
    }
}

/// The digits before the closing brace, if the name of the member stands before them.
fn write_time(event: &[u8]) -> Option<u64> {
    let text = event.strip_suffix(b"}\n\n")?;
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (name, number) = text.split_at(text.len() - digits);
    name.ends_with(WRITE).then(|| number_of(number)).flatten()
}

fn arrival_time(event: &[u8]) -> Option<u64> {
    let at = event.windows(ARRIVAL.len()).position(|window| window == ARRIVAL)? + ARRIVAL.len();
    let rest = event.get(at..)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    number_of(rest.get(..digits)?)
}

fn number_of(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"data: {\"a\":\"x\",\"sim_arrival_ns\":70,\"sim_write_ns\":100}\n\ndata: {\"b\":{},\"sim_write_ns\":250}\n\n\
        data: {\"usage\":{}}\n\ndata: [DONE]\n\n";

    #[test]
    fn stamped_events_are_found_with_their_ends_and_the_arrival_with_the_first() {
        let answer = read(BODY);
        assert_eq!(answer.arrived, Some(70));
        let ends: Vec<(u64, &[u8])> = answer
            .events
            .iter()
            .map(|event| (event.written, &BODY[..usize::try_from(event.end).unwrap()]))
            .collect();
        assert_eq!(ends[0].0, 100);
        assert!(ends[0].1.ends_with(b"100}\n\n") && ends[1].1.ends_with(b"250}\n\n"));
        assert_eq!((ends[1].0, ends.len()), (250, 2));
    }

    #[test]
    fn a_body_cut_at_any_byte_has_the_events_that_are_whole() {
        let whole = read(BODY);
        for cut in 0..BODY.len() {
            let answer = read(&BODY[..cut]);
            let expected = whole.events.iter().filter(|event| event.end <= cut as u64).count();
            assert_eq!(answer.events, whole.events[..expected], "{cut}");
        }
    }

    #[test]
    fn what_is_no_stamp_is_none() {
        for body in [
            &b"data: {\"sim_write_ns\":}\n\n"[..],
            b"data: {\"sim_write_ns\":1.5}\n\n",
            b"data: {\"x_sim_write_ns\":1}\n\n",
            b"data: {\"sim_write_ns\":99999999999999999999999}\n\n",
            b"data: {\"sim_write_ns\":1,\"after\":2}\n\n",
            b"\n\n\n\n",
            b"\xff\xfe}\n\n",
            b"1}\n\n",
        ] {
            assert_eq!(read(body), Answer::default(), "{}", String::from_utf8_lossy(body));
        }
    }
}
