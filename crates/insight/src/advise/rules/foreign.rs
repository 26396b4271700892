//! Foreign keys: a parent that goes looks for its children, and no plan shows it.

use super::proposal::Proposal;
use crate::advise::candidate::Rule;
use crate::advise::shape::Write;
use crate::catalog::{Catalog, ForeignKey, IndexKey, Kept, Method, Table, TableName};

/// Whether rows of the parent go, or change the columns that children point to.
pub(crate) fn parent_leaves(
    key: &ForeignKey,
    catalog: &Catalog,
    writes: &[(TableName, Write)],
) -> bool {
    let Some(parent) = catalog.table(&key.parent) else { return false };
    let counted = parent.writes.is_some_and(|counters| counters.deleted > 0);
    counted
        || writes.iter().any(|(table, write)| {
            *table == parent.name
                && match write {
                    Write::Delete => true,
                    Write::Update(columns) => {
                        key.parent_columns.iter().any(|column| columns.contains(column))
                    }
                    Write::Insert => false,
                }
        })
}

/// The existing index of the child that begins with the key's columns, in any order.
pub(crate) fn child_index<'t>(key: &ForeignKey, child: &'t Table) -> Option<&'t str> {
    if let [only] = key.columns.as_slice()
        && child.rowid_column.as_deref() == Some(only.as_str())
    {
        return Some(only_rowid(child));
    }
    let usable = child.indexes.iter().filter(|index| {
        index.valid
            && index.understood
            && index.shape.method == Method::BTree
            && index.shape.predicate.as_deref().is_none_or(|sql| only_not_null(sql, key))
    });
    usable
        .filter(|index| {
            let keys = index.shape.keys.iter().take(key.columns.len());
            let leading: Vec<&str> = keys.filter_map(IndexKey::column_name).collect();
            leading.len() == key.columns.len()
                && key.columns.iter().all(|column| leading.contains(&column.as_str()))
        })
        .map(|index| index.name.as_str())
        .next()
}

fn only_rowid(child: &Table) -> &str {
    child.rowid_column.as_deref().unwrap_or_default()
}

/// A child without a parent is never looked for.
fn only_not_null(sql: &str, key: &ForeignKey) -> bool {
    let bare = sql.trim_matches(['(', ')']);
    let column = bare.strip_suffix(" IS NOT NULL").map(|name| name.trim_matches('"'));
    column.is_some_and(|column| key.columns.iter().any(|own| own == column))
}

/// The index for a key that has none.
pub(crate) fn propose(key: &ForeignKey, child: &Table) -> Proposal {
    let keys = key.columns.iter().map(IndexKey::column).collect();
    let mut proposal = Proposal::btree(&child.name, keys, key.columns.len());
    proposal.rules = vec![Rule::ForeignKey];
    let rows = child.rows.unwrap_or_default();
    proposal.kept = key.columns.iter().fold(Kept::known(1.0), |kept, name| {
        let column = child.column(name);
        column.map_or(kept, |column| kept.and(column.kept_by_equality(None, rows)))
    });
    proposal
}
