//! Answers to word problems: one operation on numbers of the question. Right for a part of the questions only.

/// A short reasoning that ends with `#### N`, N a whole number.
pub(super) fn answer(question: &str) -> String {
    // The instruction `end with #### <number>` is no part of the problem, before which or behind which it stands.
    let has_number = |part: &&str| !numbers(part).is_empty();
    let problem = question.split("####").find(has_number).unwrap_or(question);
    let numbers = numbers(problem);
    let (first, second) = match numbers[..] {
        [] => (1, 1),
        [only] => (only, 0),
        [.., first, second] => (first, second),
    };
    let (sign, result) = operation(&problem.to_lowercase(), first, second);
    format!("We start from {first} and {second}.\n{first} {sign} {second} = {result}\n#### {result}")
}

/// The operation that the wording suggests.
fn operation(problem: &str, first: i64, second: i64) -> (char, i64) {
    let has = |words: &[&str]| words.iter().any(|word| problem.contains(word));
    if has(&[" each", " every", " per ", "times", "twice"]) {
        ('*', first.saturating_mul(second))
    } else if has(&["left", "remain", "gave", "fewer", "less", "lost", "spent"]) {
        ('-', first.saturating_sub(second))
    } else {
        ('+', first.saturating_add(second))
    }
}

/// The whole numbers of a text, thousands commas removed; those that do not fit are skipped.
fn numbers(text: &str) -> Vec<i64> {
    text.split(|c: char| !c.is_ascii_digit() && c != ',')
        .map(|run| run.replace(',', ""))
        .filter(|digits| !digits.is_empty())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn the_wording_chooses_the_operation() {
        assert!(
            answer("Ann has 3 apples and buys 4. How many? End with `#### <number>`").ends_with("\n#### 7")
        );
        assert!(answer("End with `#### number`.\n\nAnn has 3 apples and 4 pears.").ends_with("\n#### 7"));
        assert!(answer("5 boxes hold 6 pens each. How many pens?").ends_with("#### 30"));
        assert!(answer("Of 1,200 euros she spent 200.").ends_with("#### 1000"));
    }

    #[test]
    fn a_problem_without_numbers_and_one_too_large_get_an_answer() {
        assert!(answer("How many?").ends_with("#### 2"));
        assert!(
            answer("99999999999999999999 and 9223372036854775807 and 5")
                .ends_with("#### 9223372036854775807")
        );
    }
}
