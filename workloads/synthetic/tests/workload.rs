//! The workload as the host sees it, over tokenizers that behave and tokenizers that do not.

use std::collections::BTreeSet;

use benchhost_sdk::testkit::{Counting, FakeHost, workload};
use benchhost_sdk::{Host, Item, Refusal, TokensSource, TurnInput, Workload};
use workload_synthetic::Synthetic;

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|w| !w.is_empty())
}

/// One word, one token.
fn simple(text: &str) -> u32 {
    u32::try_from(words(text).count()).unwrap()
}

/// Long words split, and some words split only after a space: neither kind may be used.
fn splitting(text: &str) -> u32 {
    words(text)
        .enumerate()
        .map(|(at, word)| {
            let pieces = u32::try_from(word.len().div_ceil(5)).unwrap();
            pieces + u32::from(at > 0 && word.starts_with(['a', 'e', 'o']))
        })
        .sum()
}

/// A word that begins with a letter before `f` swallows a word of five letters or more after it: lengths do not add up.
fn swallowing(text: &str) -> u32 {
    let list: Vec<&str> = words(text).collect();
    let swallowed = list.windows(2).filter(|pair| pair[0] < "f" && pair[1].len() > 4).count();
    simple(text) - u32::try_from(swallowed).unwrap()
}

/// Every word is two tokens.
fn halves(text: &str) -> u32 {
    2 * simple(text)
}

/// Adds a token to everything, as a counter does that forgets to leave out the beginning-of-sequence token.
fn with_bos(text: &str) -> u32 {
    simple(text) + 1
}

/// Four characters a token, as an estimate.
fn by_characters(text: &str) -> u32 {
    u32::try_from(text.len().div_ceil(4)).unwrap()
}

fn items(changed: &[(&str, &str)], seed: u64, host: &dyn Host) -> Vec<Item> {
    let workload = workload::open::<Synthetic>(changed, seed, host).unwrap();
    (0..workload.count()).map(|i| workload.item(i, host).unwrap()).collect()
}

fn text(item: &Item) -> &str {
    match &item.turns[0].input {
        TurnInput::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn prompts_have_exactly_the_tokens_asked_for_with_every_tokenizer_that_can_give_them() {
    for tokens in [simple as fn(&str) -> u32, splitting, swallowing] {
        let host = Counting::new(TokensSource::File, tokens);
        for n in ["1", "2", "7", "16", "128", "1000", "2048"] {
            for item in items(&[("input-tokens", n), ("items", "12")], 5, &host) {
                let n: u32 = n.parse().unwrap();
                assert_eq!((tokens(text(&item)), item.turns[0].input_tokens), (n, Some(n)), "{}", item.id);
            }
        }
    }
}

#[test]
fn the_fake_hosts_own_tokenizer_serves_as_well() {
    let host = FakeHost::new().with_tokens(TokensSource::Server);
    for item in items(&[("input-tokens", "40")], 5, &host) {
        assert_eq!(host.encode(text(&item)).unwrap().len(), 40);
    }
}

#[test]
fn words_that_split_are_not_used() {
    let host = Counting::new(TokensSource::File, splitting);
    for item in items(&[], 1, &host) {
        assert!(
            words(text(&item)).all(|w| w.len() <= 5 && !w.starts_with(['a', 'e', 'o'])),
            "{}",
            text(&item)
        );
    }
}

#[test]
fn stable_words_need_one_count_for_each_item_and_few_to_find_them() {
    let host = Counting::new(TokensSource::File, splitting);
    let workload = workload::open::<Synthetic>(&[], 1, &host).unwrap();
    let calls = host.calls();
    assert!(calls <= 2, "{calls}");
    for index in 0..workload.count() {
        workload.item(index, &host).unwrap();
    }
    assert_eq!(host.calls(), workload.count());
}

#[test]
fn a_tokenizer_without_single_token_words_is_refused() {
    for tokens in [halves as fn(&str) -> u32, with_bos, |_| 0, |_| u32::MAX] {
        let host = Counting::new(TokensSource::File, tokens);
        match workload::open::<Synthetic>(&[], 1, &host) {
            Err(Refusal::Unsupported(text)) => assert!(text.contains("one token each"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_length_that_cannot_be_met_is_refused_and_not_searched_for_ever() {
    // Single words and pairs look stable; anything longer is counted as an even number.
    let host = Counting::new(TokensSource::File, |text| match simple(text) {
        n @ 0..=2 => n,
        n => n.next_multiple_of(2),
    });
    let workload = workload::open::<Synthetic>(&[("input-tokens", "33")], 1, &host).unwrap();
    host.calls();
    assert!(
        matches!(workload.item(0, &host), Err(Refusal::Unsupported(text)) if text.contains("exactly 33 tokens"))
    );
    assert!(host.calls() <= 32);
}

#[test]
fn with_an_approximate_source_items_are_made_near_the_length_and_say_their_count() {
    let host = Counting::new(TokensSource::Approximate, by_characters);
    for n in ["1", "64", "1000"] {
        for item in items(&[("input-tokens", n)], 1, &host) {
            let counted = by_characters(text(&item));
            assert_eq!(item.turns[0].input_tokens, Some(counted));
            assert!(counted.abs_diff(n.parse().unwrap()) <= 2, "{n}: {counted}");
        }
    }
    assert!(host.host.logged().iter().any(|(_, line)| line.contains("estimates")));
}

#[test]
fn an_item_depends_on_seed_and_index_and_not_on_the_order_of_calls() {
    let host = Counting::new(TokensSource::File, swallowing);
    let options = [("input-tokens", "uniform:20,200"), ("output-tokens", "normal:50,20")];
    let forward = items(&options, 7, &host);
    let workload = workload::open::<Synthetic>(&options, 7, &host).unwrap();
    let backward: Vec<Item> = (0..workload.count()).rev().map(|i| workload.item(i, &host).unwrap()).collect();
    assert!(forward.iter().eq(backward.iter().rev()));
    let other = items(&options, 8, &host);
    assert!(forward.iter().zip(&other).all(|(a, b)| text(a) != text(b) && a.id != b.id));
}

#[test]
fn more_items_begin_with_the_same_ones() {
    let host = Counting::new(TokensSource::File, simple);
    let few = items(&[("items", "5")], 7, &host);
    assert_eq!(items(&[("items", "9")], 7, &host)[..5], few);
}

#[test]
fn lengths_are_drawn_within_their_distribution() {
    let host = Counting::new(TokensSource::File, simple);
    let all = items(
        &[("input-tokens", "uniform:10,19"), ("output-tokens", "uniform:5,6"), ("items", "200")],
        3,
        &host,
    );
    let lengths: BTreeSet<u32> = all.iter().filter_map(|i| i.turns[0].input_tokens).collect();
    assert_eq!(lengths, (10..=19).collect());
    let outputs: BTreeSet<u32> = all.iter().filter_map(|i| i.turns[0].max_tokens).collect();
    assert_eq!(outputs, [5, 6].into());
    assert!(all.iter().all(|i| i.turns[0].exact));
}

#[test]
fn no_two_prompts_begin_alike_unless_a_shared_prefix_is_asked_for() {
    let host = Counting::new(TokensSource::File, simple);
    let firsts: BTreeSet<String> = items(&[("items", "500")], 2, &host)
        .iter()
        .map(|i| words(text(i)).next().unwrap().to_owned())
        .collect();
    assert_eq!(firsts.len(), 500);
    let pairs: BTreeSet<String> = items(&[("items", "4000")], 2, &host)
        .iter()
        .map(|i| words(text(i)).take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(pairs.len(), 4000, "more items than words: the first two words differ");
}

#[test]
fn the_shared_prefix_is_the_share_rounded_down_and_what_follows_differs_at_once() {
    let host = Counting::new(TokensSource::File, simple);
    let all = items(&[("shared-prefix", "0.5"), ("input-tokens", "33")], 2, &host);
    let prefix = |i: &Item, n: usize| words(text(i)).take(n).collect::<Vec<_>>().join(" ");
    assert_eq!(all.iter().map(|i| prefix(i, 16)).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(all.iter().map(|i| prefix(i, 17)).collect::<BTreeSet<_>>().len(), all.len());
    let same = items(&[("shared-prefix", "1"), ("input-tokens", "33")], 2, &host);
    assert_eq!(same.iter().map(text).collect::<BTreeSet<_>>().len(), 1);
    let mixed = items(&[("shared-prefix", "0.5"), ("input-tokens", "uniform:40,80")], 2, &host);
    assert_eq!(
        mixed.iter().map(|i| prefix(i, 20)).collect::<BTreeSet<_>>().len(),
        1,
        "a shorter prompt shares less"
    );
}

#[test]
fn wrong_options_and_failing_counters_are_refused_by_name() {
    let host = Counting::new(TokensSource::File, simple);
    let refused = |name: &str, value: &str| {
        workload::open::<Synthetic>(&[(name, value)], 1, &host).unwrap_err().to_string()
    };
    assert!(refused("input-tokens", "many").contains("`input-tokens` is `many`"));
    assert!(refused("output-tokens", "uniform:9,3").contains("`output-tokens`"));
    assert!(refused("shared-prefix", "1.5").contains("from 0 to 1"));
    assert!(refused("items", "0").contains("`items`"));
    let workload = workload::open::<Synthetic>(&[("items", "3")], 1, &host).unwrap();
    assert!(workload.item(3, &host).is_err());
}

#[test]
fn the_description_asks_for_a_tokenizer() {
    let description = Synthetic::describe();
    assert!(description.needs_tokens && description.slots.is_empty() && description.scores.is_empty());
}
