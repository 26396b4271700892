use std::sync::Arc;

use guildhall_domain::{
    Access, NewFragment, Points, Requirement, Role, Standing, UserId, Vip, unmet,
};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use crate::builder::{amount, fragment, hold, hours, now, points, slug};

/// Of what was asked for, and nothing else: roles, points with those held, levels, lore, fragments.
pub async fn a_standing_holds_what_requirements_look_at(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 600).await;
    storage.points().hold(&hold(ada, 50, "clock"), now()).await.unwrap();
    given::story(&storage, &["done", "seen", "other"].map(fragment)).await;
    storage.story().visit(ada, &slug("seen"), now()).await.unwrap();
    for id in ["done", "other"] {
        storage.story().complete(ada, &slug(id), now()).await.unwrap();
    }
    for code in ["map", "key", "ring"] {
        let piece = given::piece(&storage, code).await;
        if code != "ring" {
            storage.lore().unlock(&given::find_of(ada, piece), now()).await.unwrap();
        }
    }
    let wanted = [
        Requirement::Lore(slug("map")),
        Requirement::Lore(slug("ring")),
        Requirement::Fragment(slug("done")),
        Requirement::Fragment(slug("seen")),
        Requirement::Level(2),
        Requirement::Points(amount(600)),
        Requirement::Role(Role::Free),
        Requirement::Vip,
    ];
    let standing = storage.story().standing(ada, &wanted).await.unwrap();
    let expected = Standing {
        user: ada,
        is_admin: false,
        vip: Vip::None,
        balance: points(600),
        held: points(50),
        level: 2,
        lore: [slug("map")].into(),
        missions: [].into(),
        fragments: [slug("done")].into(),
        badges: [].into(),
        achievements: [].into(),
    };
    assert_eq!(standing, expected);
    let missing = unmet(&wanted, &standing, now());
    assert_eq!(missing, [wanted[1].clone(), wanted[3].clone(), Requirement::Vip]);

    let until = Vip::Until(now().plus(hours(1)));
    let vip = given::vip(&storage, "vip", until).await;
    storage.users().set_admin(vip, true, now()).await.unwrap();
    let standing = storage.story().standing(vip, &[]).await.unwrap();
    assert_eq!((standing.vip, standing.is_admin), (until, true));
    assert_eq!((standing.balance, standing.level), (Points::ZERO, 1));

    let many: Vec<_> = (1..=5_001).map(Requirement::Level).collect();
    invalid(storage.story().standing(ada, &many).await, "requirements");
}

/// Neither somebody who never was nor one who is gone.
pub async fn nobody_has_no_standing(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    storage.users().delete(ada, now()).await.unwrap();
    given::story(&storage, &[fragment("gate")]).await;
    for user in [ada, UserId(999_999)] {
        refused(storage.story().standing(user, &[]).await, ErrorKind::NotFound);
        let access = storage.story().can_access(user, &slug("gate"), now()).await;
        refused(access, ErrorKind::NotFound);
    }
}

/// In the order of the requirements, at that instant.
pub async fn access_names_what_is_missing(storage: Arc<dyn Storage>) {
    let until = now().plus(hours(1));
    let vip = given::vip(&storage, "vip", Vip::Until(until)).await;
    let requirements =
        vec![Requirement::Level(2), Requirement::Vip, Requirement::Points(amount(10))];
    let closed = NewFragment { requirements: requirements.clone(), ..fragment("gate") };
    given::story(&storage, &[closed, fragment("yard")]).await;
    let access = async |id: &str, at| storage.story().can_access(vip, &slug(id), at).await.unwrap();
    let open = Access { allowed: true, unmet: vec![] };
    assert_eq!(access("yard", now()).await, open);
    let unmet = vec![requirements[0].clone(), requirements[2].clone()];
    assert_eq!(access("gate", now()).await, Access { allowed: false, unmet });
    assert_eq!(access("gate", until).await, Access { allowed: false, unmet: requirements });
    storage.points().award(&crate::builder::award(vip, 600), now()).await.unwrap();
    assert_eq!(access("gate", now()).await, open);
    let unmet = vec![Requirement::Vip];
    assert_eq!(access("gate", until).await, Access { allowed: false, unmet });
}

/// With nothing to do about it.
pub async fn absent_and_inactive_fragments_are_closed(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let requirements = vec![Requirement::Vip];
    let idle = NewFragment { is_active: false, requirements, ..fragment("idle") };
    given::story(&storage, &[idle]).await;
    for id in ["idle", "nowhere"] {
        let access = storage.story().can_access(ada, &slug(id), now()).await.unwrap();
        assert_eq!(access, Access { allowed: false, unmet: vec![] });
    }
}
