//! Tests of a responder, in the order of the RFC's life of a name.

mod birth;

use crate::test::Test;

/// All of them.
pub(crate) fn tests() -> impl Iterator<Item = Test> {
    birth::tests()
}
