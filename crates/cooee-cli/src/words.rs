//! Octets of an argument: names and attributes may hold any.

use std::ffi::OsStr;

/// The octets as they were typed.
///
/// # Errors
///
/// Where arguments are not octets: one that is not Unicode.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn octets(word: &OsStr) -> Result<Vec<u8>, String> {
    use std::os::unix::ffi::OsStrExt;
    Ok(word.as_bytes().to_vec())
}

/// The octets as they were typed.
///
/// # Errors
///
/// An argument that is not Unicode.
#[cfg(not(unix))]
pub(crate) fn octets(word: &OsStr) -> Result<Vec<u8>, String> {
    word.to_str()
        .map(|word| word.as_bytes().to_vec())
        .ok_or_else(|| {
            "an argument is not Unicode; write other bytes of a name as \\DDD".to_owned()
        })
}

/// A path as it was typed.
#[cfg(unix)]
pub(crate) fn path(octets: &[u8]) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt;
    std::path::Path::new(OsStr::from_bytes(octets))
}

/// A path as it was typed.
#[cfg(not(unix))]
pub(crate) fn path(octets: &[u8]) -> std::path::PathBuf {
    String::from_utf8_lossy(octets).into_owned().into()
}
