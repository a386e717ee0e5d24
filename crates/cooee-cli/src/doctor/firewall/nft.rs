//! The ruleset of nftables, as `nft -j list ruleset` prints it.

use serde_json::Value;

use super::{Chain, Fit, Rule, Ruleset, Verdict};

/// Reads it; nothing if it is no such thing. What is not understood in it may fit or not.
pub(in super::super) fn parse(json: &str) -> Option<Ruleset> {
    let value: Value = serde_json::from_str(json).ok()?;
    let mut ruleset = Ruleset::default();
    let objects = value["nftables"].as_array();
    for object in objects.into_iter().flatten() {
        if let Some(chain) = object.get("chain") {
            ruleset.chains.insert(key(chain, "name"), read_chain(chain));
        } else if let Some(rule) = object.get("rule") {
            let (key, table) = (key(rule, "chain"), text(rule, "table"));
            let table = format!("{} {table}", text(rule, "family"));
            if let Some(chain) = ruleset.chains.get_mut(&key) {
                chain.rules.push(read_rule(rule, &table));
            }
        }
    }
    Some(ruleset)
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

fn key(object: &Value, name: &str) -> String {
    let (family, table) = (text(object, "family"), text(object, "table"));
    chain_key(&format!("{family} {table}"), text(object, name))
}

fn chain_key(table: &str, chain: &str) -> String {
    format!("{table} {chain}")
}

fn read_chain(chain: &Value) -> Chain {
    let (family, table, name) = (
        text(chain, "family"),
        text(chain, "table"),
        text(chain, "name"),
    );
    let sees_ip = ["ip", "ip6", "inet"].contains(&family);
    let hook = text(chain, "hook");
    let cure = match table {
        "firewalld" => "'firewall-cmd --add-service=mdns' lets it through".to_owned(),
        _ => format!(
            "'nft insert rule {family} {table} {name} udp dport 5353 accept' lets it through"
        ),
    };
    Chain {
        place: format!("{family}/{table}/{name}"),
        is_base: sees_ip && ["prerouting", "input", "output", "postrouting"].contains(&hook),
        drops_the_rest: (text(chain, "policy") == "drop").then_some(None),
        rules: Vec::new(),
        cure,
    }
}

fn read_rule(rule: &Value, table: &str) -> Rule {
    let mut read = Rule {
        text: String::new(),
        fit: Fit::Yes,
        verdict: Verdict::None,
        packets: None,
    };
    let mut words: Vec<String> = Vec::new();
    for expression in rule["expr"].as_array().into_iter().flatten() {
        let Some((kind, value)) = expression.as_object().and_then(|one| one.iter().next()) else {
            continue;
        };
        let target = |value: &Value| chain_key(table, text(value, "target"));
        match kind.as_str() {
            "match" => {
                words.push(said(value));
                read.fit = read.fit.min(fit(value));
            }
            "counter" => read.packets = value["packets"].as_u64(),
            "accept" => read.verdict = Verdict::Accept,
            "drop" | "reject" => read.verdict = Verdict::Drop,
            "return" => read.verdict = Verdict::Return,
            "jump" => read.verdict = Verdict::Jump(target(value)),
            "goto" => read.verdict = Verdict::Goto(target(value)),
            "log" | "mangle" | "notrack" => {}
            _ => read.fit = read.fit.min(Fit::Perhaps),
        }
        if ["accept", "drop", "reject"].contains(&kind.as_str()) {
            words.push(kind.clone());
        }
    }
    read.text = words.join(" ");
    read
}

/// Whether a condition holds for a multicast DNS packet of a stranger.
fn fit(condition: &Value) -> Fit {
    let (left, right) = (&condition["left"], &condition["right"]);
    let fit = if let Some(payload) = left.get("payload") {
        match (text(payload, "protocol"), text(payload, "field")) {
            ("udp" | "th", "dport" | "sport") => one_of(right, holds_port),
            ("ip" | "ip6", "protocol" | "nexthdr") => one_of(right, is_udp),
            ("ip" | "ip6", "daddr") => one_of(right, is_group),
            ("ip" | "ip6" | "ether" | "udp" | "th", _) => Fit::Perhaps,
            // Another protocol than UDP.
            _ => return Fit::No,
        }
    } else if let Some(meta) = left.get("meta") {
        match text(meta, "key") {
            "l4proto" => one_of(right, is_udp),
            "iif" | "iifname" | "oif" | "oifname" => one_of(right, |name| match name.as_str() {
                Some("lo") => Fit::No,
                _ => Fit::Perhaps,
            }),
            _ => Fit::Perhaps,
        }
    } else if left.get("ct").is_some_and(|ct| text(ct, "key") == "state") {
        one_of(right, |state| match state.as_str() {
            Some("new") => Fit::Yes,
            Some("established" | "related" | "invalid") => Fit::No,
            _ => Fit::Perhaps,
        })
    } else {
        Fit::Perhaps
    };
    match (text(condition, "op"), fit) {
        ("!=", Fit::Yes) => Fit::No,
        ("!=", Fit::No) => Fit::Yes,
        (_, fit) => fit,
    }
}

/// The best of a value, a list of them, or a set.
fn one_of(right: &Value, fit: impl Fn(&Value) -> Fit) -> Fit {
    let several = right.get("set").unwrap_or(right).as_array();
    match several {
        Some(values) => values.iter().map(&fit).max().unwrap_or(Fit::No),
        None => fit(right),
    }
}

fn holds_port(value: &Value) -> Fit {
    let port = u64::from(crate::doctor::port::PORT);
    if let Some(number) = value.as_u64() {
        return yes(number == port);
    }
    if let Some([low, high]) = value
        .get("range")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        return match (low.as_u64(), high.as_u64()) {
            (Some(low), Some(high)) => yes((low..=high).contains(&port)),
            _ => Fit::Perhaps,
        };
    }
    yes_or_perhaps(value.as_str() == Some("mdns"))
}

fn is_udp(value: &Value) -> Fit {
    yes(value.as_str() == Some("udp") || value.as_u64() == Some(17))
}

fn is_group(value: &Value) -> Fit {
    let address = value["prefix"]["addr"].as_str().or(value.as_str());
    yes_or_perhaps(address.is_some_and(|ip| ip.starts_with("224.0.0.") || ip.starts_with("ff0")))
}

fn yes(is_so: bool) -> Fit {
    if is_so { Fit::Yes } else { Fit::No }
}

fn yes_or_perhaps(is_so: bool) -> Fit {
    if is_so { Fit::Yes } else { Fit::Perhaps }
}

/// A condition in the words of nft.
fn said(condition: &Value) -> String {
    let left = &condition["left"];
    let left = if let Some(payload) = left.get("payload") {
        format!("{} {}", text(payload, "protocol"), text(payload, "field"))
    } else if let Some(meta) = left.get("meta") {
        match text(meta, "key") {
            key @ ("iif" | "iifname" | "oif" | "oifname") => key.to_owned(),
            key => format!("meta {key}"),
        }
    } else if let Some(ct) = left.get("ct") {
        format!("ct {}", text(ct, "key"))
    } else {
        "…".to_owned()
    };
    let operator = match text(condition, "op") {
        "==" | "in" => String::new(),
        other => format!("{other} "),
    };
    format!("{left} {operator}{}", value(&condition["right"]))
}

fn value(right: &Value) -> String {
    if let Some(values) = right.get("set").unwrap_or(right).as_array() {
        let values: Vec<String> = values.iter().map(value).collect();
        return format!("{{ {} }}", values.join(", "));
    }
    if let Some([low, high]) = right
        .get("range")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        return format!("{}-{}", value(low), value(high));
    }
    if let Some(prefix) = right.get("prefix") {
        return format!("{}/{}", text(prefix, "addr"), prefix["len"]);
    }
    match right {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => "…".to_owned(),
    }
}
