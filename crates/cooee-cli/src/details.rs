//! The block of lines that tells all of one service, uncut.

use crate::cell::Cell;
use crate::escape::{escaped_text, octets};
use crate::paint::{Paint, Role};
use crate::picture::{Address, Picture};
use crate::types;

/// A line with who it is, then host, addresses and TXT.
pub(crate) fn block(picture: &Picture, verbose: bool, paint: Paint) -> String {
    let identity = &picture.identity;
    let mut out = String::new();
    Cell::octets(Role::Name, &identity.instance).write_last(usize::MAX, paint, &mut out);
    out.push_str("  ");
    out.push_str(&octets(identity.type_wire.as_bytes()));
    if let Some(title) = types::title(&identity.type_wire) {
        out.push_str("  ");
        out.push_str(title);
    }
    for line in lines(picture, verbose, paint) {
        out.push('\n');
        out.push_str(&line);
    }
    out
}

/// The lines below the first, indented.
pub(crate) fn lines(picture: &Picture, verbose: bool, paint: Paint) -> Vec<String> {
    let mut host = String::new();
    paint.put(
        Role::Host,
        &format!("{}:{}", escaped_text(&picture.host), picture.port),
        &mut host,
    );
    let mut lines = vec![labelled("host", &host)];
    let mut addresses: Vec<&Address> = picture.addresses.iter().collect();
    addresses.sort_by_key(|address| address.rank());
    let shown: Vec<String> = addresses
        .iter()
        .map(|address| octets(address.text().as_bytes()))
        .collect();
    let widest = shown.iter().map(String::len).max().unwrap_or(0);
    for (place, (address, shown)) in addresses.iter().zip(&shown).enumerate() {
        let mut text = shown.clone();
        if let Some(interface) = &address.interface {
            text.push_str(&" ".repeat(widest - shown.len() + 3));
            paint.put(Role::Dim, &octets(interface.name.as_bytes()), &mut text);
        }
        lines.push(labelled(if place == 0 { "address" } else { "" }, &text));
    }
    if verbose {
        lines.push(labelled(
            "order",
            &format!("priority {}, weight {}", picture.priority, picture.weight),
        ));
    }
    let txt: Vec<String> = picture
        .attributes()
        .iter()
        .filter(|attribute| verbose || !attribute.ignored)
        .map(|attribute| {
            let shown = attribute.shown(verbose);
            if attribute.ignored {
                format!("({shown}: ignored)")
            } else {
                shown
            }
        })
        .collect();
    if verbose {
        lines.extend(
            txt.iter()
                .enumerate()
                .map(|(place, one)| labelled(if place == 0 { "txt" } else { "" }, one)),
        );
    } else if !txt.is_empty() {
        lines.push(labelled("txt", &txt.join("   ")));
    }
    lines
}

fn labelled(label: &str, text: &str) -> String {
    format!("  {label:<7}  {text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::examples;

    #[test]
    fn the_block_tells_all_of_a_service() {
        let mut all = String::new();
        for picture in [examples::web_server(), examples::hostile()] {
            for verbose in [false, true] {
                all += &block(&picture, verbose, Paint::OFF);
                all += "\n\n";
            }
        }
        insta::assert_snapshot!(all);
    }
}
