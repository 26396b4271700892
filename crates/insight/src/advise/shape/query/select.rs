//! One `SELECT`: where it reads, what it keeps, how it sorts.

use sqlparser::ast::{Distinct, Expr, GroupByExpr, OrderByExpr, OrderBySort, Select};

use super::super::scope::{Output, Reader, Source};
use super::super::values::operand;
use super::super::wrap::Side;
use super::super::{SortKey, Target};
use super::outputs::Projection;
use super::{Tail, is_position};
use crate::advise::rewrite::Rewrite;
use crate::advise::tree::{bare, is_deep};
use crate::catalog::{Direction, Nulls};
use crate::fingerprint::System;

/// An offset from which on paging by key is advised.
const OFFSET_DEEP: f64 = 1_000.0;

impl Reader<'_> {
    pub(super) fn select(&mut self, select: &Select, tail: &Tail<'_>) -> Vec<Output> {
        self.from(&select.from);
        if let Some(selection) = &select.selection {
            self.conditions(selection);
        }
        let mut projection = self.projection(&select.projection);
        let groups = self.groups(&select.group_by, &projection);
        let grouped = !groups.is_empty();
        if let Some(having) = &select.having {
            self.visit(having, false);
        }
        let distinct = matches!(&select.distinct, Some(Distinct::Distinct | Distinct::On(_)));
        if let Some(Distinct::On(keys)) = &select.distinct {
            for key in keys {
                self.visit(key, false);
            }
        }
        for key in &tail.order {
            self.visit(&key.expr, false);
        }
        let together = projection.aggregated || grouped;
        for (scan, target) in &groups {
            if let Some(scan) = self.shape.scans.get_mut(*scan) {
                scan.group.push(target.clone());
            }
        }
        if !together && !distinct && !projection.windowed {
            self.order(tail, &projection);
        } else if let (Some((scan, column)), false) = (&projection.extreme, grouped) {
            let key = SortKey {
                target: Target::Column(column.clone()),
                direction: Direction::Asc,
                nulls: Nulls::Default,
                collation: None,
            };
            if let Some(scan) = self.shape.scans.get_mut(*scan) {
                scan.order = vec![key];
                scan.limit = Some(1.0);
            }
        }
        self.handed_on(&mut projection, tail, &groups, together, distinct);
        projection.outputs
    }

    /// A condition from outside reaches a base column only where it keeps the same rows either way.
    fn handed_on(
        &self,
        projection: &mut Projection,
        tail: &Tail<'_>,
        groups: &[(usize, Target)],
        together: bool,
        distinct: bool,
    ) {
        let cut = tail.limit.is_some() || projection.windowed || distinct && together;
        for output in &mut projection.outputs {
            let of_group = output.origin.as_ref().is_some_and(|(scan, column)| {
                groups.contains(&(*scan, Target::Column(column.clone())))
            });
            if cut || together && !of_group {
                output.origin = None;
            }
        }
    }

    fn groups(&mut self, by: &GroupByExpr, projection: &Projection) -> Vec<(usize, Target)> {
        let GroupByExpr::Expressions(keys, modifiers) = by else { return Vec::new() };
        let mut found = Vec::new();
        for key in keys {
            self.visit(key, false);
            match self.key(key, projection) {
                Some((scan, target, _)) if modifiers.is_empty() => found.push((scan, target)),
                // Grouped by something else: what is put together is known, by what is not.
                _ => found.push((usize::MAX, Target::Expression(String::new()))),
            }
        }
        found
    }

    /// What a key of `ORDER BY` or `GROUP BY` means: a place in the projection, an alias, a column.
    fn key(&self, key: &Expr, projection: &Projection) -> Option<(usize, Target, Option<String>)> {
        if is_deep(key) {
            return None;
        }
        let by_place = operand(key)
            .and_then(|operand| is_position(&operand))
            .map(|place| projection.outputs.get(place.wrapping_sub(1)));
        if let Some(output) = by_place {
            let (scan, column) = output?.origin.clone()?;
            return Some((scan, Target::Column(column), None));
        }
        if let Side::Target { scan, target, collation, .. } = self.side(key) {
            return Some((scan, target, collation));
        }
        let Expr::Identifier(ident) = bare(key) else { return None };
        let mut outputs = projection.outputs.iter();
        let (scan, column) = outputs.find(|one| self.is_named(ident, &one.name))?.origin.clone()?;
        Some((scan, Target::Column(column), None))
    }

    /// Gives order and limit to the table they are about.
    fn order(&mut self, tail: &Tail<'_>, projection: &Projection) {
        let mut keys = Vec::new();
        let mut of: Option<usize> = None;
        for key in &tail.order {
            let Some((scan, target, collation)) = self.key(&key.expr, projection) else { return };
            if of.is_some_and(|of| of != scan) {
                return;
            }
            of = Some(scan);
            keys.push(self.sort_key(key, target, collation));
        }
        let alone = match self.frames.last().map(|frame| frame.bindings.as_slice()) {
            Some([only]) => match &only.source {
                Source::Scan(scan) => Some(*scan),
                _ => None,
            },
            _ => None,
        };
        let Some(place) = of.or(alone) else { return };
        let Some(scan) = self.shape.scans.get_mut(place) else { return };
        scan.order = keys;
        scan.limit = tail.limit.map(|limit| limit + tail.offset);
        scan.offset = tail.offset;
        if tail.offset >= OFFSET_DEEP {
            self.advise(place, Rewrite::KeysetPaging { offset: tail.offset as u64 });
        }
    }

    fn sort_key(&self, key: &OrderByExpr, target: Target, collation: Option<String>) -> SortKey {
        let direction = match &key.options.sort {
            Some(OrderBySort::Desc) => Direction::Desc,
            _ => Direction::Asc,
        };
        // PostgreSQL takes null for the greatest value, SQLite for the smallest.
        let nulls_greatest = self.system() == System::Postgres;
        let usual_first = nulls_greatest == (direction == Direction::Desc);
        let nulls = match key.options.nulls_first {
            Some(first) if first != usual_first => Nulls::Opposite,
            _ => Nulls::Default,
        };
        SortKey { target, direction, nulls, collation }
    }
}
