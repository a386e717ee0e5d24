//! `TYPE` as people write it: `_http._tcp`, `_http._tcp.local`, `_http._tcp,_printer`, or just `http`.

use crate::nearest::nearest;
use crate::{escape, types};

/// A service type from the command line, with the subtypes that were named beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeArg {
    /// The type in wire form without domain: `_http._tcp`.
    pub(crate) wire: String,
    /// Subtypes in the order given: `_printer`.
    pub(crate) subtypes: Vec<String>,
}

/// Reads a type.
///
/// # Errors
///
/// One sentence: what is wrong, what is allowed, the nearest right word.
pub(crate) fn parse(text: &str) -> Result<TypeArg, String> {
    let mut parts = text.split(',');
    let first = parts.next().unwrap_or_default();
    let mut subtypes = Vec::new();
    let base = match find_ignoring_case(first, "._sub.") {
        Some(at) => {
            // `_printer._sub._http._tcp`, as it stands in DNS.
            let (subtype, rest) = first.split_at(at);
            subtypes.push(subtype.to_owned());
            rest.get("._sub.".len()..).unwrap_or_default()
        }
        None => first,
    };
    subtypes.extend(parts.map(str::to_owned));
    for subtype in &subtypes {
        check_subtype(text, subtype)?;
    }
    let base = strip_suffix_ignoring_case(base.strip_suffix('.').unwrap_or(base), ".local");
    let labels: Vec<&str> = base.split('.').collect();
    let wire = match labels.as_slice() {
        [word] => from_word(word)?,
        [name, protocol] => from_labels(base, name, protocol)?,
        [name, protocol, ..] if is_protocol(protocol) && name.starts_with('_') => {
            return Err(format!(
                "'{}' is in another domain: only types of the domain local can be used yet, as '{name}.{protocol}'",
                escape::text(first)
            ));
        }
        _ => {
            return Err(format!(
                "'{}' is not a service type: write two parts, as _http._tcp",
                escape::text(first)
            ));
        }
    };
    Ok(TypeArg { wire, subtypes })
}

/// Refuses what may be searched for but not published: names that break RFC 6335, section 5.1 (6763-7-3, 6763-7-4).
///
/// # Errors
///
/// One sentence that says which rule is broken.
pub(crate) fn check_publishable(wire: &str) -> Result<(), String> {
    let name = wire
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_start_matches('_');
    let rule = if name.len() > 15 {
        "may have 15 characters at most"
    } else if !name
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    {
        "may hold letters, digits and hyphens only"
    } else if !name.bytes().any(|octet| octet.is_ascii_alphabetic()) {
        "must hold at least one letter"
    } else if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        "must not begin or end with a hyphen, nor have two in a row"
    } else {
        return Ok(());
    };
    Err(format!(
        "'{}' cannot be published: the name after the underscore {rule}",
        escape::text(wire)
    ))
}

fn from_word(word: &str) -> Result<String, String> {
    let bare = word.strip_prefix('_').unwrap_or(word);
    let mut meant = types::by_word(bare);
    match (meant.next(), meant.next()) {
        (Some(one), None) => Ok(one.wire.to_owned()),
        (Some(one), Some(other)) => Err(format!(
            "'{}' may be '{}' or '{}': write out which",
            escape::text(word),
            one.wire,
            other.wire
        )),
        (None, _) if name_fault(bare).is_some() => Err(format!(
            "'{}' is not a service type: write it as _http._tcp{}",
            escape::text(word),
            did_you_mean(suggestion(word).as_deref())
        )),
        (None, _) => Err(format!(
            "'{0}' is not a well-known service type: write it out, as '_{1}._tcp' or '_{1}._udp'{2}",
            escape::text(word),
            escape::text(bare),
            did_you_mean(types::nearest_word(bare))
        )),
    }
}

fn from_labels(base: &str, name: &str, protocol: &str) -> Result<String, String> {
    let fault = if !name.starts_with('_') {
        "the first part must begin with an underscore"
    } else if let Some(fault) = name_fault(name.trim_start_matches('_')) {
        fault
    } else if !is_protocol(protocol) {
        "the second part must be _tcp or _udp"
    } else {
        return Ok(base.to_owned());
    };
    Err(format!(
        "'{}' is not a service type: {fault}{}",
        escape::text(base),
        did_you_mean(suggestion(base).as_deref())
    ))
}

/// Received types may break RFC 6335, and people must be able to look for them: only what cannot be a label is refused.
fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("the first part has no name after its underscore")
    } else if name.len() > 62 {
        Some("its first part is longer than 63 bytes")
    } else if name
        .chars()
        .any(|c| c.is_whitespace() || c == '\\' || escape::is_hostile(c))
    {
        Some("the first part may hold letters, digits and hyphens only")
    } else {
        None
    }
}

fn check_subtype(text: &str, subtype: &str) -> Result<(), String> {
    if subtype.is_empty() {
        Err(format!(
            "'{}' names an empty subtype: write it as _http._tcp,_printer",
            escape::text(text)
        ))
    } else if subtype.len() > 63 {
        Err(format!(
            "the subtype '{}' is longer than 63 bytes",
            escape::text(subtype)
        ))
    } else {
        Ok(())
    }
}

fn is_protocol(label: &str) -> bool {
    label.eq_ignore_ascii_case("_tcp") || label.eq_ignore_ascii_case("_udp")
}

/// The nearest thing that would be a type.
fn suggestion(base: &str) -> Option<String> {
    let mut labels = base.split('.');
    let typed = labels.next()?.trim_start_matches('_');
    let protocol = labels.next().unwrap_or_default();
    let name = match types::nearest_word(typed) {
        Some(word) => word,
        None if name_fault(typed).is_none() => typed,
        None => return None,
    };
    let wanted = match nearest(protocol.trim_start_matches('_'), ["tcp", "udp"]) {
        // All that is not TCP goes under _udp: RFC 6763 §7 (6763-7-1).
        _ if ["sctp", "dccp", "quic"].contains(&protocol.trim_start_matches('_')) => "_udp",
        Some("udp") => "_udp",
        Some(_) => "_tcp",
        None => types::by_word(name)
            .next()
            .map_or("_tcp", |known| &known.wire[known.wire.len() - 4..]),
    };
    let suggestion = format!("_{name}.{wanted}");
    (suggestion != base).then_some(suggestion)
}

fn did_you_mean(word: Option<&str>) -> String {
    word.map(|word| format!("; did you mean '{word}'?"))
        .unwrap_or_default()
}

fn find_ignoring_case(text: &str, part: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(part)
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> &'a str {
    match text
        .len()
        .checked_sub(suffix.len())
        .and_then(|at| text.split_at_checked(at))
    {
        Some((front, back)) if back.eq_ignore_ascii_case(suffix) => front,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> String {
        parse(text).unwrap().wire
    }

    #[test]
    fn all_forms_of_a_type_mean_the_same() {
        for text in [
            "_http._tcp",
            "_http._tcp.",
            "_http._tcp.local",
            "_http._tcp.LOCAL.",
            "http",
            "_http",
        ] {
            assert_eq!(wire(text), "_http._tcp", "{text}");
        }
        assert_eq!(wire("_MyApp._UDP"), "_MyApp._UDP");
    }

    #[test]
    fn subtypes_come_in_both_forms() {
        let by_comma = parse("_http._tcp,_printer,_other").unwrap();
        assert_eq!(
            (by_comma.wire.as_str(), by_comma.subtypes.as_slice()),
            ("_http._tcp", &["_printer".to_owned(), "_other".into()][..])
        );
        let as_in_dns = parse("_printer._sub._http._tcp.local").unwrap();
        assert_eq!(
            (as_in_dns.wire.as_str(), as_in_dns.subtypes.as_slice()),
            ("_http._tcp", &["_printer".to_owned()][..])
        );
        assert_eq!(parse("http,_printer").unwrap().wire, "_http._tcp");
    }

    #[test]
    fn what_is_no_type_is_refused_with_the_rule_and_the_nearest() {
        let faults: Vec<String> = [
            "_htp._tpc",
            "_http._sctp",
            "http._tcp",
            "_http.tcp",
            "htpp",
            "foo",
            "hap",
            "",
            "_",
            "._tcp",
            "_http._tcp.example.org",
            "a.b.c.d",
            "_http._tcp,",
            "\u{1b}[31m",
            "_ht tp._tcp",
        ]
        .into_iter()
        .map(|text| parse(text).unwrap_err())
        .collect();
        insta::assert_snapshot!(faults.join("\n"));
    }

    #[test]
    fn a_type_that_breaks_rfc_6335_is_found_but_not_published() {
        for text in [
            "_a-very-long-service-name._tcp",
            "_under_score._udp",
            "_1234._tcp",
            "_-x._tcp",
            "_a--b._tcp",
        ] {
            assert_eq!(wire(text), text);
            check_publishable(text).unwrap_err();
        }
        check_publishable("_http._tcp").unwrap();
        check_publishable("_a2345678901234-._tcp").unwrap_err();
    }
}
