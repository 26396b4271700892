//! Taking over a username that a platform proved: the rows of two members change, and whose the
//! second is must be known before.

use guildhall_domain::{Patch, Timestamp, User, UserId, UserPatch, Username};
use guildhall_repository::{
    ErrorKind, InvalidationNote, Storage, StorageError, UnitOfWork, conclude,
};

/// A username that changes hands.
pub(crate) struct Takeover<'a> {
    /// Whose it is; nobody's when `None`.
    pub(crate) holder: Option<UserId>,
    pub(crate) id: UserId,
    pub(crate) patch: &'a UserPatch,
    pub(crate) name: &'a Username,
    pub(crate) expected_version: i64,
    pub(crate) now: Timestamp,
}

impl Takeover<'_> {
    /// How often the username may change hands meanwhile.
    pub(crate) const ATTEMPTS: u32 = 3;

    /// Takes the name over if it is still the holder's, or still nobody's; else `Contention`.
    pub(crate) async fn run(
        &self,
        storage: &dyn Storage,
        note: Option<&InvalidationNote>,
    ) -> Result<User, StorageError> {
        let work = storage.begin().await?;
        let outcome = self.run_in(&*work, note).await;
        conclude(work, outcome).await
    }

    async fn run_in(
        &self,
        work: &dyn UnitOfWork,
        note: Option<&InvalidationNote>,
    ) -> Result<User, StorageError> {
        let Self { holder, id, patch, name, expected_version, now } = *self;
        if let Some(note) = note {
            work.invalidations().insert(note).await?;
        }
        let users = work.users();
        let current = users.by_username(name).await?;
        if current.as_ref().map(|user| user.id) != holder {
            return Err(StorageError::Contention);
        }
        if let Some(current) = current.filter(|user| user.id != id) {
            // In the order of their ids: the other may be taking this one's name.
            match work.points().lock(&[current.id, id]).await {
                // What is missing, the updates tell.
                Ok(()) | Err(StorageError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
            let vacate = UserPatch { username: Patch::Clear, ..UserPatch::default() };
            let vacated = users.update(current.id, &vacate, current.version, false, now).await;
            vacated.map_err(|error| lost_if(error, ErrorKind::Conflict))?;
        }
        let taken = users.update(id, patch, expected_version, false, now).await;
        taken.map_err(|error| match error {
            StorageError::AlreadyExists { entity: "username", .. } => StorageError::Contention,
            error => error,
        })
    }
}

/// Turns an error that says "somebody was faster" into one that is tried again.
fn lost_if(error: StorageError, kind: ErrorKind) -> StorageError {
    if error.kind() == kind { StorageError::Contention } else { error }
}
