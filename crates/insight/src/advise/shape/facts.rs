//! From conditions in a statement to facts about its tables.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::kept::kept_by;
use super::scope::{Reader, Source};
use super::wrap::Side;
use super::{Condition, Join, Target, Test};
use crate::advise::canon::canonical;
use crate::advise::rewrite::Rewrite;
use crate::advise::tree::{bare, chain, is_deep};
use crate::catalog::Kept;

/// What one condition says.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    /// Of one target of one table.
    Condition(usize, Condition),
    /// Two tables meet, or a table meets something computed.
    Join { own: (usize, Target), other: Option<(usize, Target)> },
    /// One of several lists holds.
    Alternatives(usize, Vec<Vec<Condition>>),
    /// Something no index serves, keeping about so much.
    Residual(Option<usize>, Kept),
}

impl Reader<'_> {
    /// Notes the conditions of `WHERE` or `ON`.
    pub(super) fn conditions(&mut self, expr: &Expr) {
        for conjunct in chain(expr, &BinaryOperator::And) {
            self.conjunct(conjunct);
        }
    }

    fn conjunct(&mut self, expr: &Expr) {
        match expr {
            Expr::Exists { subquery, negated } => {
                self.query(subquery, !negated);
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr }
                if matches!(bare(expr), Expr::Exists { .. }) =>
            {
                self.visit(expr, false);
            }
            Expr::InSubquery { expr, subquery, negated } => {
                self.visit(expr, false);
                let outputs = self.query(subquery, !negated);
                if is_deep(expr) {
                    return;
                }
                let Side::Target { scan, target, .. } = self.side(expr) else { return };
                if *negated {
                    self.advise(scan, Rewrite::NotExists);
                    return;
                }
                let inner = outputs.into_iter().next().and_then(|output| output.origin);
                let other = inner.map(|(scan, column)| (scan, Target::Column(column)));
                self.apply(Fact::Join { own: (scan, target), other });
            }
            other => {
                self.visit(other, false);
                for fact in self.facts(other) {
                    self.apply(fact);
                }
            }
        }
    }

    fn apply(&mut self, fact: Fact) {
        // What a sub-query says of a table around it narrows that only if its rows must exist.
        if let Fact::Condition(place, _) | Fact::Alternatives(place, _) = &fact
            && !self.may_be_driven(*place)
        {
            return;
        }
        match fact {
            Fact::Condition(place, condition) => self.add_condition(place, condition),
            Fact::Alternatives(place, branches) => {
                if let Some(scan) = self.shape.scans.get_mut(place) {
                    scan.alternatives.push(branches);
                }
            }
            Fact::Residual(place, kept) => {
                if let Some(scan) = place.and_then(|place| self.shape.scans.get_mut(place)) {
                    scan.residual = scan.residual.and(kept);
                    scan.has_residual = true;
                }
            }
            Fact::Join { own: (own, target), other } => {
                let with = other.as_ref().map(|(scan, _)| *scan);
                let own_driven = self.may_be_driven(own);
                if let Some((scan, target)) = other {
                    let driven = self.may_be_driven(scan);
                    self.add_join(scan, Join { target, with: Some(own), driven });
                }
                self.add_join(own, Join { target, with, driven: own_driven });
            }
        }
    }

    fn add_join(&mut self, scan: usize, join: Join) {
        if let Some(scan) = self.shape.scans.get_mut(scan) {
            scan.joins.push(join);
        }
    }

    /// Two bounds of one column are one range.
    fn add_condition(&mut self, place: usize, condition: Condition) {
        let (table, statement) = (self.table_of(place), self.statement);
        let Some(scan) = self.shape.scans.get_mut(place) else { return };
        if let Test::Range { low, high } = &condition.test {
            let open = scan.conditions.iter_mut().find(|own| {
                own.target == condition.target
                    && match &own.test {
                        Test::Range { low: own_low, high: own_high } => {
                            low.is_some() != own_low.is_some()
                                && high.is_some() != own_high.is_some()
                        }
                        _ => false,
                    }
            });
            if let Some(own) = open
                && let Test::Range { low: own_low, high: own_high } = &mut own.test
            {
                *own_low = own_low.take().or_else(|| low.clone());
                *own_high = own_high.take().or_else(|| high.clone());
                own.sql = None;
                if let Some(table) = table {
                    own.kept = kept_by(&own.test, &own.target, table, statement);
                }
                return;
            }
        }
        scan.conditions.push(condition);
    }

    /// A table of a frame around comes second only if this frame's rows may lead to it.
    fn may_be_driven(&self, scan: usize) -> bool {
        let Some(frame) = self.frames.last() else { return true };
        let local = frame.bindings.iter().any(|binding| match &binding.source {
            Source::Scan(own) => *own == scan,
            Source::Derived(outputs) => {
                outputs.iter().any(|one| one.origin.as_ref().is_some_and(|(own, _)| *own == scan))
            }
            Source::Opaque => false,
        });
        // What belongs to no frame is the inner side of `IN (SELECT ...)`.
        let around = self.frames.iter().rev().skip(1).flat_map(|frame| &frame.bindings);
        let is_around = around
            .into_iter()
            .any(|binding| matches!(&binding.source, Source::Scan(own) if *own == scan));
        local || !is_around || frame.drives_outer
    }

    /// What one condition says. Sub-queries in it have been followed already.
    pub(super) fn facts(&mut self, expr: &Expr) -> Vec<Fact> {
        match bare(expr) {
            // A chain is as deep as it is long, and is taken apart link by link.
            Expr::BinaryOp { op: BinaryOperator::Or, .. } => vec![self.alternatives(expr)],
            Expr::BinaryOp { op: BinaryOperator::And, .. } => {
                let parts = chain(expr, &BinaryOperator::And);
                parts.into_iter().flat_map(|part| self.facts(part)).collect()
            }
            deep if is_deep(deep) => vec![Fact::Residual(None, Kept::guessed(0.5))],
            other => self.fact(other),
        }
    }

    /// A condition with its spelling for a partial index.
    pub(super) fn condition(
        &self,
        expr: &Expr,
        scan: usize,
        target: Target,
        collation: Option<String>,
        test: Test,
    ) -> Fact {
        let Some(table) = self.table_of(scan) else {
            return Fact::Residual(Some(scan), Kept::guessed(1.0));
        };
        let kept = kept_by(&test, &target, table, self.statement);
        let direct = self.is_spelled_directly(expr, scan);
        let sql = canonical(expr, table, self.system()).filter(|_| direct);
        Fact::Condition(scan, Condition { target, test, collation, sql, kept })
    }

    /// `a OR b`: a set of values, a page's condition, or alternatives that need an index each.
    fn alternatives(&mut self, expr: &Expr) -> Fact {
        let mut scan = None;
        let mut branches = Vec::new();
        let mut kept = Kept::known(0.0);
        for branch in chain(expr, &BinaryOperator::Or) {
            let mut conditions = Vec::new();
            let mut branch_kept = Kept::known(1.0);
            for fact in self.facts(branch) {
                match fact {
                    Fact::Condition(of, condition) if scan.is_none_or(|scan| scan == of) => {
                        scan = Some(of);
                        branch_kept = branch_kept.and(condition.kept);
                        conditions.push(condition);
                    }
                    // Within a branch, what no index serves only narrows it.
                    Fact::Residual(of, kept) if scan.is_none() || of == scan => {
                        scan = scan.or(of);
                        branch_kept = branch_kept.and(kept);
                    }
                    _ => return Fact::Residual(scan, Kept::guessed(1.0)),
                }
            }
            kept = kept.or(branch_kept);
            branches.push(conditions);
        }
        let Some(place) = scan else { return Fact::Residual(None, kept) };
        if branches.iter().any(Vec::is_empty) {
            return Fact::Residual(Some(place), kept);
        }
        if let Some(condition) = one_of(&branches, kept) {
            return Fact::Condition(place, condition);
        }
        if let Some(columns) = page(&branches) {
            self.advise(place, Rewrite::RowComparison { columns: columns.clone() });
            let target = Target::Column(columns.first().cloned().unwrap_or_default());
            let test = Test::RowRange(columns);
            let condition = Condition { target, test, collation: None, sql: None, kept };
            return Fact::Condition(place, condition);
        }
        Fact::Alternatives(place, branches)
    }
}

/// Equalities of one target are one set of values.
fn one_of(branches: &[Vec<Condition>], kept: Kept) -> Option<Condition> {
    let mut values = Vec::new();
    let mut first: Option<&Condition> = None;
    for branch in branches {
        let [condition] = branch.as_slice() else { return None };
        let known = *first.get_or_insert(condition);
        if known.target != condition.target || known.collation != condition.collation {
            return None;
        }
        match &condition.test {
            Test::Equal(value) => values.push(value.clone()),
            Test::AnyOf(more) => values.extend(more.iter().cloned()),
            _ => return None,
        }
    }
    let first = first?;
    let test = Test::AnyOf(values);
    Some(Condition { test, sql: None, kept, ..first.clone() })
}

/// `a < x OR a = x AND b < y`: the columns of the row that is meant, in order.
fn page(branches: &[Vec<Condition>]) -> Option<Vec<String>> {
    let mut columns: Vec<String> = Vec::new();
    for branch in branches {
        let (last, equal) = branch.split_last()?;
        let same = equal.len() == columns.len()
            && equal.iter().zip(&columns).all(|(condition, column)| {
                matches!(condition.test, Test::Equal(_))
                    && condition.target.column() == Some(column.as_str())
            });
        if !same || !matches!(last.test, Test::Range { .. }) {
            return None;
        }
        columns.push(last.target.column()?.to_owned());
    }
    (columns.len() >= 2).then_some(columns)
}
