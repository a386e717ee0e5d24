//! Invented stories one after another, for as long as told: `cargo xtask soak`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cooee_sim::Story;

/// How often progress is told.
const TELL: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let minutes: f64 = number(arguments.next()).unwrap_or(1.0);
    let first: u64 = number(arguments.next()).unwrap_or(0);
    let start = Instant::now();
    let (mut told, mut stories) = (start, 0_u64);
    let (mut packets, mut simulated, mut slowest) = (0, Duration::ZERO, Duration::ZERO);
    while start.elapsed().as_secs_f64() < minutes * 60.0 {
        let seed = first + stories;
        match Story::invent(seed).run() {
            Ok(summary) => {
                packets += summary.packets;
                simulated += summary.simulated;
                slowest = slowest.max(summary.agreed_after);
            }
            Err(failure) => {
                println!("{failure}");
                println!("again: cargo xtask soak --minutes 0.01 --seed {seed}");
                return ExitCode::FAILURE;
            }
        }
        stories += 1;
        if told.elapsed() >= TELL {
            told = Instant::now();
            println!(
                "{:>5} s: {stories} stories, {packets} packets, {} simulated hours, agreed after {} s at the latest",
                start.elapsed().as_secs(),
                simulated.as_secs() / 3600,
                slowest.as_secs()
            );
        }
    }
    println!(
        "{stories} stories from seed {first}, {packets} packets, {} simulated hours: no rule was broken",
        simulated.as_secs() / 3600
    );
    ExitCode::SUCCESS
}

fn number<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
    text?.parse().ok()
}
