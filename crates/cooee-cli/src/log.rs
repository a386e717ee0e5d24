//! What goes on inside, for those who ask: on stderr, by `COOEE_LOG` or `-vv`.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::escape;
use crate::failure::Failure;

/// `error` … `trace`, or by part: `cooee_mdns=debug`.
pub(crate) const ENVIRONMENT: &str = "COOEE_LOG";

/// Begins to write, if that was asked for.
///
/// # Errors
///
/// Words in the environment that are no filter.
pub(crate) fn start(verbose: u8, environment: Option<&str>) -> Result<(), Failure> {
    let Some(targets) = targets(verbose, environment)? else {
        return Ok(());
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false);
    // Only a second start could fail, and there is none.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(targets)
        .try_init();
    Ok(())
}

fn targets(verbose: u8, environment: Option<&str>) -> Result<Option<Targets>, Failure> {
    let wanted = environment.filter(|wanted| !wanted.is_empty());
    match (wanted, verbose) {
        (Some(wanted), _) => match wanted.parse::<LevelFilter>() {
            Ok(level) => Ok(Some(ours(level))),
            Err(_) => wanted.parse().map(Some).map_err(|_| {
                Failure::usage(format!(
                    "{ENVIRONMENT} is '{}': it may be error, warn, info, debug or trace, or by part as \
                     cooee_mdns=debug",
                    escape::text(wanted)
                ))
            }),
        },
        (None, 0 | 1) => Ok(None),
        (None, 2) => Ok(Some(ours(LevelFilter::DEBUG))),
        (None, _) => Ok(Some(ours(LevelFilter::TRACE))),
    }
}

fn ours(level: LevelFilter) -> Targets {
    ["cooee", "cooee_mdns", "cooee_sd"]
        .into_iter()
        .fold(Targets::new(), |targets, part| {
            targets.with_target(part, level)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_v_and_wrong_words_are_refused() {
        assert!(targets(0, None).unwrap().is_none());
        assert!(targets(1, Some("")).unwrap().is_none());
        assert!(targets(2, None).unwrap().is_some());
        assert!(targets(0, Some("debug")).unwrap().is_some());
        assert!(targets(0, Some("cooee_mdns=trace")).unwrap().is_some());
        assert!(
            targets(0, Some("cooee=loud"))
                .unwrap_err()
                .text
                .contains("COOEE_LOG")
        );
    }
}
