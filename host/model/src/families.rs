//! Workloads that differ in one number of their labels, as sweeps of lengths name them. Knows labels only.

/// Workloads that differ in one number, everything else about their labels being equal.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadFamily {
    /// What the labels share, with what is fixed: `length`, `synthetic`, `synthetic, 64 output tokens`.
    pub name: String,
    /// What the number counts: `input tokens`, or the last word of the name where labels do not say.
    pub axis: String,
    /// Number and label of each member, rising; at least two, with numbers above 0.
    pub members: Vec<(f64, String)>,
}

impl WorkloadFamily {
    /// The number of a label; `None`: it is no member.
    pub fn number(&self, label: &str) -> Option<f64> {
        self.members.iter().find(|(_, member)| member == label).map(|(number, _)| *number)
    }

    /// `Over length`, `synthetic: over input tokens`.
    pub fn title(&self) -> String {
        if self.name == self.axis {
            format!("Over {}", self.axis)
        } else {
            format!("{}: over {}", self.name, self.axis)
        }
    }
}

/// A label in parts: `synthetic-128x64_n10` is `synthetic`, an empty text, 128, 64 and `_n10`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Parts<'a> {
    prefix: &'a str,
    word: &'a str,
    first: f64,
    second: Option<f64>,
    rest: &'a str,
}

/// Words that `--sweep` writes before a number, and what the number counts.
const WORDS: [(&str, &str); 3] = [("in", "input tokens"), ("out", "output tokens"), ("n", "requests")];

/// What two numbers with an `x` between them count.
const BOTH: &str = "input × output tokens";

fn parts(label: &str) -> Option<Parts<'_>> {
    let (prefix, end) = label.rsplit_once('-').filter(|(prefix, _)| !prefix.is_empty())?;
    let (word, numbers) = end.split_at(end.find(|c: char| c.is_ascii_digit())?);
    if !word.is_empty() && !WORDS.iter().any(|(known, _)| *known == word) {
        return None;
    }
    let (first, rest) = number(numbers)?;
    match rest.strip_prefix('x').and_then(number) {
        Some((second, rest)) => Some(Parts { prefix, word, first, second: Some(second), rest }),
        None => Some(Parts { prefix, word, first, second: None, rest }),
    }
}

/// The number above 0 that `text` begins with, and what follows.
fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse().ok().filter(|n: &f64| *n > 0.0)?;
    Some((number, &text[end..]))
}

/// The families among `labels`, in the order of their first members; labels may repeat.
///
/// Labels of two numbers (`in-out-128x64`) are a family over the first, unless the two were crossed: then there is a family
/// over the first for each value of the second, and one over the second for each value of the first.
pub fn workload_families<'a>(labels: impl IntoIterator<Item = &'a str>) -> Vec<WorkloadFamily> {
    let mut groups: Vec<Vec<(Parts<'a>, &'a str)>> = Vec::new();
    for label in labels {
        let Some(parts) = parts(label) else { continue };
        let shared = |p: &Parts<'_>| (p.prefix, p.word, p.rest) == (parts.prefix, parts.word, parts.rest);
        match groups.iter_mut().find(|group| shared(&group[0].0)) {
            Some(group) if group.iter().any(|(_, known)| *known == label) => {}
            Some(group) => group.push((parts, label)),
            None => groups.push(vec![(parts, label)]),
        }
    }
    groups.iter().flat_map(|group| families(group)).collect()
}

/// Those of labels that share everything but numbers.
fn families(group: &[(Parts<'_>, &str)]) -> Vec<WorkloadFamily> {
    let Parts { prefix, word, rest, .. } = group[0].0;
    let name = if rest.is_empty() {
        prefix.to_owned()
    } else {
        format!("{prefix} {}", rest.trim_start_matches('_'))
    };
    let known = WORDS.iter().find(|(known, _)| *known == word).map(|(_, counted)| (*counted).to_owned());
    // `128x64` is how a sweep writes lengths of input and output; of the one that stays nothing is to be said.
    let seconds: Vec<f64> = group.iter().filter_map(|(p, _)| p.second).collect();
    let both = seconds.len() == group.len() && different(seconds.iter().copied()).len() > 1;
    let both = || both.then(|| BOTH.to_owned());
    let last_word = || prefix.rsplit('-').next().unwrap_or(prefix).to_owned();
    let axis = known.or_else(both).unwrap_or_else(last_word);
    let firsts = different(group.iter().map(|(p, _)| p.first));
    if firsts.len() == group.len() {
        let members = group.iter().map(|(p, label)| (p.first, *label));
        return family(name, axis, members).into_iter().collect();
    }
    let seconds = different(group.iter().filter_map(|(p, _)| p.second));
    let over_first = seconds.iter().filter_map(|second| {
        let own = group.iter().filter(|(p, _)| p.second == Some(*second)).map(|(p, label)| (p.first, *label));
        family(format!("{name}, {second} output tokens"), WORDS[0].1.to_owned(), own)
    });
    let over_second = firsts.iter().filter_map(|first| {
        let own = group
            .iter()
            .filter(|(p, _)| p.first.total_cmp(first).is_eq())
            .filter_map(|(p, label)| Some((p.second?, *label)));
        family(format!("{name}, {first} input tokens"), WORDS[1].1.to_owned(), own)
    });
    over_first.chain(over_second).collect()
}

/// `None`: fewer than two members.
fn family<'a>(
    name: String,
    axis: String,
    members: impl Iterator<Item = (f64, &'a str)>,
) -> Option<WorkloadFamily> {
    let mut members: Vec<(f64, String)> = members.map(|(number, label)| (number, label.to_owned())).collect();
    members.sort_by(|a, b| a.0.total_cmp(&b.0));
    (members.len() > 1).then_some(WorkloadFamily { name, axis, members })
}

fn different(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut all: Vec<f64> = numbers.collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(labels: &[&str]) -> Vec<(String, String, Vec<f64>)> {
        workload_families(labels.iter().copied())
            .into_iter()
            .map(|f| (f.name, f.axis, f.members.into_iter().map(|(n, _)| n).collect()))
            .collect()
    }

    #[test]
    fn labels_that_end_in_a_number_are_a_family_over_it() {
        assert_eq!(
            told(&["length-512", "length-128", "other", "length-128"]),
            [("length".into(), "length".into(), vec![128.0, 512.0])]
        );
        assert_eq!(
            told(&["in-out-64x32", "in-out-128x64"]),
            [("in-out".into(), BOTH.into(), vec![64.0, 128.0])],
            "the two move together"
        );
    }

    #[test]
    fn labels_of_a_sweep_say_what_they_count() {
        for (word, axis) in [("in", "input tokens"), ("out", "output tokens"), ("n", "requests")] {
            let labels = [format!("synthetic-{word}64"), format!("synthetic-{word}256")];
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            assert_eq!(told(&labels), [("synthetic".into(), axis.into(), vec![64.0, 256.0])]);
        }
        let family =
            &workload_families(["synthetic-in64_n10", "synthetic-in128_n10", "synthetic-in64_n50"])[0];
        assert_eq!((family.name.as_str(), family.members.len()), ("synthetic n10", 2));
        assert_eq!(family.title(), "synthetic n10: over input tokens");
        assert_eq!(
            (family.number("synthetic-in128_n10"), family.number("synthetic-in64_n50")),
            (Some(128.0), None)
        );
    }

    #[test]
    fn crossed_lengths_are_families_of_their_own_and_not_repeats_of_one_another() {
        let found = told(&["s-128x64", "s-128x256", "s-512x64", "s-512x256"]);
        let of =
            |name: &str, axis: &str, numbers: [f64; 2]| (name.to_owned(), axis.to_owned(), numbers.to_vec());
        assert_eq!(
            found,
            [
                of("s, 64 output tokens", "input tokens", [128.0, 512.0]),
                of("s, 256 output tokens", "input tokens", [128.0, 512.0]),
                of("s, 128 input tokens", "output tokens", [64.0, 256.0]),
                of("s, 512 input tokens", "output tokens", [64.0, 256.0]),
            ]
        );
    }

    #[test]
    fn other_labels_are_no_family() {
        assert_eq!(
            told(&["length-1", "length", "length-", "-5", "length-0", "length-x5", "v-a2", "v-b3"]),
            []
        );
        assert_eq!(told(&["a-1", "b-2", "gpt-4o"]), []);
        assert_eq!(told(&[]), []);
    }
}
