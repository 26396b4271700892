use super::*;
use crate::amount::Xp;
use crate::effect::EffectAction;
use crate::reward::Reward;

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn new(kind: FragmentKind) -> NewFragment {
    let (title, content) =
        (Title::parse("The gate").unwrap(), Content::parse("It opens.").unwrap());
    NewFragment::new(slug("gate"), title, content, kind)
}

fn to(destination: &str, text: &str) -> NewChoice {
    NewChoice::new(ChoiceText::parse(text).unwrap(), slug(destination))
}

/// `new` as a store would keep it, its choices numbered from 1 unless they have ids.
fn stored(new: &NewFragment) -> Fragment {
    let choice = |(idx, choice): (usize, &NewChoice)| Choice {
        id: choice.id.unwrap_or(ChoiceId(idx as i64 + 1)),
        idx: idx as u32,
        text: choice.text.clone(),
        destination: choice.destination.clone(),
        cost: choice.cost,
        reward: choice.reward,
        karma_delta: choice.karma_delta,
        is_active: choice.is_active,
        requirements: choice.requirements.clone(),
    };
    Fragment {
        id: new.id.clone(),
        title: new.title.clone(),
        content: new.content.clone(),
        kind: new.kind,
        character: new.character.clone(),
        chapter_level: new.chapter_level,
        auto_next: new.auto_next.clone(),
        is_milestone: new.is_milestone,
        is_start: new.is_start,
        is_active: new.is_active,
        requirements: new.requirements.clone(),
        effects: new.effects.clone(),
        choices: new.choices.iter().enumerate().map(choice).collect(),
        legacy_key: new.legacy_key.clone(),
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
        version: 1,
    }
}

#[test]
fn only_decisions_have_several_active_choices() {
    let two = vec![to("yard", "Enter"), to("road", "Leave")];
    let decision = NewFragment { choices: two.clone(), ..new(FragmentKind::Decision) };
    assert!(decision.check().is_ok());
    let mut story = NewFragment { choices: two, ..new(FragmentKind::Story) };
    assert_eq!(story.check().unwrap_err(), Violation::new("choices", Rule::TooLong { max: 1 }));
    story.choices[1].is_active = false;
    assert!(story.check().is_ok());
}

#[test]
fn what_breaks_a_rule_is_refused() {
    let fine = new(FragmentKind::Decision);
    assert!(fine.check().is_ok());
    let itself = vec![Requirement::Fragment(fine.id.clone())];
    let xp = EffectAction::Reward(Reward::Xp(Xp::whole(1).unwrap()));
    let xp = Effect { trigger: EffectTrigger::Visit, action: xp };
    let karma = NewChoice { karma_delta: NewChoice::KARMA_MAX + 1, ..to("yard", "Enter") };
    let twice = NewChoice { id: Some(ChoiceId(1)), ..to("yard", "Enter") };
    for (broken, field, code) in [
        (NewFragment { chapter_level: 0, ..fine.clone() }, "chapter_level", "out_of_range"),
        (NewFragment { requirements: itself, ..fine.clone() }, "requirements", "self_target"),
        (NewFragment { effects: vec![xp.clone()], ..fine.clone() }, "effects", "malformed"),
        (NewFragment { effects: vec![xp; 21], ..fine.clone() }, "effects", "too_long"),
        (NewFragment { choices: vec![karma], ..fine.clone() }, "karma_delta", "out_of_range"),
        (
            NewFragment { choices: vec![twice.clone(), twice], ..fine.clone() },
            "choices",
            "duplicate",
        ),
        (
            NewFragment { choices: vec![to("yard", "Enter"); 21], ..fine.clone() },
            "choices",
            "too_long",
        ),
    ] {
        let violation = broken.check().unwrap_err();
        assert_eq!((violation.field, violation.rule.code()), (field, code));
    }
}

#[test]
fn unchanged_choices_keep_their_ids() {
    let first = vec![to("yard", "Enter"), to("road", "Leave"), to("wall", "Climb")];
    let before = stored(&NewFragment { choices: first, ..new(FragmentKind::Decision) });
    // Climb stands first now, Enter is worded anew under its id, Leave is gone, Knock is new.
    let enter = NewChoice { id: Some(ChoiceId(1)), ..to("yard", "Go in") };
    let after = vec![to("wall", "Climb"), enter, to("yard", "Knock")];
    let after = NewFragment { choices: after, ..new(FragmentKind::Decision) };
    let ids = |fragment: &NewFragment| -> Vec<Option<i64>> {
        fragment.choices.iter().map(|choice| choice.id.map(|id| id.0)).collect()
    };
    let merged = after.over(&before, &HashSet::new()).unwrap();
    assert_eq!(ids(&merged), [Some(3), Some(1), None]);

    let merged = after.over(&before, &HashSet::from([ChoiceId(2), ChoiceId(3)])).unwrap();
    assert_eq!(ids(&merged), [Some(3), Some(1), None, Some(2)]);
    assert!(!merged.choices[3].is_active);
    assert!(merged.choices[..3].iter().all(|choice| choice.is_active));

    let foreign = vec![NewChoice { id: Some(ChoiceId(9)), ..to("yard", "Enter") }];
    let foreign = NewFragment { choices: foreign, ..new(FragmentKind::Decision) };
    assert_eq!(foreign.over(&before, &HashSet::new()).unwrap_err().field, "choices");
}

#[test]
fn the_same_again_changes_nothing() {
    let choices = vec![to("yard", "Enter"), to("yard", "Enter"), to("road", "Leave")];
    let new = NewFragment { choices, ..new(FragmentKind::Decision) };
    let mut before = stored(&new);
    let retired = Choice { id: ChoiceId(9), idx: 3, is_active: false, ..before.choices[0].clone() };
    before.choices.push(retired);
    let taken = HashSet::from([ChoiceId(2), ChoiceId(9)]);
    assert_eq!(new.over(&before, &taken).unwrap(), before.to_new());
    assert_eq!(before.to_new().over(&before, &taken).unwrap(), before.to_new());
}

#[test]
fn only_active_choices_can_be_taken() {
    let choices = vec![to("yard", "Enter"), NewChoice { is_active: false, ..to("road", "Leave") }];
    let gate = stored(&NewFragment { choices, ..new(FragmentKind::Decision) });
    assert_eq!(gate.choice_at(0), gate.choice(ChoiceId(1)));
    assert!(gate.choice_at(0).is_some());
    assert_eq!(
        (gate.choice_at(1), gate.choice(ChoiceId(2)), gate.choice_at(2)),
        (None, None, None)
    );
}
