use std::sync::Arc;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

fn seal<T: Serialize + DeserializeOwned + 'static>(
    format: &Format,
    value: &T,
    stamped: Stamped<'_>,
    times: Times,
) -> Option<Vec<u8>> {
    super::seal(format, value, stamped, &[], times)
}

fn open<T: DeserializeOwned + 'static>(
    format: &Format,
    bytes: &[u8],
    stamped: Stamped<'_>,
) -> Result<Opened<T>, Unusable> {
    super::open(format, bytes, stamped, |_| None)
}

fn stamp(byte: u8) -> Stamp {
    Stamp { nonce: Nonce([byte; 16]), server: ServerId::from_text("a") }
}

fn format(codec: impl Codec) -> Format {
    Format { codec: Arc::new(codec), compress_above: None, plain_bytes_max: 1 << 20 }
}

fn message_pack() -> Format {
    format(MessagePack)
}

/// A codec of the user's own, over one that exists.
struct Mirrored;

impl Codec for Mirrored {
    fn id(&self) -> CodecId {
        CodecId::own(7)
    }

    fn encode(
        &self,
        value: &dyn erased_serde::Serialize,
        out: &mut dyn std::io::Write,
    ) -> Result<(), CodecError> {
        let mut plain = Vec::new();
        MessagePack.encode(value, &mut plain)?;
        plain.reverse();
        Ok(out.write_all(&plain)?)
    }

    fn decode(&self, bytes: &[u8], read: ReadValue<'_>) -> Result<(), CodecError> {
        let plain: Vec<_> = bytes.iter().rev().copied().collect();
        MessagePack.decode(&plain, read)
    }
}

fn formats() -> Vec<Format> {
    vec![
        message_pack(),
        format(Mirrored),
        #[cfg(feature = "json")]
        format(Json),
        #[cfg(feature = "zstd")]
        Format { compress_above: Some(0), ..message_pack() },
    ]
}

type Value = (String, i64, Option<Vec<u8>>);

const TIMES: Times = Times { created_ms: 5, fresh_ms: 6, stale_ms: 7, load_ms: 8 };

fn value() -> Value {
    ("Ada".repeat(40), 7, Some(vec![1, 2]))
}

fn sealed(format: &Format) -> (Vec<String>, Vec<Stamp>, Vec<u8>) {
    let names = vec!["user:1".to_owned(), "users".to_owned()];
    let stamps = vec![stamp(1), stamp(2)];
    let bytes = seal(format, &value(), (&names, &stamps), TIMES).unwrap();
    (names, stamps, bytes)
}

#[test]
fn a_value_opens_under_its_own_stamps_only() {
    for format in formats() {
        let (names, stamps, bytes) = sealed(&format);
        let opened = open::<Value>(&format, &bytes, (&names, &stamps)).unwrap();
        assert_eq!(opened, Opened { value: value(), times: TIMES });
        let under = |stamps: &[Stamp]| open::<Value>(&format, &bytes, (&names, stamps));
        assert_eq!(under(&[stamps[0], stamp(3)]), Err(Unusable::Outdated));
        let restored = Stamp { server: ServerId::from_text("b"), ..stamps[1] };
        assert_eq!(under(&[stamps[0], restored]), Err(Unusable::Outdated));
        let fewer = open::<Value>(&format, &bytes, (&names[..1], &stamps[..1]));
        assert_eq!(fewer, Err(Unusable::Outdated));
    }
}

#[test]
fn another_type_is_not_decoded_by_chance() {
    for format in formats() {
        let (names, stamps, bytes) = sealed(&format);
        let opened = open::<(String, u64, Option<Vec<u8>>)>(&format, &bytes, (&names, &stamps));
        assert_eq!(opened, Err(Unusable::Unreadable));
    }
}

#[test]
fn another_codec_does_not_try() {
    let (names, stamps, bytes) = sealed(&message_pack());
    let opened = open::<Value>(&format(Mirrored), &bytes, (&names, &stamps));
    assert_eq!(opened, Err(Unusable::Unreadable));
    assert_ne!(CodecId::own(0), MessagePack::ID);
}

#[test]
fn through_dyn_the_bytes_are_the_same() {
    let mut erased = Vec::new();
    MessagePack.encode(&value(), &mut erased).unwrap();
    assert!(sealed(&message_pack()).2.ends_with(&erased));
    let mut back = None;
    let mut read = |from: &mut dyn erased_serde::Deserializer<'_>| {
        back = Some(erased_serde::deserialize::<Value>(from)?);
        Ok(())
    };
    MessagePack.decode(&erased, &mut read).unwrap();
    assert_eq!(back, Some(value()));
}

#[test]
fn fields_that_were_left_out_shift_no_others() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sparse {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<i64>,
    }
    for format in formats() {
        let value = Sparse { first: None, second: Some(2) };
        let bytes = seal(&format, &value, (&[], &[]), TIMES).unwrap();
        assert_eq!(open::<Sparse>(&format, &bytes, (&[], &[])).unwrap().value, value);
    }
}

#[test]
fn what_is_too_long_is_neither_written_nor_read() {
    for format in formats() {
        let (names, stamps, bytes) = sealed(&format);
        let small = Format { plain_bytes_max: 100, ..format };
        assert_eq!(seal(&small, &value(), (&names, &stamps), TIMES), None);
        let opened = open::<Value>(&small, &bytes, (&names, &stamps));
        assert_eq!(opened, Err(Unusable::Unreadable));
    }
}

#[cfg(feature = "zstd")]
#[test]
fn big_values_are_compressed_when_that_helps() {
    let format = Format { compress_above: Some(1_000), ..message_pack() };
    let length = |value: &str| seal(&format, &value.to_owned(), (&[], &[]), TIMES).unwrap().len();
    assert!(length(&"a".repeat(900)) > 900, "too short to bother");
    assert!(length(&"a".repeat(100_000)) < 1_000);
    let noise: String =
        (0..4_000_u32).map(|n| char::from(33 + (checksum(&n.to_le_bytes()) % 90) as u8)).collect();
    let bytes = seal(&format, &noise, (&[], &[]), TIMES).unwrap();
    // Entries of either kind are read whatever the threshold is.
    for reader in [message_pack(), format.clone()] {
        assert_eq!(open::<String>(&reader, &bytes, (&[], &[])).unwrap().value, noise);
    }
}

#[cfg(feature = "zstd")]
#[test]
fn a_payload_that_grows_beyond_what_it_claims_is_refused() {
    let format = Format { compress_above: Some(0), ..message_pack() };
    let mut bytes = seal(&format, &"a".repeat(500_000), (&[], &[]), TIMES).unwrap();
    for claimed in [1_000_u32, 499_999, 600_000, u32::MAX] {
        bytes[PLAIN_BYTES].copy_from_slice(&claimed.to_le_bytes());
        let sum = checksum(&bytes[CHECKSUM.end..]);
        bytes[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
        let opened = open::<String>(&format, &bytes, (&[], &[]));
        assert_eq!(opened, Err(Unusable::Unreadable), "{claimed}");
    }
}

/// Bytes as releases wrote them. The entry of version 2 must open in the release after this one.
const VERSION_1: &str = "\
    01e12cbea534f4a00036f36f29a59eb17d0500000000000000060000000000000001000600757365723a310101\
    01010101010101010101010101018cec01864cdc63afa5f101864cdf63aff2ef018693a3416461f9920102";
const VERSION_2: &str = "\
    0274a6cb2c453b34da000000090000005a1e5d2a6580c06e050000000000000006000000000000000700000000\
    000000080000000000000001000600757365723a31010101010101010101010101010101018cec01864cdc63af\
    a5f101864cdf63aff2ef018693a3416461f9920102";

fn golden(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().as_chunks::<2>().0;
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.iter().map(byte).collect()
}

#[test]
fn what_the_last_release_wrote_is_readable() {
    let (names, stamps) = (["user:1".to_owned()], [stamp(1)]);
    let written = golden(VERSION_2);
    let value = ("Ada".to_owned(), -7_i64, Some(vec![1_u8, 2]));
    let opened = open::<Value>(&message_pack(), &written, (&names, &stamps)).unwrap();
    assert_eq!(opened, Opened { value: value.clone(), times: TIMES });
    let bytes = seal(&message_pack(), &value, (&names, &stamps), TIMES).unwrap();
    assert_eq!(bytes, written, "changed bytes need another version");
}

#[test]
fn a_header_that_does_not_know_shapes_or_that_nobody_knows_is_a_miss() {
    let (names, stamps) = (["user:1".to_owned()], [stamp(1)]);
    let mut newer = golden(VERSION_2);
    newer[0] = VERSION_EXTRAS + 1;
    for bytes in [golden(VERSION_1), newer] {
        let opened = open::<Value>(&message_pack(), &bytes, (&names, &stamps));
        assert_eq!(opened, Err(Unusable::Unreadable));
    }
}

#[test]
fn tags_of_the_loader_are_told_and_have_to_have_their_stamps() {
    let (names, stamps, plain) = sealed(&message_pack());
    let named = [("story:7", stamp(3)), ("story:8", stamp(4))];
    for format in formats() {
        let stamped = (names.as_slice(), stamps.as_slice());
        let bytes = super::seal(&format, &value(), stamped, &named, TIMES).unwrap();
        assert_eq!(extras(&bytes), ["story:7", "story:8"]);
        let under = |second: Option<Stamp>| {
            let told = |text: &str| if text == "story:7" { Some(stamp(3)) } else { second };
            super::open::<Value>(&format, &bytes, stamped, told)
        };
        assert_eq!(under(Some(stamp(4))), Ok(Opened { value: value(), times: TIMES }));
        assert_eq!(under(Some(stamp(5))), Err(Unusable::Outdated));
        assert_eq!(under(None), Err(Unusable::Outdated));
        let mut older = bytes.clone();
        older[0] = VERSION;
        assert_eq!(open::<Value>(&format, &older, stamped), Err(Unusable::Unreadable));
        assert!((0..bytes.len()).all(|cut| extras(&bytes[..cut]).is_empty()));
    }
    assert!(extras(&plain).is_empty());
    assert_eq!(plain[0], VERSION, "without them the last release reads it, too");
}

proptest! {
    #[test]
    fn damaged_bytes_are_a_miss(cut in any::<usize>(), flip in any::<usize>()) {
        for format in formats() {
            let (names, stamps, bytes) = sealed(&format);
            let stamped = (names.as_slice(), stamps.as_slice());
            let cut = cut % bytes.len();
            prop_assert!(open::<Value>(&format, &bytes[..cut], stamped).is_err());
            let mut flipped = bytes.clone();
            flipped[(flip / 8) % bytes.len()] ^= 1 << (flip % 8);
            prop_assert!(open::<Value>(&format, &flipped, stamped).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in formats() {
            prop_assert!(open::<Value>(&format, &bytes, (&[], &[])).is_err());
        }
        prop_assert!(extras(&bytes).is_empty());
        #[cfg(feature = "fuzzing")]
        {
            fuzzing::header(&bytes);
            fuzzing::codec(&bytes);
        }
    }
}
