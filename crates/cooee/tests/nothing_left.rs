//! After shutdown a process has no thread and no socket of ours any more. Alone in its file: it counts those of the whole process.
#![cfg(all(target_os = "linux", feature = "blocking"))]

use std::fs;
use std::time::{Duration, Instant};

use cooee::blocking::Listener;
use cooee::{Links, Zeroconf};

/// Threads that are called as ours are, and sockets.
fn ours() -> (usize, usize) {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let threads =
        threads.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    let files = fs::read_dir("/proc/self/fd").unwrap();
    let files = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    (
        threads.filter(|name| name.starts_with("cooee")).count(),
        files
            .filter(|file| file.to_string_lossy().starts_with("socket:"))
            .count(),
    )
}

#[test]
fn no_thread_and_no_socket_is_left_after_shutdown() {
    let before = ours();
    let zeroconf = match Zeroconf::builder()
        .links(Links::loopback())
        .start_blocking()
    {
        Ok(zeroconf) => zeroconf,
        Err(error) if error.is_network() => {
            eprintln!("skipped: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let listening = zeroconf.listen("_http._tcp", Listener::new()).unwrap();
    // That of the network, and that of the callbacks.
    let (threads, sockets) = ours();
    assert_eq!(threads - before.0, 2);
    assert!(sockets > before.1);
    zeroconf.shutdown();
    drop(listening);
    // The thread of the network ends by itself.
    let end = Instant::now() + Duration::from_secs(20);
    while ours() != before && Instant::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(ours(), before);
}
