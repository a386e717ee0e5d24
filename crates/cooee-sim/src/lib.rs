//! A simulated network in simulated time, for engines that do no I/O.
