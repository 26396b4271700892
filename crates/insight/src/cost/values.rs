//! Which values a statement is planned with: one literal lies, so several are tried.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::advise::asked::{Asked, Compared};
use crate::catalog::{Catalog, Column, TypeClass};
use crate::workload::Statement;

/// Where a variant's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VariantKind {
    /// The statement as it stands: it binds nothing.
    AsWritten,
    /// Bound values that were seen.
    Seen,
    /// The most common value.
    Common,
    /// The least common of the values listed as common.
    Rare,
    /// From the middle of the values that are not common.
    Middle,
    /// A value that is not there.
    Absent,
}

impl fmt::Display for VariantKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::AsWritten => "the values written",
            Self::Seen => "values that were seen",
            Self::Common => "the most common value",
            Self::Rare => "a rare value",
            Self::Middle => "an average value",
            Self::Absent => "a value that is not there",
        })
    }
}

/// Values for all placeholders of a statement; `None` is null.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Where they come from.
    pub kind: VariantKind,
    /// By place; `None` in the map: not known, to be filled by the type.
    pub values: BTreeMap<usize, Option<String>>,
}

/// Sampled binds that are planned with, at most.
const SEEN_MAX: usize = 8;
/// A page, where a limit is bound and was not seen.
const LIMIT: &str = "50";

/// The variants to plan a statement with: at least one.
pub(crate) fn variants(catalog: &Catalog, statement: &Statement, asked: &Asked) -> Vec<Variant> {
    if asked.places == 0 {
        return vec![Variant { kind: VariantKind::AsWritten, values: BTreeMap::new() }];
    }
    // A sample of another length is of another text: its places mean other things.
    let mut variants: Vec<Variant> = statement
        .samples
        .iter()
        .filter(|sample| sample.len() == asked.places)
        .take(SEEN_MAX)
        .map(|sample| Variant {
            kind: VariantKind::Seen,
            values: sample.iter().cloned().enumerate().collect(),
        })
        .collect();
    // What is bound is what counts; values are drawn only where nobody saw any.
    if !variants.is_empty() {
        return variants;
    }
    for kind in [VariantKind::Common, VariantKind::Rare, VariantKind::Middle, VariantKind::Absent] {
        let mut values = BTreeMap::new();
        let mut differs = false;
        for compared in &asked.compared {
            let column = catalog.table(&compared.table).and_then(|t| t.column(&compared.column));
            if let Some(value) = column.and_then(|column| value_for(column, compared, kind)) {
                values.insert(compared.place, Some(value));
                differs = true;
            }
        }
        for &place in &asked.limits {
            values.insert(place, Some(LIMIT.to_owned()));
        }
        for &place in &asked.offsets {
            values.insert(place, Some("0".to_owned()));
        }
        for (place, value) in &statement.constants {
            values.insert(*place, Some(value.clone()));
        }
        let is_new = variants.iter().all(|known| known.values != values);
        if is_new && (differs || variants.is_empty()) {
            variants.push(Variant { kind, values });
        }
    }
    variants
}

/// A value of the column, as the comparison wants it.
fn value_for(column: &Column, compared: &Compared, kind: VariantKind) -> Option<String> {
    let value = match (compared.low, compared.high) {
        // Between two bounds: a tenth of the values from the middle.
        (true, _) if compared.bounded => at(column, 0.45),
        (_, true) if compared.bounded => at(column, 0.55),
        // An application that asks for a range mostly asks for a narrow one.
        (true, _) => at(column, if kind == VariantKind::Common { 0.9 } else { 0.99 }),
        (_, true) => at(column, if kind == VariantKind::Common { 0.1 } else { 0.01 }),
        _ => equal_to(column, kind),
    }?;
    Some(match compared.prefix {
        true => {
            let start: String = value.chars().take(4).filter(|c| !matches!(c, '%' | '_')).collect();
            format!("{start}%")
        }
        false => value,
    })
}

fn equal_to(column: &Column, kind: VariantKind) -> Option<String> {
    let stats = column.stats.as_ref()?;
    let middle = || at(column, 0.5);
    match kind {
        VariantKind::Common => stats.common.first().map(|c| c.value.clone()).or_else(middle),
        VariantKind::Rare => stats.common.last().map(|c| c.value.clone()).or_else(middle),
        VariantKind::Absent => absent(column),
        _ => middle().or_else(|| stats.common.get(stats.common.len() / 2).map(|c| c.value.clone())),
    }
}

/// The bound below which `share` of the values not common lie.
fn at(column: &Column, share: f64) -> Option<String> {
    let stats = column.stats.as_ref()?;
    let bounds = &stats.histogram;
    if bounds.is_empty() {
        let mut common: Vec<&str> = stats.common.iter().map(|c| c.value.as_str()).collect();
        match column.class {
            TypeClass::Integer | TypeClass::Numeric | TypeClass::Float => {
                common.sort_by(|a, b| number(a).total_cmp(&number(b)));
            }
            _ => common.sort_unstable(),
        }
        let place = (share * common.len() as f64) as usize;
        return common.get(place.min(common.len().saturating_sub(1))).map(|v| (*v).to_owned());
    }
    let place = (share * (bounds.len() - 1) as f64).round() as usize;
    bounds.get(place.min(bounds.len() - 1)).cloned()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::INFINITY)
}

/// A value of the type that statistics do not know: there if anywhere among the rarest.
fn absent(column: &Column) -> Option<String> {
    let stats = column.stats.as_ref()?;
    match &column.class {
        TypeClass::Integer => {
            let listed = stats.common.iter().map(|c| c.value.as_str());
            let values = listed.chain(stats.histogram.iter().map(String::as_str));
            let greatest = values.filter_map(|v| v.parse::<i64>().ok()).max()?;
            let next = greatest.checked_add(1)?;
            // A narrow type may have no room above.
            (next < i64::from(i16::MAX) || column.type_name != "smallint").then(|| next.to_string())
        }
        TypeClass::Text => Some("\u{7e}no such value\u{7e}".to_owned()),
        TypeClass::Uuid => Some("00000000-0000-4000-8000-000000000000".to_owned()),
        _ => None,
    }
}

/// A harmless value of a type, for a placeholder that is compared with nothing we follow.
#[cfg(feature = "postgres")]
pub(crate) fn by_type(type_name: &str) -> &'static str {
    match TypeClass::of(type_name) {
        TypeClass::Boolean => "true",
        TypeClass::Integer | TypeClass::Numeric | TypeClass::Float => "1",
        TypeClass::Date | TypeClass::Timestamp | TypeClass::TimestampTz => "2025-01-01",
        TypeClass::Time => "01:00",
        TypeClass::Uuid => "00000000-0000-4000-8000-000000000000",
        TypeClass::Json | TypeClass::Jsonb | TypeClass::Array(_) => "{}",
        _ => "x",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ColumnStats, Table, TableName};

    fn catalog() -> Catalog {
        let stats = ColumnStats::distinct(2_000.0)
            .common(&[("1", 0.06), ("900", 0.0004)])
            .histogram(["2", "1000", "2000"]);
        let column = Column::new("guild_id", "bigint").with_stats(stats);
        let table = Table::new(TableName::bare("messages"), 4e5, 8_000, vec![column]);
        Catalog { tables: vec![table], ..Catalog::default() }
    }

    fn asked() -> Asked {
        let compared = Compared {
            place: 0,
            table: TableName::bare("messages"),
            column: "guild_id".to_owned(),
            ..Compared::default()
        };
        Asked { places: 2, compared: vec![compared], limits: vec![1], offsets: Vec::new() }
    }

    #[test]
    fn a_bound_key_is_tried_common_rare_average_and_absent() {
        let made = variants(&catalog(), &Statement::new("..."), &asked());
        let first = |variant: &Variant| variant.values[&0].clone().unwrap();
        let values: Vec<String> = made.iter().map(first).collect();
        assert_eq!(values, ["1", "900", "1000", "2001"]);
        assert!(made.iter().all(|variant| variant.values[&1].as_deref() == Some("50")));
    }

    #[test]
    fn values_that_were_seen_are_all_that_is_tried() {
        let statement = Statement::new("...").sample(["7", "20"]);
        let made = variants(&catalog(), &statement, &asked());
        assert_eq!(made[0].kind, VariantKind::Seen);
        assert_eq!(made[0].values[&1].as_deref(), Some("20"));
        assert_eq!(made.len(), 1);
    }

    #[test]
    fn values_of_another_text_are_not_tried() {
        let statement = Statement::new("...").sample(["7", "8", "9", "20"]);
        let made = variants(&catalog(), &statement, &asked());
        assert!(made.iter().all(|variant| variant.kind != VariantKind::Seen));
    }

    #[test]
    fn a_statement_that_binds_nothing_is_planned_as_it_stands() {
        let made = variants(&catalog(), &Statement::new("select 1"), &Asked::default());
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].kind, VariantKind::AsWritten);
    }
}
