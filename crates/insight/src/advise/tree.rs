//! Small questions about syntax trees that every rule asks.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    ObjectName, ObjectNamePart, Subscript, Value,
};

/// The expression within parentheses.
pub(crate) fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// The deepest expression that is looked into: further down is further than anyone writes.
const LEVELS_MAX: usize = 64;

/// Whether an expression is too deep to be followed by recursion.
pub(crate) fn is_deep(expr: &Expr) -> bool {
    let mut open = vec![(expr, 1)];
    while let Some((next, level)) = open.pop() {
        if level > LEVELS_MAX {
            return true;
        }
        let below = children(next).unwrap_or_default();
        open.extend(below.into_iter().map(|child| (child, level + 1)));
    }
    false
}

/// The operands of a chain of one operator, in order: `a AND (b AND c)` gives three.
pub(crate) fn chain<'e>(expr: &'e Expr, operator: &BinaryOperator) -> Vec<&'e Expr> {
    let mut operands = Vec::new();
    let mut open = vec![expr];
    while let Some(next) = open.pop() {
        match bare(next) {
            Expr::BinaryOp { left, op, right } if op == operator => {
                open.push(right);
                open.push(left);
            }
            other => operands.push(other),
        }
    }
    operands
}

/// The direct sub-expressions; `None` if the kind is not known here, and with it what it reads.
/// Sub-queries are not expressions: they are walked by themselves.
pub(crate) fn children(expr: &Expr) -> Option<Vec<&Expr>> {
    Some(match expr {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Value(_)
        | Expr::TypedString(_)
        | Expr::Wildcard(_)
        | Expr::Subquery(_)
        | Expr::Exists { .. } => Vec::new(),
        Expr::IsFalse(inner)
        | Expr::IsNotFalse(inner)
        | Expr::IsTrue(inner)
        | Expr::IsNotTrue(inner)
        | Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::IsUnknown(inner)
        | Expr::IsNotUnknown(inner)
        | Expr::Nested(inner) => vec![inner],
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
            vec![left, right]
        }
        Expr::UnaryOp { expr, .. }
        | Expr::Cast { expr, .. }
        | Expr::Extract { expr, .. }
        | Expr::Ceil { expr, .. }
        | Expr::Floor { expr, .. }
        | Expr::Collate { expr, .. }
        | Expr::InSubquery { expr, .. } => vec![expr],
        Expr::InList { expr, list, .. } => std::iter::once(&**expr).chain(list).collect(),
        Expr::Between { expr, low, high, .. } => vec![expr, low, high],
        Expr::BinaryOp { left, right, .. }
        | Expr::AnyOp { left, right, .. }
        | Expr::AllOp { left, right, .. } => vec![left, right],
        Expr::Like { expr, pattern, .. }
        | Expr::ILike { expr, pattern, .. }
        | Expr::SimilarTo { expr, pattern, .. }
        | Expr::RLike { expr, pattern, .. } => vec![expr, pattern],
        Expr::AtTimeZone { timestamp, time_zone } => vec![timestamp, time_zone],
        Expr::Position { expr, r#in } => vec![expr, r#in],
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let bounds = [substring_from, substring_for].into_iter().flatten();
            std::iter::once(&**expr).chain(bounds.map(|bound| &**bound)).collect()
        }
        Expr::Trim { expr, trim_what, .. } => {
            std::iter::once(&**expr).chain(trim_what.as_deref()).collect()
        }
        Expr::Case { operand, conditions, else_result, .. } => {
            let branches = conditions.iter().flat_map(|when| [&when.condition, &when.result]);
            operand.as_deref().into_iter().chain(branches).chain(else_result.as_deref()).collect()
        }
        Expr::Tuple(items) => items.iter().collect(),
        Expr::Array(array) => array.elem.iter().collect(),
        Expr::Interval(interval) => vec![&interval.value],
        Expr::Function(function) => arguments(function)?,
        Expr::CompoundFieldAccess { root, access_chain } => {
            let mut found = vec![&**root];
            for access in access_chain {
                match access {
                    AccessExpr::Dot(_) => {}
                    AccessExpr::Subscript(Subscript::Index { index }) => found.push(index),
                    AccessExpr::Subscript(Subscript::Slice { .. }) => return None,
                }
            }
            found
        }
        _ => return None,
    })
}

/// The arguments of a call, with its filter; `None` if it has parts that are not followed.
pub(crate) fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    let mut found: Vec<&Expr> = Vec::new();
    match &function.args {
        FunctionArguments::None => {}
        FunctionArguments::Subquery(_) => return None,
        FunctionArguments::List(list) => {
            for argument in &list.args {
                let (FunctionArg::Unnamed(argument)
                | FunctionArg::Named { arg: argument, .. }
                | FunctionArg::ExprNamed { arg: argument, .. }) = argument;
                match argument {
                    FunctionArgExpr::Expr(expr) => found.push(expr),
                    FunctionArgExpr::Wildcard => {}
                    FunctionArgExpr::QualifiedWildcard(_)
                    | FunctionArgExpr::WildcardWithOptions(_) => return None,
                }
            }
            if !list.clauses.is_empty() {
                return None;
            }
        }
    }
    if function.over.is_some() {
        return None;
    }
    found.extend(function.filter.as_deref());
    found.extend(function.within_group.iter().map(|key| &key.expr));
    Some(found)
}

/// The lower-case name of a function, its schema left out.
pub(crate) fn function_name(name: &ObjectName) -> String {
    match name.0.last() {
        Some(ObjectNamePart::Identifier(ident)) => ident.value.to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// Whether a call is one of an aggregate that every database has.
pub(crate) fn is_aggregate(function: &Function) -> bool {
    const AGGREGATES: [&str; 19] = [
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "total",
        "group_concat",
        "string_agg",
        "array_agg",
        "json_agg",
        "jsonb_agg",
        "json_object_agg",
        "jsonb_object_agg",
        "bool_and",
        "bool_or",
        "every",
        "stddev",
        "variance",
        "percentile_cont",
    ];
    let name = function_name(&function.name);
    // With two arguments SQLite's `min` and `max` choose between them.
    let scalar = matches!(name.as_str(), "min" | "max")
        && arguments(function).is_some_and(|arguments| arguments.len() > 1);
    function.over.is_none() && AGGREGATES.contains(&name.as_str()) && !scalar
}

/// The text of a literal, with its sign.
pub(crate) fn literal_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(digits, _) => Some(digits.clone()),
        Value::SingleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::UnicodeStringLiteral(text)
        | Value::NationalStringLiteral(text) => Some(text.clone()),
        Value::DollarQuotedString(text) => Some(text.value.clone()),
        Value::Boolean(truth) => Some(if *truth { "t" } else { "f" }.to_owned()),
        _ => None,
    }
}

/// Visits an expression and all below it, sub-queries left out; stops where it is not followed.
/// Whether all of it was followed.
pub(crate) fn each<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) -> bool {
    let mut open = vec![expr];
    let mut all = true;
    while let Some(next) = open.pop() {
        visit(next);
        match children(next) {
            Some(below) => open.extend(below.into_iter().rev()),
            None => all = false,
        }
    }
    all
}
