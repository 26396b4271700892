//! One spelling for one expression, so that an index's and a statement's can be compared, and so that
//! what is proposed is SQL again.

mod named;

use sqlparser::ast::{BinaryOperator, DataType, Expr, Ident, UnaryOperator, Value};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::tree::{arguments, bare, is_deep, literal_text};
use crate::catalog::{Table, quote_identifier, quote_literal};
use crate::fingerprint::System;
use crate::sql::{dialect, too_many_operators};
use named::{called, collation_name, is_plain, type_name};

/// Words that stand for something else when they are not quoted, in one of the databases.
const RESERVED: [&str; 104] = [
    "add",
    "all",
    "alter",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "binary",
    "both",
    "by",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "commit",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "distinct",
    "do",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "if",
    "ilike",
    "in",
    "index",
    "initially",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "nothing",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "set",
    "similar",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "transaction",
    "true",
    "union",
    "unique",
    "update",
];
const RESERVED_MORE: [&str; 10] =
    ["user", "using", "values", "variadic", "verbose", "when", "where", "window", "with", "within"];

/// A column's name within an expression: quoted only where it must be.
pub(crate) fn spell(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|letter| letter.is_ascii_lowercase() || letter == '_');
    let rest = letters
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if first && rest && !RESERVED.contains(&name) && !RESERVED_MORE.contains(&name) {
        name.to_owned()
    } else {
        quote_identifier(name)
    }
}

/// The catalogue's name of a column of a table, as an identifier names it.
pub(crate) fn column_of<'t>(table: &'t Table, ident: &Ident, system: System) -> Option<&'t str> {
    let exact = || table.column(&ident.value).map(|column| column.name.as_str());
    let folded = || {
        let mut columns = table.columns.iter();
        columns
            .find(|column| column.name.eq_ignore_ascii_case(&ident.value))
            .map(|column| column.name.as_str())
    };
    match (system, ident.quote_style) {
        (System::Sqlite, _) => exact().or_else(folded),
        (System::Postgres, Some(_)) => exact(),
        (System::Postgres, None) => {
            table.column(&ident.value.to_ascii_lowercase()).map(|column| column.name.as_str())
        }
    }
}

/// Writes the one spelling of an expression over a table's columns. `None` if it holds anything that
/// cannot stand in an index: placeholders, sub-queries, other tables' columns.
pub(crate) fn canonical(expr: &Expr, table: &Table, system: System) -> Option<String> {
    let canon = |expr: &Expr| canonical(expr, table, system);
    Some(match bare(expr) {
        Expr::Identifier(ident) => spell(column_of(table, ident, system)?),
        Expr::CompoundIdentifier(parts) => spell(column_of(table, parts.last()?, system)?),
        Expr::Value(value) => literal(&value.value)?,
        Expr::TypedString(typed) => literal(&typed.value.value)?,
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => format!("(NOT {})", canon(expr)?),
        Expr::UnaryOp { op, expr } => match bare(expr) {
            Expr::Value(value) => format!("{op}{}", literal(&value.value)?),
            _ => format!("({op} {})", canon(expr)?),
        },
        // Its name may be quoted, and is not printed so.
        Expr::BinaryOp { op: BinaryOperator::PGCustomBinaryOperator(_), .. } => return None,
        Expr::BinaryOp { left, op, right } => {
            let op = if op.to_string() == "!=" { "<>".to_owned() } else { op.to_string() };
            format!("({} {op} {})", canon(left)?, canon(right)?)
        }
        Expr::IsNull(inner) => format!("({} IS NULL)", canon(inner)?),
        Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", canon(inner)?),
        Expr::IsTrue(inner) => canon(inner)?,
        Expr::IsFalse(inner) => format!("(NOT {})", canon(inner)?),
        Expr::Cast { expr: inner, data_type, .. } => cast(inner, data_type, table, system)?,
        Expr::Collate { expr, collation } => {
            format!("({} COLLATE {})", canon(expr)?, collation_name(collation)?)
        }
        Expr::Function(function) => {
            let arguments: Option<Vec<_>> = arguments(function)?.into_iter().map(canon).collect();
            if function.filter.is_some() || !function.within_group.is_empty() {
                return None;
            }
            format!("{}({})", called(function)?, arguments?.join(", "))
        }
        Expr::InList { expr, list, negated: false } => {
            let list: Option<Vec<_>> = list.iter().map(canon).collect();
            format!("({} IN ({}))", canon(expr)?, list?.join(", "))
        }
        // As PostgreSQL prints `IN`: `= ANY (ARRAY[...])`.
        Expr::AnyOp { left, compare_op, right, .. } if *compare_op == BinaryOperator::Eq => {
            let mut right = bare(right);
            while let Expr::Cast { expr, .. } = right {
                right = bare(expr);
            }
            let Expr::Array(array) = right else { return None };
            let list: Option<Vec<_>> = array.elem.iter().map(canon).collect();
            format!("({} IN ({}))", canon(left)?, list?.join(", "))
        }
        Expr::Extract { field, expr, .. } => {
            let field = field.to_string();
            format!("EXTRACT({} FROM {})", is_plain(&field).then_some(field)?, canon(expr)?)
        }
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let mut parts = vec![canon(expr)?];
            for bound in [substring_from, substring_for].into_iter().flatten() {
                parts.push(canon(bound)?);
            }
            format!("substr({})", parts.join(", "))
        }
        Expr::Trim { expr, trim_where: None, trim_what: None, trim_characters: None } => {
            format!("trim({})", canon(expr)?)
        }
        Expr::AtTimeZone { timestamp, time_zone } => {
            format!("({} AT TIME ZONE {})", canon(timestamp)?, canon(time_zone)?)
        }
        _ => return None,
    })
}

fn literal(value: &Value) -> Option<String> {
    Some(match value {
        Value::Number(digits, _) => digits.clone(),
        Value::Boolean(truth) => if *truth { "true" } else { "false" }.to_owned(),
        Value::Null => "NULL".to_owned(),
        other => quote_literal(&literal_text(other)?),
    })
}

/// PostgreSQL prints the casts it adds: of literals (`'a'::text`) and of `varchar` columns
/// (`(name)::text`). They change nothing and are left out.
fn cast(inner: &Expr, data_type: &DataType, table: &Table, system: System) -> Option<String> {
    let spelled = canonical(inner, table, system)?;
    let to_text = matches!(data_type, DataType::Text | DataType::Varchar(_));
    let of_text = match bare(inner) {
        Expr::Value(_) | Expr::TypedString(_) => return Some(spelled),
        Expr::Identifier(ident) => column_of(table, ident, system)
            .and_then(|name| table.column(name))
            .is_some_and(|column| column.class.is_text()),
        _ => false,
    };
    if to_text && of_text {
        return Some(spelled);
    }
    Some(format!("CAST({spelled} AS {})", type_name(data_type)?))
}

/// Reads an expression or predicate of an index, as the database printed it.
pub(crate) fn read_expression(sql: &str, system: System) -> Option<Expr> {
    if sql.len() > super::parse::STATEMENT_BYTES_MAX {
        return None;
    }
    let tokens = Tokenizer::new(dialect(system), sql).tokenize().ok()?;
    if too_many_operators(&tokens).is_some() {
        return None;
    }
    let mut parser = Parser::new(dialect(system)).with_tokens(tokens);
    let expr = parser.parse_expr().ok()?;
    let whole = parser.peek_token().token == Token::EOF;
    (whole && !is_deep(&expr)).then_some(expr)
}

/// The one spelling of an expression given as text; the text itself if it is not understood.
pub(crate) fn canonical_text(sql: &str, table: &Table, system: System) -> String {
    read_expression(sql, system)
        .and_then(|expr| canonical(&expr, table, system))
        .unwrap_or_else(|| sql.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, TableName};

    fn letters() -> Table {
        let columns =
            [("sender", "varchar(20)"), ("Size", "int"), ("order", "int"), ("doc", "jsonb")];
        let columns = columns.map(|(name, class)| Column::new(name, class));
        Table::new(TableName::bare("letters"), 1.0, 1, columns.into())
    }

    #[test]
    fn a_database_and_an_application_spell_alike() {
        let pairs = [
            ("lower((sender)::text)", "LOWER(l.sender)"),
            ("((doc ->> 'kind'::text) = 'bill'::text)", "doc->>'kind'='bill'"),
            ("(\"Size\" > 5)", "\"Size\">5"),
            ("sender = ANY (ARRAY['a'::text, 'b'::text])", "sender in ('a', 'b')"),
            ("(sender IS NOT NULL)", "((sender) is not null)"),
        ];
        for (printed, written) in pairs {
            let table = letters();
            let printed = canonical_text(printed, &table, System::Postgres);
            assert_eq!(printed, canonical_text(written, &table, System::Postgres));
        }
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        let spelled = canonical_text("\"order\" + \"Size\"", &letters(), System::Postgres);
        assert_eq!(spelled, "(\"order\" + \"Size\")");
    }

    #[test]
    fn what_cannot_stand_in_an_index_has_no_spelling() {
        for sql in ["sender = $1", "(select 1)", "elsewhere + 1", "count(*) filter (where true)"] {
            let expr = read_expression(sql, System::Postgres).unwrap();
            assert_eq!(canonical(&expr, &letters(), System::Postgres), None, "{sql}");
        }
    }
}
