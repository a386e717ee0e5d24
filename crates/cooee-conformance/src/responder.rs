//! Tests of a responder, in the order of the RFC's life of a name.

mod answering;
mod birth;
mod claiming;
mod contents;
mod defending;
mod delays;
mod leaving;
mod negative;
mod robustness;
mod services;
mod suppression;
mod unicast;

use crate::stage::{Stage, Stop};
use crate::test::{Role, Start, Test};

/// All of them.
pub(crate) fn tests() -> impl Iterator<Item = Test> {
    let tables = [
        claiming::TESTS,
        defending::TESTS,
        answering::TESTS,
        contents::TESTS,
        negative::TESTS,
        delays::TESTS,
        suppression::TESTS,
        unicast::TESTS,
        services::TESTS,
        leaving::TESTS,
        robustness::TESTS,
    ];
    birth::tests().chain(tables.into_iter().flatten().copied())
}

const fn fresh(
    name: &'static str,
    clauses: &'static [&'static str],
    title: &'static str,
    limits: &'static str,
    run: fn(&mut Stage<'_>) -> Result<(), Stop>,
) -> Test {
    Test {
        name,
        clauses,
        title,
        limits,
        role: Role::Responder,
        start: Start::Fresh,
        run,
    }
}

const fn standing(
    name: &'static str,
    clauses: &'static [&'static str],
    title: &'static str,
    limits: &'static str,
    run: fn(&mut Stage<'_>) -> Result<(), Stop>,
) -> Test {
    Test {
        name,
        clauses,
        title,
        limits,
        role: Role::Responder,
        start: Start::Standing,
        run,
    }
}
