//! Takes the chunked transfer coding off a body (RFC 9112 section 7.1). Sees bytes in any pieces; does no I/O.

/// Most bytes of all chunk extensions of a body together, and of its trailers.
const ASIDE_MAX: u32 = 16 * 1024;

/// Where in the coding the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first digit of a size.
    Size,
    /// Inside the digits.
    Digits(u64),
    /// Blanks after the digits, allowed before an extension or the line's end.
    Blank(u64),
    Extension(u64),
    SizeEnd(u64),
    /// So many bytes of data are left.
    Data(u64),
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerEnd,
    LastLf,
    Over,
}

/// The decoder of one body.
#[derive(Debug, Clone)]
pub(crate) struct Chunked {
    at: At,
    aside: u32,
}

impl Chunked {
    pub(crate) fn new() -> Self {
        Self { at: At::Size, aside: 0 }
    }

    /// Whether the last chunk and its trailers have passed.
    pub(crate) fn is_over(&self) -> bool {
        self.at == At::Over
    }

    /// Decodes `input`, hands data to `sink` and returns how many bytes it took: all, unless the body ended before.
    /// After an error nothing more may be fed.
    ///
    /// # Errors
    /// What is wrong with the coding, in words. The data before it has been handed out.
    pub(crate) fn feed(&mut self, input: &[u8], mut sink: impl FnMut(&[u8])) -> Result<usize, &'static str> {
        let mut rest = input;
        while let Some((&byte, after)) = rest.split_first() {
            if let At::Data(left) = self.at {
                let here = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                let (data, after) = rest.split_at(here);
                sink(data);
                self.at = if left == here as u64 { At::DataCr } else { At::Data(left - here as u64) };
                rest = after;
                continue;
            }
            if self.at == At::Over {
                break;
            }
            self.at = self.step(byte)?;
            rest = after;
        }
        Ok(input.len() - rest.len())
    }

    /// What follows `byte`, which is not data.
    fn step(&mut self, byte: u8) -> Result<At, &'static str> {
        Ok(match (self.at, byte) {
            (At::Size, _) => At::Digits(digit(byte).ok_or("a chunk's size is not a number")?),
            (At::Digits(size) | At::Blank(size) | At::Extension(size), b'\r') => At::SizeEnd(size),
            (At::Digits(size) | At::Blank(size), b';') => At::Extension(size),
            (At::Digits(size) | At::Blank(size), b' ' | b'\t') => {
                self.count_aside()?;
                At::Blank(size)
            }
            (At::Digits(size), _) => {
                let digit = digit(byte).ok_or("a chunk's size is not a number")?;
                if size >> 60 != 0 {
                    return Err("a chunk's size is beyond 64 bits");
                }
                At::Digits(size << 4 | digit)
            }
            (At::Blank(_), _) => return Err("a chunk's size is followed by something else"),
            // A bare line feed here is how one parser is made to see a chunk where another sees an extension.
            (At::Extension(_), b'\n') => return Err("a chunk's extension holds a line feed"),
            (At::Extension(size), _) => {
                self.count_aside()?;
                At::Extension(size)
            }
            (At::SizeEnd(0) | At::TrailerEnd, b'\n') => At::TrailerStart,
            (At::SizeEnd(size), b'\n') => At::Data(size),
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Size,
            (At::DataCr | At::DataLf, _) => return Err("a chunk is longer than its size"),
            (At::TrailerStart, b'\r') => At::LastLf,
            (At::TrailerStart | At::Trailer, b'\n') => {
                return Err("a trailer's line ends in a bare line feed");
            }
            (At::Trailer, b'\r') => At::TrailerEnd,
            (At::TrailerStart | At::Trailer, _) => {
                self.count_aside()?;
                At::Trailer
            }
            (At::LastLf, b'\n') => At::Over,
            (At::SizeEnd(_) | At::TrailerEnd | At::LastLf, _) => {
                return Err("a line of the chunked coding ends in a bare carriage return");
            }
            (At::Data(_) | At::Over, _) => self.at,
        })
    }

    /// Bytes that carry no data are free for the sender; they must not be without end.
    fn count_aside(&mut self) -> Result<(), &'static str> {
        self.aside += 1;
        if self.aside > ASIDE_MAX {
            Err("chunk extensions or trailers are longer than 16 KiB")
        } else {
            Ok(())
        }
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds pieces; data, bytes taken, and whether it is over.
    fn decode<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(Vec<u8>, usize, bool), &'static str> {
        let (mut decoder, mut data, mut taken) = (Chunked::new(), Vec::new(), 0);
        for piece in pieces {
            taken += decoder.feed(piece, |bytes| data.extend_from_slice(bytes))?;
        }
        Ok((data, taken, decoder.is_over()))
    }

    fn whole(text: &str) -> Result<(Vec<u8>, usize, bool), &'static str> {
        decode([text.as_bytes()])
    }

    #[test]
    fn sizes_extensions_and_trailers_are_taken_off() {
        let text =
            "2\r\nab\r\nA ;name=\"v\"\r\n0123456789\r\n003 \t\r\ncde\r\n0;last\r\nx: y\r\nz: w\r\n\r\n";
        let (data, taken, over) = whole(text).unwrap();
        assert_eq!((&data[..], taken, over), (&b"ab0123456789cde"[..], text.len(), true));
    }

    #[test]
    fn what_follows_the_end_is_left() {
        let (data, taken, over) = whole("1\r\na\r\n0\r\n\r\nHTTP/1.1 200").unwrap();
        assert_eq!((&data[..], taken, over), (&b"a"[..], 11, true));
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for text in [
            "\r\n",
            ";x\r\n",
            "g\r\n",
            "-1\r\n",
            "0x1\r\na",
            "+1\r\na",
            " 1\r\na",
            "1\na",
            "1\r\r",
            "1 a\r\n",
            "1\r\nab\r\n",
            "1\r\na\n",
            "1\r\na\rX",
            "1;a\nb\r\n",
            "0\r\n\n",
            "0\r\nx: y\n",
            "0\r\nx\rz",
            "0\r\n\rx",
            "10000000000000000\r\n",
        ] {
            assert!(whole(text).is_err(), "{text:?} was accepted");
        }
        assert!(whole("ffffffffffffffff\r\n").is_ok(), "the largest size is a size");
    }

    #[test]
    fn extensions_and_trailers_without_end_are_refused() {
        let long = "x".repeat(ASIDE_MAX as usize + 1);
        for text in [format!("1;{long}"), format!("0\r\n{long}"), format!("1{}", " ".repeat(long.len()))] {
            assert!(whole(&text).unwrap_err().contains("16 KiB"));
        }
        let many = "1;x\r\na\r\n".repeat(ASIDE_MAX as usize + 1);
        assert!(whole(&many).is_err(), "all extensions of a body count together");
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8),
            cuts in proptest::collection::vec(0_usize..400, 0..12),
            tail in proptest::collection::vec(any::<u8>(), 0..6),
        ) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let coded = wire.len();
            wire.extend_from_slice(&tail);
            let (data, taken, over) = decode(split(&wire, &cuts)).unwrap();
            prop_assert_eq!((data, taken, over), (chunks.concat(), coded, true));
        }

        #[test]
        fn bytes_of_any_kind_are_decoded_alike_in_any_split_and_never_beyond_their_end(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'1'), Just(b'2'), Just(b';'), Just(b'a'), any::<u8>()],
                0..60,
            ),
            cuts in proptest::collection::vec(0_usize..60, 0..8),
        ) {
            prop_assert_eq!(decode([&bytes[..]]), decode(split(&bytes, &cuts)));
            if let Ok((data, taken, _)) = decode([&bytes[..]]) {
                prop_assert!(taken <= bytes.len() && data.len() <= taken);
            }
        }
    }

    fn split<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (*cut).min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        pieces
    }
}
