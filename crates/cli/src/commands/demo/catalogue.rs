//! Something to play: a short branching story, missions, achievements, a badge, a store.

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{
    Amount, BadgeRule, ChoiceText, Content, Criterion, Effect, EffectAction, EffectTrigger,
    FragmentKind, Label, LoreContentType, Metric, MissionCadence, NewAchievement, NewBadge,
    NewChoice, NewFragment, NewLorePiece, NewMission, Objective, ObjectiveKind, Points, Reward,
    Slug, StoreItemId, StoreItemKind, StoreOffer, Tier, Title, Violation,
};

use crate::error::CliError;

/// The map that is found in the cave.
const MAP: &str = "old_map";
/// How many spyglasses there are: some who want one come too late.
const SPYGLASSES: u32 = 5;

/// Defines all of it, and gives what the store has.
pub(crate) async fn define(guildhall: &Guildhall) -> Result<Vec<StoreItemId>, CliError> {
    let (on, now) = (guildhall.storage(), guildhall.clock().now());
    on.lore().create_piece(&map()?, now).await?;
    // One call, since each leads to others.
    let report = on.narrative().import_fragments(&story()?, false, now).await?;
    for item in report.items {
        item?;
    }
    on.achievements().seed(&achievements()?, now).await?;
    for mission in missions()? {
        on.missions().create(&mission, now).await?;
    }
    on.badges().create(&badge()?, now).await?;
    let mut items = Vec::new();
    for offer in offers()? {
        items.push(on.store().create(&offer, now).await?.id);
    }
    Ok(items)
}

fn map() -> Result<NewLorePiece, Violation> {
    Ok(NewLorePiece {
        code: Slug::parse(MAP)?,
        title: Title::parse("The old map")?,
        description: None,
        content_type: LoreContentType::Text,
        content: Content::parse("A coast, a cross, and the name of the keeper.")?,
        category: None,
        is_main_story: true,
        is_active: true,
        requirements: Vec::new(),
        legacy_key: None,
    })
}

/// Five fragments, two endings; no way leads back.
fn story() -> Result<Vec<NewFragment>, Violation> {
    let choice = |text: &str, to: &str, karma_delta: i32| {
        let choice = NewChoice::new(ChoiceText::parse(text)?, Slug::parse(to)?);
        Ok::<_, Violation>(NewChoice { karma_delta, ..choice })
    };
    let fragment = |id: &str, title: &str, content: &str, choices: Vec<NewChoice>| {
        let is_ending = choices.is_empty();
        let kind = if is_ending { FragmentKind::Story } else { FragmentKind::Decision };
        let content = Content::parse(content)?;
        let new = NewFragment::new(Slug::parse(id)?, Title::parse(title)?, content, kind);
        Ok::<_, Violation>(NewFragment { choices, is_milestone: is_ending, ..new })
    };
    let when = |trigger, reward| Effect { trigger, action: EffectAction::Reward(reward) };
    let points = |whole| Ok::<_, Violation>(Reward::Points(Amount::whole(whole)?));
    let row = NewChoice { cost: Some(Amount::whole(1)?), ..choice("Hire a boat", "cave", 0)? };
    let shore = fragment(
        "shore",
        "The shore",
        "The light is out.",
        vec![choice("Climb the cliff", "cliff", 1)?, row],
    )?;
    let cliff = fragment(
        "cliff",
        "The cliff",
        "The path forks in the fog.",
        vec![choice("Follow the bell", "tower", 1)?, choice("Follow the gulls", "cave", 0)?],
    )?;
    let cave = fragment(
        "cave",
        "The cave",
        "Somebody left a map.",
        vec![choice("Follow the map", "tower", 0)?, choice("Sell the map", "harbour", -2)?],
    )?;
    let tower = fragment("tower", "The tower", "The light burns again.", Vec::new())?;
    let harbour = fragment("harbour", "The harbour", "Nobody asks about the light.", Vec::new())?;
    let found = when(EffectTrigger::Visit, Reward::Lore(Slug::parse(MAP)?));
    let rewarded = when(EffectTrigger::Complete, points(20)?);
    let sold = when(EffectTrigger::Complete, points(5)?);
    Ok(vec![
        NewFragment { is_start: true, ..shore },
        cliff,
        NewFragment { effects: vec![found], ..cave },
        NewFragment { effects: vec![rewarded], ..tower },
        NewFragment { effects: vec![sold], ..harbour },
    ])
}

fn missions() -> Result<Vec<NewMission>, Violation> {
    let mission = |id: &str, title: &str, cadence, objective| {
        let new = NewMission::new(Slug::parse(id)?, Title::parse(title)?, cadence);
        Ok::<_, Violation>(new.objective(objective))
    };
    let points = |whole| Ok::<_, Violation>(Reward::Points(Amount::whole(whole)?));
    let hello = Objective::action(Slug::parse("message")?, 2);
    let light = Objective::once(ObjectiveKind::Fragment, Slug::parse("tower")?);
    let map = Objective::once(ObjectiveKind::Lore, Slug::parse(MAP)?);
    let (daily, once) = (MissionCadence::Daily, MissionCadence::OneTime);
    let finder = Reward::Achievement(Slug::parse("finder")?);
    Ok(vec![
        mission("say_hello", "Say hello, twice", daily, hello)?.reward(points(5)?),
        mission("light_the_tower", "Light the tower", once, light)?.reward(points(25)?),
        mission("find_the_map", "Find the map", once, map)?.reward(finder),
    ])
}

fn achievements() -> Result<Vec<NewAchievement>, Violation> {
    let achievement = |id: &str, title: &str, tier, whole, criteria| {
        let new = NewAchievement::new(Slug::parse(id)?, Label::parse(title)?);
        let reward_points = Points::whole(whole)?;
        Ok::<_, Violation>(NewAchievement { tier, reward_points, criteria, ..new })
    };
    let at_least = |metric: &str, threshold| {
        Ok::<_, Violation>(vec![Criterion::at_least(Metric::parse(metric)?, threshold)])
    };
    Ok(vec![
        achievement("first_mission", "First mission", Tier::Bronze, 10, at_least("missions", 1)?)?,
        achievement("all_missions", "All missions", Tier::Gold, 50, at_least("missions", 3)?)?,
        achievement("finder", "Finder", Tier::Silver, 15, Vec::new())?,
    ])
}

fn badge() -> Result<NewBadge, Violation> {
    let rule = BadgeRule { metric: Metric::parse("missions")?, threshold: 2 };
    let new = NewBadge::new(Label::parse("Keeper of the light")?);
    Ok(NewBadge { rule: Some(rule), tier: Tier::Silver, ..new })
}

fn offers() -> Result<Vec<StoreOffer>, Violation> {
    let offer = |title: &str, kind, whole| {
        Ok::<_, Violation>(StoreOffer::new(Label::parse(title)?, kind, Points::whole(whole)?))
    };
    let lantern = offer("Brass lantern", StoreItemKind::Avatar, 15)?;
    let spyglass = offer("Spyglass", StoreItemKind::Custom, 40)?;
    Ok(vec![lantern, StoreOffer { stock: Some(SPYGLASSES), ..spyglass }])
}

#[cfg(test)]
mod tests {
    use guildhall_adapter::domain::{StoryCheck, StoryNode, Timestamp};

    use super::*;

    #[test]
    fn the_story_is_sound_and_every_definition_passes_its_checks() {
        let nodes: Vec<StoryNode> = story().unwrap().iter().map(StoryNode::from).collect();
        let check = StoryCheck::of(&nodes);
        assert!(check.is_sound(), "{check:?}");
        assert_eq!(check.endings.len(), 2);
        story().unwrap().iter().for_each(|it| it.check().unwrap());
        achievements().unwrap().iter().for_each(|it| it.check().unwrap());
        offers().unwrap().iter().for_each(|it| it.check().unwrap());
        for mission in missions().unwrap() {
            mission.created(Timestamp::EPOCH).unwrap();
        }
        badge().unwrap().check().unwrap();
    }
}
