//! Avahi's `*.service`: XML.

use roxmltree::{Document, Node, ParsingOptions};

use super::super::offer::Offer;
use super::Sheet;
use crate::nearest::nearest;
use crate::{base64, escape, name_arg, type_arg, value_arg};

/// Reads such a file. Its DOCTYPE is stepped over, and nothing that it names is fetched.
pub(super) fn read(text: &str, computer: &str, sheet: &mut Sheet<'_>) {
    let options = ParsingOptions {
        allow_dtd: true,
        nodes_limit: 100_000,
        ..ParsingOptions::default()
    };
    let document = match Document::parse_with_options(text, options) {
        Ok(document) => document,
        Err(error) => {
            let line = usize::try_from(error.pos().row).unwrap_or(0);
            return sheet.fault(line, escape::text(&error.to_string()));
        }
    };
    let root = document.root_element();
    if root.tag_name().name() != "service-group" {
        return sheet.fault(line(root), "the outermost element must be <service-group>");
    }
    let mut name = None;
    let mut services = Vec::new();
    for child in root.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "name" if name.is_none() => name = Some(child),
            "name" => sheet.fault(line(child), "a second <name>: a group has one"),
            "service" => services.push(child),
            _ => unknown(child, &["name", "service"], sheet),
        }
    }
    let Some(named) = name else {
        return sheet.fault(line(root), "<name> is missing");
    };
    let wildcards = named.attribute("replace-wildcards") == Some("yes");
    let typed = content(named);
    let name = match wildcards {
        true => typed.replace("%h", computer),
        false => typed,
    };
    // Avahi's files have no escapes.
    let name = match name_arg::plain_label(name.into_bytes()) {
        Ok(name) => name,
        Err(fault) => return sheet.fault(line(named), fault),
    };
    if services.is_empty() {
        sheet.fault(line(root), "there is no <service> in it");
    }
    for service in services {
        read_service(service, &name, sheet);
    }
}

const PARTS: [&str; 6] = [
    "type",
    "subtype",
    "domain-name",
    "host-name",
    "port",
    "txt-record",
];

fn read_service(service: Node<'_, '_>, name: &[u8], sheet: &mut Sheet<'_>) {
    let faults = sheet.contents.faults.len();
    let mut offer = Offer {
        name: name.to_vec(),
        ..Offer::default()
    };
    match service.attribute("protocol") {
        None | Some("any") => {}
        Some("ipv4" | "ipv6") => sheet.warn(
            line(service),
            "'protocol' is not heeded: it is published over IPv4 and IPv6",
        ),
        Some(other) => sheet.fault(
            line(service),
            format!(
                "'{}' is no protocol: any, ipv4 and ipv6 are",
                escape::text(other)
            ),
        ),
    }
    let mut has_port = false;
    for part in service.children().filter(Node::is_element) {
        let (line, text) = (line(part), content(part));
        let outcome = match part.tag_name().name() {
            "type" => type_arg::parse(&text).map(|kind| {
                offer.kind = kind.wire;
                offer.subtypes.extend(kind.subtypes);
            }),
            "subtype" => subtype(&text).map(|subtype| offer.subtypes.push(subtype)),
            "domain-name" => value_arg::domain(&text).map(drop),
            "host-name" => {
                offer.host = Some(text);
                Ok(())
            }
            "port" => {
                has_port = true;
                // The name alone is told by Apple's device information, and others follow.
                match text.as_str() {
                    "0" => Ok(()),
                    text => value_arg::port(text).map(|port| offer.port = port),
                }
            }
            "txt-record" => txt(part, &text).map(|string| offer.txt.push(string)),
            _ => {
                unknown(part, &PARTS, sheet);
                Ok(())
            }
        };
        if let Err(fault) = outcome {
            sheet.fault(line, fault);
        }
    }
    if offer.kind.is_empty() && sheet.contents.faults.len() == faults {
        sheet.fault(line(service), "<type> is missing, such as _http._tcp");
    }
    if !has_port && sheet.contents.faults.len() == faults {
        sheet.fault(line(service), "<port> is missing, 1 to 65535");
    }
    if sheet.contents.faults.len() == faults {
        sheet.offer(line(service), offer);
    }
}

/// `_printer._sub._ipp._tcp`, or the first label alone.
fn subtype(text: &str) -> Result<String, String> {
    match text.split_once("._sub.") {
        Some((subtype, _)) => Ok(subtype.to_owned()),
        None if text.is_empty() => Err("<subtype> is empty".into()),
        None => Ok(text.to_owned()),
    }
}

/// A string of the TXT record; its value may be written in another form.
fn txt(part: Node<'_, '_>, text: &str) -> Result<Vec<u8>, String> {
    let format = part.attribute("value-format").unwrap_or("text");
    let decode: fn(&str) -> Option<Vec<u8>> = match format {
        "text" => return Ok(text.as_bytes().to_vec()),
        "binary-hex" => hex,
        "binary-base64" => base64::decode,
        other => {
            return Err(format!(
                "'{}' is no value-format: text, binary-hex and binary-base64 are",
                escape::text(other)
            ));
        }
    };
    let Some((key, value)) = text.split_once('=') else {
        return Ok(text.as_bytes().to_vec());
    };
    let value =
        decode(value).ok_or_else(|| format!("'{}' is not {format}", escape::text(value)))?;
    Ok([key.as_bytes(), b"=", value.as_slice()].concat())
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    let octet = |pair: &[u8; 2]| {
        let pair = str::from_utf8(pair).ok()?;
        let is_plain = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_plain
            .then(|| u8::from_str_radix(pair, 16).ok())
            .flatten()
    };
    rest.is_empty()
        .then(|| pairs.iter().map(octet).collect())
        .flatten()
}

fn unknown(node: Node<'_, '_>, known: &[&'static str], sheet: &mut Sheet<'_>) {
    let name = node.tag_name().name();
    let near = nearest(name, known.iter().copied())
        .map(|near| format!("; did you mean <{near}>?"))
        .unwrap_or_else(|| format!("; there are {}", known.join(", ")));
    sheet.fault(
        line(node),
        format!("<{}> does not belong here{near}", escape::text(name)),
    );
}

fn content(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().trim().to_owned()
}

fn line(node: Node<'_, '_>) -> usize {
    let position = node.document().text_pos_at(node.range().start);
    usize::try_from(position.row).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::examine;

    fn shown(text: &str) -> String {
        examine(|sheet| super::read(text, "tabasco", sheet)).shown()
    }

    const HEAD: &str = r#"<?xml version="1.0" standalone='no'?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
"#;

    #[test]
    fn everything_that_avahi_knows_is_read() {
        insta::assert_snapshot!(shown(&format!(
            r#"{HEAD}<service-group>
  <name replace-wildcards="yes">C:\ on %h {{host}}</name>
  <service>
    <type>_http._tcp</type>
    <subtype>_printer._sub._http._tcp</subtype>
    <subtype>_other</subtype>
    <domain-name>local</domain-name>
    <host-name>laserjet.local</host-name>
    <port>80</port>
    <txt-record>path=/</txt-record>
    <txt-record>flag</txt-record>
    <txt-record value-format="binary-hex">icon=00fF</txt-record>
    <txt-record value-format="binary-base64">key=AP8=</txt-record>
  </service>
  <service protocol="ipv4">
    <type>_device-info._tcp</type>
    <port>0</port>
    <txt-record>model=RackMac</txt-record>
  </service>
</service-group>
"#
        )));
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_the_nearest_word() {
        insta::assert_snapshot!(shown(&format!(
            r#"{HEAD}<service-group>
  <name>Web</name>
  <name>Again</name>
  <servise/>
  <service protocol="ipx">
    <type>_htp._tpc</type>
    <prot>80</prot>
    <port>eighty</port>
    <domain-name>example.org</domain-name>
    <txt-record value-format="hex">a=00</txt-record>
    <txt-record value-format="binary-hex">a=0g</txt-record>
  </service>
  <service/>
  <service><type>_http._tcp</type></service>
</service-group>
"#
        )));
    }

    #[test]
    fn what_is_no_such_file_is_told_with_its_line() {
        for (text, part) in [
            ("", "fault file:1"),
            ("[Unit]\nDescription=a unit of systemd\n", "fault file:1"),
            ("<a>\n</b>", "fault file:2"),
            ("<group/>", "<service-group>"),
            ("<service-group/>", "<name> is missing"),
            (
                "<service-group><name>x</name></service-group>",
                "no <service>",
            ),
            ("<service-group><name></name></service-group>", "empty"),
        ] {
            assert!(shown(text).contains(part), "{text}: {}", shown(text));
        }
    }

    #[test]
    fn entities_cannot_grow_without_end() {
        let mut bomb = String::from("<!DOCTYPE x [<!ENTITY a0 \"aaaaaaaaaa\">");
        for step in 1..20 {
            let refers = format!("&a{};", step - 1).repeat(10);
            bomb += &format!("<!ENTITY a{step} \"{refers}\">");
        }
        bomb += "]><service-group><name>&a19;</name></service-group>";
        assert!(shown(&bomb).starts_with("fault file:"));
    }
}
