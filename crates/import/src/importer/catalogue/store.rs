//! Things in the store.

use std::collections::HashMap;

use guildhall_domain::{StoreItem, StoreOffer};
use guildhall_repository::{PageRequest, StorageError, StoreFilter};

use super::{CHUNK, Held, Known, kept};
use crate::catalogue::Definition;
use crate::error::ImportError;
use crate::importer::Importer;
use crate::importer::rows::{Rows, refusal};

impl Importer {
    pub(super) async fn write_offers(
        &self,
        held: &Held<'_>,
        offers: &[Definition<StoreOffer>],
        known: &mut Known,
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        if offers.is_empty() {
            return Ok(());
        }
        let mut here = self.items_by_title().await?;
        for chunk in offers.chunks(CHUNK) {
            for one in chunk {
                rows.touch(one.table);
                let item = match here.remove(&one.new.title.as_str().to_lowercase()) {
                    Some(item) => {
                        kept(held, one, item.offer != one.new, rows);
                        item
                    }
                    None if held.finished => continue,
                    None => match self.storage.store().create(&one.new, one.created_at).await {
                        Ok(item) => {
                            rows.written(one.table, 1);
                            item
                        }
                        Err(error) => {
                            rows.skip(one.table, &one.key, refusal(error)?);
                            continue;
                        }
                    },
                };
                known.items.insert(one.key.clone(), item);
            }
            self.extend(held).await?;
        }
        Ok(())
    }

    /// Everything in the store, by its title, which is unique without regard to case.
    async fn items_by_title(&self) -> Result<HashMap<String, StoreItem>, ImportError> {
        let filter = StoreFilter { include_inactive: true, ..StoreFilter::default() };
        let first = PageRequest::first(u32::from(PageRequest::LIMIT_MAX));
        let mut request = first.map_err(StorageError::from)?;
        let mut items = HashMap::new();
        loop {
            let page = self.storage.store().items(&filter, &request).await?;
            let titled = |item: StoreItem| (item.offer.title.as_str().to_lowercase(), item);
            items.extend(page.items.into_iter().map(titled));
            match page.next_cursor {
                Some(next) => request = request.after(next),
                None => return Ok(items),
            }
        }
    }
}
