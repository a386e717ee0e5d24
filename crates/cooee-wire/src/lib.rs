//! DNS messages as octets: parsed without copies, built with compression.
//!
//! This crate knows the bits of DNS and multicast DNS messages and nothing of their meaning: no time, no
//! network, no `.local`. Parsing needs neither `std` nor an allocator; what is parsed are small `Copy` views
//! into the datagram, and data is decoded only when asked for.
//!
//! | a view into a message | its owned twin (feature `alloc`) |
//! |---|---|
//! | [`Name`] | [`NameBuf`] |
//! | [`Question`] | [`QuestionBuf`] |
//! | [`Record`] | [`RecordBuf`] |
//! | [`Rdata`] | [`RdataBuf`] |
//!
//! # Walk a packet
//!
//! ```
//! use cooee_wire::{Data, Message};
//!
//! # fn main() -> Result<(), cooee_wire::ParseError> {
//! # let datagram = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x03box\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x01";
//! let message = Message::parse(datagram)?;
//! for record in message.records() {
//!     let (section, record) = record?; // the frame is broken: nothing can be read behind this place
//!     match record.data() {
//!         Ok(Data::A(address)) => println!("{section}: {} has {address}", record.name),
//!         Ok(Data::Srv(srv)) => println!("{section}: {} is at {}:{}", record.name, srv.target, srv.port),
//!         Ok(_) => {}
//!         Err(error) => println!("{section}: {} is unreadable: {error}", record.name), // the next one may be fine
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Answer a question
//!
//! ```
//! # #[cfg(feature = "alloc")] fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use cooee_wire::{Compression, Flags, MessageBuilder, NameBuf, RdataBuf, RecordBuf};
//!
//! let host: NameBuf = "tabasco.local".parse()?;
//! let address = RecordBuf::new(host, 120, RdataBuf::a([192, 0, 2, 17].into()));
//!
//! let mut buffer = [0; 1452];
//! let mut builder = MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast)?;
//! builder.answer(address.as_record())?;
//! let len = builder.finish();
//! assert_eq!(len, 12 + 15 + 10 + 4);
//! # Ok(()) }
//! # #[cfg(not(feature = "alloc"))] fn main() {}
//! ```
//!
//! # Build a query
//!
//! ```
//! use cooee_wire::{Class, Compression, Flags, MessageBuilder, Name, Question, RecordType};
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let question = Question {
//!     name: Name::from_octets(b"\x05_http\x04_tcp\x05local\0")?,
//!     kind: RecordType::PTR,
//!     class: Class::IN,
//!     unicast_response: false,
//! };
//! let mut buffer = [0; 512];
//! let mut builder = MessageBuilder::new(&mut buffer, 0, Flags::QUERY, Compression::Multicast)?;
//! builder.question(question)?;
//! let len = builder.finish();
//! # assert_eq!(len, 12 + 18 + 4);
//! # Ok(())
//! # }
//! ```
//!
//! # What strangers may send
//!
//! Nothing here panics, loops, allocates or takes more than linear time on hostile octets. Compression pointers
//! go strictly backwards, names end at 255 octets and the zero, counts in the header are upper bounds only, and
//! the length of a record's data bounds every view of it. Names are stepped over when a record is read and
//! walked when somebody asks; [`Message::check`] walks all of them within a budget.
//!
//! # Features
//!
//! - `std` (default): switches on `alloc`.
//! - `alloc`: the owned types.
//! - `bytes`: building into a [`bytes::BytesMut`](https://docs.rs/bytes).
//! - `serde`: names, types and classes as text.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod build;
mod class;
mod error;
mod flags;
mod kind;
mod message;
mod name;
mod parse;
mod question;
mod rdata;
mod record;
#[cfg(feature = "serde")]
mod serial;
#[cfg(feature = "alloc")]
mod storage;

pub use build::{BuildError, Checkpoint, Compression, MessageBuilder};
pub use class::Class;
pub use error::{Field, Malformed, ParseError};
pub use flags::{Flags, Opcode, Rcode};
pub use kind::{RecordType, UnknownMnemonic};
pub use message::{Header, LabelBudget, Message, Questions, Records, SectionRecords};
pub use name::{Labels, Name, NameError};
pub use question::Question;
pub use rdata::{
    CharacterStrings, Data, Hinfo, Mx, Nsec, Opt, OptOption, OptOptions, Owner, Rdata, Soa, Srv,
    SvcParams, Svcb, Txt, TypeBitmap, Unknown,
};
pub use record::{OptRecord, Record, Section};

#[cfg(feature = "alloc")]
pub use {name::NameBuf, question::QuestionBuf, rdata::RdataBuf, record::RecordBuf};

#[cfg(all(doctest, feature = "alloc"))]
#[doc = include_str!("../README.md")]
struct Readme;
