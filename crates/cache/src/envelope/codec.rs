//! How a value becomes bytes.

use std::error::Error;
use std::io::Write;

use erased_serde::{Deserializer, Serialize};

/// Why a codec could not encode or decode. Never logged: it may quote the value.
pub type CodecError = Box<dyn Error + Send + Sync>;

/// Reads one value from the deserializer a [`Codec`] makes.
pub type ReadValue<'r> =
    &'r mut dyn FnMut(&mut dyn Deserializer<'_>) -> Result<(), erased_serde::Error>;

/// Recognises the codec that wrote an entry; an entry of another codec is a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecId(pub(super) u16);

impl CodecId {
    /// The id of a codec of yours. Give another number when its bytes change meaning.
    #[must_use]
    pub const fn own(number: u8) -> Self {
        Self(0x0100 | number as u16)
    }
}

/// Serialisation of the values in a shared level.
///
/// [`MessagePack`] is the default; another one is set by
/// [`codec`](crate::CacheBuilder::codec). All processes that share entries should use the same.
///
/// ```
/// use std::io::Write;
///
/// use guildhall_cache::{Codec, CodecError, CodecId, MessagePack, ReadValue, erased_serde};
///
/// /// Keeps values from being read by chance.
/// struct Masked(u8);
///
/// impl Codec for Masked {
///     fn id(&self) -> CodecId {
///         CodecId::own(1)
///     }
///
///     fn encode(
///         &self,
///         value: &dyn erased_serde::Serialize,
///         out: &mut dyn Write,
///     ) -> Result<(), CodecError> {
///         let mut plain = Vec::new();
///         MessagePack.encode(value, &mut plain)?;
///         plain.iter_mut().for_each(|byte| *byte ^= self.0);
///         Ok(out.write_all(&plain)?)
///     }
///
///     fn decode(&self, bytes: &[u8], read: ReadValue<'_>) -> Result<(), CodecError> {
///         let plain: Vec<u8> = bytes.iter().map(|byte| byte ^ self.0).collect();
///         MessagePack.decode(&plain, read)
///     }
/// }
/// ```
pub trait Codec: Send + Sync + 'static {
    /// Stored with every entry.
    fn id(&self) -> CodecId;

    /// Writes the value.
    ///
    /// # Errors
    /// When the value does not serialise, or `out` refuses because the size limit is reached;
    /// nothing is stored then.
    fn encode(&self, value: &dyn Serialize, out: &mut dyn Write) -> Result<(), CodecError>;

    /// Makes a deserializer of `bytes` and hands it to `read`, once.
    ///
    /// # Errors
    /// Those of `read`, and whatever is wrong with the bytes: a miss.
    fn decode(&self, bytes: &[u8], read: ReadValue<'_>) -> Result<(), CodecError>;
}

/// Compact, with named fields: a field that is left out when empty
/// (`skip_serializing_if`) does not shift the others.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessagePack;

impl MessagePack {
    pub(super) const ID: CodecId = CodecId(0);
}

impl Codec for MessagePack {
    fn id(&self) -> CodecId {
        Self::ID
    }

    fn encode(&self, value: &dyn Serialize, mut out: &mut dyn Write) -> Result<(), CodecError> {
        Ok(rmp_serde::encode::write_named(&mut out, value)?)
    }

    fn decode(&self, bytes: &[u8], read: ReadValue<'_>) -> Result<(), CodecError> {
        let mut from = rmp_serde::Deserializer::from_read_ref(bytes);
        Ok(read(&mut <dyn Deserializer<'_>>::erase(&mut from))?)
    }
}

/// Readable with the tools of the server, and bigger. Numbers that are not finite and map keys
/// that are no text are not stored.
#[cfg(feature = "json")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

#[cfg(feature = "json")]
impl Json {
    pub(super) const ID: CodecId = CodecId(1);
}

#[cfg(feature = "json")]
impl Codec for Json {
    fn id(&self) -> CodecId {
        Self::ID
    }

    fn encode(&self, value: &dyn Serialize, out: &mut dyn Write) -> Result<(), CodecError> {
        Ok(serde_json::to_writer(out, value)?)
    }

    fn decode(&self, bytes: &[u8], read: ReadValue<'_>) -> Result<(), CodecError> {
        let mut from = serde_json::Deserializer::from_slice(bytes);
        read(&mut <dyn Deserializer<'_>>::erase(&mut from))?;
        Ok(from.end()?)
    }
}
