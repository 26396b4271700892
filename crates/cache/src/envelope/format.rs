//! How this cache turns values into payloads and back.

use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "json")]
use super::codec::Json;
use super::codec::{Codec, CodecError, CodecId, MessagePack};
use super::{Unusable, compression};

/// The settings of the shared level's values. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Format {
    pub(crate) codec: Arc<dyn Codec>,
    /// Payloads longer than this are compressed if they can be.
    pub(crate) compress_above: Option<usize>,
    /// Bound of a payload before compression and after decompression.
    pub(crate) plain_bytes_max: usize,
}

/// A payload and what the header says about it.
pub(super) struct Payload<'a> {
    pub(super) codec: u16,
    pub(super) compression: u8,
    pub(super) plain_bytes: u32,
    pub(super) bytes: &'a [u8],
}

impl Format {
    /// Appends the payload; says how it is compressed and how long it was before.
    pub(super) fn encode<T: Serialize>(
        &self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(u8, u32), CodecError> {
        let start = out.len();
        self.write(value, Bounded { out, end: start.saturating_add(self.plain_bytes_max) })?;
        let plain_bytes = u32::try_from(out.len() - start)?;
        if self.compress_above.is_some_and(|above| out.len() - start > above)
            && let Some((how, packed)) = compression::compress(&out[start..])
        {
            out.truncate(start);
            out.extend(packed);
            return Ok((how, plain_bytes));
        }
        Ok((compression::PLAIN, plain_bytes))
    }

    /// Our own codecs know the type; only the user's are asked through `dyn`.
    fn write<T: Serialize>(&self, value: &T, mut out: Bounded<'_>) -> Result<(), CodecError> {
        match self.codec.id() {
            MessagePack::ID => Ok(rmp_serde::encode::write_named(&mut out, value)?),
            #[cfg(feature = "json")]
            Json::ID => Ok(serde_json::to_writer(out, value)?),
            _ => self.codec.encode(value, &mut out),
        }
    }

    /// The value; its codec must be ours and its length within the limit.
    pub(super) fn decode<T: DeserializeOwned>(&self, payload: &Payload<'_>) -> Result<T, Unusable> {
        let plain_bytes = usize::try_from(payload.plain_bytes).map_err(|_| Unusable::Unreadable)?;
        if CodecId(payload.codec) != self.codec.id() || plain_bytes > self.plain_bytes_max {
            return Err(Unusable::Unreadable);
        }
        let plain = compression::decompress(payload.compression, payload.bytes, plain_bytes)?;
        // A decoder's message may quote the value: that it failed is all that is told.
        self.read(&plain).map_err(|_| Unusable::Unreadable)
    }

    fn read<T: DeserializeOwned>(&self, plain: &[u8]) -> Result<T, CodecError> {
        match self.codec.id() {
            MessagePack::ID => Ok(rmp_serde::from_slice(plain)?),
            #[cfg(feature = "json")]
            Json::ID => Ok(serde_json::from_slice(plain)?),
            _ => {
                let mut value = None;
                self.codec.decode(plain, &mut |from| {
                    value = Some(erased_serde::deserialize(from)?);
                    Ok(())
                })?;
                value.ok_or_else(|| "the codec read no value".into())
            }
        }
    }
}

/// Refuses what is too long to be stored as soon as it is.
struct Bounded<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
}

impl Write for Bounded<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > self.end - self.out.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
