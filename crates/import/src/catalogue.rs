//! Catalogues on their way from the reader to the writer: what a source defines for everybody.

use guildhall_domain::{
    NewAchievement, NewBadge, NewFragment, NewLorePiece, NewMission, StoreOffer, Timestamp,
};

/// One definition, and where the source has it.
#[derive(Clone, Debug)]
pub(crate) struct Definition<T> {
    pub(crate) table: &'static str,
    /// Its key in that table.
    pub(crate) key: String,
    pub(crate) new: T,
    pub(crate) created_at: Timestamp,
}

/// Everything that a source defines. Bounded by the readers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    pub(crate) lore: Vec<Definition<NewLorePiece>>,
    pub(crate) achievements: Vec<Definition<NewAchievement>>,
    pub(crate) badges: Vec<Definition<NewBadge>>,
    pub(crate) missions: Vec<Definition<NewMission>>,
    pub(crate) fragments: Vec<Definition<NewFragment>>,
    pub(crate) offers: Vec<Definition<StoreOffer>>,
    /// Whether the file is what authors edit: then it wins over what is here, on every run. A
    /// database of a bot defines what is missing, and only until it is imported.
    pub(crate) replaces: bool,
}
