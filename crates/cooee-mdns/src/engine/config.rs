//! What can be chosen, and every number of RFC 6762 beside its clause.

/// Choices of an engine; [`Config::default`] is what RFC 6762 recommends.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {}

impl Default for Config {
    fn default() -> Self {
        Self {}
    }
}
