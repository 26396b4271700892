//! Names of types, collations and functions: spelled only where the spelling means the same again.

use sqlparser::ast::{
    ArrayElemTypeDef, DataType, Function, FunctionArg, FunctionArguments, Ident, ObjectName,
    ObjectNamePart,
};

use crate::advise::tree::function_name;
use crate::catalog::quote_identifier;

/// The parser prints what stands behind a type's own name without its quotes, so a type is spelled
/// only if nothing in it ever needed any.
pub(super) fn type_name(data_type: &DataType) -> Option<String> {
    let mut element = data_type;
    while let DataType::Array(ArrayElemTypeDef::SquareBracket(inner, _)) = element {
        element = inner;
    }
    if matches!(element, DataType::Custom(_, modifiers) if !modifiers.is_empty()) {
        return None;
    }
    let text = data_type.to_string();
    let mut is_inside = false;
    let is_plain = text.chars().all(|letter| match letter {
        '(' | ')' => {
            let is_paired = is_inside == (letter == ')');
            is_inside = letter == '(';
            is_paired
        }
        ' ' | '0'..='9' => true,
        ',' | '-' => is_inside,
        letter => {
            !is_inside && (letter.is_ascii_alphabetic() || matches!(letter, '_' | '.' | '[' | ']'))
        }
    });
    is_plain.then_some(text)
}

/// A word that means the same with quotes and without, but for its case.
pub(super) fn is_plain(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

pub(super) fn collation_name(collation: &ObjectName) -> Option<String> {
    let part = |part: &ObjectNamePart| {
        let ident = part.as_ident()?;
        match ident.quote_style {
            Some(_) => Some(quote_identifier(&ident.value)),
            None => is_plain(&ident.value).then(|| ident.value.clone()),
        }
    };
    let parts: Option<Vec<String>> = collation.0.iter().map(part).collect();
    Some(parts?.join("."))
}

/// The name a function is called by, in lower case. `None` if another function may have that name:
/// one of another schema, or one whose name has to be quoted.
pub(super) fn called(function: &Function) -> Option<String> {
    // PostgreSQL itself prints these two in quotes.
    const QUOTED: [&str; 2] = ["left", "right"];
    let parts: Option<Vec<&Ident>> = function.name.0.iter().map(ObjectNamePart::as_ident).collect();
    let name = match parts?.as_slice() {
        [name] => *name,
        [schema, name] if schema.value.eq_ignore_ascii_case("pg_catalog") => *name,
        _ => return None,
    };
    let is_quoted = name.quote_style.is_some() && !QUOTED.contains(&name.value.as_str());
    // An argument given by its name would lose that.
    let is_by_place = match &function.args {
        FunctionArguments::List(list) => {
            list.args.iter().all(|argument| matches!(argument, FunctionArg::Unnamed(_)))
        }
        FunctionArguments::None | FunctionArguments::Subquery(_) => true,
    };
    (!is_quoted && is_by_place && is_plain(&name.value)).then(|| function_name(&function.name))
}

#[cfg(test)]
mod tests {
    use crate::advise::canon::{canonical, read_expression};
    use crate::catalog::{Column, Table, TableName};
    use crate::fingerprint::System;

    fn spelled(sql: &str) -> Option<String> {
        let table = Table::new(TableName::bare("t"), 1.0, 1, vec![Column::new("a", "text")]);
        let expr = read_expression(sql, System::Postgres);
        canonical(&expr.unwrap(), &table, System::Postgres)
    }

    #[test]
    fn a_type_is_spelled_only_where_nothing_in_it_was_quoted() {
        for sql in [
            "CAST(lower(a) AS foo('''1)))); DROP TABLE t; --'''))",
            "CAST(lower(a) AS foo('1)); DROP TABLE t; --')[])",
            "CAST(lower(a) AS \"foo)); DROP TABLE t; --\")",
            "a OPERATOR(pg_catalog.=) 'x'",
        ] {
            assert_eq!(spelled(sql), None, "{sql}");
        }
        for (sql, wanted) in [
            ("CAST(a AS numeric(5, 2))", "CAST(a AS NUMERIC(5,2))"),
            ("a::timestamp(3) with time zone", "CAST(a AS TIMESTAMP(3) WITH TIME ZONE)"),
            ("lower(a)::citext[]", "CAST(lower(a) AS citext[])"),
            ("a::app.mood", "CAST(a AS app.mood)"),
        ] {
            assert_eq!(spelled(sql).as_deref(), Some(wanted), "{sql}");
        }
    }

    #[test]
    fn a_quoted_collation_keeps_its_quotes() {
        let sql = "a COLLATE \"x\\\"\"; DROP TABLE t; --\"";
        assert_eq!(spelled(sql).as_deref(), Some(format!("({sql})").as_str()));
    }

    #[test]
    fn a_function_is_spelled_only_where_its_name_says_which() {
        for sql in ["app.norm(a)", "\"MyNorm\"(a)", "\"norm\"(a)", "norm(t => a)"] {
            assert_eq!(spelled(sql), None, "{sql}");
        }
        assert_eq!(spelled("pg_catalog.LOWER(a)").as_deref(), Some("lower(a)"));
        assert_eq!(spelled("\"left\"((a)::text, 3)").as_deref(), Some("left(a, 3)"));
    }
}
