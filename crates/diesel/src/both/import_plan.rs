//! What becomes of the members of a batch, worked out in memory: whom each one is, and what its
//! ledger comes to. Nothing here touches the database, so that one bad member costs nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use guildhall_domain::{
    EntryKind, IdemKey, ImportedEntry, ImportedMember, NewExternal, Points, Timestamp, UiState,
    User, UserId, UserStats, Vip,
};
use guildhall_repository::{MemberImport, MemberWarning};

use crate::rows::{AccountRow, ExternalRow, NewEntryRow, StatsRow, count};
use crate::schema::imported_members;
use crate::types::DbTime;

/// A row of `imported_members`: the tag of an import on a member.
#[derive(Clone, Debug, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = imported_members)]
pub(super) struct TagRow {
    pub(super) import_id: i64,
    pub(super) source_key: String,
    pub(super) user_id: i64,
    pub(super) merged: bool,
    pub(super) balance: i64,
    pub(super) entries: i64,
}

/// A provider and an id there.
pub(super) type External = (String, String);

/// What the database knows about the members of a batch, kept up as the plan grows.
pub(super) struct Known {
    /// Members of an earlier run, by their keys in the source.
    pub(super) tags: HashMap<String, TagRow>,
    /// Whose the accounts elsewhere are.
    pub(super) holders: HashMap<External, i64>,
    /// The accounts elsewhere of those whom the batch may join, by provider.
    pub(super) linked: HashMap<i64, HashMap<String, String>>,
    /// Point accounts of those whom the batch may join, locked.
    pub(super) accounts: HashMap<i64, AccountRow>,
    /// Taken usernames, addresses and numbers, folded.
    pub(super) usernames: HashSet<String>,
    pub(super) emails: HashSet<String>,
    pub(super) phones: HashSet<String>,
    /// Beginnings and numbers of all levels, ascending.
    pub(super) levels: Vec<(i64, i64)>,
}

/// What a member who was here already gains beside points.
pub(super) struct Joined {
    pub(super) user: i64,
    pub(super) vip: Vip,
    pub(super) stats: Option<UserStats>,
}

/// The rows that a batch comes to.
pub(super) struct Plan<'a> {
    import: i64,
    source: &'a str,
    now: Timestamp,
    ids: std::vec::IntoIter<i64>,
    known: Known,
    pub(super) created: Vec<(User, Vec<NewExternal>)>,
    /// Statistics of the created.
    pub(super) stats: Vec<StatsRow>,
    pub(super) joined: Vec<Joined>,
    /// New accounts elsewhere of the joined.
    pub(super) links: Vec<ExternalRow>,
    /// Accounts that changed, ascending.
    pub(super) accounts: BTreeMap<i64, AccountRow>,
    pub(super) entries: Vec<NewEntryRow>,
    pub(super) tags: Vec<TagRow>,
}

/// The longest key of a row in its source, in characters.
const KEY_CHARS_MAX: usize = 200;

/// Why a member cannot be written.
type Planned<T> = Result<T, String>;

impl<'a> Plan<'a> {
    /// An empty plan. `ids` are for those who will be created, one each at most.
    pub(super) fn new(
        import: i64,
        source: &'a str,
        known: Known,
        ids: Vec<i64>,
        now: Timestamp,
    ) -> Self {
        Self {
            import,
            source,
            now,
            ids: ids.into_iter(),
            known,
            created: Vec::new(),
            stats: Vec::new(),
            joined: Vec::new(),
            links: Vec::new(),
            accounts: BTreeMap::new(),
            entries: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// Adds a member to the plan, or says why not.
    pub(super) fn member(&mut self, member: &ImportedMember) -> MemberImport {
        if let Some(tag) = self.known.tags.get(&member.source_key) {
            return MemberImport::Unchanged {
                user: UserId(tag.user_id),
                balance: Points::from_minor(tag.balance).unwrap_or_default(),
                entries: count(tag.entries),
            };
        }
        self.written(member).unwrap_or_else(|reason| MemberImport::Skipped { reason })
    }

    /// Everything that can refuse comes before anything that is kept.
    fn written(&mut self, member: &ImportedMember) -> Planned<MemberImport> {
        if !is_key(&member.source_key) {
            return Err("its key is empty, too long or holds a NUL character".to_owned());
        }
        member.user.check().map_err(|violation| violation.to_string())?;
        let known = self.recognised(member)?;
        let account = match known {
            None => AccountRow::opened(UserId(0), self.now),
            Some(user) => match self.known.accounts.get(&user) {
                Some(account) if !account.is_closed => account.clone(),
                _ => return Err("the member it belongs to was deleted here".to_owned()),
            },
        };
        let mut past = Past::of(self.source, member, account, &self.known.levels, self.now)?;
        let id = known.or_else(|| self.ids.next()).ok_or("no id is left for it")?;
        match known {
            None => self.create(id, member, &mut past.warnings),
            Some(id) => self.join(id, member),
        }
        let entries = past.rows.len();
        if past.changed {
            self.accounts.insert(id, AccountRow { user_id: id, ..past.account.clone() });
        }
        self.known.accounts.insert(id, AccountRow { user_id: id, ..past.account });
        self.entries.extend(past.rows.into_iter().map(|row| NewEntryRow { user_id: id, ..row }));
        let tag = TagRow {
            import_id: self.import,
            source_key: member.source_key.clone(),
            user_id: id,
            merged: known.is_some(),
            balance: member.balance.minor(),
            entries: i64::try_from(entries).unwrap_or(i64::MAX),
        };
        self.tags.push(tag.clone());
        self.known.tags.insert(member.source_key.clone(), tag);
        Ok(MemberImport::Written {
            user: UserId(id),
            merged: known.is_some(),
            balance: member.balance,
            entries: entries as u64,
            warnings: past.warnings,
        })
    }

    /// Who here has an account of this member. Refused when that is not one and the same person:
    /// nobody can tell then whose the points are.
    fn recognised(&self, member: &ImportedMember) -> Planned<Option<i64>> {
        let accounts = || member.user.externals.iter().map(external);
        let holders: BTreeSet<i64> =
            accounts().filter_map(|account| self.known.holders.get(&account).copied()).collect();
        let mut holders = holders.into_iter();
        let Some(user) = holders.next() else { return Ok(None) };
        if holders.next().is_some() {
            return Err("its accounts elsewhere belong to several members here".to_owned());
        }
        let linked = self.known.linked.get(&user);
        let other = |(provider, id): &External| {
            linked.and_then(|linked| linked.get(provider)).is_some_and(|known| known != id)
        };
        match accounts().find(other) {
            None => Ok(Some(user)),
            Some((provider, _)) => {
                Err(format!("member {user} here shares an account, but not the one at {provider}"))
            }
        }
    }

    fn create(&mut self, id: i64, member: &ImportedMember, warnings: &mut Vec<MemberWarning>) {
        let mut user = User {
            vip: member.vip.standing,
            ui_state: member.ui_state.clone().unwrap_or_else(UiState::root),
            notifications_enabled: member.notifications_enabled,
            last_checked_match_id: member.last_checked_match_id.clone(),
            total_requests: member.total_requests,
            last_active_at: member.last_active_at,
            last_reminder_sent_at: member.last_reminder_sent_at,
            updated_at: self.now,
            ..User::registered(UserId(id), &member.user, member.created_at)
        };
        let known = &mut self.known;
        if user.username.as_ref().is_some_and(|name| !known.usernames.insert(name.folded())) {
            user.username = None;
            warnings.push(MemberWarning::UsernameTaken);
        }
        if user.email.as_ref().is_some_and(|email| !known.emails.insert(email.folded())) {
            user.email = None;
            warnings.push(MemberWarning::EmailTaken);
        }
        let phone = user.phone.as_ref().map(|phone| phone.as_str().to_owned());
        if phone.is_some_and(|phone| !known.phones.insert(phone)) {
            user.phone = None;
            warnings.push(MemberWarning::PhoneTaken);
        }
        for account in member.user.externals.iter().map(external) {
            known.linked.entry(id).or_default().insert(account.0.clone(), account.1.clone());
            known.holders.insert(account, id);
        }
        if let Some(stats) = &member.stats {
            let stats = UserStats { user: user.id, version: 1, ..stats.clone() };
            self.stats.push(StatsRow::of(&stats));
        }
        self.created.push((user, member.user.externals.clone()));
    }

    /// What the member is called here stays as it is.
    fn join(&mut self, id: i64, member: &ImportedMember) {
        for new in &member.user.externals {
            let account = external(new);
            if self.known.holders.contains_key(&account) {
                continue;
            }
            self.links.push(ExternalRow::of(UserId(id), new, self.now));
            let linked = self.known.linked.entry(id).or_default();
            linked.insert(account.0.clone(), account.1.clone());
            self.known.holders.insert(account, id);
        }
        let (vip, stats) = (member.vip.standing, member.stats.clone());
        if vip != Vip::None || stats.is_some() {
            self.joined.push(Joined { user: id, vip, stats });
        }
    }
}

pub(super) fn external(new: &NewExternal) -> External {
    (new.provider.to_string(), new.external_id.as_str().to_owned())
}

/// Whether a database can hold and find it.
pub(super) fn is_key(key: &str) -> bool {
    !key.is_empty() && !key.contains('\0') && key.chars().count() <= KEY_CHARS_MAX
}

/// A member's ledger on its way into an account.
struct Past<'a> {
    source: &'a str,
    member: &'a ImportedMember,
    now: Timestamp,
    /// As it will be.
    account: AccountRow,
    changed: bool,
    rows: Vec<NewEntryRow>,
    warnings: Vec<MemberWarning>,
    /// What the import has brought so far, in minor units. Never negative, whoever else brought
    /// points: the same source gives the same entries, joined or not.
    brought: i64,
}

impl<'a> Past<'a> {
    fn of(
        source: &'a str,
        member: &'a ImportedMember,
        account: AccountRow,
        levels: &[(i64, i64)],
        now: Timestamp,
    ) -> Planned<Self> {
        if member.balance < Points::ZERO {
            return Err("its balance is negative".to_owned());
        }
        let rows = Vec::with_capacity(member.entries.len() + 1);
        let (changed, warnings, brought) = (false, Vec::new(), 0);
        let mut past = Self { source, member, now, account, changed, rows, warnings, brought };
        let mut keys = HashSet::with_capacity(member.entries.len());
        let mut earned = 0;
        for entry in &member.entries {
            if !is_key(&entry.source_key) || !keys.insert(entry.source_key.as_str()) {
                return Err("its ledger has a key twice, or one that cannot be kept".to_owned());
            }
            past.entry(entry)?;
            earned = in_range(earned + entry.amount.minor().max(0))?;
        }
        past.difference()?;
        let xp = earned.max(member.xp_at_least.minor()).max(member.balance.minor());
        past.conclude(xp, levels)?;
        Ok(past)
    }

    fn entry(&mut self, entry: &ImportedEntry) -> Planned<()> {
        let amount = entry.amount.minor();
        if amount == 0 {
            return Err(format!("entry {} of its ledger moves nothing", entry.source_key));
        }
        let missing = -(self.brought + amount);
        if missing > 0 {
            let key = self.key("cover", &entry.source_key);
            let note = "Covers an overdrawn balance";
            let row = self.made_up(missing, note, key, entry.created_at);
            self.push(row)?;
            let source_key = entry.source_key.clone();
            self.warnings.push(MemberWarning::Overdrawn { source_key });
        }
        let sum = if amount > 0 {
            &mut self.account.lifetime_earned
        } else {
            &mut self.account.lifetime_spent
        };
        *sum = in_range(*sum + amount.abs())?;
        let row = NewEntryRow {
            kind: if amount > 0 { EntryKind::Award } else { EntryKind::Spend }.as_str(),
            source: entry.source.as_str().to_owned(),
            source_ref: entry.source_ref.clone().map(String::from),
            description: entry.description.clone().map(String::from),
            ..self.made_up(amount, "", self.key("entry", &entry.source_key), entry.created_at)
        };
        self.push(row)
    }

    /// Enters what the entries do not explain.
    fn difference(&mut self) -> Planned<()> {
        let difference = self.member.balance.minor() - self.brought;
        if difference == 0 {
            return Ok(());
        }
        let bare = self.member.entries.is_empty();
        let note = if bare { "Opening balance" } else { "Difference to the balance there" };
        let row = self.made_up(difference, note, self.key("balance", ""), self.now);
        self.push(row)?;
        let difference = Points::from_minor(difference).map_err(|_| OUT_OF_RANGE)?;
        self.warnings.push(MemberWarning::BalanceDiffers { difference });
        Ok(())
    }

    fn conclude(&mut self, xp: i64, levels: &[(i64, i64)]) -> Planned<()> {
        let account = &mut self.account;
        account.xp = in_range(account.xp + xp)?;
        let begun = levels.partition_point(|(begins, _)| *begins <= account.xp);
        if let Some((_, level)) = levels[..begun].last() {
            account.level = account.level.max(*level);
        }
        self.changed = xp > 0 || !self.rows.is_empty();
        if self.changed {
            account.version += 1;
            account.updated_at = DbTime(self.now);
        }
        Ok(())
    }

    /// An entry that the other system does not have.
    fn made_up(&self, amount: i64, note: &str, key: String, at: Timestamp) -> NewEntryRow {
        NewEntryRow {
            user_id: self.account.user_id,
            seq: 0,
            amount,
            balance_after: 0,
            kind: EntryKind::Import.as_str(),
            source: "import".to_owned(),
            source_ref: None,
            description: Some(note.to_owned()),
            base_amount: None,
            multiplier_bp: None,
            counterpart_user_id: None,
            transfer_id: None,
            idem_key: Some(key),
            created_at: DbTime(at),
        }
    }

    fn push(&mut self, row: NewEntryRow) -> Planned<()> {
        let account = &mut self.account;
        account.balance = in_range(account.balance + row.amount)?;
        self.brought += row.amount;
        let (seq, balance_after) = (account.next_seq, account.balance);
        self.rows.push(NewEntryRow { seq, balance_after, ..row });
        account.next_seq += 1;
        Ok(())
    }

    fn key(&self, what: &str, key: &str) -> String {
        idem_key(self.source, what, &self.member.source_key, key)
    }
}

const OUT_OF_RANGE: &str = "its ledger leaves the range of points";

fn in_range(minor: i64) -> Planned<i64> {
    Points::from_minor(minor).map(Points::minor).map_err(|_| OUT_OF_RANGE.to_owned())
}

/// The once-only key of an imported entry. Legible where it can be; a key that would be too long
/// or could be read in two ways is hashed.
fn idem_key(source: &str, what: &str, member: &str, key: &str) -> String {
    let legible = format!("import:{source}:{what}:{member}:{key}");
    let plain = !member.contains(':') && !key.contains(':');
    if plain && IdemKey::parse(&legible).is_ok_and(|key| key.as_str() == legible) {
        return legible;
    }
    // FNV-1a over the parts and their lengths: the same for ever, in every build.
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for part in [source, what, member, key] {
        for byte in (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes()) {
            hash =
                (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    format!("import:#{hash:032x}")
}
