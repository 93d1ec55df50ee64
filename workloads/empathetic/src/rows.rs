//! One line of the EmpatheticDialogues file. The format looks like CSV and is not: nothing is quoted, a bare `"` is a
//! character like any other, and a comma inside a text is written `_comma_`. Must not know conversations.

/// How the first line begins. Two more columns (`selfeval`, `tags`) follow and are not used.
pub const HEADER: &str = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance";

/// One utterance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which conversation, for instance `hit:0_conv:0`.
    pub conversation: String,
    /// Place in the conversation, from 1.
    pub place: u32,
    /// One of the 32 words, as the file has it.
    pub emotion: String,
    /// The situation the speaker described before the conversation.
    pub situation: String,
    /// What is said.
    pub utterance: String,
}

/// Reads a line after the header: split at commas, of which the first eight parts count. `None` when there are fewer than
/// six parts or the place is not a number of 1 or more.
pub fn parse_row(line: &str) -> Option<Row> {
    let mut parts = line.trim_end_matches(['\r', '\n']).split(',').take(8);
    let conversation = parts.next()?.trim().to_owned();
    let place = parts.next()?.trim().parse().ok().filter(|place| *place > 0)?;
    let emotion = parts.next()?.trim().to_owned();
    let situation = plain(parts.next()?);
    let _speaker = parts.next()?;
    let utterance = plain(parts.next()?);
    (!conversation.is_empty()).then_some(Row { conversation, place, emotion, situation, utterance })
}

/// Commas restored, white space collapsed.
fn plain(text: &str) -> String {
    text.replace("_comma_", ",").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_restored_and_quotes_are_characters() {
        let row =
            parse_row("hit:3_conv:7,2,proud,I won_comma_ twice,12,  \"Really\"?_comma_  he  said,5|5|5,\r\n")
                .unwrap();
        assert_eq!(row.conversation, "hit:3_conv:7");
        assert_eq!((row.place, row.emotion.as_str()), (2, "proud"));
        assert_eq!(row.situation, "I won, twice");
        assert_eq!(row.utterance, "\"Really\"?, he said");
    }

    #[test]
    fn parts_after_the_eighth_are_ignored_and_short_lines_are_not_rows() {
        let row = parse_row("c,1,sad,p,0,u,s,t,more,and more").unwrap();
        assert_eq!(row.utterance, "u");
        for line in
            ["", "c", "c,1,sad,p,0", "c,0,sad,p,0,u", "c,x,sad,p,0,u", ",1,sad,p,0,u", "c,-1,sad,p,0,u"]
        {
            assert_eq!(parse_row(line), None, "{line:?}");
        }
    }
}
