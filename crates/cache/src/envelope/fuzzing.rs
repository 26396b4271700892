//! Entrances for the fuzz targets. Each takes arbitrary bytes and panics on a finding.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    CHECKSUM, COMPRESSION, Codec, Format, MessagePack, PLAIN_BYTES, Stamped, Times, VERSION,
    checksum, extras, open, seal,
};
use crate::backend::{Nonce, ServerId, Stamp};

/// What a value may consist of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sample {
    flag: bool,
    small: i8,
    wide: u64,
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    list: Vec<Part>,
    map: BTreeMap<String, (u16, char)>,
    boxed: Option<Box<Sample>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Part {
    Empty,
    One(i64),
    Two(String, u8),
    Named { at: u32, of: [u8; 3] },
}

const EXTRA: Stamp = Stamp { nonce: Nonce([3; 16]), server: ServerId([4; 20]) };
const PLAIN_BYTES_MAX: usize = 4_096;

fn codecs() -> Vec<Arc<dyn Codec>> {
    vec![
        Arc::new(MessagePack),
        #[cfg(feature = "json")]
        Arc::new(super::Json),
    ]
}

fn format(codec: Arc<dyn Codec>) -> Format {
    Format { codec, compress_above: Some(64), plain_bytes_max: PLAIN_BYTES_MAX }
}

fn stamped(check: impl FnOnce(Stamped<'_>)) {
    let stamp = Stamp { nonce: Nonce([7; 16]), server: ServerId([9; 20]) };
    check((&["user:1".to_owned()], &[stamp]));
}

/// What opens must survive being sealed and opened again.
fn examine(format: &Format, bytes: &[u8], stamped: Stamped<'_>) {
    // The one stamp that tags of a loader have here.
    let named = extras(bytes);
    let told = |text: &str| named.contains(&text).then_some(EXTRA);
    if let Ok(opened) = open::<Sample>(format, bytes, stamped, told) {
        let extras: Vec<_> = named.iter().map(|text| (*text, EXTRA)).collect();
        let again = seal(format, &opened.value, stamped, &extras, opened.times);
        // Another writer's spelling may be shorter than ours, which may then be too long.
        if let Some(again) = again {
            assert_eq!(open(format, &again, stamped, told), Ok(opened), "another value came back");
        }
    }
}

fn repair(bytes: &mut [u8]) {
    bytes[0] = VERSION + (bytes[0] & 1);
    let sum = checksum(&bytes[CHECKSUM.end..]);
    bytes[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
}

/// An entry that opens, and where its payload begins.
fn good(format: &Format, stamped: Stamped<'_>) -> (Vec<u8>, usize) {
    let format = Format { compress_above: None, ..format.clone() };
    let sealed =
        seal(&format, &Sample::default(), stamped, &[], Times::default()).unwrap_or_default();
    assert!(!sealed.is_empty(), "a small value was not sealed");
    let mut payload = Vec::new();
    let encoded = format.codec.encode(&Sample::default(), &mut payload);
    assert!(encoded.is_ok() && sealed.ends_with(&payload), "the payload does not come last");
    let payload_at = sealed.len() - payload.len();
    (sealed, payload_at)
}

/// Whole entries: as they are, with the checksum made right, and a good one with some bytes
/// replaced, which the checksum must notice.
pub fn header(bytes: &[u8]) {
    let format = format(Arc::new(MessagePack));
    stamped(|stamped| {
        examine(&format, bytes, stamped);
        let mut repaired = bytes.to_vec();
        if repaired.len() >= CHECKSUM.end {
            repair(&mut repaired);
            examine(&format, &repaired, stamped);
        }
        let (good, _) = good(&format, stamped);
        let mut changed = good.clone();
        for pair in bytes.as_chunks::<2>().0 {
            let at = usize::from(pair[0]) % changed.len();
            changed[at] ^= pair[1];
        }
        let opened = open::<Sample>(&format, &changed, stamped, |_| None);
        assert!(changed == good || opened.is_err(), "damage went unnoticed");
        repair(&mut changed);
        examine(&format, &changed, stamped);
    });
}

/// Payloads under a good header, for every codec: the first byte says how they claim to be
/// compressed, the next two how long they claim to be.
pub fn codec(bytes: &[u8]) {
    let Some(([how, low, high], payload)) = bytes.split_first_chunk::<3>() else { return };
    stamped(|stamped| {
        for codec in codecs() {
            let format = format(codec);
            let (mut entry, payload_at) = good(&format, stamped);
            entry.truncate(payload_at);
            entry.extend(payload);
            let claimed = match how % 3 {
                0 => u32::try_from(payload.len()).unwrap_or(u32::MAX),
                _ => u32::from(u16::from_le_bytes([*low, *high])),
            };
            entry[COMPRESSION] = how % 3;
            entry[PLAIN_BYTES].copy_from_slice(&claimed.to_le_bytes());
            repair(&mut entry);
            examine(&format, &entry, stamped);
        }
    });
}
