//! `--color vllm=#0072b2`.

use crate::error::{CliError, CliResult};

/// The engine, or engine and variant, and its colour.
pub(super) fn wish(text: &str) -> CliResult<(String, [u8; 3])> {
    let parsed = text.rsplit_once("=#").and_then(|(name, digits)| {
        let whole = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| whole)?;
        let [_, r, g, b] = value.to_be_bytes();
        (!name.is_empty()).then(|| (name.to_owned(), [r, g, b]))
    });
    parsed.ok_or_else(|| {
        CliError::usage(format!("`--color {text}` is no colour of an engine"))
            .hint("write the engine and six hexadecimal digits: `--color vllm=#0072b2`, or `--color vllm/fp8=#56b4e9`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_after_a_name_are_a_colour() {
        assert_eq!(wish("vllm/fp8=#0072B2").unwrap(), ("vllm/fp8".to_owned(), [0, 0x72, 0xb2]));
        for bad in
            ["vllm", "vllm=0072b2", "=#0072b2", "vllm=#072", "vllm=#+072b2", "vllm=#0072b2f", "vllm=#ßß2"]
        {
            assert!(wish(bad).is_err(), "{bad}");
        }
    }
}
