//! Writing what the source defines for everybody, before anything refers to it.

mod fragments;
mod store;

use std::collections::{HashMap, HashSet};

use guildhall_domain::{
    Badge, BadgePatch, LoreId, LorePiece, Mission, MissionCadence, NewBadge, NewLorePiece,
    NewMission, Patch, Slug, StoreItem, Timestamp,
};
use guildhall_repository::ImportRun;

use super::Importer;
use super::rows::{Rows, refusal};
use super::write::lost;
use crate::catalogue::{Catalogue, Definition};
use crate::error::ImportError;

/// Definitions between two extensions of the lease, and ids of one look-up.
const CHUNK: usize = 200;

/// The import that is held, and where the next run goes on.
pub(super) struct Held<'r> {
    pub(super) run: &'r ImportRun,
    pub(super) checkpoint: String,
    /// Whether an earlier run was complete: catalogues may have been edited here since.
    pub(super) finished: bool,
}

/// What is here of what the source names, by its keys there.
pub(super) struct Known {
    pub(super) missions: HashMap<Slug, MissionCadence>,
    pub(super) achievements: HashSet<Slug>,
    pub(super) badges: HashMap<String, Badge>,
    pub(super) lore_rows: HashMap<String, LoreId>,
    pub(super) lore_codes: HashMap<Slug, LoreId>,
    pub(super) items: HashMap<String, StoreItem>,
    /// When the import was first begun.
    pub(super) began: Timestamp,
}

impl Known {
    fn nothing(began: Timestamp) -> Self {
        Self {
            missions: HashMap::new(),
            achievements: HashSet::new(),
            badges: HashMap::new(),
            lore_rows: HashMap::new(),
            lore_codes: HashMap::new(),
            items: HashMap::new(),
            began,
        }
    }
}

/// What stands open until members have what they had of it: inactive lore is given to nobody, nor
/// is an inactive badge, and one that makes a VIP would do so a second time.
#[derive(Default)]
pub(super) struct Closing {
    lore: Vec<Slug>,
    badges: Vec<(Badge, NewBadge)>,
}

impl Importer {
    /// Defines what is missing, and looks up the rest.
    pub(super) async fn write_catalogue(
        &self,
        held: &Held<'_>,
        catalogue: &Catalogue,
        rows: &mut Rows,
    ) -> Result<(Known, Closing), ImportError> {
        let mut known = Known::nothing(held.run.started_at);
        let mut closing = Closing::default();
        self.write_lore(held, &catalogue.lore, &mut known, &mut closing, rows).await?;
        self.write_achievements(held, catalogue, &mut known, rows).await?;
        self.write_badges(held, &catalogue.badges, &mut known, &mut closing, rows).await?;
        self.write_missions(held, &catalogue.missions, &mut known, rows).await?;
        self.write_fragments(held, catalogue, rows).await?;
        self.write_offers(held, &catalogue.offers, &mut known, rows).await?;
        Ok((known, closing))
    }

    /// Extends the lease, and finds out whether it is still held.
    pub(super) async fn extend(&self, held: &Held<'_>) -> Result<(), ImportError> {
        let now = self.clock.now();
        let until = self.leased_until(now);
        let imports = self.storage.imports();
        imports.write_members(held.run, &[], &held.checkpoint, until, now).await.map_err(lost)?;
        Ok(())
    }

    async fn write_lore(
        &self,
        held: &Held<'_>,
        pieces: &[Definition<NewLorePiece>],
        known: &mut Known,
        closing: &mut Closing,
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        let lore = self.storage.lore();
        for chunk in pieces.chunks(CHUNK) {
            let codes: Vec<Slug> = chunk.iter().map(|one| one.new.code.clone()).collect();
            let here = lore.pieces_by_codes(&codes).await?;
            let mut here: HashMap<Slug, LorePiece> =
                here.into_iter().map(|piece| (piece.code.clone(), piece)).collect();
            for one in chunk {
                rows.touch(one.table);
                let open = NewLorePiece { is_active: true, ..one.new.clone() };
                let piece = match here.remove(&one.new.code) {
                    Some(piece) => {
                        let stored = piece.to_new();
                        kept(held, one, stored != one.new && stored != open, rows);
                        piece
                    }
                    None if held.finished => continue,
                    None => match lore.create_piece(&open, one.created_at).await {
                        Ok(piece) => {
                            rows.written(one.table, 1);
                            piece
                        }
                        Err(error) => {
                            rows.skip(one.table, &one.key, refusal(error)?);
                            continue;
                        }
                    },
                };
                if !one.new.is_active && piece.to_new() == open {
                    closing.lore.push(piece.code.clone());
                }
                known.lore_rows.insert(one.key.clone(), piece.id);
                known.lore_codes.insert(piece.code, piece.id);
            }
            self.extend(held).await?;
        }
        Ok(())
    }

    async fn write_achievements(
        &self,
        held: &Held<'_>,
        catalogue: &Catalogue,
        known: &mut Known,
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        let achievements = self.storage.achievements();
        for chunk in catalogue.achievements.chunks(CHUNK) {
            let ids: Vec<Slug> = chunk.iter().map(|one| one.new.id.clone()).collect();
            let here = achievements.by_ids(&ids).await?;
            let here: HashMap<Slug, _> =
                here.into_iter().map(|stored| (stored.id.clone(), stored)).collect();
            for one in chunk {
                rows.touch(one.table);
                let stored = here.get(&one.new.id);
                let differs = stored.is_some_and(|stored| stored.redefined(&one.new).is_some());
                let writes = match stored {
                    Some(_) => differs && catalogue.replaces,
                    None => catalogue.replaces || !held.finished,
                };
                if writes {
                    let new = std::slice::from_ref(&one.new);
                    match achievements.seed(new, one.created_at).await {
                        Ok(seeded) => rows.written(one.table, seeded.inserted + seeded.updated),
                        Err(error) => {
                            rows.skip(one.table, &one.key, refusal(error)?);
                            continue;
                        }
                    }
                } else if stored.is_none() {
                    continue;
                } else {
                    kept(held, one, differs, rows);
                }
                known.achievements.insert(one.new.id.clone());
            }
            self.extend(held).await?;
        }
        Ok(())
    }

    async fn write_badges(
        &self,
        held: &Held<'_>,
        badges: &[Definition<NewBadge>],
        known: &mut Known,
        closing: &mut Closing,
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        let store = self.storage.badges();
        for chunk in badges.chunks(CHUNK) {
            for one in chunk {
                rows.touch(one.table);
                let open = NewBadge { vip: None, is_active: true, ..one.new.clone() };
                let badge = match store.by_name(&one.new.name).await? {
                    Some(badge) => {
                        let stored = defined(&badge);
                        kept(held, one, stored != one.new && stored != open, rows);
                        badge
                    }
                    None if held.finished => continue,
                    None => match store.create(&open, one.created_at).await {
                        Ok(badge) => {
                            rows.written(one.table, 1);
                            badge
                        }
                        Err(error) => {
                            rows.skip(one.table, &one.key, refusal(error)?);
                            continue;
                        }
                    },
                };
                if one.new != open && defined(&badge) == open {
                    closing.badges.push((badge.clone(), one.new.clone()));
                }
                known.badges.insert(one.key.clone(), badge);
            }
            self.extend(held).await?;
        }
        Ok(())
    }

    async fn write_missions(
        &self,
        held: &Held<'_>,
        missions: &[Definition<NewMission>],
        known: &mut Known,
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        let store = self.storage.missions();
        for chunk in missions.chunks(CHUNK) {
            let ids: Vec<Slug> = chunk.iter().map(|one| one.new.id.clone()).collect();
            let here = store.by_ids(&ids).await?;
            let mut here: HashMap<Slug, Mission> =
                here.into_iter().map(|mission| (mission.id.clone(), mission)).collect();
            for one in chunk {
                rows.touch(one.table);
                let mission = match here.remove(&one.new.id) {
                    Some(mission) => {
                        kept(held, one, differs(&one.new, &mission), rows);
                        mission
                    }
                    None if held.finished => continue,
                    None => match store.create(&one.new, one.created_at).await {
                        Ok(mission) => {
                            rows.written(one.table, 1);
                            mission
                        }
                        Err(error) => {
                            rows.skip(one.table, &one.key, refusal(error)?);
                            continue;
                        }
                    },
                };
                known.missions.insert(mission.id, mission.cadence);
            }
            self.extend(held).await?;
        }
        Ok(())
    }

    /// Makes of what stood open what the source says. Of a finished import nothing is open.
    pub(super) async fn close(
        &self,
        held: &Held<'_>,
        closing: Closing,
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        if held.finished {
            return Ok(());
        }
        let now = self.clock.now();
        for codes in closing.lore.chunks(CHUNK) {
            for code in codes {
                if let Err(error) = self.storage.lore().set_active(code, false, now).await {
                    let reason = refusal(error)?;
                    rows.warn("lore_pieces", code.as_str(), format!("stays active: {reason}"));
                }
            }
            self.extend(held).await?;
        }
        for badges in closing.badges.chunks(CHUNK) {
            for (badge, new) in badges {
                let patch = BadgePatch {
                    vip: new.vip.map_or(Patch::Clear, Patch::Set),
                    is_active: Some(new.is_active),
                    ..BadgePatch::default()
                };
                let updated = self.storage.badges().update(badge.id, &patch, badge.version).await;
                if let Err(error) = updated {
                    let reason = refusal(error)?;
                    let message = format!("does not become what it was: {reason}");
                    rows.warn("badges", badge.name.as_str(), message);
                }
            }
            self.extend(held).await?;
        }
        Ok(())
    }
}

/// What is here already stays as it is; that it is another is worth knowing, until it may have been
/// edited here.
fn kept<T>(held: &Held<'_>, one: &Definition<T>, differs: bool, rows: &mut Rows) {
    if differs && !held.finished {
        rows.warn(one.table, &one.key, "is here already and differs; the one here is kept");
    }
}

fn differs(new: &NewMission, stored: &Mission) -> bool {
    let again = new.clone().created(stored.created_at);
    let again = again.map(|mission| Mission {
        updated_at: stored.updated_at,
        version: stored.version,
        ..mission
    });
    again.as_ref() != Ok(stored)
}

/// What an author would write to get this badge.
fn defined(badge: &Badge) -> NewBadge {
    NewBadge {
        name: badge.name.clone(),
        description: badge.description.clone(),
        icon: badge.icon.clone(),
        emoji: badge.emoji.clone(),
        tier: badge.tier,
        rule: badge.rule.clone(),
        vip: badge.vip,
        auto_permissions: badge.auto_permissions,
        revocable: badge.revocable,
        is_active: badge.is_active,
    }
}
