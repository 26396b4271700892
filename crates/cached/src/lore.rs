//! Lore through the cache. What decides whether a member is given a piece is read past it.

use std::collections::BTreeSet;

use guildhall_domain::{
    FoundLore, HintCombination, LoreId, LorePiece, NewLorePiece, Outcome, Slug, Timestamp, UserId,
    UserLore,
};
use guildhall_repository::{ListLimit, LoreFilter, LoreRepository, NewUserLore, Page, PageRequest};

use crate::decorate::decorate;
use crate::keys::{key, tag};
use crate::narrative::catalogue;

decorate! {
    impl LoreRepository by lore, |link| {
        find piece(code: &Slug) -> Option<LorePiece>
            = (key::narrative("lore", code), [tag::narrative()], narrative);
        pass pieces_by_ids(ids: &[LoreId]) -> Vec<LorePiece>;
        pass pieces_by_codes(codes: &[Slug]) -> Vec<LorePiece>;
        page pieces(filter: &LoreFilter, page: &PageRequest) -> Page<LorePiece>
            = (page, key::lore_pieces(filter, page), [tag::narrative()], narrative);
        pass count_pieces(filter: &LoreFilter) -> u64;
        write create_piece(new: &NewLorePiece, now: Timestamp) -> LorePiece = (catalogue());
        write update_piece(new: &NewLorePiece, expected_version: i64, now: Timestamp) -> LorePiece
            = (catalogue());
        write set_active(code: &Slug, is_active: bool, now: Timestamp) -> LorePiece
            = (catalogue());
        write delete_piece(code: &Slug) -> bool = (catalogue());
        write create_pieces(new: &[NewLorePiece], now: Timestamp) -> Vec<LorePiece>
            = (catalogue());
        write update_pieces(changes: &[(NewLorePiece, i64)], now: Timestamp) -> u64
            = (catalogue());
        write delete_pieces(codes: &[Slug]) -> u64 = (catalogue());
        pass piece_exists(code: &Slug) -> bool;
        write unlock(new: &NewUserLore, now: Timestamp) -> Outcome<UserLore>
            = ([tag::story(new.user)]);
        pass has(user: UserId, lore: LoreId) -> bool;
        pass held(user: UserId, lore: &[LoreId]) -> BTreeSet<LoreId>;
        page unlocked(user: UserId, page: &PageRequest) -> Page<FoundLore>
            = (
                page,
                key::story_list(user, "lore", page),
                [tag::story(user), tag::narrative()],
                story
            );
        pass create_combination(new: &HintCombination) -> ();
        pass delete_combination(code: &Slug) -> bool;
        pass combinations(after: Option<Slug>, limit: ListLimit) -> Vec<HintCombination>;
        pass combination_of(lore: &BTreeSet<LoreId>) -> Option<HintCombination>;
    }
}
