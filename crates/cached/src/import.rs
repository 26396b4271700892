//! Imports past the cache, and what they must empty in it.

use guildhall_domain::{ImportedMember, Level, Timestamp, UserId};
use guildhall_repository::{
    ImportId, ImportRepository, ImportRun, ImportedRows, MemberImport, NewImport,
};

use crate::decorate::decorate;
use crate::keys::tag;

/// Whose rows an import or its undoing touches is only known afterwards.
const TOUCHED: &[&str] = &["user", "points", "mission"];
/// With a member who goes, everything goes that belongs to the member.
const GONE: &[&str] = &["user", "points", "mission", "narrative", "achievements", "badges"];

decorate! {
    impl ImportRepository by imports, |link| {
        pass begin(new: &NewImport, now: Timestamp) -> ImportRun;
        pass find(source: &str) -> Option<ImportRun>;
        write write_levels(run: &ImportRun, levels: &[Level], now: Timestamp) -> u64
            = ([tag::catalogue()]);
        write_all write_members(
            run: &ImportRun,
            members: &[ImportedMember],
            checkpoint: &str,
            leased_until: Timestamp,
            now: Timestamp,
        ) -> Vec<MemberImport> = (TOUCHED);
        pass finish(run: &ImportRun, now: Timestamp) -> ();
        pass rows(id: ImportId) -> ImportedRows;
        write_all undo_page(id: ImportId, limit: u32, now: Timestamp)
            -> (u64, Vec<UserId>, bool) = (GONE);
    }
}
