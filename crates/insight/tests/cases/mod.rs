//! Reads the table of cases and judges advice by it.

#![allow(dead_code, reason = "each program that includes this uses a part of it")]

use guildhall_insight::advise::{Limits, advise};
use guildhall_insight::catalog::Catalog;
use guildhall_insight::workload::{Statement, Workload};

/// What a case may expect; any one of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// No candidate.
    Nothing,
    /// These among the candidates, in one spelling.
    Indexes(Vec<String>),
}

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Indexes that are there before, as SQL.
    pub(crate) given: Vec<String>,
    /// Values of calls, in order.
    pub(crate) bound: Vec<Vec<String>>,
    pub(crate) expected: Vec<Expected>,
    /// A rewrite that must be given, by its kind.
    pub(crate) advice: Option<String>,
    pub(crate) statement: String,
}

/// Reads all cases of a file.
pub(crate) fn read(text: &str) -> Vec<Case> {
    text.split("-- case: ").skip(1).map(case).collect()
}

fn case(block: &str) -> Case {
    let (name, rest) = block.split_once('\n').unwrap_or((block, ""));
    let told = |key: &str| -> Vec<String> {
        let prefix = format!("-- {key}: ");
        rest.lines().filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect()
    };
    let statement: Vec<&str> = rest.lines().filter(|line| !line.starts_with("--")).collect();
    let expected = told("expect");
    let choices = expected.iter().flat_map(|line| line.split(" or "));
    Case {
        name: name.trim().to_owned(),
        given: told("given"),
        bound: told("bound")
            .iter()
            .map(|call| call.split(',').map(|value| value.trim().to_owned()).collect())
            .collect(),
        expected: choices
            .map(|choice| match choice.trim() {
                "none" => Expected::Nothing,
                indexes => Expected::Indexes(indexes.split(" and ").map(spelled).collect()),
            })
            .collect(),
        advice: told("advice").pop(),
        statement: statement.join("\n").trim().trim_end_matches(';').to_owned(),
    }
}

/// One spelling: no case, no blanks, no quotes, no parentheses but as borders.
pub(crate) fn spelled(index: &str) -> String {
    let lower = index.to_lowercase();
    let border = |sign: char| if matches!(sign, '(' | ')') { ' ' } else { sign };
    let words: String = lower.chars().filter(|sign| *sign != '"').map(border).collect();
    let words = words.replace(',', " , ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Asks for advice on the case alone, and says what is wrong with it.
pub(crate) fn judge(case: &Case, catalog: &Catalog) -> Result<(), String> {
    let mut statement = Statement::new(case.statement.as_str());
    for call in &case.bound {
        statement = statement.sample(call.iter().map(String::as_str));
    }
    let workload = Workload { statements: vec![statement], ..Workload::default() };
    let advice = advise(catalog, &workload, &Limits::default());
    let found: Vec<String> =
        advice.candidates.iter().map(|one| spelled(&one.shape.to_string())).collect();
    let holds = case.expected.iter().any(|expected| match expected {
        Expected::Nothing => found.is_empty(),
        Expected::Indexes(indexes) => indexes.iter().all(|index| found.contains(index)),
    });
    if !holds {
        let why: Vec<String> = advice.rejected.iter().map(|one| one.why.to_string()).collect();
        return Err(format!(
            "{}: expected {:?}, found {found:?}; not proposed because {why:?}",
            case.name, case.expected
        ));
    }
    let given = |kind: &str| {
        advice.rewrites.iter().any(|one| format!("{:?}", one.rewrite).starts_with(kind))
    };
    match case.advice.as_deref() {
        Some(kind) if !given(kind) => {
            Err(format!("{}: expected {kind}, found {:?}", case.name, advice.rewrites))
        }
        _ => Ok(()),
    }
}
