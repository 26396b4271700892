//! What a codec costs, typed and through `dyn`: `cargo run --release -p guildhall-cache
//! --example codec_cost`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use guildhall_cache::{Codec, CodecError, MessagePack, erased_serde};
use serde::{Deserialize, Serialize};

const ROUNDS: usize = 201;
const PER_ROUND: u128 = 1_000;

#[derive(Clone, Serialize, Deserialize)]
struct Profile {
    id: i64,
    name: String,
    email: Option<String>,
    points: i64,
    badges: Vec<(u32, u64)>,
    settings: BTreeMap<String, bool>,
}

/// Median nanoseconds of one call.
fn median(mut call: impl FnMut() -> Result<(), CodecError>) -> Result<u128, CodecError> {
    let mut samples = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..PER_ROUND {
            call()?;
        }
        samples.push(started.elapsed().as_nanos() / PER_ROUND);
    }
    samples.sort_unstable();
    Ok(samples[ROUNDS / 2])
}

fn main() -> Result<(), CodecError> {
    let profile = Profile {
        id: 42,
        name: "Ada Lovelace".to_owned(),
        email: Some("ada@example.org".to_owned()),
        points: 123_456,
        badges: (0..8).map(|n| (n, u64::from(n) * 1_000_000)).collect(),
        settings: [("dark".to_owned(), true), ("mail".to_owned(), false)].into(),
    };
    let (named, compact) = (rmp_serde::to_vec_named(&profile)?, rmp_serde::to_vec(&profile)?);
    let mut out = Vec::with_capacity(1_024);
    let report = |what: &str, bytes: usize, encode: u128, decode: u128| {
        println!("{what:<28} {bytes:>5} bytes  encode {encode:>6} ns  decode {decode:>6} ns");
    };
    let encode = median(|| {
        out.clear();
        Ok(rmp_serde::encode::write_named(&mut out, black_box(&profile))?)
    })?;
    let decode = median(|| {
        black_box(rmp_serde::from_slice::<Profile>(black_box(&named))?);
        Ok(())
    })?;
    report("MessagePack, named", named.len(), encode, decode);
    let encode = median(|| {
        out.clear();
        Ok(rmp_serde::encode::write(&mut out, black_box(&profile))?)
    })?;
    let decode = median(|| {
        black_box(rmp_serde::from_slice::<Profile>(black_box(&compact))?);
        Ok(())
    })?;
    report("MessagePack, fields by place", compact.len(), encode, decode);
    let encode = median(|| {
        out.clear();
        MessagePack.encode(black_box(&profile), &mut out)
    })?;
    let decode = median(|| {
        MessagePack.decode(black_box(&named), &mut |from| {
            black_box(erased_serde::deserialize::<Profile>(from)?);
            Ok(())
        })
    })?;
    report("MessagePack, named, dyn", named.len(), encode, decode);
    Ok(())
}
