//! Data as text, near to master files.

use core::fmt;

use super::{Data, Rdata, Svcb};

impl fmt::Display for Rdata<'_> {
    /// As in master files where they have a form for the type, else as `\# length octets` (RFC 3597 §5).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decode() {
            Ok(data) => data.fmt(f),
            Err(_) => opaque(f, self.octets().iter().copied()),
        }
    }
}

impl fmt::Debug for Rdata<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self}", self.kind())
    }
}

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => address.fmt(f),
            Self::Aaaa(address) => address.fmt(f),
            Self::Ns(name) | Self::Cname(name) | Self::Dname(name) | Self::Ptr(name) => name.fmt(f),
            Self::Mx(mx) => write!(f, "{} {}", mx.preference, mx.exchange),
            Self::Srv(srv) => write!(
                f,
                "{} {} {} {}",
                srv.priority, srv.weight, srv.port, srv.target
            ),
            Self::Soa(soa) => {
                write!(f, "{} {} {}", soa.mname, soa.rname, soa.serial)?;
                write!(
                    f,
                    " {} {} {} {}",
                    soa.refresh, soa.retry, soa.expire, soa.minimum
                )
            }
            Self::Txt(txt) => {
                let mut space = "";
                for string in txt.strings() {
                    f.write_str(space)?;
                    quoted(f, string)?;
                    space = " ";
                }
                Ok(())
            }
            Self::Hinfo(hinfo) => {
                quoted(f, hinfo.cpu)?;
                f.write_str(" ")?;
                quoted(f, hinfo.os)
            }
            Self::Nsec(nsec) => {
                nsec.next.fmt(f)?;
                nsec.types().try_for_each(|kind| write!(f, " {kind}"))
            }
            Self::Svcb(svcb) | Self::Https(svcb) => service(f, svcb),
            Self::Opt(opt) => {
                let mut space = "";
                for option in opt.options() {
                    write!(f, "{space}{option:?}")?;
                    space = " ";
                }
                Ok(())
            }
            Self::Unknown(unknown) => opaque(f, unknown.uncompressed()),
        }
    }
}

fn service(f: &mut fmt::Formatter<'_>, svcb: &Svcb<'_>) -> fmt::Result {
    write!(f, "{} {}", svcb.priority, svcb.target)?;
    for (key, value) in svcb.params {
        write!(f, " key{key}=")?;
        quoted(f, value)?;
    }
    Ok(())
}

/// A character-string in quotes, escaped. RFC 1035 §5.1.
fn quoted(f: &mut fmt::Formatter<'_>, string: &[u8]) -> fmt::Result {
    f.write_str("\"")?;
    for &octet in string {
        match octet {
            b'"' | b'\\' => write!(f, "\\{}", char::from(octet))?,
            0x20..=0x7E => write!(f, "{}", char::from(octet))?,
            _ => write!(f, "\\{octet:03}")?,
        }
    }
    f.write_str("\"")
}

/// RFC 3597 §5.
fn opaque(f: &mut fmt::Formatter<'_>, mut octets: impl Iterator<Item = u8> + Clone) -> fmt::Result {
    let len = octets.clone().count();
    write!(f, "\\# {len}")?;
    if len > 0 {
        f.write_str(" ")?;
    }
    octets.try_for_each(|octet| write!(f, "{octet:02x}"))
}
