//! `NAME` as people write it: dots and spaces are plain, `\\` and `\DDD` are escapes, the type may stand behind it.

use crate::escape;

/// An instance name from the command line, and the type if it was written behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameArg {
    /// The instance label, any octets.
    pub(crate) instance: Vec<u8>,
    /// `_http._tcp`, if the name was whole.
    pub(crate) type_wire: Option<String>,
}

/// Reads an instance, or a whole name such as `Test Svc.One._http._tcp.local`: the type is found from the right.
///
/// # Errors
///
/// One sentence: an escape that is none, or a label that is empty or too long.
pub(crate) fn parse(octets: &[u8]) -> Result<NameArg, String> {
    let (instance, type_wire) = split_type(octets);
    Ok(NameArg {
        instance: instance_label(instance)?,
        type_wire,
    })
}

/// Reads an instance that is nothing but that.
///
/// # Errors
///
/// As for [`parse`].
pub(crate) fn instance_label(typed: &[u8]) -> Result<Vec<u8>, String> {
    plain_label(unescape(typed)?)
}

/// An instance in which no character means another.
///
/// # Errors
///
/// One sentence: a label that is empty or too long.
pub(crate) fn plain_label(label: Vec<u8>) -> Result<Vec<u8>, String> {
    match label.len() {
        0 => Err("the name is empty: it must have 1 to 63 bytes".into()),
        1..=63 => Ok(label),
        len => Err(format!(
            "the name '{}' has {len} bytes; at most 63 fit",
            escape::octets(&label)
        )),
    }
}

/// Splits the type off at the right: two labels of which the first begins with `_` and the second is `_tcp` or
/// `_udp`, with or without `.local`.
fn split_type(octets: &[u8]) -> (&[u8], Option<String>) {
    let trimmed = octets.strip_suffix(b".").unwrap_or(octets);
    let base = strip_ignoring_case(trimmed, b".local").unwrap_or(trimmed);
    let Some(front) =
        strip_ignoring_case(base, b"._tcp").or_else(|| strip_ignoring_case(base, b"._udp"))
    else {
        return (octets, None);
    };
    let Some(dot) = front.iter().rposition(|octet| *octet == b'.') else {
        return (octets, None);
    };
    match base.get(dot + 1..).map(str::from_utf8) {
        Some(Ok(wire)) if dot > 0 && wire.starts_with('_') && !wire.starts_with("_.") => {
            (octets.get(..dot).unwrap_or_default(), Some(wire.to_owned()))
        }
        _ => (octets, None),
    }
}

fn strip_ignoring_case<'a>(octets: &'a [u8], suffix: &[u8]) -> Option<&'a [u8]> {
    let (front, back) = octets.split_at_checked(octets.len().checked_sub(suffix.len())?)?;
    back.eq_ignore_ascii_case(suffix).then_some(front)
}

fn unescape(typed: &[u8]) -> Result<Vec<u8>, String> {
    let mut label = Vec::with_capacity(typed.len());
    let mut rest = typed;
    while let [first, after @ ..] = rest {
        if *first != b'\\' {
            label.push(*first);
            rest = after;
            continue;
        }
        match after {
            // `\.` is not needed, but other tools print it.
            [escaped @ (b'\\' | b'.'), after @ ..] => {
                label.push(*escaped);
                rest = after;
            }
            [
                a @ b'0'..=b'9',
                b @ b'0'..=b'9',
                c @ b'0'..=b'9',
                after @ ..,
            ] => {
                let number =
                    u32::from(a - b'0') * 100 + u32::from(b - b'0') * 10 + u32::from(c - b'0');
                label.push(u8::try_from(number).map_err(|_| {
                    format!(
                        "'{}' has \\{number}, which is no byte: \\000 to \\255 are",
                        as_typed(typed)
                    )
                })?);
                rest = after;
            }
            _ => {
                return Err(format!(
                    "'{}' has a lone backslash: write \\\\ for one, or \\DDD for the byte with that number",
                    as_typed(typed)
                ));
            }
        }
    }
    Ok(label)
}

fn as_typed(typed: &[u8]) -> String {
    escape::escaped_text(&String::from_utf8_lossy(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> (String, Option<String>) {
        let name = parse(text.as_bytes()).unwrap();
        (String::from_utf8(name.instance).unwrap(), name.type_wire)
    }

    #[test]
    fn the_type_is_found_from_the_right() {
        let http = Some("_http._tcp".to_owned());
        assert_eq!(
            split("Test Svc.One._http._tcp.local"),
            ("Test Svc.One".into(), http.clone())
        );
        assert_eq!(
            split("Test Svc.One._http._tcp"),
            ("Test Svc.One".into(), http.clone())
        );
        assert_eq!(
            split("Test Svc\\.One._http._tcp.local."),
            ("Test Svc.One".into(), http.clone())
        );
        assert_eq!(split("_x._tcp._http._tcp"), ("_x._tcp".into(), http));
        assert_eq!(split("Test Svc.One"), ("Test Svc.One".into(), None));
        assert_eq!(split("_http._tcp"), ("_http._tcp".into(), None));
        assert_eq!(split("tabasco.local"), ("tabasco.local".into(), None));
    }

    #[test]
    fn what_is_shown_can_be_pasted_back() {
        for label in [
            &b"Keith\xe2\x80\x99s web server"[..],
            b"caf\xe9",
            b"\x1b[31mred",
            b"C:\\temp",
            b"a.b c",
            &[0, 255, 127],
        ] {
            let shown = escape::octets(label);
            assert_eq!(parse(shown.as_bytes()).unwrap().instance, label, "{shown}");
        }
    }

    #[test]
    fn bad_escapes_and_lengths_are_refused() {
        assert!(parse(b"a\\q").unwrap_err().contains("lone backslash"));
        assert!(parse(b"a\\").unwrap_err().contains("lone backslash"));
        assert!(parse(b"a\\256").unwrap_err().contains("\\000 to \\255"));
        assert!(parse(b"").unwrap_err().contains("1 to 63"));
        assert!(parse(&[b'x'; 64]).unwrap_err().contains("64 bytes"));
        assert!(parse(&[b'x'; 63]).is_ok());
    }
}
