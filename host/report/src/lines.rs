//! Lines of text for a terminal: cleaned, measured in columns, cut and wrapped. Knows nothing of what they say.

/// `text` on one line, without anything a terminal or an XML reader would act on: control characters, escapes and
/// direction marks become spaces. Servers write error messages, so this is not cosmetic.
pub(crate) fn clean(text: &str) -> String {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    let spaced: String = text.chars().map(|c| if acts(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Columns that `text` takes in a terminal; East Asian wide characters and emoji take two.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(column).sum()
}

/// Wide blocks of Unicode's `EastAsianWidth` table, coarsely: erring towards two columns keeps lines short.
fn column(c: char) -> usize {
    let wide = matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x2_0000..=0x3_fffd);
    if wide { 2 } else { 1 }
}

/// `text` cut to `width` columns with an ellipsis in the middle: names differ at their ends as often as at their starts.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    elide(text, |t| columns(t) <= width)
}

/// The longest `head…tail` of `text` that `fits`; `…` alone if nothing longer does.
pub(crate) fn elide(text: &str, fits: impl Fn(&str) -> bool) -> String {
    let letters: Vec<char> = text.chars().collect();
    let kept = |n: usize| -> String {
        let head = n.div_ceil(2);
        let tail = letters.len() - (n - head);
        letters[..head].iter().chain(&['…']).chain(&letters[tail..]).collect()
    };
    // Longer texts are wider, so the longest that fits is found by halving.
    let (mut fitting, mut too_long) = (0, letters.len());
    while too_long - fitting > 1 {
        let middle = usize::midpoint(fitting, too_long);
        if fits(&kept(middle)) { fitting = middle } else { too_long = middle }
    }
    kept(fitting)
}

/// `text` broken at spaces into lines of at most `width` columns, each line after the first indented by `indent`
/// spaces. A word that is too long for a line is cut.
pub(crate) fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let word = cut(word, width - indent);
        if line.trim_start().is_empty() {
            line.push_str(&word);
        } else if columns(&line) + 1 + columns(&word) <= width {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            line.push_str(&word);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_acts_on_survives() {
        assert_eq!(clean("a\u{1b}[31mred\r\nb\u{202e}c\t d"), "a [31mred b c d");
        assert_eq!(clean("\u{0}"), "");
        assert_eq!(clean("naïve — 中文"), "naïve — 中文");
    }

    #[test]
    fn cuts_keep_both_ends() {
        assert_eq!(cut("meta-llama-3-8b-instruct-fp8", 11), "meta-…t-fp8");
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("long", 1), "…");
        assert!(columns(&cut("模型名称很长很长", 7)) <= 7);
    }

    #[test]
    fn wrapped_lines_fit_and_lose_no_word() {
        let text = "one two three four five six seven";
        for width in 8..40 {
            let lines = wrap(text, width, 2);
            assert!(lines.iter().all(|l| columns(l) <= width), "{lines:?}");
            let words: Vec<&str> = lines.iter().flat_map(|l| l.split_whitespace()).collect();
            assert_eq!(words.join(" "), text);
        }
    }
}
