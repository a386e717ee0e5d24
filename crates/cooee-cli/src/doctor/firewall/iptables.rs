//! The rules of iptables, as `iptables-save -c` prints them.

use super::{Chain, Fit, Rule, Ruleset, Verdict};

/// Reads them; lines that are not understood are skipped. `program` is `iptables` or `ip6tables`.
pub(in super::super) fn parse(save: &str, program: &str) -> Ruleset {
    let mut ruleset = Ruleset::default();
    let mut table = "";
    for line in save.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
        } else if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split_ascii_whitespace();
            let (name, policy) = (words.next(), words.next());
            let (Some(name), Some(policy)) = (name, policy) else {
                continue;
            };
            let packets = words.next().and_then(counter);
            ruleset.chains.insert(
                key(program, table, name),
                Chain {
                    place: format!("{program} {table} {name}"),
                    is_base: ["INPUT", "OUTPUT"].contains(&name) && table == "filter",
                    drops_the_rest: (policy == "DROP").then_some(packets),
                    rules: Vec::new(),
                    cure: cure(program, table, name),
                },
            );
        } else if let Some((chain, rule)) = read_rule(program, table, line)
            && let Some(chain) = ruleset.chains.get_mut(&key(program, table, &chain))
        {
            chain.rules.push(rule);
        }
    }
    // Who uses ufw must not go around it.
    if ruleset.chains.keys().any(|key| key.contains(" ufw")) {
        for chain in ruleset.chains.values_mut() {
            chain.cure = "'ufw allow 5353/udp' lets it through".into();
        }
    }
    ruleset
}

fn key(program: &str, table: &str, chain: &str) -> String {
    format!("{program} {table} {chain}")
}

fn cure(program: &str, table: &str, chain: &str) -> String {
    format!("'{program} -t {table} -I {chain} -p udp --dport 5353 -j ACCEPT' lets it through")
}

/// `[12:3456]`: packets and bytes.
fn counter(word: &str) -> Option<u64> {
    let (packets, _) = word.strip_prefix('[')?.split_once(':')?;
    packets.parse().ok()
}

fn read_rule(program: &str, table: &str, line: &str) -> Option<(String, Rule)> {
    let mut words = line.split_ascii_whitespace().peekable();
    let packets = words.peek().copied().and_then(counter);
    if packets.is_some() {
        words.next();
    }
    if words.next() != Some("-A") {
        return None;
    }
    let chain = words.next()?.to_owned();
    let text: Vec<&str> = words.clone().collect();
    let mut rule = Rule {
        text: text.join(" "),
        fit: Fit::Yes,
        verdict: Verdict::None,
        packets,
    };
    let mut is_inverted = false;
    while let Some(word) = words.next() {
        if word == "!" {
            is_inverted = true;
            continue;
        }
        let mut value = || words.next().unwrap_or_default();
        let fit = match word {
            "-m" => {
                value();
                continue;
            }
            "-p" => yes(["udp", "17", "all"].contains(&value())),
            "--dport" | "--sport" | "--dports" | "--sports" | "--ports" => holds_port(value()),
            "-i" | "-o" => match value() {
                "lo" => Fit::No,
                _ => Fit::Perhaps,
            },
            "-d" => match value() {
                group if group.starts_with("224.0.0.") || group.starts_with("ff0") => Fit::Yes,
                _ => Fit::Perhaps,
            },
            "--ctstate" | "--state" => yes(value().split(',').any(|state| state == "NEW")),
            "-j" => {
                let target = value();
                rule.verdict = match target {
                    "ACCEPT" => Verdict::Accept,
                    "DROP" | "REJECT" => Verdict::Drop,
                    "RETURN" => Verdict::Return,
                    other => Verdict::Jump(key(program, table, other)),
                };
                // What follows are options of the target.
                break;
            }
            "-g" => {
                rule.verdict = Verdict::Goto(key(program, table, value()));
                break;
            }
            _ => Fit::Perhaps,
        };
        let fit = match (is_inverted, fit) {
            (true, Fit::Yes) => Fit::No,
            (true, Fit::No) => Fit::Yes,
            (_, fit) => fit,
        };
        is_inverted = false;
        rule.fit = rule.fit.min(fit);
    }
    Some((chain, rule))
}

/// `5353`, `5000:6000`, or several with commas.
fn holds_port(ports: &str) -> Fit {
    let port = crate::doctor::port::PORT;
    let mut ports = ports.split(',');
    yes(ports.any(|one| {
        let (low, high) = one.split_once(':').unwrap_or((one, one));
        match (low.parse::<u16>(), high.parse::<u16>()) {
            (Ok(low), Ok(high)) => (low..=high).contains(&port),
            _ => false,
        }
    }))
}

fn yes(is_so: bool) -> Fit {
    if is_so { Fit::Yes } else { Fit::No }
}
