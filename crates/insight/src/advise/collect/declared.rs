//! Accesses that an application declares without SQL, as if it had asked them.

use super::Asked;
use crate::advise::Advice;
use crate::advise::candidate::Service;
use crate::advise::refusal::{Refusal, Rejected};
use crate::advise::shape::{Condition, Operand, Scan, Shape, SortKey, Target, Test, kept_by};
use crate::catalog::{Catalog, Direction, Nulls};
use crate::workload::{Pattern, PatternKind, Statement, Workload};

/// The limit that a declared sort is taken to have.
const LIMIT_DECLARED: f64 = 100.0;

pub(super) fn read(
    catalog: &Catalog,
    workload: &Workload,
    asked: &mut Vec<Asked>,
    advice: &mut Advice,
) {
    for (nth, pattern) in workload.patterns.iter().enumerate() {
        let place = workload.statements.len() + nth;
        let shape = match scan(pattern, catalog) {
            Ok(scan) => Shape { scans: vec![scan], ..Shape::default() },
            Err(why) => {
                advice.rejected.push(Rejected {
                    table: pattern.table.clone(),
                    shape: None,
                    access: Some(Service { statement: place, scan: 0, rank: 0 }),
                    why,
                });
                continue;
            }
        };
        let statement = Statement::default().called(pattern.calls);
        asked.push(Asked { place, statement, shape, declared: true });
    }
}

fn scan(pattern: &Pattern, catalog: &Catalog) -> Result<Scan, Refusal> {
    let table = catalog.table(&pattern.table).ok_or(Refusal::UnknownTable)?;
    let known = |name: &String| table.column(name).is_some();
    if let Some(column) = pattern.columns.iter().find(|name| !known(name)) {
        return Err(Refusal::UnknownColumn { column: column.clone() });
    }
    let mut scan = Scan::new(table.name.clone());
    scan.reads.all = true;
    let value = || Operand::Bind { place: usize::MAX, class: None };
    let Some((last, equal)) = pattern.columns.split_last() else { return Ok(scan) };
    let mut add = |name: &String, test: Test| {
        let target = Target::Column(name.clone());
        let kept = kept_by(&test, &target, table, &Statement::default());
        scan.conditions.push(Condition { target, test, collation: None, sql: None, kept });
    };
    for name in equal {
        add(name, Test::Equal(value()));
    }
    match pattern.kind {
        PatternKind::Equality => add(last, Test::Equal(value())),
        PatternKind::Range => add(last, Test::Range { low: Some(value()), high: None }),
        PatternKind::Sort => {
            scan.limit = Some(LIMIT_DECLARED);
            scan.order.push(SortKey {
                target: Target::Column(last.clone()),
                direction: Direction::Asc,
                nulls: Nulls::Default,
                collation: None,
            });
        }
    }
    Ok(scan)
}
