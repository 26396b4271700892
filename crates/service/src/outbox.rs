//! Writing events to the outbox, in the unit of what they tell of.

use guildhall_domain::{CorrelationId, DomainEvent, Timestamp};
use guildhall_repository::{StorageError, UnitOfWork};

/// Whether events go to the outbox. By default they do not, and are in the outcome only.
///
/// With it on, an event is in the outbox exactly when what it tells of is in the database, and a
/// [`Dispatcher`](crate::Dispatcher) hands it out, whatever becomes of the process meanwhile. Every
/// write then is a unit of work, which costs a plain credit three more round trips.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    enabled: bool,
    correlation: Option<CorrelationId>,
}

/// The most events that are appended at a time.
const EVENTS: usize = 1000;

impl Outbox {
    /// With events written.
    #[must_use]
    pub const fn on() -> Self {
        Self { enabled: true, correlation: None }
    }

    /// With events in the outcome only.
    #[must_use]
    pub const fn off() -> Self {
        Self { enabled: false, correlation: None }
    }

    /// With an id that every event bears.
    #[must_use]
    pub fn correlated(self, id: CorrelationId) -> Self {
        Self { correlation: Some(id), ..self }
    }

    /// Whether events are written.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.enabled
    }

    /// Writes events, if they are to be written, in the unit of what they tell of. A member's are
    /// written under the member's lock. For a unit made of bodies such as
    /// [`Crediting::award_in`](crate::Crediting::award_in), which leave it to the unit's owner.
    pub async fn publish_in(
        &self,
        work: &dyn UnitOfWork,
        events: &[DomainEvent],
        now: Timestamp,
    ) -> Result<(), StorageError> {
        if self.enabled {
            for some in events.chunks(EVENTS) {
                work.outbox().append(some, self.correlation.clone(), now).await?;
            }
        }
        Ok(())
    }
}
