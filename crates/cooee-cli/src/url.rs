//! The address line of a browser for a service, where there is one.

use std::fmt::Write as _;

use crate::failure::Failure;
use crate::picture::Picture;
use crate::txt;

/// How a type is written as a URL: its scheme, and the TXT key that holds the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scheme {
    name: &'static str,
    path_key: Option<&'static str>,
}

/// The scheme for a type.
///
/// # Errors
///
/// One line that says which types have one.
pub(crate) fn scheme(type_wire: &str) -> Result<Scheme, Failure> {
    let known = SCHEMES
        .iter()
        .find(|(wire, _, _)| wire.eq_ignore_ascii_case(type_wire));
    match known {
        Some((_, name, path_key)) => Ok(Scheme {
            name,
            path_key: *path_key,
        }),
        None => Err(Failure::usage(format!(
            "no URL is known for '{}': use --print host, port or address",
            crate::escape::text(type_wire)
        ))),
    }
}

/// The URL of a service, or nothing if its type has none.
pub(crate) fn url(picture: &Picture) -> String {
    let Ok(scheme) = scheme(&picture.identity.type_wire) else {
        return String::new();
    };
    let attributes = txt::attributes(&picture.txt);
    let path = scheme.path_key.and_then(|wanted| {
        let mut counted = attributes.iter().filter(|attribute| !attribute.ignored);
        let found = counted.find(|attribute| {
            attribute
                .key
                .is_some_and(|key| key.eq_ignore_ascii_case(wanted))
        });
        found.and_then(|attribute| attribute.value)
    });
    let path = path.unwrap_or_default();
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let mut url = format!("{}://", scheme.name);
    push_encoded(&mut url, &host_octets(&picture.host), b"");
    let _ = write!(url, ":{}/", picture.port);
    push_encoded(&mut url, path, b"/?=&:@!*+,;%#");
    url
}

/// Service type, scheme, and where the path is told.
const SCHEMES: &[(&str, &str, Option<&str>)] = &[
    ("_afpovertcp._tcp", "afp", None),
    ("_ftp._tcp", "ftp", Some("path")),
    ("_http._tcp", "http", Some("path")),
    ("_https._tcp", "https", Some("path")),
    ("_ipp._tcp", "ipp", Some("rp")),
    ("_ipps._tcp", "ipps", Some("rp")),
    ("_nfs._tcp", "nfs", Some("path")),
    ("_rfb._tcp", "vnc", None),
    ("_rtsp._tcp", "rtsp", Some("path")),
    ("_sftp-ssh._tcp", "sftp", Some("path")),
    ("_smb._tcp", "smb", None),
    ("_ssh._tcp", "ssh", None),
    ("_telnet._tcp", "telnet", None),
    ("_webdav._tcp", "http", Some("path")),
    ("_webdavs._tcp", "https", Some("path")),
];

/// The host's octets, its escapes undone.
fn host_octets(host: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(host.len());
    let mut rest = host.as_bytes();
    while let [first, after @ ..] = rest {
        let (octet, after) = match (first, after) {
            (
                b'\\',
                [
                    a @ b'0'..=b'2',
                    b @ b'0'..=b'9',
                    c @ b'0'..=b'9',
                    after @ ..,
                ],
            ) => (
                (a - b'0')
                    .wrapping_mul(100)
                    .wrapping_add((b - b'0') * 10 + (c - b'0')),
                after,
            ),
            (b'\\', [escaped, after @ ..]) => (*escaped, after),
            _ => (*first, after),
        };
        octets.push(octet);
        rest = after;
    }
    octets
}

/// What a stranger wrote must stay one word of one line: everything but the plainest is written as `%XX`.
fn push_encoded(url: &mut String, octets: &[u8], allowed: &[u8]) {
    for octet in octets {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(octet) || allowed.contains(octet) {
            url.push(char::from(*octet));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{octet:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::examples;

    #[test]
    fn a_web_server_has_a_url_with_its_path() {
        let mut picture = examples::web_server();
        assert_eq!(url(&picture), "http://tabasco.local:8080/");
        picture.txt = vec![b"path=/a b/?x=1".to_vec()];
        assert_eq!(url(&picture), "http://tabasco.local:8080/a%20b/?x=1");
        picture.identity.type_wire = "_ssh._tcp".into();
        assert_eq!(url(&picture), "ssh://tabasco.local:8080/");
    }

    #[test]
    fn a_stranger_cannot_break_out_of_the_url() {
        let mut picture = examples::web_server();
        picture.host = "a\\032b\\.c\\255\u{e9}/@x\\032.local".into();
        picture.txt = vec![b"path=/\n\"<script>\x1b`$(x)".to_vec()];
        assert_eq!(
            url(&picture),
            "http://a%20b.c%FF%C3%A9%2F%40x%20.local:8080/%0A%22%3Cscript%3E%1B%60%24%28x%29"
        );
    }

    #[test]
    fn a_type_without_scheme_is_refused() {
        assert!(
            scheme("_mqtt._tcp")
                .unwrap_err()
                .text
                .contains("--print host")
        );
    }
}
