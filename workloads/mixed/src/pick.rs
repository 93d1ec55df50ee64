//! Which examples of a category are sent, and which are shots. Reads only the records it needs, so that a large file need
//! not fit into memory. Must not know prompts or scores.

use std::collections::BTreeMap;
use std::rc::Rc;

use benchhost_sdk::{Refusal, Rng};
use serde_json::Value;

use crate::example::Example;
use crate::qa;
use crate::records::Records;
use crate::share::largest_remainder;

/// What was picked from one category.
#[derive(Debug, Default)]
pub(crate) struct Picked {
    /// The first of the file, in its order; never among `examples`.
    pub(crate) shots: Vec<Box<dyn Example>>,
    /// In an order drawn from the seed; as many as were wanted, or all there are.
    pub(crate) examples: Vec<Box<dyn Example>>,
    /// Records met on the way that cannot be used.
    pub(crate) unusable: u32,
}

/// From a file in which each record is one example. `read` answers `None` for a record that cannot be used.
pub(crate) fn from_lines<E: Example + 'static>(
    records: &Records<'_>,
    shots: usize,
    want: usize,
    rng: &mut Rng,
    read: impl Fn(&str, u32, &Value) -> Result<Option<E>, String>,
) -> Result<Picked, Refusal> {
    let mut picked = Picked::default();
    let count = records.len()?;
    let mut next = 0;
    let usable = |picked: &mut Picked, index: u32| -> Result<Option<Box<dyn Example>>, Refusal> {
        let example = read(&records.label, index, &records.get(index)?).map_err(|e| records.wrong(&e))?;
        picked.unusable += u32::from(example.is_none());
        Ok(example.map(|e| Box::new(e) as Box<dyn Example>))
    };
    while picked.shots.len() < shots && next < count {
        let shot = usable(&mut picked, next)?;
        picked.shots.extend(shot);
        next += 1;
    }
    let mut order: Vec<u32> = (next..count).collect();
    rng.shuffle(&mut order);
    for index in order {
        if picked.examples.len() == want {
            break;
        }
        let example = usable(&mut picked, index)?;
        picked.examples.extend(example);
    }
    Ok(picked)
}

/// Where a question stands in a file of articles.
#[derive(Debug, Clone, Copy)]
struct Place {
    article: u32,
    paragraph: usize,
    question: usize,
    answerable: bool,
}

/// From a file of articles in the SQuAD format. Answerable and unanswerable questions keep their shares. Questions from a
/// shot's article are not sent; where the file has no other article, those on a shot's passage are not.
pub(crate) fn from_articles(
    records: &Records<'_>,
    shots: usize,
    want: usize,
    rng: &mut Rng,
) -> Result<Picked, Refusal> {
    let all = places(records)?;
    let shots: Vec<Place> = all.iter().take(shots).copied().collect();
    let rest = without_shots(&all, &shots);
    let (mut answerable, mut unanswerable): (Vec<Place>, Vec<Place>) =
        rest.iter().partition(|p| p.answerable);
    rng.shuffle(&mut answerable);
    rng.shuffle(&mut unanswerable);
    let size = |list: &[Place]| u32::try_from(list.len()).unwrap_or(u32::MAX);
    let want = u32::try_from(want.min(rest.len())).unwrap_or(u32::MAX);
    let shares = largest_remainder(want, &[size(&answerable), size(&unanswerable)]);
    answerable.truncate(shares[0] as usize);
    unanswerable.truncate(shares[1] as usize);
    let mut chosen = [answerable, unanswerable].concat();
    rng.shuffle(&mut chosen);
    Ok(Picked { shots: questions(records, &shots)?, examples: questions(records, &chosen)?, unusable: 0 })
}

/// All questions in the order of the file.
fn places(records: &Records<'_>) -> Result<Vec<Place>, Refusal> {
    let mut all = Vec::new();
    for article in 0..records.len()? {
        let record = records.get(article)?;
        let paragraphs = list(&record, "paragraphs").ok_or_else(|| {
            records.wrong(&format!(
                "article {article} has no list `paragraphs`; the file must have the SQuAD 2.0 format"
            ))
        })?;
        for (paragraph, entry) in paragraphs.iter().enumerate() {
            for (question, q) in list(entry, "qas").unwrap_or_default().iter().enumerate() {
                let answerable = list(q, "answers").is_some_and(|answers| !answers.is_empty());
                all.push(Place { article, paragraph, question, answerable });
            }
        }
    }
    Ok(all)
}

fn list<'v>(value: &'v Value, key: &str) -> Option<&'v [Value]> {
    value[key].as_array().map(Vec::as_slice)
}

fn without_shots(all: &[Place], shots: &[Place]) -> Vec<Place> {
    let other = |same: fn(&Place, &Place) -> bool| -> Vec<Place> {
        all.iter().filter(|place| !shots.iter().any(|shot| same(shot, place))).copied().collect()
    };
    let other_article = other(|shot, place| shot.article == place.article);
    if !other_article.is_empty() {
        return other_article;
    }
    other(|shot, place| (shot.article, shot.paragraph) == (place.article, place.paragraph))
}

/// The questions at these places, in this order; each article is read once.
fn questions(records: &Records<'_>, places: &[Place]) -> Result<Vec<Box<dyn Example>>, Refusal> {
    let mut by_article: BTreeMap<u32, Vec<(usize, Place)>> = BTreeMap::new();
    for (at, place) in places.iter().enumerate() {
        by_article.entry(place.article).or_default().push((at, *place));
    }
    let mut found: Vec<(usize, qa::Question)> = Vec::with_capacity(places.len());
    for (article, wanted) in by_article {
        let record = records.get(article)?;
        let mut passages: BTreeMap<usize, Rc<str>> = BTreeMap::new();
        for (at, place) in wanted {
            let paragraph = &record["paragraphs"][place.paragraph];
            let passage = passages
                .entry(place.paragraph)
                .or_insert_with(|| Rc::from(paragraph["context"].as_str().unwrap_or_default()));
            let question = qa::question(&records.label, passage, &paragraph["qas"][place.question])
                .filter(|_| !passage.is_empty())
                .ok_or_else(|| {
                    let Place { paragraph, question, .. } = place;
                    records.wrong(&format!(
                        "article {article}, paragraph {paragraph}, question {question} lacks `context`, `id`, `question` or `answers`"
                    ))
                })?;
            found.push((at, question));
        }
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, question)| Box::new(question) as Box<dyn Example>).collect())
}
