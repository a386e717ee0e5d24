//! Names and attributes as text, for `serde`.
//!
//! Each type is the text that it prints as and is read from; attributes are a list of strings, in which a backslash, control
//! characters and what is not UTF-8 are escaped as in names.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::{InstanceName, ServiceName, ServiceType, Subtype, TxtAttributes, label};

/// Reads a text without copying it first.
struct Text<T>(PhantomData<T>, &'static str);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! as_text {
    ($($name:ident: $what:literal),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(PhantomData, $what))
            }
        }
    )*};
}

as_text! {
    ServiceType: "a service type such as \"_http._tcp\"",
    Subtype: "a subtype such as \"_printer\"",
    ServiceName: "the name of a service such as \"Name._http._tcp\""
}

/// An instance as a plain text. Unlike [`InstanceName::from_str`] it takes what it reads as it is, since it may be what was
/// received.
impl Serialize for InstanceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_str() {
            Some(text) => serializer.serialize_str(text),
            None => Err(S::Error::custom(
                "an instance name that is not UTF-8 has no text: use the service name",
            )),
        }
    }
}

struct Received(InstanceName);

impl FromStr for Received {
    type Err = crate::InstanceNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        InstanceName::from_bytes(text.as_bytes()).map(Self)
    }
}

impl<'de> Deserialize<'de> for InstanceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::<Received>(PhantomData, "the name of a service instance, 1 to 63 bytes");
        Ok(deserializer.deserialize_str(text)?.0)
    }
}

impl Serialize for TxtAttributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.strings().map(label::escaped_string))
    }
}

impl<'de> Deserialize<'de> for TxtAttributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut strings = Vec::new();
        for text in Vec::<String>::deserialize(deserializer)? {
            let bad_escape = |_| {
                D::Error::custom(format_args!(
                    "{text:?} has a backslash that escapes nothing"
                ))
            };
            strings.push(label::unescape(&text).map_err(bad_escape)?);
        }
        Self::from_strings(strings).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn survives<T: Serialize + for<'de> Deserialize<'de> + PartialEq + fmt::Debug>(
        value: &T,
        text: &str,
    ) {
        assert_eq!(serde_json::to_string(value).unwrap(), text);
        assert_eq!(&serde_json::from_str::<T>(text).unwrap(), value);
    }

    #[test]
    fn names_are_the_texts_that_they_print_as() {
        survives(&ServiceType::tcp("http").unwrap(), r#""_http._tcp""#);
        survives(&Subtype::from_bytes(b"a.\xff").unwrap(), r#""a\\.\\255""#);
        survives(
            &"Dr. Pepper._http._tcp".parse::<ServiceName>().unwrap(),
            r#""Dr\\. Pepper._http._tcp.local""#,
        );
        survives(
            &InstanceName::from_bytes("e\u{301}".as_bytes()).unwrap(),
            "\"e\u{301}\"",
        );
        assert!(serde_json::to_string(&InstanceName::from_bytes(b"\xff").unwrap()).is_err());
    }

    #[test]
    fn attributes_are_a_list_of_strings() {
        survives(&TxtAttributes::new(), "[]");
        let strings: [&[u8]; 4] = [b"path=/a.b", b"flag", b"=x", b"icon=\xff\\\n"];
        survives(
            &TxtAttributes::from_strings(strings).unwrap(),
            r#"["path=/a.b","flag","=x","icon=\\255\\\\\\010"]"#,
        );
        assert!(serde_json::from_str::<TxtAttributes>(r#"["a\\"]"#).is_err());
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let error = serde_json::from_str::<ServiceType>(r#""http""#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("did you mean \"_http._tcp\"?"), "{error}");
        let error = serde_json::from_str::<ServiceType>("1")
            .unwrap_err()
            .to_string();
        assert!(error.contains("a service type such as"), "{error}");
    }
}
