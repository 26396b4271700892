//! One comparison, and what it keeps of a table.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::facts::Fact;
use super::scope::Reader;
use super::values::{elements, operand};
use super::wrap::Side;
use super::{Operand, Target, Test, TextKind, TextMatch};
use crate::advise::rewrite::Rewrite;
use crate::advise::tree::bare;
use crate::catalog::{Kept, TypeClass};
use crate::fingerprint::System;

impl Reader<'_> {
    /// What a condition without `AND` and `OR` says.
    pub(super) fn fact(&mut self, expr: &Expr) -> Vec<Fact> {
        let fact = match expr {
            Expr::BinaryOp { left, op, right } => return self.comparison(expr, left, op, right),
            Expr::IsNull(inner) => self.simple(expr, inner, Test::Null(true)),
            Expr::IsNotNull(inner) => self.simple(expr, inner, Test::Null(false)),
            Expr::IsTrue(inner) => self.simple(expr, inner, Test::Truth(true)),
            Expr::IsFalse(inner) => self.simple(expr, inner, Test::Truth(false)),
            Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => match bare(inner) {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                    self.simple(expr, inner, Test::Truth(false))
                }
                _ => self.residual(inner),
            },
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                self.simple(expr, expr, Test::Truth(true))
            }
            Expr::InList { expr: inner, list, negated: false } => {
                let values: Option<Vec<_>> = list.iter().map(operand).collect();
                match values {
                    Some(values) => self.simple(expr, inner, Test::AnyOf(values)),
                    None => self.residual(inner),
                }
            }
            Expr::Between { expr: inner, negated: false, low, high } => {
                match (operand(low), operand(high)) {
                    (Some(low), Some(high)) => {
                        let test = Test::Range { low: Some(low), high: Some(high) };
                        self.simple(expr, inner, test)
                    }
                    _ => self.residual(inner),
                }
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                self.any(expr, left, right)
            }
            Expr::Like { negated: false, expr: inner, pattern, .. } => {
                let kind = match self.system() {
                    System::Postgres => TextKind::Like,
                    System::Sqlite => TextKind::LikeNoCase,
                };
                self.text(expr, inner, pattern, kind)
            }
            Expr::ILike { negated: false, expr: inner, pattern, .. } => {
                self.text(expr, inner, pattern, TextKind::LikeNoCase)
            }
            Expr::SimilarTo { negated: false, expr: inner, pattern, .. } => {
                self.text(expr, inner, pattern, TextKind::Regex)
            }
            Expr::IsNotDistinctFrom(left, right) if self.system() == System::Sqlite => {
                return self.comparison(expr, left, &BinaryOperator::Eq, right);
            }
            other => self.residual(other),
        };
        vec![fact]
    }

    /// A condition that no index serves, of the table it is about.
    fn residual(&mut self, expr: &Expr) -> Fact {
        let scan = match self.side(expr) {
            Side::Target { scan, .. } => Some(scan),
            Side::Hidden { scan, rewrite } => {
                if let Some(rewrite) = rewrite {
                    self.advise(scan, rewrite);
                }
                Some(scan)
            }
            _ => None,
        };
        Fact::Residual(scan, Kept::guessed(0.5))
    }

    fn simple(&mut self, whole: &Expr, inner: &Expr, test: Test) -> Fact {
        match self.side(inner) {
            Side::Target { scan, target, collation, class } => {
                let first = match &test {
                    Test::AnyOf(values) => values.first(),
                    Test::Range { low, high } => low.as_ref().or(high.as_ref()),
                    _ => None,
                };
                if self.casts_the_column(scan, &target, &class, first) {
                    return Fact::Residual(Some(scan), Kept::guessed(0.5));
                }
                self.condition(whole, scan, target, collation, test)
            }
            _ => self.residual(inner),
        }
    }

    fn text(&mut self, whole: &Expr, inner: &Expr, pattern: &Expr, kind: TextKind) -> Fact {
        match operand(pattern) {
            Some(pattern) => self.simple(whole, inner, Test::Text(TextMatch { pattern, kind })),
            None => self.residual(inner),
        }
    }

    /// `column = ANY (values)`, or the other way about.
    fn any(&mut self, whole: &Expr, left: &Expr, right: &Expr) -> Fact {
        if let Some(values) = elements(right) {
            return self.simple(whole, left, Test::AnyOf(values));
        }
        if let Side::Target { scan, target: Target::Column(column), class, .. } = self.side(right)
            && matches!(class, TypeClass::Array(_))
        {
            self.advise(scan, Rewrite::ArrayContains { column });
            return Fact::Residual(Some(scan), Kept::guessed(0.1));
        }
        self.residual(left)
    }

    fn comparison(
        &mut self,
        whole: &Expr,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
    ) -> Vec<Fact> {
        let asked = collation_of(left).or_else(|| collation_of(right));
        let named = |own: Option<String>| own.or_else(|| asked.clone());
        let fact = match (self.side(left), self.side(right)) {
            (Side::Row(left), Side::Row(right)) => return self.rows(whole, &left, op, &right),
            (Side::Target { scan, target, collation, class }, Side::Operand(value)) => {
                self.tested(whole, (scan, target, named(collation), class), op, value)
            }
            (Side::Operand(value), Side::Target { scan, target, collation, class }) => {
                match flipped(op) {
                    Some(op) => {
                        self.tested(whole, (scan, target, named(collation), class), &op, value)
                    }
                    None => Fact::Residual(Some(scan), Kept::guessed(0.5)),
                }
            }
            (
                Side::Target { scan: one, target: left, .. },
                Side::Target { scan: two, target: right, .. },
            ) if *op == BinaryOperator::Eq && one != two => {
                Fact::Join { own: (one, left), other: Some((two, right)) }
            }
            (Side::Target { scan, target, .. }, Side::Opaque)
            | (Side::Opaque, Side::Target { scan, target, .. })
                if *op == BinaryOperator::Eq =>
            {
                Fact::Join { own: (scan, target), other: None }
            }
            (Side::Hidden { scan, rewrite }, _) | (_, Side::Hidden { scan, rewrite }) => {
                if let Some(rewrite) = rewrite {
                    self.advise(scan, rewrite);
                }
                Fact::Residual(Some(scan), Kept::guessed(0.5))
            }
            (Side::Target { scan, .. }, _) | (_, Side::Target { scan, .. }) => {
                Fact::Residual(Some(scan), Kept::guessed(0.5))
            }
            _ => Fact::Residual(None, Kept::guessed(0.5)),
        };
        vec![fact]
    }

    fn tested(
        &mut self,
        whole: &Expr,
        (scan, target, collation, class): (usize, Target, Option<String>, TypeClass),
        op: &BinaryOperator,
        value: Operand,
    ) -> Fact {
        use BinaryOperator as B;
        if self.casts_the_column(scan, &target, &class, Some(&value)) {
            return Fact::Residual(Some(scan), Kept::guessed(0.5));
        }
        let matching = |pattern, kind| Test::Text(TextMatch { pattern, kind });
        let test = match op {
            B::Eq => Test::Equal(value),
            B::NotEq => Test::NotEqual(value),
            B::Lt | B::LtEq => Test::Range { low: None, high: Some(value) },
            B::Gt | B::GtEq => Test::Range { low: Some(value), high: None },
            B::PGLikeMatch => matching(value, TextKind::Like),
            B::PGILikeMatch => matching(value, TextKind::LikeNoCase),
            B::Glob => matching(value, TextKind::Glob),
            B::PGRegexMatch | B::PGRegexIMatch => matching(value, TextKind::Regex),
            B::AtArrow
            | B::ArrowAt
            | B::PGOverlap
            | B::AtAt
            | B::AtQuestion
            | B::Question
            | B::QuestionAnd
            | B::QuestionPipe => Test::Operator(op.to_string()),
            B::Modulo if class.is_text() => Test::Operator("%".to_owned()),
            B::Custom(name) => Test::Operator(name.clone()),
            _ => return Fact::Residual(Some(scan), Kept::guessed(0.5)),
        };
        self.condition(whole, scan, target, collation, test)
    }

    /// PostgreSQL compares a whole number with a `numeric` by casting the column.
    fn casts_the_column(
        &mut self,
        scan: usize,
        target: &Target,
        class: &TypeClass,
        value: Option<&Operand>,
    ) -> bool {
        let (System::Postgres, Target::Column(column), Some(of)) =
            (self.system(), target, value.and_then(Operand::class))
        else {
            return false;
        };
        let casts = class.is_integer() && matches!(of, TypeClass::Numeric | TypeClass::Float)
            || *class == TypeClass::Numeric && *of == TypeClass::Float;
        if casts {
            let to = self
                .table_of(scan)
                .and_then(|table| table.column(column))
                .map_or_else(String::new, |column| column.type_name.clone());
            self.advise(scan, Rewrite::CastTheValue { column: column.clone(), to });
        }
        casts
    }

    /// `(a, b) < (x, y)`; `(a, b) = (x, y)` is two equalities.
    fn rows(
        &mut self,
        whole: &Expr,
        left: &[Side],
        op: &BinaryOperator,
        right: &[Side],
    ) -> Vec<Fact> {
        let (targets, values, op) = match (left.first(), flipped(op)) {
            (Some(Side::Target { .. }), _) => (left, right, op.clone()),
            (_, Some(op)) => (right, left, op),
            _ => return Vec::new(),
        };
        let mut columns = Vec::new();
        let mut of = None;
        for side in targets {
            let Side::Target { scan, target: Target::Column(column), .. } = side else {
                return vec![Fact::Residual(of, Kept::guessed(0.5))];
            };
            if of.is_some_and(|of| of != *scan) {
                return vec![Fact::Residual(of, Kept::guessed(0.5))];
            }
            of = Some(*scan);
            columns.push(column.clone());
        }
        let all_values = values.iter().all(|side| matches!(side, Side::Operand(_)));
        let (Some(scan), true) = (of, all_values && values.len() == columns.len()) else {
            return vec![Fact::Residual(of, Kept::guessed(0.5))];
        };
        if op == BinaryOperator::Eq {
            return columns
                .into_iter()
                .zip(values)
                .filter_map(|(column, side)| match side {
                    Side::Operand(value) => {
                        let test = Test::Equal(value.clone());
                        Some(self.condition(whole, scan, Target::Column(column), None, test))
                    }
                    _ => None,
                })
                .collect();
        }
        let target = Target::Column(columns.first().cloned().unwrap_or_default());
        vec![self.condition(whole, scan, target, None, Test::RowRange(columns))]
    }
}

/// The collation that a side asks for; it holds for the comparison.
fn collation_of(expr: &Expr) -> Option<String> {
    let Expr::Collate { collation, .. } = bare(expr) else { return None };
    let ident = collation.0.last().and_then(|part| part.as_ident());
    ident.map(|ident| ident.value.clone())
}

/// The operator with its sides exchanged.
fn flipped(op: &BinaryOperator) -> Option<BinaryOperator> {
    use BinaryOperator as B;
    Some(match op {
        B::Eq | B::NotEq | B::PGOverlap => op.clone(),
        B::Lt => B::Gt,
        B::LtEq => B::GtEq,
        B::Gt => B::Lt,
        B::GtEq => B::LtEq,
        B::AtArrow => B::ArrowAt,
        B::ArrowAt => B::AtArrow,
        _ => return None,
    })
}
