//! What each placeholder of a statement is compared with: pricing puts real values there.

use sqlparser::tokenizer::{Token, Tokenizer};

use super::parse::{Parsed, parse};
use super::shape::{Condition, Operand, Shape, Test, shape_of};
use crate::catalog::{Catalog, TableName};
use crate::sql::dialect;
use crate::workload::Statement;

/// A placeholder, first at 0, that is compared with a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) place: usize,
    pub(crate) table: TableName,
    pub(crate) column: String,
    /// It bounds the column from below.
    pub(crate) low: bool,
    /// It bounds the column from above.
    pub(crate) high: bool,
    /// The other side is bounded too.
    pub(crate) bounded: bool,
    /// It is a pattern.
    pub(crate) prefix: bool,
}

/// The placeholders of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// How many there are.
    pub(crate) places: usize,
    pub(crate) compared: Vec<Compared>,
    /// Those that limit the rows.
    pub(crate) limits: Vec<usize>,
    /// Those that say how many rows to pass over.
    pub(crate) offsets: Vec<usize>,
}

/// Reads a statement's placeholders. Of one that is not understood none is compared.
pub(crate) fn asked_of(catalog: &Catalog, statement: &Statement) -> Asked {
    let mut asked = Asked::default();
    read_places(catalog, statement, &mut asked);
    if let Parsed::Rows(tree) = parse(&statement.sql, catalog.system()) {
        let shape = shape_of(&tree, statement, catalog);
        read_shape(&shape, &mut asked);
    }
    asked
}

/// Columns that a statement's `UPDATE` sets, by table, and whether it inserts or deletes.
pub(crate) fn shape_of_statement(catalog: &Catalog, statement: &Statement) -> Option<Shape> {
    match parse(&statement.sql, catalog.system()) {
        Parsed::Rows(tree) => Some(shape_of(&tree, statement, catalog)),
        Parsed::OfNoInterest | Parsed::NotUnderstood(_) => None,
    }
}

/// Counts the placeholders, and finds those right behind `LIMIT` and `OFFSET`.
fn read_places(catalog: &Catalog, statement: &Statement, asked: &mut Asked) {
    let tokens = Tokenizer::new(dialect(catalog.system()), &statement.sql).tokenize();
    let mut word = String::new();
    let mut next = 0;
    for token in tokens.into_iter().flatten() {
        match token {
            Token::Whitespace(_) | Token::LParen => {}
            Token::Word(read) => word = read.value.to_ascii_lowercase(),
            Token::Placeholder(text) => {
                let number: Option<usize> =
                    text.trim_start_matches(['$', '?', ':', '@']).parse().ok();
                let place = number.map_or(next, |number| number.saturating_sub(1));
                next = next.max(place + 1);
                match word.as_str() {
                    "limit" => asked.limits.push(place),
                    "offset" => asked.offsets.push(place),
                    _ => {}
                }
                word.clear();
            }
            _ => word.clear(),
        }
    }
    asked.places = next;
}

fn read_shape(shape: &Shape, asked: &mut Asked) {
    for scan in &shape.scans {
        let alternatives = scan.alternatives.iter().flatten().flatten();
        for condition in scan.conditions.iter().chain(alternatives) {
            read_condition(&scan.table, condition, asked);
        }
    }
}

fn read_condition(table: &TableName, condition: &Condition, asked: &mut Asked) {
    let Some(column) = condition.target.column() else { return };
    let base = Compared { table: table.clone(), column: column.to_owned(), ..Compared::default() };
    let mut note = |operand: &Operand, compared: Compared| {
        if let Operand::Bind { place, .. } = operand
            && asked.compared.iter().all(|known| known.place != *place)
        {
            asked.compared.push(Compared { place: *place, ..compared });
        }
    };
    match &condition.test {
        Test::Equal(operand) | Test::NotEqual(operand) => note(operand, base),
        Test::AnyOf(operands) => operands.iter().for_each(|one| note(one, base.clone())),
        Test::Range { low, high } => {
            let bounded = low.is_some() && high.is_some();
            if let Some(low) = low {
                note(low, Compared { low: true, bounded, ..base.clone() });
            }
            if let Some(high) = high {
                note(high, Compared { high: true, bounded, ..base.clone() });
            }
        }
        Test::Text(matched) => note(&matched.pattern, Compared { prefix: true, ..base }),
        Test::RowRange(_) | Test::Null(_) | Test::Truth(_) | Test::Operator(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, Table};

    #[test]
    fn every_placeholder_is_told_what_it_meets() {
        let columns = vec![Column::new("a", "bigint"), Column::new("b", "timestamptz")];
        let table = Table::new(TableName::bare("t"), 1e6, 9_000, columns);
        let catalog = Catalog { tables: vec![table], ..Catalog::default() };
        let sql = "select * from t where a = $1 and b > $2 order by b limit $3 offset $4";
        let asked = asked_of(&catalog, &Statement::new(sql));
        assert_eq!(asked.places, 4);
        assert_eq!((asked.limits.as_slice(), asked.offsets.as_slice()), (&[2][..], &[3][..]));
        let columns: Vec<(&str, bool)> =
            asked.compared.iter().map(|one| (one.column.as_str(), one.low)).collect();
        assert_eq!(columns, [("a", false), ("b", true)]);
    }
}
