//! Conversations rebuilt from rows. Must not know prompts, samples or the host.

use std::collections::HashMap;

use crate::emotion;
use crate::rows::{HEADER, Row, parse_row};

/// A conversation: the speaker begins, the two alternate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    /// The data set's own, or `starter:<emotion>-<n>`.
    pub id: String,
    /// One of the 32 words.
    pub emotion: String,
    /// What the speaker described.
    pub situation: String,
    /// Speaker, listener, speaker … at least two.
    pub turns: Vec<String>,
}

impl Dialogue {
    /// Turns of the listener, 1 or more.
    pub fn listener_turns(&self) -> usize {
        self.turns.len() / 2
    }
}

/// What came out of a file, and what was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// In the order of their first rows.
    pub dialogues: Vec<Dialogue>,
    /// Rows read, the header and empty lines not counted.
    pub rows: u32,
    /// Lines that are not rows of this format.
    pub malformed_lines: u32,
    /// Conversations without a listener turn.
    pub too_short: u32,
    /// Conversations with a turn missing, doubled or empty.
    pub broken: u32,
    /// Conversations whose emotion is not one of the 32 words or changes on the way.
    pub unknown_emotion: u32,
}

impl Rebuilt {
    /// Lines and conversations that were not used.
    pub const fn left_out(&self) -> u32 {
        self.malformed_lines + self.too_short + self.broken + self.unknown_emotion
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let mut parts = vec![format!("{} conversations from {} rows", self.dialogues.len(), self.rows)];
        for (n, what) in [
            (self.malformed_lines, "lines not in the format"),
            (self.too_short, "conversations without a listener turn"),
            (self.broken, "conversations with a turn missing, doubled or empty"),
            (self.unknown_emotion, "conversations with an unknown emotion"),
        ] {
            if n > 0 {
                parts.push(format!("left out: {n} {what}"));
            }
        }
        parts.join(", ")
    }
}

/// Rebuilds the conversations from a file's lines, the header first. Rows of a conversation may stand in any order.
pub fn rebuild(mut lines: impl Iterator<Item = Result<String, String>>) -> Result<Rebuilt, String> {
    let header = lines.next().transpose()?.unwrap_or_default();
    if !header.trim_start_matches('\u{feff}').starts_with(HEADER) {
        return Err(format!(
            "the first line does not begin with `{HEADER}`; use the file from the data set's own archive, not a quoted copy"
        ));
    }
    let mut rebuilt = Rebuilt::default();
    let mut conversations: Vec<Vec<Row>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for line in lines {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let Some(row) = parse_row(&line) else {
            rebuilt.malformed_lines += 1;
            continue;
        };
        rebuilt.rows += 1;
        let place = *places.entry(row.conversation.clone()).or_insert_with(|| {
            conversations.push(Vec::new());
            conversations.len() - 1
        });
        conversations[place].push(row);
    }
    for rows in conversations {
        rebuilt.add(rows);
    }
    Ok(rebuilt)
}

impl Rebuilt {
    fn add(&mut self, mut rows: Vec<Row>) {
        rows.sort_by_key(|row| row.place);
        let whole = rows.iter().zip(1..).all(|(row, place)| row.place == place && !row.utterance.is_empty());
        let Some(first) = rows.first() else { return };
        if !whole {
            self.broken += 1;
        } else if !emotion::is_known(&first.emotion) || rows.iter().any(|row| row.emotion != first.emotion) {
            self.unknown_emotion += 1;
        } else if rows.len() < 2 {
            self.too_short += 1;
        } else {
            self.dialogues.push(Dialogue {
                id: first.conversation.clone(),
                emotion: first.emotion.clone(),
                situation: first.situation.clone(),
                turns: rows.into_iter().map(|row| row.utterance).collect(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rebuilt(rows: &[&str]) -> Rebuilt {
        let header = format!("{HEADER},selfeval,tags");
        rebuild(std::iter::once(header.as_str()).chain(rows.iter().copied()).map(|l| Ok(l.to_owned())))
            .unwrap()
    }

    #[test]
    fn rows_in_any_order_become_conversations_in_the_order_of_their_first_rows() {
        let r = rebuilt(&[
            "b,2,sad,s,1,two,,",
            "a,1,proud,p,0,hi,,",
            "b,1,sad,s,0,one,,",
            "",
            "a,2,proud,p,1,ho,,",
        ]);
        assert_eq!(r.dialogues.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(r.dialogues[0].turns, ["one", "two"]);
        assert_eq!((r.rows, r.left_out()), (4, 0));
    }

    #[test]
    fn what_cannot_be_used_is_counted_by_reason() {
        let r = rebuilt(&[
            "short,1,sad,s,0,alone,,",
            "gap,1,sad,s,0,one,,",
            "gap,3,sad,s,0,three,,",
            "twice,1,sad,s,0,one,,",
            "twice,1,sad,s,0,one,,",
            "empty,1,sad,s,0,one,,",
            "empty,2,sad,s,0, ,,",
            "odd,1,hungry,s,0,one,,",
            "odd,2,hungry,s,1,two,,",
            "mixed,1,sad,s,0,one,,",
            "mixed,2,proud,s,1,two,,",
            "no row at all",
        ]);
        assert!(r.dialogues.is_empty());
        assert_eq!((r.too_short, r.broken, r.unknown_emotion, r.malformed_lines), (1, 3, 2, 1));
        assert!(r.summary().contains("left out: 3 conversations with a turn missing"), "{}", r.summary());
    }

    #[test]
    fn another_header_is_refused_with_a_hint() {
        let error =
            rebuild(["conv_id,utterance_idx,prompt,utterance".to_owned()].into_iter().map(Ok)).unwrap_err();
        assert!(error.contains("the data set's own archive"), "{error}");
        assert!(rebuild(std::iter::empty()).is_err());
    }

    #[test]
    fn a_byte_order_mark_and_a_read_error_are_met() {
        let marked = format!("\u{feff}{HEADER},selfeval,tags\r");
        assert!(rebuild([Ok(marked)].into_iter()).is_ok());
        assert_eq!(rebuild([Err("gone".to_owned())].into_iter()), Err("gone".into()));
    }
}
