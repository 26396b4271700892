//! What a condition compares with: a literal, a bound value, something computed.

use sqlparser::ast::{Expr, UnaryOperator, Value};

use crate::advise::tree::{bare, children, literal_text};
use crate::catalog::TypeClass;
use crate::workload::Statement;

/// The side of a comparison that is not the column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// Written in the statement, and the type it is cast to.
    Literal { text: String, class: Option<TypeClass> },
    /// `NULL`.
    Null,
    /// A placeholder, first at 0, and the type it is cast to.
    Bind { place: usize, class: Option<TypeClass> },
    /// Calculated without the table: `now() - interval '1 day'`, a scalar sub-query.
    Computed,
}

impl Operand {
    /// The values it may have, if any are known.
    pub(crate) fn values<'a>(&'a self, statement: &'a Statement) -> Vec<&'a str> {
        match self {
            Self::Literal { text, .. } => vec![text],
            Self::Bind { place, .. } => statement.values_at(*place),
            Self::Null | Self::Computed => Vec::new(),
        }
    }

    /// Whether it stands in the text and never changes.
    pub(crate) fn is_literal(&self) -> bool {
        matches!(self, Self::Literal { .. } | Self::Null)
    }

    pub(crate) fn is_bind(&self) -> bool {
        matches!(self, Self::Bind { .. })
    }

    /// The type it has whatever it is compared with, if it has one.
    pub(crate) fn class(&self) -> Option<&TypeClass> {
        match self {
            Self::Literal { class, .. } | Self::Bind { class, .. } => class.as_ref(),
            Self::Null | Self::Computed => None,
        }
    }

    fn cast(self, to: TypeClass) -> Self {
        match self {
            Self::Literal { text, .. } => Self::Literal { text, class: Some(to) },
            Self::Bind { place, .. } => Self::Bind { place, class: Some(to) },
            other => other,
        }
    }
}

/// The operand an expression is; `None` if it reads columns or cannot be followed.
pub(crate) fn operand(expr: &Expr) -> Option<Operand> {
    match bare(expr) {
        Expr::Value(value) => match &value.value {
            Value::Null => Some(Operand::Null),
            Value::Placeholder(name) => Some(
                place(name).map_or(Operand::Computed, |place| Operand::Bind { place, class: None }),
            ),
            Value::Number(digits, _) => {
                let whole = digits.bytes().all(|digit| digit.is_ascii_digit());
                let class = (!whole).then_some(TypeClass::Numeric);
                Some(Operand::Literal { text: digits.clone(), class })
            }
            other => Some(match literal_text(other) {
                Some(text) => Operand::Literal { text, class: None },
                None => Operand::Computed,
            }),
        },
        Expr::TypedString(typed) => {
            let text = literal_text(&typed.value.value)?;
            let class = TypeClass::of(&typed.data_type.to_string());
            Some(Operand::Literal { text, class: Some(class) })
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match operand(expr)? {
            Operand::Literal { text, class } => {
                Some(Operand::Literal { text: format!("-{text}"), class })
            }
            _ => Some(Operand::Computed),
        },
        Expr::Collate { expr, .. } => operand(expr),
        Expr::Cast { expr, data_type, .. } => {
            let class = TypeClass::of(&data_type.to_string());
            Some(operand(expr)?.cast(class))
        }
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => None,
        // A scalar sub-query that does not depend on the row; one that does is found out by its
        // joins, and costs no more than an unknown value.
        Expr::Subquery(_) => Some(Operand::Computed),
        other => {
            let below = children(other)?;
            let all = below.iter().all(|child| operand(child).is_some());
            all.then_some(Operand::Computed)
        }
    }
}

/// The values of an array: `'{1,2}'`, `ARRAY[1, 2]`, or one bound as a whole.
pub(crate) fn elements(expr: &Expr) -> Option<Vec<Operand>> {
    match bare(expr) {
        Expr::Array(array) => array.elem.iter().map(operand).collect(),
        Expr::Cast { expr, .. } => elements(expr),
        other => match operand(other)? {
            Operand::Literal { text, .. } => {
                let inner = text.strip_prefix('{')?.strip_suffix('}')?;
                Some(inner.split(',').map(element).collect())
            }
            operand => Some(vec![operand]),
        },
    }
}

/// `$3` and `?3` are the third; parsing has numbered the bare `?`. A name has no place.
fn place(name: &str) -> Option<usize> {
    name.trim_start_matches(['$', '?']).parse::<usize>().ok()?.checked_sub(1)
}

fn element(text: &str) -> Operand {
    let text = text.trim().trim_matches('"').to_owned();
    Operand::Literal { text, class: None }
}
