//! Sequences of requests: recorded ones, or generated ones where there are none.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use fastrand::Rng;

const SKEW: f64 = 0.9;
/// Every run measures the same.
const SEED: u64 = 0x6775_696C;

/// What was asked for, in order.
pub(crate) struct Trace {
    pub(crate) name: String,
    reads: Vec<u32>,
    /// Every key, the most wanted one first.
    keys: Vec<u32>,
}

/// One request.
#[derive(Clone, Copy)]
pub(crate) enum Request {
    Read(u32),
    /// Changes what stands behind the key: what is cached of it must not be used any more.
    Write(u32),
}

impl Trace {
    fn new(name: String, reads: Vec<u32>) -> Self {
        let mut wanted: HashMap<u32, u32> = HashMap::new();
        reads.iter().for_each(|key| *wanted.entry(*key).or_default() += 1);
        let mut keys: Vec<_> = wanted.keys().copied().collect();
        keys.sort_unstable_by_key(|key| (std::cmp::Reverse(wanted[key]), *key));
        Self { name, reads, keys }
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.keys.len()
    }

    /// The reads in order, and between them so many percent of writes. What is read most is
    /// written most.
    pub(crate) fn requests(&self, writes_percent: u32) -> Vec<Request> {
        let (zipf, mut random) = (Zipf::new(self.keys.len()), Rng::with_seed(SEED));
        let share = f64::from(writes_percent) / 100.0;
        let mut requests = Vec::with_capacity(self.reads.len());
        for key in &self.reads {
            while random.f64() < share {
                requests.push(Request::Write(self.keys[zipf.draw(&mut random)]));
            }
            requests.push(Request::Read(*key));
        }
        requests
    }

    /// Those in the directory: files `*.trace.xz`, xz over 32-bit big-endian keys.
    pub(crate) fn recorded(directory: &Path, length_max: usize) -> std::io::Result<Vec<Self>> {
        let mut files: Vec<_> = std::fs::read_dir(directory)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        let mut traces = Vec::new();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let Some(name) = name.strip_suffix(".trace.xz") else { continue };
            let mut bytes = Vec::new();
            let compressed = std::fs::File::open(&file)?;
            lzma_rust2::XzReader::new(compressed, true).read_to_end(&mut bytes)?;
            let keys = bytes.as_chunks::<4>().0.iter().map(|key| u32::from_be_bytes(*key));
            traces.push(Self::new(name.to_owned(), keys.take(length_max).collect()));
        }
        Ok(traces)
    }

    /// Popularity alone, and popularity between scans.
    pub(crate) fn generated(length_max: usize) -> Vec<Self> {
        let length = length_max.min(2_000_000);
        vec![
            Self::new(format!("generated, Zipf {SKEW}"), popular(length)),
            Self::new(format!("generated, Zipf {SKEW} and scans"), scanned(length)),
        ]
    }
}

const GENERATED_KEYS: usize = 100_000;

fn popular(length: usize) -> Vec<u32> {
    let (zipf, mut random) = (Zipf::new(GENERATED_KEYS), Rng::with_seed(SEED));
    (0..length).map(|_| zipf.draw(&mut random) as u32).collect()
}

/// After every so many requests somebody reads a long row of keys that nobody else wants.
fn scanned(length: usize) -> Vec<u32> {
    const BETWEEN: usize = 40_000;
    const SCAN: usize = 10_000;
    let (zipf, mut random) = (Zipf::new(GENERATED_KEYS), Rng::with_seed(SEED));
    let mut reads = Vec::with_capacity(length);
    while reads.len() < length {
        reads.extend((0..BETWEEN).map(|_| zipf.draw(&mut random) as u32));
        let from = GENERATED_KEYS + random.usize(0..10) * SCAN;
        reads.extend((from..from + SCAN).map(|key| key as u32));
    }
    reads.truncate(length);
    reads
}

/// Draws ranks: the k-th is drawn in proportion to `1 / k^SKEW` (Zipf's law).
struct Zipf {
    cumulated: Vec<f64>,
}

impl Zipf {
    fn new(ranks: usize) -> Self {
        let weights = (1..=ranks).map(|rank| (rank as f64).powf(-SKEW));
        let cumulated = weights.scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self { cumulated: cumulated.collect() }
    }

    /// From 0, the likeliest.
    fn draw(&self, random: &mut Rng) -> usize {
        let whole = self.cumulated.last().copied().unwrap_or_default();
        let at = random.f64() * whole;
        self.cumulated.partition_point(|sum| *sum <= at).min(self.cumulated.len() - 1)
    }
}
