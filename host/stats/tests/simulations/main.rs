//! Opt-in simulations with fixed seeds: how often does each rule of this crate do what it promises, on requests that
//! queue? Writes `SIMULATIONS.md` beside `Cargo.toml`.
//!
//! ```text
//! cargo test --release -p benchhost-stats --test simulations -- --ignored --nocapture
//! ```

mod alarms;
mod intervals;
mod queue;
#[path = "../random/mod.rs"]
mod random;
mod searching;
mod series;
mod steady;
mod stopping;
mod table;

use table::Table;

const HEAD: &str = "# Simulations

How often each rule does what it promises, on numbers whose truth is known. Seeds are fixed, so the tables change only \
with the code. Made by

```sh
cargo test --release -p benchhost-stats --test simulations -- --ignored --nocapture
```

which fails where a figure leaves the range stated under its table. \"M/G/1\" is a queue with Poisson arrivals, \
one server and log-normal service times of mean 1 and coefficient of variation 0.95; the value of a request is its wait \
plus its service, so neighbours are correlated: ρ is the load of the server.
";

#[test]
#[ignore = "takes minutes; run it after a change to a formula"]
#[expect(clippy::print_stdout, reason = "people who ask for the table want to see it")]
fn every_rule_keeps_its_promise_and_the_table_is_written() {
    let sections: Vec<fn() -> Vec<Table>> = vec![
        alarms::tables,
        intervals::tables,
        stopping::tables,
        steady::tables,
        searching::tables,
        series::tables,
    ];
    let made: Vec<Table> = std::thread::scope(|scope| {
        // Two at a time, in a fixed order of output.
        let mut tables = Vec::new();
        for pair in sections.chunks(2) {
            let running: Vec<_> = pair.iter().map(|section| scope.spawn(section)).collect();
            for thread in running {
                tables.extend(thread.join().unwrap());
            }
        }
        tables
    });
    let text = made.iter().fold(HEAD.to_owned(), |text, table| text + "\n" + &table.to_string());
    println!("{text}");
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/SIMULATIONS.md"), &text).unwrap();
    let broken: Vec<&str> = made.iter().flat_map(Table::broken).collect();
    assert!(broken.is_empty(), "promises broken: {broken:#?}");
}
