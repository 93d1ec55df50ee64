//! The names that `gauges` may answer with: the list of `wit/gauges.md`, and nothing else.

/// Canonical gauge names.
pub const GAUGES: &[&str] = &[
    "running",
    "waiting",
    "kv_cache_use",
    "kv_cache_tokens",
    "prefix_cache_hits",
    "prefix_cache_queries",
    "prefix_hit_share",
    "prompt_tokens",
    "generated_tokens",
    "preemptions",
    "requests_finished",
    "draft_tokens",
    "draft_tokens_accepted",
];

#[cfg(test)]
mod tests {
    use super::GAUGES;

    #[test]
    fn the_list_is_that_of_the_contract() {
        let documented: Vec<&str> = include_str!("../../../wit/gauges.md")
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(documented, GAUGES);
    }
}
