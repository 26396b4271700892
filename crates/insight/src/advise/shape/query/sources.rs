//! `FROM`: tables, sub-queries, joins.

use sqlparser::ast::{
    Expr, Join as JoinTree, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor,
    TableWithJoins,
};

use super::super::Join;
use super::super::scope::{Output, Reader, Source};
use crate::advise::shape::Target;

impl Reader<'_> {
    /// Binds what stands in `FROM` and notes the conditions of its joins. Gives the scans of plain
    /// tables among them.
    pub(in super::super) fn from(&mut self, from: &[TableWithJoins]) -> Vec<usize> {
        let mut scans = Vec::new();
        for tree in from {
            scans.extend(self.factor(&tree.relation));
            for join in &tree.joins {
                self.join(join, &mut scans);
            }
        }
        scans
    }

    fn factor(&mut self, factor: &TableFactor) -> Option<usize> {
        let (source, alias, name) = match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                (self.source_of(name), alias.as_ref(), Some(name))
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let outputs = self.query(subquery, true);
                (Source::Derived(outputs), alias.as_ref(), None)
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                let scans = self.from(std::slice::from_ref(table_with_joins));
                return scans.first().copied();
            }
            TableFactor::Table { alias, name, .. } => (Source::Opaque, alias.as_ref(), Some(name)),
            TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::TableFunction { alias, .. }
            | TableFactor::JsonTable { alias, .. } => (Source::Opaque, alias.as_ref(), None),
            _ => (Source::Opaque, None, None),
        };
        let source = renamed(source, alias, |ident| self.folded(ident));
        let scan = match &source {
            Source::Scan(scan) => Some(*scan),
            _ => None,
        };
        let alias = match (alias, name) {
            (Some(alias), _) => self.folded(&alias.name),
            (None, Some(name)) => self.last_of(name),
            (None, None) => String::new(),
        };
        self.bind(alias, source);
        scan
    }

    fn last_of(&self, name: &ObjectName) -> String {
        let ident = name.0.last().and_then(|part| part.as_ident());
        ident.map_or_else(String::new, |ident| self.folded(ident))
    }

    fn join(&mut self, join: &JoinTree, scans: &mut Vec<usize>) {
        let before: Vec<usize> = scans.clone();
        let first_new = self.shape.scans.len();
        scans.extend(self.factor(&join.relation));
        use JoinOperator as J;
        let (constraint, keeps_left, keeps_right) = match &join.join_operator {
            J::Join(on)
            | J::Inner(on)
            | J::CrossJoin(on)
            | J::StraightJoin(on)
            | J::Semi(on)
            | J::LeftSemi(on)
            | J::RightSemi(on) => (on, false, false),
            J::Left(on) | J::LeftOuter(on) | J::Anti(on) | J::LeftAnti(on) => (on, true, false),
            J::Right(on) | J::RightOuter(on) | J::RightAnti(on) => (on, false, true),
            J::FullOuter(on) => (on, true, true),
            _ => return,
        };
        match constraint {
            JoinConstraint::On(condition) if !keeps_left && !keeps_right => {
                self.conditions(condition);
            }
            JoinConstraint::On(condition) => {
                self.outer_conditions(condition, first_new, keeps_left, keeps_right);
            }
            JoinConstraint::Using(columns) => {
                for column in columns {
                    self.using(column, &before, scans.last().copied(), keeps_left, keeps_right);
                }
            }
            // The columns both have would have to be found; none are proposed for it.
            JoinConstraint::Natural | JoinConstraint::None => {}
        }
    }

    /// The condition of an outer join says nothing of the side that is kept whole: the other is
    /// looked up for each of its rows.
    fn outer_conditions(
        &mut self,
        condition: &Expr,
        first_new: usize,
        keeps_left: bool,
        keeps_right: bool,
    ) {
        let marks: Vec<_> = self
            .shape
            .scans
            .iter()
            .map(|scan| (scan.conditions.len(), scan.alternatives.len(), scan.joins.len()))
            .collect();
        self.conditions(condition);
        for (place, scan) in self.shape.scans.iter_mut().enumerate() {
            let is_new = place >= first_new;
            let kept = if is_new { keeps_right } else { keeps_left };
            let (conditions, alternatives, joins) = marks.get(place).copied().unwrap_or_default();
            if kept {
                scan.conditions.truncate(conditions);
                scan.alternatives.truncate(alternatives);
                scan.joins.iter_mut().skip(joins).for_each(|join| join.driven = false);
            }
        }
    }

    fn using(
        &mut self,
        column: &ObjectName,
        before: &[usize],
        right: Option<usize>,
        keeps_left: bool,
        keeps_right: bool,
    ) {
        let Some(ident) = column.0.last().and_then(|part| part.as_ident()) else { return };
        let has = |reader: &Self, scan: usize| {
            let table = reader.table_of(scan)?;
            crate::advise::canon::column_of(table, ident, reader.system()).map(str::to_owned)
        };
        let left = before.iter().rev().find_map(|scan| Some((*scan, has(self, *scan)?)));
        let right = right.and_then(|scan| Some((scan, has(self, scan)?)));
        let (Some((left, left_column)), Some((right, right_column))) = (left, right) else {
            return;
        };
        let ends =
            [(left, left_column, right, !keeps_left), (right, right_column, left, !keeps_right)];
        for (scan, column, with, driven) in ends {
            self.reads(scan, |reads| {
                reads.columns.insert(column.clone());
            });
            if let Some(scan) = self.shape.scans.get_mut(scan) {
                let target = Target::Column(column);
                scan.joins.push(Join { target, with: Some(with), driven });
            }
        }
    }
}

fn renamed(
    source: Source,
    alias: Option<&TableAlias>,
    folded: impl Fn(&sqlparser::ast::Ident) -> String,
) -> Source {
    match (source, alias) {
        (Source::Derived(mut outputs), Some(alias)) => {
            for (output, column) in outputs.iter_mut().zip(&alias.columns) {
                output.name = folded(&column.name);
            }
            Source::Derived(outputs)
        }
        (source, _) => source,
    }
}

/// The columns a table hands on when all are asked for.
pub(super) fn all_outputs(scan: usize, columns: impl Iterator<Item = String>) -> Vec<Output> {
    columns.map(|name| Output { name: name.clone(), origin: Some((scan, name)) }).collect()
}
