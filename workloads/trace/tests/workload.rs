//! The workload as the host sees it, over small traces in every format.

use std::collections::BTreeSet;

use benchhost_sdk::testkit::{Counting, FakeHost, workload};
use benchhost_sdk::{Host, Item, LogLevel, Refusal, TokensSource, TurnInput, Workload};
use workload_trace::Replay;

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n\
    2023-11-16 18:15:46.6809999,396,109\r\n2023-11-16 18:16:46.6805900,879,55";
const BURST: &str = "Log Type,Timestamp,Model,Extra,Response tokens,Request tokens,Total tokens\n\
    Conversation log,5,ChatGPT,,18,472,490\nAPI log,5.5,GPT-4,,0,417,417\nConversation log,7,GPT-4,,7,20,27\n\
    API log,8,ChatGPT,,0,0,0\nAPI log,9,llama,,3,30,33\n";
/// Rows 1 and 3 share two blocks, rows 1 and 2 the first.
const MOONCAKE: &str = r#"{"timestamp": 1000, "input_length": 20, "output_length": 5, "hash_ids": [7, 8, 9]}
{"timestamp": 1000, "input_length": 9, "output_length": 1, "hash_ids": [7, 3]}
{"timestamp": 1027, "input_length": 24, "output_length": 2, "hash_ids": [7, 8, 4]}
"#;

fn host(text: &str) -> FakeHost {
    FakeHost::new().with_tokens(TokensSource::File).with_file("trace", "t.csv", text.as_bytes().to_vec())
}

fn items(text: &str, options: &[(&str, &str)]) -> (Vec<Item>, String) {
    let host = host(text);
    let open = workload::open::<Replay>(options, 5, &host).unwrap();
    let items: Vec<Item> = (0..open.count()).map(|i| open.item(i, &host).unwrap()).collect();
    for item in &items {
        let turn = &item.turns[0];
        let counted = host.count_tokens(&[text_of(item).to_owned()]).unwrap();
        assert_eq!(Some(counted[0]), turn.input_tokens, "{}", item.id);
        assert!(turn.exact && turn.max_tokens.is_some());
    }
    (items, host.logged()[0].1.clone())
}

fn refused(text: &str, options: &[(&str, &str)]) -> String {
    match workload::open::<Replay>(options, 5, &host(text)) {
        Err(Refusal::Invalid(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn text_of(item: &Item) -> &str {
    match &item.turns[0].input {
        TurnInput::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn words(item: &Item) -> Vec<&str> {
    text_of(item).split(' ').collect()
}

fn figures(items: &[Item]) -> Vec<(u64, u32, u32)> {
    let one =
        |i: &Item| (i.arrival_us.unwrap(), i.turns[0].input_tokens.unwrap(), i.turns[0].max_tokens.unwrap());
    items.iter().map(one).collect()
}

#[test]
fn azure_rows_keep_their_times_to_the_microsecond() {
    let (items, log) = items(AZURE, &[]);
    assert_eq!(figures(&items), [(0, 374, 44), (409, 396, 109), (60_000_000, 879, 55)]);
    assert!(log.contains("Azure trace: 3 of 3 rows over 60.0 s") && !log.contains("left out"), "{log}");
    assert_eq!(items[0].id, "line2-in374-out44");
    let firsts: BTreeSet<&str> = items.iter().map(|i| words(i)[0]).collect();
    assert_eq!(firsts.len(), 3, "rows without hashes share no beginning");
}

#[test]
fn burstgpt_is_read_by_name_and_failed_rows_are_left_out_or_sent() {
    let (kept, log) = items(BURST, &[]);
    assert_eq!(figures(&kept), [(0, 472, 18), (2_000_000, 20, 7), (4_000_000, 30, 3)]);
    let categories: Vec<&str> = kept.iter().map(|i| i.category.as_str()).collect();
    assert_eq!(categories, ["ChatGPT", "GPT-4", ""]);
    assert!(
        log.contains("3 of 5 rows") && log.contains("1 failed (0 output tokens), 1 with 0 input tokens"),
        "{log}"
    );
    assert!(log.contains("1 rows of a category this workload does not know"), "{log}");
    let (all, _) = items(BURST, &[("failed", "keep"), ("category", "log-type")]);
    assert_eq!(figures(&all)[1], (500_000, 417, 1));
    assert_eq!(all[1].category, "API log");
    let (one, log) = items(BURST, &[("model", "gpt-4"), ("category", "none")]);
    assert_eq!(figures(&one), [(0, 20, 7)]);
    assert!(one[0].category.is_empty() && log.contains("3 of other models"), "{log}");
}

#[test]
fn equal_hashes_are_equal_texts_and_nothing_else_is() {
    let (items, _) = items(MOONCAKE, &[("block-size", "8")]);
    assert_eq!(figures(&items), [(0, 20, 5), (0, 9, 1), (27_000, 24, 2)]);
    let [a, b, c] = [&items[0], &items[1], &items[2]].map(words);
    assert_eq!(a[..8], b[..8]);
    assert_eq!(a[..16], c[..16]);
    assert_ne!(a[8..9], b[8..9]);
    assert_ne!(a[16..20], c[16..20]);
    assert!(items[0].reference.contains("\"blocks\":3"));
}

#[test]
fn a_block_is_the_same_at_every_place_and_is_cut_by_a_clip() {
    let text = "{\"timestamp\":0,\"input_length\":16,\"output_length\":1,\"hash_ids\":[1,2]}\n\
        {\"timestamp\":0,\"input_length\":16,\"output_length\":1,\"hash_ids\":[2,1]}\n";
    let (items, _) = items(text, &[("block-size", "8")]);
    assert_eq!(words(&items[0])[..8], words(&items[1])[8..]);
    let (clipped, log) = self::items(text, &[("block-size", "8"), ("max-input", "11")]);
    assert_eq!(words(&clipped[0])[..], words(&items[0])[..11]);
    assert!(log.contains("2 prompts clipped"), "{log}");
}

#[test]
fn a_wrong_block_size_is_said() {
    let (items, log) = items(MOONCAKE, &[]);
    assert_eq!(figures(&items)[0], (0, 20, 5));
    assert!(log.contains("3 rows with other than one hash for each block"), "{log}");
    assert_eq!(words(&items[0])[..9], words(&items[1])[..], "one block of 512 tokens is all there is");
}

#[test]
fn another_reseed_has_other_words_and_the_same_rows() {
    for text in [AZURE, MOONCAKE] {
        let (first, _) = items(text, &[("block-size", "8")]);
        let (again, _) = items(text, &[("block-size", "8"), ("reseed", "1")]);
        assert_eq!(figures(&first), figures(&again));
        for (a, b) in first.iter().zip(&again) {
            assert!(a.id == b.id && words(a)[..8] != words(b)[..8], "{}", a.id);
        }
    }
}

#[test]
fn an_unsorted_file_is_sorted_and_said_and_ties_keep_their_order() {
    let text = "output,timestamp,input\n1,3,10\n2,1,11\n3,3,12\n4,0.0000015,13\n";
    let (items, log) = items(text, &[]);
    assert_eq!(figures(&items), [(0, 13, 4), (999_998, 11, 2), (2_999_998, 10, 1), (2_999_998, 12, 3)]);
    assert!(log.contains("were sorted"), "{log}");
    // A window is relative to the earliest row, which comes last here.
    let (part, log) = self::items(text, &[("window", "0.5..3")]);
    assert_eq!(figures(&part), [(0, 11, 2), (2_000_000, 10, 1), (2_000_000, 12, 3)]);
    assert!(log.contains("1 outside the window"), "{log}");
    let (two, log) = self::items(text, &[("limit", "2")]);
    assert_eq!(figures(&two), [(0, 13, 4), (999_998, 11, 2)]);
    assert!(log.contains("2 beyond the limit"), "{log}");
}

#[test]
fn a_limit_of_a_long_unsorted_file_keeps_the_earliest() {
    let rows: Vec<String> = (0..20_000).map(|n| format!("{},5,5", (n * 7919) % 20_000)).collect();
    let (items, log) = items(&format!("timestamp,input,output\n{}", rows.join("\n")), &[("limit", "3")]);
    assert_eq!(figures(&items), [(0, 5, 5), (1_000_000, 5, 5), (2_000_000, 5, 5)]);
    assert!(log.contains("3 of 20000 rows") && log.contains("19997 beyond the limit"), "{log}");
}

#[test]
fn the_window_counts_from_the_first_row_and_arrivals_from_the_first_kept() {
    let (items, log) = items(AZURE, &[("window", "30s..")]);
    assert_eq!(figures(&items), [(0, 879, 55)]);
    assert!(log.contains("2 outside the window"), "{log}");
}

#[test]
fn long_rows_are_clipped_or_left_out_and_counted() {
    let (clipped, log) = items(AZURE, &[("max-input", "380"), ("max-output", "50")]);
    assert_eq!(figures(&clipped), [(0, 374, 44), (409, 380, 50), (60_000_000, 380, 50)]);
    assert!(log.contains("2 prompts clipped") && log.contains("2 answers clipped"), "{log}");
    let (kept, log) = items(AZURE, &[("max-input", "400"), ("max-output", "50"), ("too-long", "drop")]);
    assert_eq!(figures(&kept), [(0, 374, 44)]);
    assert!(log.contains("2 too long") && !log.contains("clipped"), "{log}");
}

#[test]
fn bad_rows_name_the_slot_the_file_and_the_line() {
    for (text, reason) in [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("a,b,c\n1,2,3\n", "line 1: the columns `a,b,c`"),
        ("timestamp,input,output\n1,2,3\n\nx,2,3\n", "line 4: column `timestamp` is `x`"),
        ("timestamp,input,output\n1,2\n", "line 2: 2 columns"),
        ("timestamp,input,output\n1,2,3\n2,2,many\n", "line 3: column `output` is `many`"),
        ("{\"timestamp\":0,\"input_length\":1,\"output_length\":1}\n{\"timestamp\":1,\n", "line 2: "),
        ("{\"timestamp\":0}\n", "line 1: missing field"),
        ("timestamp,input,output\n", "no row is left to send"),
        ("timestamp,input,output\n1,0,0\n", "1 with 0 input tokens"),
    ] {
        let said = refused(text, &[]);
        assert!(said.contains("slot `trace`, file `t.csv`") && said.contains(reason), "{text:?}: {said}");
    }
    let bytes = FakeHost::new().with_file("trace", "t.csv", b"timestamp,input,output\n1,2,\xff\n".to_vec());
    let said = workload::open::<Replay>(&[], 1, &bytes).unwrap_err().to_string();
    assert!(said.contains("line 2 is not UTF-8"), "{said}");
}

#[test]
fn wrong_options_are_refused_by_name() {
    for (name, value) in [
        ("window", "5"),
        ("failed", "perhaps"),
        ("too-long", "cut"),
        ("category", "colour"),
        ("block-size", "0"),
        ("max-input", "99999999999"),
        ("limit", "-1"),
    ] {
        let said = refused(AZURE, &[(name, value)]);
        assert!(said.contains(&format!("`{name}`")) || said.contains(name), "{said}");
    }
    assert!(refused(AZURE, &[("model", "GPT-4")]).contains("needs a column `Model`"));
}

#[test]
fn an_item_asks_the_host_nothing_where_lengths_add_up() {
    let counting = Counting::over(host(MOONCAKE), |text| u32::try_from(text.split(' ').count()).unwrap());
    let open = workload::open::<Replay>(&[("block-size", "8")], 5, &counting).unwrap();
    counting.calls();
    for index in 0..open.count() {
        open.item(index, &counting).unwrap();
    }
    assert_eq!(counting.calls(), 0);
}

#[test]
fn where_lengths_do_not_add_up_every_prompt_is_counted_and_blocks_stay_shared() {
    // A token is missing from every text of more than ten words.
    let counting = Counting::over(host(MOONCAKE), |text| {
        let words = u32::try_from(text.split(' ').count()).unwrap();
        words - u32::from(words > 10)
    });
    let open = workload::open::<Replay>(&[("block-size", "8")], 5, &counting).unwrap();
    assert!(counting.host.logged().iter().any(|(_, line)| line.contains("do not add up")));
    let all: Vec<Item> = (0..open.count()).map(|i| open.item(i, &counting).unwrap()).collect();
    assert_eq!(figures(&all), [(0, 20, 5), (0, 9, 1), (27_000, 24, 2)]);
    assert_eq!(words(&all[0])[..16], words(&all[2])[..16]);
    assert_eq!(words(&all[0]).len(), 21);
}

#[test]
fn an_item_depends_on_seed_and_index_and_not_on_the_order_of_calls() {
    let host = host(MOONCAKE);
    let open = workload::open::<Replay>(&[("block-size", "8")], 7, &host).unwrap();
    let forward: Vec<Item> = (0..3).map(|i| open.item(i, &host).unwrap()).collect();
    let backward: Vec<Item> = (0..3).rev().map(|i| open.item(i, &host).unwrap()).collect();
    assert!(forward.iter().eq(backward.iter().rev()));
    let other = workload::open::<Replay>(&[("block-size", "8")], 8, &host).unwrap();
    assert_ne!(text_of(&other.item(0, &host).unwrap()), text_of(&forward[0]));
    assert!(open.item(3, &host).is_err());
}

#[test]
fn without_a_file_the_starter_trace_is_replayed() {
    let host = FakeHost::new().with_tokens(TokensSource::File);
    let open = workload::open::<Replay>(&[], 1, &host).unwrap();
    assert_eq!(open.count(), 60);
    let last = open.item(59, &host).unwrap();
    assert!((59_000_000..60_000_000).contains(&last.arrival_us.unwrap()));
    assert!(
        host.logged()[0].0 == LogLevel::Info && host.logged()[0].1.starts_with("starter trace: plain trace")
    );
}
