//! Several functions measured in turns, and the table of them.
//!
//! criterion measures one function after the other, so that its means also compare what else the machine did
//! meanwhile. For the ratios, all functions take turns instead, many times, and the fastest turn of each counts: the one
//! that was disturbed least.

use std::time::{Duration, Instant};

/// How often each function has its turn.
const TURNS: usize = 300;

/// How long a turn lasts at least, so that the clock is fine enough.
const TURN: Duration = Duration::from_micros(20);

/// Something to measure.
pub type Work<'w> = Box<dyn FnMut() + 'w>;

/// One column: what the functions work on, and the functions in the order of the rows.
pub type Column<'w> = (&'static str, Vec<Work<'w>>);

/// Measures in turns, and prints nanoseconds and ratios to the first row, the floor, which is printed last.
pub fn print(title: &str, rows: &[&str], columns: Vec<Column<'_>>) {
    println!("\n{title}\n");
    let (heads, columns): (Vec<_>, Vec<_>) = columns
        .into_iter()
        .map(|(head, works)| (head, in_turns(works)))
        .unzip();
    println!("| | {} |", heads.join(" | "));
    println!("|---|{}", "--:|".repeat(heads.len()));
    for (row, name) in rows
        .iter()
        .enumerate()
        .skip(1)
        .chain(rows.iter().enumerate().take(1))
    {
        let cells = columns.iter().map(|times| {
            let (time, floor) = (times[row], times[0]);
            format!("{time:.0} ns, {:.2} ×", time / floor)
        });
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}

/// The nanoseconds of the fastest turn of each.
fn in_turns(mut works: Vec<Work<'_>>) -> Vec<f64> {
    let repeats: Vec<u32> = works
        .iter_mut()
        .map(|work| {
            work();
            let once = timed(1, work);
            (TURN.as_nanos() / once.as_nanos().max(1)) as u32 + 1
        })
        .collect();
    let mut fastest = vec![f64::INFINITY; works.len()];
    for _ in 0..TURNS {
        for ((work, repeats), fastest) in works.iter_mut().zip(&repeats).zip(&mut fastest) {
            let time = timed(*repeats, work).as_nanos() as f64 / f64::from(*repeats);
            *fastest = fastest.min(time);
        }
    }
    fastest
}

fn timed(repeats: u32, work: &mut Work<'_>) -> Duration {
    let start = Instant::now();
    for _ in 0..repeats {
        work();
    }
    start.elapsed()
}
