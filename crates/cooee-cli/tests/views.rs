//! What `cooee tui` does to a terminal, in tmux, and how `cooee ui` begins and ends.

mod namespace;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use namespace::{Running, cooee, in_namespace, text};

/// Generous: other programs may be busy on this machine.
const LONG: Duration = Duration::from_secs(60);

/// A terminal with a shell in it.
struct Terminal {
    folder: PathBuf,
}

impl Terminal {
    /// Opens one of 100 columns and 30 rows, if there is tmux.
    fn open() -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("cooee-views-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the socket");
        let terminal = Self { folder };
        let words = ["new-session", "-d", "-x", "100", "-y", "30", "sh"];
        terminal.tmux(&words).map(|_| terminal)
    }

    fn file(&self, name: &str) -> String {
        let path: &Path = &self.folder.join(name);
        path.display().to_string()
    }

    fn tmux(&self, words: &[&str]) -> Option<String> {
        let output = Command::new("tmux")
            .args(["-f", "/dev/null", "-S", &self.file("socket")])
            .args(words)
            .output()
            .ok()?;
        output.status.success().then(|| text(&output.stdout))
    }

    fn keys(&self, keys: &[&str]) {
        let words = [&["send-keys"], keys].concat();
        self.tmux(&words).expect("the keys are taken");
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
            .expect("there is a screen")
    }

    /// Waits until the screen has this.
    fn until(&self, what: &str, has: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            if has(&screen) {
                return screen;
            }
            assert!(begun.elapsed() < LONG, "no {what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The settings of the terminal, as a program outside sees them.
    fn settings(&self, name: &str) -> String {
        let file = self.file(name);
        self.keys(&[
            &format!("stty -g > {file}.part; mv {file}.part {file}"),
            "Enter",
        ]);
        self.read(name)
    }

    /// What a program in the terminal wrote.
    fn read(&self, name: &str) -> String {
        let begun = Instant::now();
        loop {
            if let Ok(text) = std::fs::read_to_string(self.file(name)) {
                return text;
            }
            assert!(begun.elapsed() < LONG, "no {name}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Starts the command; its number and, when it is over, its code are in files.
    fn start(&self, name: &str) -> u32 {
        let (id, code) = (
            self.file(&format!("{name}-id")),
            self.file(&format!("{name}-code")),
        );
        let command = env!("CARGO_BIN_EXE_cooee");
        self.keys(&[
            &format!(
                "clear; sh -c 'echo $$ > {id}.part; mv {id}.part {id}; exec {command} tui -i lo'; echo $? > {code}.part; mv {code}.part {code}"
            ),
            "Enter",
        ]);
        self.read(&format!("{name}-id"))
            .trim()
            .parse()
            .expect("a number")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_terminal_shows_what_is_there_and_is_as_before_after_every_end() {
    if !in_namespace("a_terminal_shows_what_is_there_and_is_as_before_after_every_end") {
        return;
    }
    let Some(terminal) = Terminal::open() else {
        println!("skipped: no tmux here");
        return;
    };
    let mut publisher = Running::start(&["publish", "-j", "-i", "lo", "Lobby", "ipp", "631"]);
    assert_eq!(publisher.event()["event"], "registered");
    let before = terminal.settings("before");

    terminal.start("key");
    let screen = terminal.until("service", |screen| screen.contains("Lobby"));
    assert!(screen.contains("│Internet Printing"), "{screen}");
    let screen = terminal.until("details", |screen| screen.contains("ipp://"));
    assert!(screen.contains("127.0.0.1"), "{screen}");
    terminal.keys(&["/", "n", "o", "Enter"]);
    terminal.until("end of it", |screen| screen.contains("nothing matches"));
    terminal.keys(&["Escape"]);
    terminal.until("it again", |screen| screen.contains("ipp://"));
    publisher.signal("-INT");
    terminal.until("goodbye", |screen| screen.contains("- Lobby"));
    terminal.tmux(&["resize-window", "-x", "60", "-y", "15"]);
    terminal.until("small panes", |screen| {
        screen
            .lines()
            .nth(13)
            .is_some_and(|line| line.contains('╰'))
    });
    terminal.keys(&["q"]);
    assert_eq!(terminal.read("key-code"), "0\n");
    terminal.tmux(&["resize-window", "-x", "100", "-y", "30"]);
    let screen = terminal.until("the shell again", |screen| !screen.contains("Types"));
    assert!(!screen.contains('╭'), "{screen}");
    assert_eq!(terminal.settings("after-key"), before);

    let id = terminal.start("signal");
    terminal.until("panes", |screen| screen.contains("Types"));
    let kill = Command::new("kill").arg(id.to_string()).status();
    assert!(kill.is_ok_and(|status| status.success()));
    assert_eq!(terminal.read("signal-code"), "0\n");
    terminal.until("the shell again", |screen| !screen.contains("Types"));
    assert_eq!(terminal.settings("after-signal"), before);
}

#[test]
fn without_a_terminal_there_are_no_panes() {
    let output = cooee(&["tui"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "cooee: tui needs a terminal; use browse\n"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn a_page_whose_port_is_taken_is_told_in_a_line() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
    let port = taken.local_addr().expect("it is bound").port();
    let output = cooee(&["ui", "--port", &port.to_string()]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        text(&output.stderr),
        format!("cooee: cannot serve at port {port} of 127.0.0.1: address already in use\n")
    );
}

#[test]
fn a_page_says_where_it_is_and_ends_when_told() {
    if !in_namespace("a_page_says_where_it_is_and_ends_when_told") {
        return;
    }
    let mut page = Running::start(&["ui", "-i", "lo"]);
    let lines = page.lines.as_mut().expect("somebody reads");
    let line = lines.next().expect("a line").expect("UTF-8");
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    assert!(line.contains("/?token="), "{line}");
    page.signal("-TERM");
    assert_eq!(page.code(), Some(0));
}
