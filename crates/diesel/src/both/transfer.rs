//! Transfers: two movements that are one, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{EntryKind, Outcome, TransferPair};
use guildhall_repository::StorageError;

use super::point::{events_of, keyed_on, open_account_on, other_request, refusal_on};
use super::{Conn, apply_transfer, columns};
use crate::fault::Worked;
use crate::rows::{EntryRow, TransferMovement};
use crate::schema::point_entries;

pub(super) async fn transfer_on(
    conn: &mut Conn,
    transfer: &TransferMovement,
) -> Worked<Outcome<TransferPair>> {
    let Some((sent, received)) = apply_transfer(conn, transfer).await? else {
        return Ok(Outcome::replayed(replayed_transfer_on(conn, transfer).await?));
    };
    let (sent_row, received_row) = transfer.clone().into_rows(&sent, &received);
    let pair = TransferPair { sent: sent_row.into_entry()?, received: received_row.into_entry()? };
    let mut events = events_of(&pair.sent, &sent);
    events.extend(events_of(&pair.received, &received));
    Ok(Outcome::new(pair, events))
}

async fn replayed_transfer_on(
    conn: &mut Conn,
    transfer: &TransferMovement,
) -> Worked<TransferPair> {
    if let Some(key) = &transfer.idem_key
        && let Some(sent) = keyed_on(conn, key).await?
    {
        let same = sent.kind == EntryKind::TransferOut.as_str()
            && sent.user_id == transfer.from
            && sent.counterpart_user_id == Some(transfer.to)
            && sent.amount == -transfer.amount;
        if !same {
            return Err(other_request(key));
        }
        let received: EntryRow = point_entries::table
            .filter(point_entries::transfer_id.eq(&sent.transfer_id))
            .filter(point_entries::id.ne(sent.id))
            .select(columns::<EntryRow>())
            .first(conn)
            .await?;
        return Ok(TransferPair { sent: sent.into_entry()?, received: received.into_entry()? });
    }
    if open_account_on(conn, transfer.to).await?.is_none() {
        return Err(StorageError::not_found("user", transfer.to).into());
    }
    Err(refusal_on(conn, transfer.from, transfer.amount).await?)
}
