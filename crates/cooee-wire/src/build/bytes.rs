use bytes::BytesMut;

use super::{BuildError, Compression, MessageBuilder};
use crate::Flags;

impl MessageBuilder<'_> {
    /// Builds a message of at most `limit` octets behind what `bytes` holds, and returns what `build` returns.
    ///
    /// Reserves `limit` octets; with that capacity there from before, nothing allocates. On an error `bytes` is as
    /// it was.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use cooee_wire::{BuildError, Compression, Flags, MessageBuilder};
    ///
    /// let mut bytes = BytesMut::new();
    /// MessageBuilder::append_to(&mut bytes, 1452, 0, Flags::QUERY, Compression::Multicast, |message| {
    ///     Ok::<_, BuildError>(message.set_flags(Flags::QUERY.with_truncated(true)))
    /// })?;
    /// assert_eq!(bytes.split().freeze(), &b"\0\0\x02\0\0\0\0\0\0\0\0\0"[..]);
    /// # Ok::<(), BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError::Full`] if `limit` is below 12, and what `build` fails with.
    pub fn append_to<T, E: From<BuildError>>(
        bytes: &mut BytesMut,
        limit: usize,
        id: u16,
        flags: Flags,
        compression: Compression,
        build: impl FnOnce(&mut MessageBuilder<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let start = bytes.len();
        // No message is longer.
        let limit = limit.min(usize::from(u16::MAX));
        bytes.resize(start + limit, 0);
        let buffer = bytes.get_mut(start..).unwrap_or_default();
        let built = MessageBuilder::new(buffer, id, flags, compression)
            .map_err(E::from)
            .and_then(|mut message| build(&mut message).map(|value| (value, message.finish())));
        bytes.truncate(start + built.as_ref().map_or(0, |(_, len)| *len));
        built.map(|(value, _)| value)
    }
}
