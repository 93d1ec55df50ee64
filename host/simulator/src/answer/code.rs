//! Answers to programming tasks: a Python function of the asked name with a guess for its body.

/// A fenced Python block, or nothing if the prompt defines no function.
pub(super) fn answer(prompt: &str) -> Option<String> {
    // The last definition is the one to complete; earlier ones are helpers.
    let begin = prompt
        .rfind("def ")
        .filter(|at| !prompt[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))?;
    let rest = &prompt[begin + 4..];
    let open = rest.find('(')?;
    let name = rest[..open].trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let close = matching_parenthesis(&rest[open..])?;
    let arguments = arguments(&rest[open + 1..open + close]);
    let imports: String = prompt[..begin]
        .lines()
        .filter(|l| l.starts_with("import ") || l.starts_with("from "))
        .fold(String::new(), |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        });
    let body = body(name, &arguments);
    is_name
        .then(|| format!("```python\n{imports}def {name}({}):\n    return {body}\n```", arguments.join(", ")))
}

/// The offset of the parenthesis that closes the first one.
fn matching_parenthesis(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => open.push(c),
            ')' if open.pop()? != '(' => return None,
            ']' if open.pop()? != '[' => return None,
            _ => {}
        }
        if open.is_empty() {
            return Some(at);
        }
    }
    None
}

/// Names of the arguments without types and defaults.
fn arguments(list: &str) -> Vec<String> {
    let mut depth = 0u32;
    list.split(|c: char| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(|argument| argument.split([':', '=']).next().unwrap_or_default().trim().to_owned())
    .filter(|argument| !argument.is_empty())
    .collect()
}

/// A guess from the function's name.
fn body(name: &str, arguments: &[String]) -> String {
    let Some(first) = arguments.first() else { return "None".to_owned() };
    let guesses = [
        ("sort", format!("sorted({first})")),
        ("max", format!("max({first})")),
        ("largest", format!("max({first})")),
        ("min", format!("min({first})")),
        ("revers", format!("{first}[::-1]")),
        ("strlen", format!("len({first})")),
        ("count", format!("len({first})")),
        ("uniq", format!("sorted(set({first}))")),
    ];
    if let Some((_, guess)) = guesses.into_iter().find(|(hint, _)| name.contains(hint)) {
        return guess;
    }
    match arguments {
        [first, second] => format!("{first} + {second}"),
        [first] if name.contains("sum") => format!("sum({first})"),
        _ => first.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn completes_the_last_definition_with_its_arguments() {
        let prompt = "from typing import List\n\ndef helper(x):\n    return x\n\ndef largest_of(values: List[Tuple[int, int]], \
                      start=(1, 2)) -> int:\n    \"\"\"doc\"\"\"\n";
        assert_eq!(
            answer(prompt).unwrap(),
            "```python\nfrom typing import List\ndef largest_of(values, start):\n    return max(values)\n```"
        );
    }

    #[test]
    fn knows_the_simple_ones() {
        assert!(answer("def add(x: int, y: int):").unwrap().contains("return x + y"));
        assert!(answer("def strlen(string: str) -> int:").unwrap().contains("return len(string)"));
        assert!(answer("def nothing():").unwrap().contains("return None"));
    }

    #[test]
    fn broken_definitions_and_plain_text_are_left_alone() {
        for prompt in ["def ", "def f(", "def f(a]", "predef f(a)", "no code here", "def two words(a)"] {
            assert_eq!(answer(prompt), None, "{prompt}");
        }
    }
}
