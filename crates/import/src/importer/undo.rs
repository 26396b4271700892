//! Taking an import back.

use guildhall_repository::ImportPhase;

use super::Importer;
use crate::error::ImportError;
use crate::report::{LISTED_MAX, Phase, Progress, UndoReport};

/// Members taken back in one transaction.
const PAGE: u32 = 500;

/// Catalogues carry no tag, and other members may use them by now.
const STAYS: [&str; 7] =
    ["levels", "missions", "achievements", "badges", "story", "lore", "rewards"];

impl Importer {
    /// Deletes the members whom the import of `source` created, with all that they did: the name
    /// is that of its report. Members who were merged or have moved since are kept and listed.
    /// Catalogues stay; an import of nothing else is refused with
    /// [`NothingToUndo`](ImportError::NothingToUndo). It may be broken off and repeated.
    pub async fn undo(
        &self,
        source: &str,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<UndoReport, ImportError> {
        let imports = self.storage.imports();
        let Some(run) = imports.find(source).await? else {
            return Err(ImportError::NeverImported { source_name: source.to_owned() });
        };
        let rows = imports.rows(run.id).await?;
        if rows.members + rows.merged == 0 && run.phase != ImportPhase::Undone {
            return Err(ImportError::NothingToUndo { source_name: source.to_owned() });
        }
        let total = Some(rows.members + rows.merged);
        let source = source.to_owned();
        let mut report = UndoReport { source, stays: &STAYS, ..UndoReport::default() };
        loop {
            let (undone, kept, more) =
                imports.undo_page(run.id, PAGE, self.clock.now()).await.map_err(super::busy)?;
            let moved = undone > 0 || !kept.is_empty();
            report.undone += undone;
            report.kept_total += kept.len() as u64;
            let room = LISTED_MAX.saturating_sub(report.kept.len());
            report.kept.extend(kept.iter().take(room).map(|user| user.0));
            let done = report.undone + report.kept_total;
            progress(Progress { phase: Phase::Write, done, total });
            report.complete = !more;
            // A page that does nothing would be asked for for ever.
            if !more || !moved {
                return Ok(report);
            }
        }
    }
}
