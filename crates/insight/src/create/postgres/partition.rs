//! A partitioned parent cannot be indexed concurrently. Its own index is made empty, then each
//! partition's concurrently, then these are attached; the parent's becomes valid with the last.

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};

use super::{CreateError, CreateOptions, Outcome, Step, build, step};
use crate::advise::{DdlOptions, DdlRefused, create_index};
use crate::catalog::{Catalog, IndexShape, TableKind, TableName, quote_identifier};
use crate::create::name_of;
use crate::create::render::BUILD;

/// The parent's own index has no rows: it is there at once.
const PARENT: DdlOptions =
    DdlOptions { concurrently: false, if_not_exists: true, only_parent: true };

/// Partitions of partitions are not followed further than this.
const LEVELS_MAX: usize = 4;

struct Attachment {
    parent: String,
    child: String,
}

/// What has to be done, parents first.
struct Plan {
    parents: Vec<(IndexShape, String)>,
    leaves: Vec<(IndexShape, String)>,
    attachments: Vec<Attachment>,
}

pub(super) async fn build(
    conn: &mut AsyncPgConnection,
    catalog: &Catalog,
    shape: &IndexShape,
    name: &str,
    options: &CreateOptions,
) -> Result<Outcome, CreateError> {
    let mut plan = Plan {
        parents: vec![(shape.clone(), name.to_owned())],
        leaves: Vec::new(),
        attachments: Vec::new(),
    };
    add_partitions(catalog, shape, name, LEVELS_MAX, &mut plan);
    let parents = match sql_of(catalog, &plan.parents, PARENT) {
        Ok(sql) => sql,
        Err(refused) => return Ok(Outcome::Refused(refused)),
    };
    if options.dry_run {
        return Ok(match sql_of(catalog, &plan.leaves, BUILD) {
            Ok(leaves) => Outcome::WouldRun(statements(parents, leaves, &plan)),
            Err(refused) => Outcome::Refused(refused),
        });
    }
    for sql in &parents {
        step(options, Step::Parent)?;
        build::set_limits(conn, options.lock_timeout, options).await?;
        if let Err(error) = conn.batch_execute(sql).await {
            return Ok(failed(error.to_string(), None));
        }
    }
    for (shape, name) in &plan.leaves {
        // One of a run that was ended may be there already.
        if build::is_valid(conn, &shape.table, name).await? {
            continue;
        }
        match build::build(conn, catalog, shape, name, options).await? {
            Outcome::Created => {}
            other => return Ok(other),
        }
    }
    // The lowest first, so that a parent is whole when it is attached to its own.
    for attachment in plan.attachments.iter().rev() {
        step(options, Step::Attach)?;
        build::set_limits(conn, options.lock_timeout, options).await?;
        if let Err(error) = conn.batch_execute(&attach_sql(attachment)).await {
            return Ok(failed(error.to_string(), Some(name.to_owned())));
        }
    }
    step(options, Step::Verify)?;
    Ok(match build::is_valid(conn, &shape.table, name).await? {
        true => Outcome::Created,
        false => failed("a partition came meanwhile".to_owned(), Some(name.to_owned())),
    })
}

fn failed(error: String, left: Option<String>) -> Outcome {
    Outcome::Failed { error, attempts: 1, left }
}

fn attach_sql(attachment: &Attachment) -> String {
    format!("ALTER INDEX {} ATTACH PARTITION {}", attachment.parent, attachment.child)
}

fn sql_of(
    catalog: &Catalog,
    indexes: &[(IndexShape, String)],
    how: DdlOptions,
) -> Result<Vec<String>, DdlRefused> {
    indexes.iter().map(|(shape, name)| create_index(catalog, shape, name, how)).collect()
}

fn statements(parents: Vec<String>, leaves: Vec<String>, plan: &Plan) -> Vec<String> {
    let mut all = parents;
    all.extend(leaves);
    all.extend(plan.attachments.iter().rev().map(attach_sql));
    all
}

fn add_partitions(
    catalog: &Catalog,
    parent: &IndexShape,
    parent_name: &str,
    levels: usize,
    plan: &mut Plan,
) {
    let is_child =
        |kind: &TableKind| matches!(kind, TableKind::PartitionOf(of) if *of == parent.table);
    for table in catalog.tables.iter().filter(|table| is_child(&table.kind)) {
        let shape = IndexShape { table: table.name.clone(), ..parent.clone() };
        let name = name_of(&shape);
        plan.attachments.push(Attachment {
            parent: full_name(&parent.table, parent_name),
            child: full_name(&table.name, &name),
        });
        let has_own = catalog
            .tables
            .iter()
            .any(|other| matches!(&other.kind, TableKind::PartitionOf(of) if *of == table.name));
        if has_own && levels > 1 {
            plan.parents.push((shape.clone(), name.clone()));
            add_partitions(catalog, &shape, &name, levels - 1, plan);
        } else {
            plan.leaves.push((shape, name));
        }
    }
}

/// An index stands in its table's schema.
fn full_name(table: &TableName, index: &str) -> String {
    match &table.schema {
        Some(schema) => format!("{}.{}", quote_identifier(schema), quote_identifier(index)),
        None => quote_identifier(index),
    }
}
