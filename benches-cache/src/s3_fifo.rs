//! S3-FIFO as published, without a value: a reference for hit ratios.
//!
//! Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023,
//! algorithm 1: a small queue of a tenth of the capacity, a main queue, and a ghost queue of keys
//! as long as the main one.

use std::collections::{HashMap, VecDeque};

use crate::policies::Policy;

/// How often a key counts as read at most.
const READS_MAX: u8 = 3;
/// With more reads than this a key leaves the small queue for the main one.
const PROMOTED_ABOVE: u8 = 1;

#[derive(Clone, Copy, PartialEq)]
enum Queue {
    Small,
    Main,
    Ghost,
}

#[derive(Clone, Copy)]
struct Place {
    queue: Queue,
    reads: u8,
    /// Tells the place in a queue that counts from those that the key had before.
    ticket: u64,
}

pub(crate) struct S3Fifo {
    capacity: usize,
    places: HashMap<u32, Place>,
    queues: [VecDeque<(u32, u64)>; 3],
    lengths: [usize; 3],
    tickets: u64,
}

impl S3Fifo {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            places: HashMap::new(),
            queues: [VecDeque::new(), VecDeque::new(), VecDeque::new()],
            lengths: [0; 3],
            tickets: 0,
        }
    }

    fn length(&self, queue: Queue) -> usize {
        self.lengths[queue as usize]
    }

    fn small_max(&self) -> usize {
        (self.capacity / 10).max(1)
    }

    /// At the end of the queue, and no more where it was.
    fn push(&mut self, key: u32, queue: Queue, reads: u8) {
        self.tickets += 1;
        self.forget(key);
        self.places.insert(key, Place { queue, reads, ticket: self.tickets });
        self.queues[queue as usize].push_back((key, self.tickets));
        self.lengths[queue as usize] += 1;
    }

    fn forget(&mut self, key: u32) {
        if let Some(place) = self.places.remove(&key) {
            self.lengths[place.queue as usize] -= 1;
        }
    }

    /// The oldest of the queue, which it leaves, with its reads.
    fn pop(&mut self, queue: Queue) -> Option<(u32, u8)> {
        while let Some((key, ticket)) = self.queues[queue as usize].pop_front() {
            if let Some(place) = self.places.get(&key).copied().filter(|at| at.ticket == ticket) {
                self.forget(key);
                return Some((key, place.reads));
            }
        }
        None
    }

    fn make_room(&mut self) {
        while self.length(Queue::Small) + self.length(Queue::Main) >= self.capacity {
            let main_is_empty = self.length(Queue::Main) == 0;
            if self.length(Queue::Small) >= self.small_max() || main_is_empty {
                self.evict_small();
            } else {
                self.evict_main();
            }
        }
    }

    fn evict_small(&mut self) {
        while let Some((key, reads)) = self.pop(Queue::Small) {
            if reads > PROMOTED_ABOVE {
                self.push(key, Queue::Main, 0);
                continue;
            }
            self.push(key, Queue::Ghost, 0);
            while self.length(Queue::Ghost) > self.capacity - self.small_max() {
                self.pop(Queue::Ghost);
            }
            return;
        }
    }

    fn evict_main(&mut self) {
        while let Some((key, reads)) = self.pop(Queue::Main) {
            match reads.checked_sub(1) {
                Some(fewer) => self.push(key, Queue::Main, fewer),
                None => return,
            }
        }
    }
}

impl Policy for S3Fifo {
    fn read(&mut self, key: u32) -> bool {
        let remembered = match self.places.get_mut(&key) {
            Some(place) if place.queue != Queue::Ghost => {
                place.reads = (place.reads + 1).min(READS_MAX);
                return true;
            }
            remembered => remembered.is_some(),
        };
        self.make_room();
        self.push(key, if remembered { Queue::Main } else { Queue::Small }, 0);
        false
    }

    fn write(&mut self, key: u32) {
        if self.places.get(&key).is_some_and(|place| place.queue != Queue::Ghost) {
            self.forget(key);
        }
    }
}
