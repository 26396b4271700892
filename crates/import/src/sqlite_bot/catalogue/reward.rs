//! Rewards, which become things in the store that cost nothing and ask for a balance.

use guildhall_domain::{Json, Label, Points, StoreItemKind, StoreOffer, Timestamp};

use super::{Reading, catalogue_row};
use crate::catalogue::Definition;
use crate::error::ImportError;
use crate::fields::Fields;

catalogue_row! {
    RewardRow("rewards", id) {
        id, title, description, required_points, reward_type, image_url, is_active, created_at,
    }
}

pub(super) fn read(reading: &mut Reading<'_>) -> Result<Vec<Definition<StoreOffer>>, ImportError> {
    reading.define(
        offer,
        |row: &RewardRow| &row.created_at,
        |new: &StoreOffer| new.title.as_str().to_lowercase(),
    )
}

fn offer(
    row: &RewardRow,
    _: &str,
    _: Option<Timestamp>,
    fields: &mut Fields<'_>,
) -> Result<StoreOffer, String> {
    let title: Option<Label> = fields.text("title", &row.title);
    let title = title.ok_or("it has no usable title")?;
    let required = fields.points("required_points", &row.required_points).unwrap_or_default();
    if required < Points::ZERO {
        fields.warn("required_points", "is less than 0; taken as 0");
    }
    let kind = row.reward_type.key().filter(|kind| !kind.trim().is_empty());
    let effect = kind.and_then(|kind| Json::new(serde_json::json!({ "reward_type": kind })).ok());
    let offer = StoreOffer {
        description: fields.text("description", &row.description),
        required_points: required.max(Points::ZERO),
        image_url: fields.text("image_url", &row.image_url),
        effect,
        is_active: fields.flag("is_active", &row.is_active, true),
        ..StoreOffer::new(title, StoreItemKind::Reward, Points::ZERO)
    };
    offer.check().map(|()| offer).map_err(|error| error.to_string())
}
