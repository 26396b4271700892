//! The story: fragments may lead to each other in any order, and none leads to nowhere.

use std::collections::{HashMap, HashSet};

use guildhall_domain::{Fragment, NewChoice, NewFragment, Slug};
use guildhall_repository::{FragmentChange, StorageError};

use super::{Held, kept};
use crate::catalogue::{Catalogue, Definition};
use crate::error::ImportError;
use crate::importer::Importer;
use crate::importer::rows::{Rows, refusal};

/// Fragments of one call, and ids of one look-up.
const CHUNK: usize = 500;

impl Importer {
    pub(super) async fn write_fragments(
        &self,
        held: &Held<'_>,
        catalogue: &Catalogue,
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        let ids = catalogue.fragments.iter().map(|one| one.new.id.clone());
        let here = self.fragments_here(ids.collect()).await?;
        let mut wanted: Vec<Definition<NewFragment>> = Vec::new();
        for one in &catalogue.fragments {
            rows.touch(one.table);
            match here.get(&one.new.id) {
                Some(stored) if !catalogue.replaces => {
                    kept(held, one, without_ids(stored) != one.new, rows);
                }
                None if !catalogue.replaces && held.finished => {}
                _ => wanted.push(one.clone()),
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        self.one_start(&mut wanted, rows).await?;
        self.drop_ways_to_nowhere(&mut wanted, rows).await?;
        let mut written = HashSet::new();
        if wanted.len() > CHUNK {
            // First without the ways, so that all of them are there when the ways come.
            let alone = |one: &Definition<NewFragment>| {
                let new = NewFragment { auto_next: None, choices: Vec::new(), ..one.new.clone() };
                Definition { new, ..one.clone() }
            };
            let new = wanted.iter().filter(|one| !here.contains_key(&one.new.id));
            let alone: Vec<_> = new.map(alone).collect();
            for chunk in alone.chunks(CHUNK) {
                self.write_chunk(chunk.to_vec(), &mut written, rows).await?;
                self.extend(held).await?;
            }
            let there = |one: &Definition<NewFragment>| {
                here.contains_key(&one.new.id) || written.contains(&one.new.id)
            };
            wanted.retain(there);
            self.drop_ways_to_nowhere(&mut wanted, rows).await?;
        }
        for chunk in wanted.chunks(CHUNK) {
            self.write_chunk(chunk.to_vec(), &mut written, rows).await?;
            self.extend(held).await?;
        }
        for one in &catalogue.fragments {
            if written.contains(&one.new.id) {
                rows.written(one.table, 1);
            }
        }
        Ok(())
    }

    /// Writes at most [`CHUNK`] fragments, less those that are refused.
    async fn write_chunk(
        &self,
        mut chunk: Vec<Definition<NewFragment>>,
        written: &mut HashSet<Slug>,
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        // Every round leaves one out at least.
        while !chunk.is_empty() {
            let new: Vec<NewFragment> = chunk.iter().map(|one| one.new.clone()).collect();
            let narrative = self.storage.narrative();
            let import = narrative.import_fragments(&new, false, self.clock.now()).await?;
            let (written_all, given) = (import.written, chunk.len());
            let mut left = Vec::with_capacity(given);
            for (one, item) in chunk.into_iter().zip(import.items) {
                match item {
                    Ok(FragmentChange::Unchanged) if written_all => {}
                    Ok(_) if written_all => {
                        written.insert(one.new.id);
                    }
                    Ok(_) => left.push(one),
                    Err(error) => rows.skip(one.table, &one.key, refusal(error)?),
                }
            }
            // Without a refusal there is nothing to try again.
            if written_all || left.len() == given {
                return Ok(());
            }
            chunk = left;
            self.drop_ways_to_nowhere(&mut chunk, rows).await?;
        }
        Ok(())
    }

    /// Where the story begins here already, it does not begin a second time.
    async fn one_start(
        &self,
        wanted: &mut [Definition<NewFragment>],
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        let Some(start) = self.storage.narrative().start().await? else { return Ok(()) };
        for one in wanted.iter_mut().filter(|one| one.new.is_start && one.new.id != start.id) {
            one.new.is_start = false;
            rows.warn(one.table, &one.key, "does not begin the story, which begins here already");
        }
        Ok(())
    }

    /// Leaves out every way to a fragment that neither is here nor comes along.
    async fn drop_ways_to_nowhere(
        &self,
        wanted: &mut [Definition<NewFragment>],
        rows: &mut Rows,
    ) -> Result<(), ImportError> {
        let coming: HashSet<Slug> = wanted.iter().map(|one| one.new.id.clone()).collect();
        let ways = wanted.iter().flat_map(|one| one.new.destinations());
        let elsewhere: HashSet<Slug> = ways.filter(|way| !coming.contains(*way)).cloned().collect();
        let here = self.fragments_here(elsewhere.into_iter().collect()).await?;
        for one in wanted {
            let leads = |way: &Slug| coming.contains(way) || here.contains_key(way);
            let mut lost: Vec<Slug> = Vec::new();
            if let Some(next) = one.new.auto_next.take_if(|next| !leads(next)) {
                lost.push(next);
            }
            one.new.choices.retain(|choice| {
                let stays = leads(&choice.destination);
                if !stays {
                    lost.push(choice.destination.clone());
                }
                stays
            });
            for way in lost {
                let message = format!("leads to {way}, which does not exist; that way is left out");
                rows.warn(one.table, &one.key, message);
            }
        }
        Ok(())
    }

    async fn fragments_here(
        &self,
        ids: Vec<Slug>,
    ) -> Result<HashMap<Slug, Fragment>, StorageError> {
        let mut here = HashMap::new();
        for ids in ids.chunks(CHUNK) {
            let found = self.storage.narrative().fragments_by_ids(ids).await?;
            here.extend(found.into_iter().map(|fragment| (fragment.id.clone(), fragment)));
        }
        Ok(here)
    }
}

/// What an author would write anew to get this fragment.
fn without_ids(stored: &Fragment) -> NewFragment {
    let mut new = stored.to_new();
    new.choices = new.choices.into_iter().map(|one| NewChoice { id: None, ..one }).collect();
    new
}
