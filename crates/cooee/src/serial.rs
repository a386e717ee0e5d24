//! What was found, for storing and sending: names are texts that can be read back.

use cooee_wire::NameBuf;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::address::ScopedAddr;
use crate::found::{FoundService, HostAddresses};

impl Serialize for ScopedAddr {
    /// As text: `192.0.2.1`, `fe80::1%eth0`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for FoundService {
    /// `name`, `host`, `port`, `priority`, `weight`, `txt` and `addresses`; the name can be given to
    /// [`Zeroconf::resolve`](crate::Zeroconf::resolve) later.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("FoundService", 7)?;
        fields.serialize_field("name", self.name())?;
        fields.serialize_field("host", &Text(self.host()))?;
        fields.serialize_field("port", &self.port())?;
        fields.serialize_field("priority", &self.priority())?;
        fields.serialize_field("weight", &self.weight())?;
        fields.serialize_field("txt", self.txt())?;
        fields.serialize_field("addresses", self.addresses())?;
        fields.end()
    }
}

impl Serialize for HostAddresses {
    /// `name` and `addresses`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("HostAddresses", 2)?;
        fields.serialize_field("name", &format_args!("{}", self.name()))?;
        fields.serialize_field("addresses", self.addresses())?;
        fields.end()
    }
}

struct Text<'n>(&'n NameBuf);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}
