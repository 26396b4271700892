//! Payloads that are worth it travel compressed.

use super::Unusable;

/// How a payload is compressed, as the header says it.
pub(super) const PLAIN: u8 = 0;
#[cfg(feature = "zstd")]
const ZSTD: u8 = 1;
/// The library's default: beyond it, time grows faster than payloads of a cache's size shrink.
#[cfg(feature = "zstd")]
const LEVEL: i32 = 3;

/// The payload made smaller and how, or `None` when that does not make it smaller.
#[cfg(feature = "zstd")]
pub(super) fn compress(plain: &[u8]) -> Option<(u8, Vec<u8>)> {
    // Fails for want of memory only; the plain payload does as well.
    let packed = zstd::bulk::compress(plain, LEVEL).ok()?;
    (packed.len() < plain.len()).then_some((ZSTD, packed))
}

/// Without the feature nothing is compressed.
#[cfg(not(feature = "zstd"))]
pub(super) fn compress(_: &[u8]) -> Option<(u8, Vec<u8>)> {
    None
}

/// Exactly `plain_bytes`, which the caller has found to be within its limit: a payload that would
/// grow beyond is refused before it does.
pub(super) fn decompress(
    how: u8,
    packed: &[u8],
    plain_bytes: usize,
) -> Result<std::borrow::Cow<'_, [u8]>, Unusable> {
    match how {
        PLAIN if packed.len() == plain_bytes => Ok(packed.into()),
        #[cfg(feature = "zstd")]
        ZSTD => match zstd::bulk::decompress(packed, plain_bytes) {
            Ok(plain) if plain.len() == plain_bytes => Ok(plain.into()),
            _ => Err(Unusable::Unreadable),
        },
        _ => Err(Unusable::Unreadable),
    }
}
