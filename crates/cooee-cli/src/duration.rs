//! Durations as people type them: `5`, `5s`, `500ms`, `2m`.

use std::time::Duration;

/// Reads a duration: a number with an optional fraction, in seconds unless a unit follows (`ms`, `s`, `m`, `h`).
///
/// # Errors
///
/// One sentence that quotes the text and says what is allowed.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1.0,
        "" | "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return Err(refuse(text)),
    };
    let number: f64 = match number.parse() {
        Ok(number) if number_is_plain(text) => number,
        _ => return Err(refuse(text)),
    };
    let seconds = number * millis / 1_000.0;
    if seconds > LONGEST.as_secs_f64() {
        return Err(format!(
            "'{}' is too long: at most 8760h, a year",
            crate::escape::text(text)
        ));
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err(format!(
            "'{}' is no time at all: it must be more than 0",
            crate::escape::text(text)
        )),
        Err(_) => Err(refuse(text)),
    }
}

/// No one waits longer, and deadlines stay far from where clocks overflow.
const LONGEST: Duration = Duration::from_secs(8_760 * 3_600);

fn number_is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn refuse(text: &str) -> String {
    format!(
        "'{}' is not a duration: write 5 or 5s, 500ms, 2m or 1h",
        crate::escape::text(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_the_unit_unless_one_is_named() {
        for (text, millis) in [
            ("5", 5_000),
            ("5s", 5_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("1.5", 1_500),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_right_forms() {
        for text in [
            "", "s", "-5", "5x", "5 s", "1.2.3", ".5", "1e9", "inf", "NaN", "5sec", "\u{663}",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("write 5 or 5s"), "{text}: {error}");
        }
        assert!(parse("0").unwrap_err().contains("more than 0"));
        assert!(parse("99999999999h").unwrap_err().contains("a year"));
    }
}
