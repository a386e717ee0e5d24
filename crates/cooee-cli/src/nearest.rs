//! The nearest right word, for "did you mean".

use std::cmp::Reverse;

/// The candidate that is most like `word`, if any is near enough to be worth a guess.
///
/// Near enough is one slip in three letters; of equals wins the one that begins alike, then the longer one (letters
/// are forgotten more often than added), then the first.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word: Vec<char> = word
        .chars()
        .take(MAX_LEN + 1)
        .flat_map(char::to_lowercase)
        .collect();
    if word.is_empty() || word.len() > MAX_LEN {
        return None;
    }
    let allowed = (word.len() / 3).max(1);
    let near = candidates.into_iter().filter_map(|candidate| {
        let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
        if letters.len().abs_diff(word.len()) > allowed {
            return None;
        }
        let slips = distance(&word, &letters);
        let begins_otherwise = letters.first() != word.first();
        let rank = (slips, begins_otherwise, Reverse(letters.len()));
        // A word of one or two letters is near to everything.
        (slips <= allowed && slips < word.len()).then_some((rank, candidate))
    });
    near.min_by_key(|(rank, _)| *rank)
        .map(|(_, candidate)| candidate)
}

/// Arguments longer than this were not mistyped.
const MAX_LEN: usize = 64;

/// Counts the slips between two words: a letter too many, missing, wrong, or two swapped.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = vec![0; b.len() + 1];
    for (i, x) in a.iter().enumerate() {
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let wrong = last[j] + usize::from(x != y);
            let mut least = wrong.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x != y && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before_last[j - 1] + 1);
            }
            row[j + 1] = least;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_letters_are_one_slip() {
        assert_eq!(nearest("eht0", ["docker0", "lo", "eth0"]), Some("eth0"));
        assert_eq!(nearest("brwose", ["browse", "resolve"]), Some("browse"));
        assert_eq!(nearest("tpc", ["udp", "tcp"]), Some("tcp"));
        assert_eq!(nearest("htp", ["ftp", "hap", "http"]), Some("http"));
    }

    #[test]
    fn a_strange_word_has_no_neighbour() {
        assert_eq!(
            nearest("frobnicate", ["browse", "resolve", "publish"]),
            None
        );
        assert_eq!(nearest("", ["browse"]), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest(&"a".repeat(100_000), ["a"]), None);
    }

    #[test]
    fn case_is_no_slip() {
        assert_eq!(nearest("BROWSE", ["browse"]), Some("browse"));
    }
}
