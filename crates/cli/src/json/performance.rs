//! What is told of performance: the report and plans.

use guildhall_adapter::insight::profile::server::Reading;
use guildhall_adapter::{Health, ServerReading};
use serde::Serialize;

use super::Healthy;

/// `report`. Where something is `null`, a field beside it says why.
#[derive(Serialize)]
pub(crate) struct Reported {
    health: Healthy,
    size_bytes: Option<u64>,
    sessions: Option<Sessions>,
    seconds: u32,
    statements: Option<Vec<Statement>>,
    /// Whether the server lost nothing of what happened.
    complete: Option<bool>,
    /// Why there are no statements.
    statements_missing: Option<String>,
}

#[derive(Serialize)]
struct Sessions {
    active: u64,
    waiting: u64,
    idle: u64,
    idle_in_transaction: u64,
    oldest_transaction_ms: Option<u64>,
}

#[derive(Serialize)]
struct Statement {
    fingerprint: Option<String>,
    text: String,
    calls: u64,
    total_us: u64,
    rows: u64,
}

impl Reported {
    pub(crate) fn new(health: &Health, reading: &ServerReading, seconds: u32, limit: u32) -> Self {
        let state = reading.state.value();
        let sessions = state.and_then(|state| state.sessions).map(|sessions| Sessions {
            active: sessions.active,
            waiting: sessions.waiting,
            idle: sessions.idle,
            idle_in_transaction: sessions.idle_in_transaction,
            oldest_transaction_ms: sessions
                .oldest_transaction
                .and_then(|age| u64::try_from(age.as_millis()).ok()),
        });
        let (statements, complete, statements_missing) = match reading.statements.value() {
            Some(Reading::Since(seen)) => {
                let shown = seen.statements.iter().take(limit as usize).map(|one| Statement {
                    fingerprint: one.fingerprint.map(|fingerprint| fingerprint.to_string()),
                    text: one.text.clone(),
                    calls: one.calls,
                    total_us: (one.total_ms * 1e3) as u64,
                    rows: one.rows,
                });
                (Some(shown.collect()), Some(seen.is_complete()), None)
            }
            Some(Reading::Absent { reason }) => (None, None, Some(reason.to_string())),
            Some(Reading::First { .. }) => (None, None, Some("nothing to compare with".to_owned())),
            None => (None, None, reading.statements.reason().map(str::to_owned)),
        };
        Self {
            health: health.into(),
            size_bytes: state.map(|state| state.bytes),
            sessions,
            seconds,
            statements,
            complete,
            statements_missing,
        }
    }
}

/// `explain`.
#[derive(Serialize)]
pub(crate) struct Planned {
    pub(crate) fingerprint: String,
    pub(crate) text: String,
    pub(crate) plan: String,
    pub(crate) generic: bool,
}
