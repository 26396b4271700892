//! What the database itself knows: the counters of a server, whoever its clients are.

use guildhall_diesel::ServerState;
use guildhall_insight::profile::server::{Reading, ServerStatements};

use crate::health::chain;
use crate::performance::FOREIGN;
use crate::{Fact, Guildhall};

/// Reads the counters of the database's server, again and again: each reading tells what happened
/// since the one before.
#[derive(Debug, Default)]
pub struct ServerWatch {
    counted: ServerStatements,
}

/// What the database told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerReading {
    /// Its size and its sessions.
    pub state: Fact<ServerState>,
    /// What it counted of statements, those of other programs included.
    pub statements: Fact<Reading>,
}

impl ServerWatch {
    /// One that has read nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the database.
    pub async fn read(&mut self, guildhall: &Guildhall) -> ServerReading {
        let Some(store) = &guildhall.0.store else {
            return ServerReading {
                state: Fact::unknown(FOREIGN),
                statements: Fact::unknown(FOREIGN),
            };
        };
        let state = store.server().await;
        let statements = store.server_statements(&mut self.counted).await;
        ServerReading {
            state: state.map_or_else(|error| Fact::unknown(chain(&error)), Fact::known),
            statements: statements.map_or_else(|error| Fact::unknown(chain(&error)), Fact::known),
        }
    }
}
