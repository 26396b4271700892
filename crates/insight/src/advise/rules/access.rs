//! One way to reach a table, in terms of an index: what would be equal, bounded, sorted.

use sqlparser::ast::BinaryOperator;

use crate::advise::canon::{canonical, canonical_text, read_expression, spell};
use crate::advise::limits::Limits;
use crate::advise::refusal::Refusal;
use crate::advise::shape::{Condition, Join, Operand, Scan, Target, Test, TextKind};
use crate::advise::tree::chain;
use crate::catalog::{Catalog, Index, IndexKey, Kept, Nulls, Table, TypeClass, quote_literal};
use crate::fingerprint::System;
use crate::workload::Statement;

use super::text;

/// Something a key can be compared with for equality.
#[derive(Clone, Debug)]
pub(super) struct Equality {
    pub(super) target: Target,
    pub(super) key: IndexKey,
    pub(super) kept: Kept,
    pub(super) distinct: Option<f64>,
    /// One value, so that what sorts after it is sorted.
    pub(super) single: bool,
    pub(super) joined: bool,
    /// The value is bound, and nobody declared that it never changes.
    pub(super) varies: bool,
    /// It asks for nulls, of which a unique index holds any number.
    pub(super) of_nulls: bool,
}

/// Something a key can be bounded by.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) target: Target,
    /// One key, or those of a row.
    pub(super) keys: Vec<IndexKey>,
    pub(super) kept: Kept,
    /// The beginning of a text, under an operator class of its own.
    pub(super) pattern: bool,
    /// Only a plan made for the value can use it.
    pub(super) custom_plan: bool,
}

/// One way to reach a table.
#[derive(Clone)]
pub(super) struct Access<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) limits: &'a Limits,
    pub(super) table: &'a Table,
    pub(super) statement: &'a Statement,
    pub(super) scan: &'a Scan,
    pub(super) equalities: Vec<Equality>,
    pub(super) bounds: Vec<Bound>,
    /// What is left of the order when equal keys are taken out, its directions normalised.
    pub(super) order: Vec<IndexKey>,
    /// Why the order cannot be had from any index.
    pub(super) order_refused: Option<Refusal>,
    pub(super) limit: Option<f64>,
}

impl<'a> Access<'a> {
    /// By these conditions, and as the inner side of these joins.
    pub(super) fn new(
        catalog: &'a Catalog,
        limits: &'a Limits,
        table: &'a Table,
        statement: &'a Statement,
        scan: &'a Scan,
        conditions: &[&'a Condition],
        joins: &[&Join],
    ) -> Self {
        let mut access = Self {
            catalog,
            limits,
            table,
            statement,
            scan,
            equalities: Vec::new(),
            bounds: Vec::new(),
            order: Vec::new(),
            order_refused: None,
            limit: scan.limit,
        };
        for condition in conditions {
            access.add(condition);
        }
        for join in joins {
            access.add_join(join);
        }
        access.add_order();
        access
    }

    pub(super) fn rows(&self) -> f64 {
        self.table.rows.unwrap_or_default()
    }

    pub(super) fn system(&self) -> System {
        self.catalog.system()
    }

    pub(super) fn key(&self, target: &Target, collation: Option<&str>) -> Option<IndexKey> {
        let mut key = match target {
            Target::Column(name) => {
                let column = self.table.column(name)?;
                if !column.class.is_ordered() || matches!(column.class, TypeClass::Jsonb) {
                    return None;
                }
                let own = column.collation.as_deref();
                let key = IndexKey::column(name);
                return Some(match collation {
                    Some(wanted) if !own.is_some_and(|own| own.eq_ignore_ascii_case(wanted)) => {
                        key.collated(wanted)
                    }
                    _ => key,
                });
            }
            Target::Expression(sql) => IndexKey::expression(sql),
        };
        key.collation = collation.map(str::to_owned);
        Some(key)
    }

    fn add(&mut self, condition: &Condition) {
        let collation = condition.collation.as_deref();
        let Some(key) = self.key(&condition.target, collation) else { return };
        match &condition.test {
            Test::Equal(_) => self.equal(condition, key, true),
            Test::AnyOf(values) => {
                let single = matches!(values.as_slice(), [one] if !one.is_bind());
                self.equal(condition, key, single);
            }
            Test::Null(true) => self.equal(condition, key, true),
            // SQLite looks nothing up by a bare column.
            Test::Truth(_) if self.system() == System::Postgres => {
                self.equal(condition, key, true);
            }
            Test::Range { .. } => self.bounds.push(Bound {
                target: condition.target.clone(),
                keys: vec![key],
                kept: condition.kept,
                pattern: false,
                custom_plan: false,
            }),
            Test::RowRange(columns) => {
                let keys = columns.iter().map(|name| IndexKey::column(name.as_str())).collect();
                self.bounds.push(Bound {
                    target: condition.target.clone(),
                    keys,
                    kept: condition.kept,
                    pattern: false,
                    custom_plan: false,
                });
            }
            Test::Text(_) => self.add_text(condition, key),
            Test::NotEqual(_) | Test::Null(false) | Test::Truth(_) | Test::Operator(_) => {}
        }
    }

    fn equal(&mut self, condition: &Condition, key: IndexKey, single: bool) {
        if self.equalities.iter().any(|own| own.target == condition.target) {
            return;
        }
        let varies = match &condition.test {
            Test::Equal(Operand::Bind { place, .. }) => {
                !self.statement.constants.contains_key(place)
            }
            _ => false,
        };
        self.equalities.push(Equality {
            distinct: self.distinct(&condition.target),
            target: condition.target.clone(),
            key,
            kept: condition.kept,
            single,
            joined: false,
            varies,
            of_nulls: matches!(condition.test, Test::Null(_)),
        });
    }

    fn distinct(&self, target: &Target) -> Option<f64> {
        let stats = self.table.column(target.column()?)?.stats.as_ref()?;
        stats.distinct_of(self.rows())
    }

    fn add_join(&mut self, join: &Join) {
        let Some(key) = self.key(&join.target, None) else { return };
        if self.equalities.iter().any(|own| own.target == join.target) {
            return;
        }
        let column = join.target.column().and_then(|name| self.table.column(name));
        // A join asks for one value after another: an average one each.
        let kept = match self.distinct(&join.target) {
            Some(distinct) => Kept::known(1.0 / distinct),
            None => column
                .map_or(Kept::guessed(0.005), |column| column.kept_by_equality(None, self.rows())),
        };
        self.equalities.push(Equality {
            distinct: self.distinct(&join.target),
            target: join.target.clone(),
            key,
            kept,
            single: true,
            joined: true,
            varies: false,
            of_nulls: false,
        });
    }

    /// The beginning of a text: a range, if an index sorts as the pattern compares.
    fn add_text(&mut self, condition: &Condition, key: IndexKey) {
        let Test::Text(matching) = &condition.test else { return };
        let known = text::patterns(matching, self.statement);
        if known.is_empty() || known.iter().any(|pattern| pattern.prefix.is_empty()) {
            return;
        }
        let column = condition.target.column().and_then(|name| self.table.column(name));
        let collation = column
            .and_then(|column| column.collation.as_deref())
            .or(self.catalog.default_collation.as_deref());
        let bytewise = matches!(collation, Some("C" | "POSIX" | "ucs_basic"));
        let insensitive = collation.is_some_and(|name| name.eq_ignore_ascii_case("nocase"));
        let of_text = column.is_none_or(|column| column.class.is_text());
        let (key, pattern) = match (self.system(), matching.kind) {
            (System::Postgres, TextKind::LikeNoCase) => return,
            (System::Postgres, _) if !of_text => return,
            (System::Postgres, _) if bytewise => (key, false),
            (System::Postgres, _) => {
                let padded = column.is_some_and(|column| {
                    column.type_name.starts_with("character(") || column.type_name == "bpchar"
                });
                if column.is_some_and(|column| column.type_name == "citext") {
                    return;
                }
                let opclass = if padded { "bpchar_pattern_ops" } else { "text_pattern_ops" };
                (key.opclass(opclass), true)
            }
            (System::Sqlite, TextKind::LikeNoCase) if insensitive => (key, false),
            (System::Sqlite, TextKind::LikeNoCase) if of_text => (key.collated("NOCASE"), true),
            (System::Sqlite, TextKind::Glob) if !insensitive => (key, false),
            (System::Sqlite, TextKind::Glob) => (key.collated("BINARY"), true),
            (System::Sqlite, _) => return,
        };
        self.bounds.push(Bound {
            target: condition.target.clone(),
            keys: vec![key],
            kept: condition.kept,
            pattern,
            custom_plan: matching.pattern.is_bind() && self.system() == System::Postgres,
        });
    }

    fn add_order(&mut self) {
        let mut order: Vec<IndexKey> = Vec::new();
        for sort in &self.scan.order {
            let constant = self
                .equalities
                .iter()
                .any(|own| own.single && !own.joined && own.target == sort.target);
            let Some(mut key) = self.key(&sort.target, sort.collation.as_deref()) else {
                self.order_refused = Some(Refusal::NotIndexable);
                return;
            };
            if constant || order.iter().any(|own| own.part == key.part) {
                continue;
            }
            if self.system() == System::Sqlite && sort.nulls == Nulls::Opposite {
                self.order_refused = Some(Refusal::NullsOrder);
                return;
            }
            key.direction = sort.direction;
            key.nulls = sort.nulls;
            order.push(key);
        }
        use crate::catalog::Direction::{Asc, Desc};
        // An index is read both ways: only what is mixed needs directions.
        if order.iter().all(|key| key.direction == Desc) {
            order.iter_mut().for_each(|key| key.direction = Asc);
        }
        self.order = order;
    }

    /// The statement's conditions that make up a partial index's condition; `None` if that is not
    /// sure to hold. A column that is compared is not null: that needs no condition of its own.
    pub(super) fn implied_by(&self, predicate: &str) -> Option<Vec<&'a Condition>> {
        let (table, system) = (self.table, self.system());
        let expr = read_expression(predicate, system)?;
        let mut found = Vec::new();
        for part in chain(&expr, &BinaryOperator::And) {
            let part = canonical(part, table, system)?;
            let conditions = || self.scan.conditions.iter();
            let same = conditions().find(|condition| {
                condition.sql.as_deref() == Some(part.as_str())
                    || system == System::Sqlite
                        && self.bound_spellings(condition).any(|sql| sql == part)
            });
            let strict = |condition: &Condition| {
                let name = condition.target.column().map(spell);
                !matches!(condition.test, Test::Null(_))
                    && name.is_some_and(|name| part == format!("({name} IS NOT NULL)"))
            };
            match same {
                Some(condition) => found.push(condition),
                None if conditions().any(strict) => {}
                None => return None,
            }
        }
        Some(found)
    }

    /// SQLite looks at the bound value when it prepares: with the one value it is always asked
    /// with, the condition is as good as a literal one.
    pub(super) fn bound_spellings(&self, condition: &Condition) -> impl Iterator<Item = String> {
        let column = condition.target.column().and_then(|name| self.table.column(name));
        let value = match &condition.test {
            Test::Equal(value) if value.is_bind() => {
                let values = value.values(self.statement);
                let first = values.first().copied();
                first.filter(|first| values.iter().all(|value| value == first)).map(str::to_owned)
            }
            _ => None,
        };
        let spelled = column.zip(value).map(|(column, value)| {
            let name = spell(&column.name);
            let number = value.parse::<f64>().is_ok() && !column.class.is_text();
            let value = if number { value } else { quote_literal(&value) };
            format!("({name} = {value})")
        });
        spelled.into_iter()
    }

    /// The existing indexes that may serve: valid, read in full, their condition implied.
    pub(super) fn usable_indexes(&self) -> impl Iterator<Item = &'a Index> {
        let table = self.table;
        table.indexes.iter().filter(|index| index.valid && index.understood).filter(|index| {
            let predicate = index.shape.predicate.as_deref();
            predicate.is_none_or(|predicate| self.implied_by(predicate).is_some())
        })
    }

    /// Whether two keys sort alike, whatever their direction.
    pub(super) fn same_key(&self, one: &IndexKey, two: &IndexKey) -> bool {
        use crate::catalog::KeyPart;
        let part = match (&one.part, &two.part) {
            (KeyPart::Expression(one), KeyPart::Expression(two)) => {
                let canon = |sql: &str| canonical_text(sql, self.table, self.system());
                canon(one) == canon(two)
            }
            (one, two) => one == two,
        };
        let named = |key: &IndexKey| {
            let own = key.column_name().and_then(|name| self.table.column(name));
            let collation = key
                .collation
                .clone()
                .or_else(|| own.and_then(|column| column.collation.clone()))
                .or_else(|| self.catalog.default_collation.clone());
            match (collation, self.system()) {
                // SQLite's own default has a name too.
                (None, System::Sqlite) => Some("binary".to_owned()),
                (collation, _) => collation.map(|name| name.to_ascii_lowercase()),
            }
        };
        part && one.opclass == two.opclass && named(one) == named(two)
    }
}
