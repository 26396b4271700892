//! What writes would pay.

use std::collections::BTreeSet;

use crate::advise::canon::read_expression;
use crate::advise::refusal::Refusal;
use crate::advise::shape::Write;
use crate::advise::tree::each;
use crate::catalog::{Catalog, IndexShape, KeyPart, Table, TableName};
use crate::fingerprint::System;

/// How the workload writes: with the calls of each statement.
pub(crate) struct Writes<'a> {
    pub(crate) catalog: &'a Catalog,
    /// What was seen, with its calls.
    pub(crate) seen: Vec<(TableName, Write, u64)>,
}

impl Writes<'_> {
    /// Whether an observed `UPDATE` sets a column that the index holds.
    pub(crate) fn ends_hot(&self, shape: &IndexShape) -> bool {
        let held = columns_of(shape, self.catalog.system());
        self.seen.iter().any(|(table, write, _)| {
            *table == shape.table
                && matches!(write, Write::Update(columns) if !columns.is_disjoint(&held))
        })
    }

    /// Entries that statements seen would write into an index, a call counted as one row.
    pub(crate) fn entries(&self, shape: &IndexShape) -> f64 {
        let held = columns_of(shape, self.catalog.system());
        let of_table = self.seen.iter().filter(|(written, _, _)| *written == shape.table);
        of_table
            .filter(|(_, write, _)| match write {
                // An update that leaves the columns alone writes no entry, as long as it finds room
                // on its page.
                Write::Update(set) => !set.is_disjoint(&held),
                Write::Insert | Write::Delete => true,
            })
            .map(|(_, _, calls)| *calls as f64)
            .sum()
    }

    /// The refusal of an index that is written far more often than it is read. Both are counted by
    /// the statements seen: counters of the table may be of another span.
    pub(crate) fn too_heavy(
        &self,
        shape: &IndexShape,
        reads: f64,
        table: &Table,
        limit: f64,
    ) -> Option<Refusal> {
        let writes = self.entries(shape);
        if reads <= 0.0 || writes <= reads * limit {
            return None;
        }
        let hot_lost = (self.catalog.system() == System::Postgres && self.ends_hot(shape))
            .then(|| table.writes.map_or(0.0, |counters| counters.hot_updated as f64));
        Some(Refusal::WriteHeavy { writes, reads, hot_lost })
    }
}

/// The columns an index holds: of keys, of expressions, of its condition.
pub(crate) fn columns_of(shape: &IndexShape, system: System) -> BTreeSet<String> {
    let mut columns: BTreeSet<String> = shape.include.iter().cloned().collect();
    let mut texts: Vec<&str> = shape.predicate.as_deref().into_iter().collect();
    for key in &shape.keys {
        match &key.part {
            KeyPart::Column(name) => {
                columns.insert(name.clone());
            }
            KeyPart::Expression(sql) => texts.push(sql),
        }
    }
    for text in texts {
        let Some(expr) = read_expression(text, system) else { continue };
        each(&expr, &mut |below| {
            if let sqlparser::ast::Expr::Identifier(ident) = below {
                columns.insert(ident.value.clone());
            }
        });
    }
    columns
}
