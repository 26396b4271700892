//! The two processes: one that writes once and is killed, one that only reads.

use std::time::Duration;

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{Amount, Award, DisplayName, Patch, Source, UserId, UserPatch};
use guildhall_adapter::repository::StorageError;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use crate::BoxError;
use crate::clock::now_ns;
use crate::wire::{Line, tell};
use crate::worker::builder;
use crate::worker::call::{account_state, profile_state};

/// How either is started.
#[derive(Debug, clap::Args)]
pub(crate) struct ActorArgs {
    #[arg(long)]
    database: String,
    #[arg(long)]
    redis: String,
    /// One for each of the writes.
    #[arg(long, value_delimiter = ',')]
    members: Vec<i64>,
    #[arg(long)]
    no_notes: bool,
}

impl ActorArgs {
    /// Connected, and past the time in which nothing is served from the cache.
    async fn connect(&self) -> Result<(Guildhall, Vec<UserId>), BoxError> {
        let notes = if self.no_notes { "false" } else { "true" };
        let config = builder(&self.database, Some((&self.redis, "tiered")));
        let config = config.set("cache.durable_invalidation", notes).build()?;
        let guildhall = Guildhall::connect(config).await?;
        while guildhall.cache_stats().draining {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok((guildhall, self.members.iter().copied().map(UserId).collect()))
    }
}

/// Waits for a line, makes all the writes at once, and waits for the end.
pub(crate) async fn writer(args: ActorArgs) -> Result<(), BoxError> {
    let (guildhall, members) = args.connect().await?;
    let [first, second, third, fourth] = members[..] else {
        return Err("there is a member for each of the writes".into());
    };
    // Its connections to Redis are open, as those of any writer.
    read_all(&guildhall, &members).await?;
    tell(&Line::Ready);
    let mut lines = BufReader::new(stdin()).lines();
    if lines.next_line().await?.is_some() {
        tokio::try_join!(
            awards(&guildhall, first),
            renames(&guildhall, second),
            awards_in_a_unit(&guildhall, third),
            becomes_admin(&guildhall, fourth),
        )?;
    }
    while lines.next_line().await?.is_some() {}
    Ok(())
}

/// Reads until its input ends, and tells what it reads.
pub(crate) async fn reader(args: ActorArgs) -> Result<(), BoxError> {
    let (guildhall, members) = args.connect().await?;
    // Twice: what is served from the cache from now on was loaded before it is announced.
    read_all(&guildhall, &members).await?;
    read_all(&guildhall, &members).await?;
    tell(&Line::Ready);
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => if line?.is_none() { return Ok(()) },
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
        match read_all(&guildhall, &members).await {
            Ok(reads) => reads.iter().for_each(tell),
            Err(error) => {
                tell(&Line::Failed { call: "read".to_owned(), error: format!("{error:?}") });
            }
        }
    }
}

async fn read_all(guildhall: &Guildhall, members: &[UserId]) -> Result<Vec<Line>, StorageError> {
    let mut reads = Vec::with_capacity(2 * members.len());
    for member in members {
        let start_ns = now_ns();
        let account = guildhall.points().account(*member).await?;
        let states = vec![account_state(*member, account.as_ref())];
        reads.push(Line::Read { start_ns, end_ns: now_ns(), states });
        let start_ns = now_ns();
        let user = guildhall.users().by_id(*member).await?;
        let states = vec![profile_state(*member, user.as_ref())];
        reads.push(Line::Read { start_ns, end_ns: now_ns(), states });
    }
    Ok(reads)
}

fn award(member: UserId) -> Result<Award, StorageError> {
    Ok(Award::new(member, Amount::whole(1)?, Source::parse("soak")?))
}

async fn awards(guildhall: &Guildhall, member: UserId) -> Result<(), StorageError> {
    guildhall.points().award(&award(member)?, guildhall.clock().now()).await?;
    Ok(())
}

async fn renames(guildhall: &Guildhall, member: UserId) -> Result<(), StorageError> {
    let version = guildhall.users().by_id(member).await?.map_or(0, |user| user.version);
    let name = Patch::Set(DisplayName::parse("renamed")?);
    let patch = UserPatch { display_name: name, ..UserPatch::default() };
    let now = guildhall.clock().now();
    guildhall.users().update(member, &patch, version, false, now).await?;
    Ok(())
}

async fn awards_in_a_unit(guildhall: &Guildhall, member: UserId) -> Result<(), StorageError> {
    let work = guildhall.storage().begin().await?;
    work.points().award(&award(member)?, guildhall.clock().now()).await?;
    work.commit().await
}

async fn becomes_admin(guildhall: &Guildhall, member: UserId) -> Result<(), StorageError> {
    guildhall.users().set_admin(member, true, guildhall.clock().now()).await?;
    Ok(())
}
