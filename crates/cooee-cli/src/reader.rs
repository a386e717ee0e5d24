//! Whether anybody still reads the output: `cooee browse http | head -1` must end when `head` does, not when the next
//! line is written.

use tokio::sync::watch;

/// Knows whether the reader of our output went away.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    gone: watch::Receiver<bool>,
}

impl Reader {
    /// Begins to watch, on a thread of its own that ends with the process: waiting for a pipe to break blocks.
    pub(crate) fn watch() -> Self {
        let (tell, gone) = watch::channel(false);
        // Without the thread a broken pipe is noticed at the next line.
        let _ = std::thread::Builder::new()
            .name("reader".into())
            .spawn(move || {
                if wait_for_broken_pipe() {
                    // The receiver may be gone: then the end is near anyway.
                    let _ = tell.send(true);
                }
            });
        Self { gone }
    }

    /// Waits until nobody reads any more. Cancel safe.
    pub(crate) async fn gone(&mut self) {
        if self.gone.wait_for(|gone| *gone).await.is_err() {
            // The thread gave up: it cannot be known.
            std::future::pending().await
        }
    }
}

/// Blocks until the other end of standard output is closed; gives false where that cannot be known.
#[cfg(unix)]
fn wait_for_broken_pipe() -> bool {
    use std::os::fd::AsFd;

    use nix::errno::Errno;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    let stdout = std::io::stdout();
    // Nothing is asked for: what is reported always (an error, the other end closed) is meant.
    let mut watched = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    loop {
        match poll(&mut watched, PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            Err(_) => return false,
            Ok(_) => {
                let seen = watched
                    .iter()
                    .filter_map(PollFd::revents)
                    .fold(PollFlags::empty(), PollFlags::union);
                return seen.intersects(PollFlags::POLLERR | PollFlags::POLLHUP);
            }
        }
    }
}

#[cfg(not(unix))]
fn wait_for_broken_pipe() -> bool {
    false
}
