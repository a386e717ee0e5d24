//! The guide: a chapter for each thing that programs do, with pieces to copy. Only in the documentation.
//!
//! Whole programs are in the folder `examples` of the crate: a chat between peers, a file drop, a list of printers.

#[doc = include_str!("../guide/publishing.md")]
pub mod publishing {}

#[doc = include_str!("../guide/browsing.md")]
pub mod browsing {}

#[doc = include_str!("../guide/looking_up.md")]
pub mod looking_up {}

#[doc = include_str!("../guide/links.md")]
pub mod links {}

#[cfg(feature = "blocking")]
#[doc = include_str!("../guide/blocking.md")]
pub mod without_async {}

#[cfg(feature = "testing")]
#[doc = include_str!("../guide/testing.md")]
pub mod testing {}
