//! What a condition keeps of a table, by its statistics and by the values it was asked with.

use super::{Operand, Target, Test};
use crate::advise::rules::text;
use crate::catalog::{Column, Kept, RangeBounds, Table, default_kept};
use crate::workload::Statement;

/// What a test keeps of a table.
pub(crate) fn kept_by(test: &Test, target: &Target, table: &Table, statement: &Statement) -> Kept {
    let rows = table.rows.unwrap_or_default();
    let column = target.column().and_then(|name| table.column(name));
    let Some(column) = column else {
        return default_kept(matches!(test, Test::Equal(_) | Test::AnyOf(_)));
    };
    match test {
        Test::Equal(value) => equal(value, column, rows, statement),
        Test::AnyOf(values) => {
            let kept = values.iter().map(|value| any(value, column, rows, statement));
            kept.reduce(Kept::or).unwrap_or(Kept::known(0.0))
        }
        Test::NotEqual(value) => {
            let equal = equal(value, column, rows, statement);
            let kept = column.kept_by_null(false).share - equal.share;
            Kept { share: kept.clamp(0.0, 1.0), worst: 1.0, known: equal.known }
        }
        Test::Range { low, high } => range(low.as_ref(), high.as_ref(), column, statement),
        Test::RowRange(_) => default_kept(false),
        Test::Null(is_null) => column.kept_by_null(*is_null),
        Test::Truth(truth) => column.kept_by_equality(Some(if *truth { "t" } else { "f" }), rows),
        Test::Text(matching) => text::kept(matching, column, rows, statement),
        Test::Operator(_) => default_kept(true),
    }
}

fn equal(value: &Operand, column: &Column, rows: f64, statement: &Statement) -> Kept {
    let values = value.values(statement);
    if values.is_empty() {
        return column.kept_by_equality(None, rows);
    }
    over(values.iter().map(|value| column.kept_by_equality(Some(value), rows)))
}

/// One element, or an array bound as a whole: `{1,2,3}`; one of unknown length counts as three.
fn any(value: &Operand, column: &Column, rows: f64, statement: &Statement) -> Kept {
    let arrays: Vec<Vec<&str>> = value
        .values(statement)
        .iter()
        .filter_map(|text| Some(text.strip_prefix('{')?.strip_suffix('}')?.split(',').collect()))
        .collect();
    if value.is_bind() && !arrays.is_empty() {
        return over(arrays.iter().map(|array| {
            let each = array.iter().map(|one| column.kept_by_equality(Some(one.trim()), rows));
            each.reduce(Kept::or).unwrap_or(Kept::known(0.0))
        }));
    }
    equal(value, column, rows, statement)
}

fn range(
    low: Option<&Operand>,
    high: Option<&Operand>,
    column: &Column,
    statement: &Statement,
) -> Kept {
    let values = |bound: Option<&Operand>| {
        bound
            .map(|bound| bound.values(statement).into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    let (low, high) = (values(low), values(high));
    if low.as_ref().or(high.as_ref()).is_none_or(Vec::is_empty) {
        return default_kept(false);
    }
    if high.as_ref().is_some_and(Vec::is_empty) {
        return default_kept(false);
    }
    let calls = low.as_ref().map_or(0, Vec::len).max(high.as_ref().map_or(0, Vec::len));
    let at = |bound: &Option<Vec<String>>, call: usize| {
        bound
            .as_ref()
            .and_then(|values| values.get(call.min(values.len().saturating_sub(1))).cloned())
    };
    over((0..calls).map(|call| {
        let (low, high) = (at(&low, call), at(&high, call));
        column.kept_by_range(RangeBounds { low: low.as_deref(), high: high.as_deref() })
    }))
}

/// The mean over the calls seen, and the worst of them.
fn over(calls: impl Iterator<Item = Kept>) -> Kept {
    let mut total = Kept { share: 0.0, worst: 0.0, known: true };
    let mut count = 0.0;
    for kept in calls {
        total.share += kept.share;
        total.worst = total.worst.max(kept.worst).max(kept.share);
        total.known &= kept.known;
        count += 1.0;
    }
    total.share /= f64::max(count, 1.0);
    total
}
