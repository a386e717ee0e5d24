//! After shutdown a process has no thread and no socket of ours any more. Alone in its file: it counts those of the whole process.
#![cfg(all(target_os = "linux", feature = "blocking"))]

use std::fs;
use std::time::{Duration, Instant};

use cooee::blocking::Listener;
use cooee::{Links, Zeroconf};

/// The threads and sockets of this process.
fn threads_and_sockets() -> (usize, usize) {
    let threads = fs::read_dir("/proc/self/task").expect("threads");
    let files = fs::read_dir("/proc/self/fd").expect("files");
    let files = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    let is_socket = |file: &std::path::PathBuf| file.to_string_lossy().starts_with("socket:");
    (threads.count(), files.filter(is_socket).count())
}

/// Starts and shuts down once; tells what there was meanwhile. `None`: there are no sockets to be had.
fn one_life() -> Option<(usize, usize)> {
    let builder = Zeroconf::builder().links(Links::loopback());
    let zeroconf = match builder.start_blocking() {
        Ok(zeroconf) => zeroconf,
        Err(error) if error.is_network() => {
            eprintln!("skipped: {error}");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let listening = zeroconf.listen("_http._tcp", Listener::new());
    let meanwhile = threads_and_sockets();
    zeroconf.shutdown();
    drop(listening.expect("a thread"));
    Some(meanwhile)
}

#[test]
fn no_thread_and_no_socket_is_left_after_shutdown() {
    // tokio keeps a pair of sockets for signals once a runtime has been made, if anything in the program has that feature on.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    drop(runtime.unwrap());
    let before = threads_and_sockets();
    let Some((threads, sockets)) = one_life() else {
        return;
    };
    // That of the network, and that of the callbacks.
    assert_eq!(threads - before.0, 2);
    assert!(sockets > before.1);
    // The thread of the network ends by itself.
    let end = Instant::now() + Duration::from_secs(20);
    while threads_and_sockets() != before && Instant::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(threads_and_sockets(), before);
}
