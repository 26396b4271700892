//! The relay: whoever gets there first drains a row of the outbox.

use super::{Steps, World, bits};
use crate::cell::{Fault, Variant};
use crate::state::{Row, State, Version, Writer};

impl Writer {
    /// The open row of what it committed.
    pub(super) fn row<'o>(&self, outbox: &'o mut [Option<Row>]) -> Option<&'o mut Row> {
        let at = usize::from(self.version).checked_sub(1)?;
        outbox.get_mut(at)?.as_mut()
    }
}

impl World<'_> {
    /// A row that nobody but the relay looks after.
    pub(super) fn open_row(&self) -> Row {
        Row { tags: self.cell.tags_mask(), changed: 0, orphan: true }
    }

    pub(super) fn relay(&self, now: &State, steps: &mut Steps) {
        for side in [false, true] {
            let mut here = self.processes().filter(|at| now.processes[*at].behind == side);
            if let Some(relayer) = here.next()
                && self.writable(now, relayer)
            {
                self.relay_by(now, relayer, steps);
            }
        }
    }

    fn relay_by(&self, now: &State, relayer: usize, steps: &mut Steps) {
        for (at, row) in now.outbox.iter().enumerate() {
            let Some(row) = row else { continue };
            let version = at as Version + 1;
            let open = row.tags & !row.changed;
            if open == 0 {
                let mut next = *now;
                next.outbox[at] = None;
                next.acknowledged = next.acknowledged.max(version);
                self.publish(&mut next, relayer, |_| false);
                steps.certain(next, || format!("the relay publishes, and deletes row v{version}"));
            } else if row.orphan || row.changed != 0 || self.cell.may(Fault::EagerRelay) {
                let apart = self.has(Variant::SeparateChanges);
                let tags =
                    if apart { bits(open).next().map_or(0, |first| 1 << first) } else { open };
                let mut next = *now;
                next.outbox[at] = Some(Row { changed: row.changed | tags, ..*row });
                self.change(&mut next, relayer, tags);
                steps.certain(next, || format!("the relay changes the nonces of row v{version}"));
            }
        }
    }
}
