//! Members who leave.

use super::Scene;

super::on_caches! {
    who_leaves
    who_never_was
}

async fn who_leaves(scene: Scene) {
    let [_, bob, _] = scene.ids.members;
    scene
        .after("a deletion", &[bob], async |scene| {
            assert!(scene.ground.members.delete(bob).await.unwrap().value);
        })
        .await;
    scene
        .after("a purge of who had left", &[bob], async |scene| {
            assert!(scene.repositories().profiles().purge_user(bob).await.unwrap());
        })
        .await;
}

async fn who_never_was(scene: Scene) {
    let [ada, _, cleo] = scene.ids.members;
    for (act, user) in [("a purge", cleo), ("a purge of somebody without honours", ada)] {
        scene
            .after(act, &[user], async |scene| {
                assert!(scene.repositories().profiles().purge_user(user).await.unwrap());
            })
            .await;
    }
}
