//! The screen as a person sees it, cell by cell.

use std::time::{Duration, UNIX_EPOCH};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Modifier;

use super::state::{MOST_PACKETS, Pane};
use super::*;
use crate::clock::Moment;
use crate::picture::{Picture, examples};
use crate::scene::overheard::Overheard;
use crate::scene::{LinkState, Named, Scene};

fn at(seconds: u64) -> Moment {
    Moment {
        wall: UNIX_EPOCH,
        since_start: Duration::from_secs(seconds),
    }
}

const LONG: Duration = Duration::from_secs(120);

fn service(instance: &str, kind: &str) -> Picture {
    Picture {
        identity: examples::identity(instance.as_bytes(), kind),
        ..examples::web_server()
    }
}

/// A scene, a state, and a screen to see them on.
struct Stage {
    scene: Scene,
    state: State,
    now: u64,
    terminal: Terminal<TestBackend>,
}

impl Stage {
    fn new(width: u16, height: u16) -> Self {
        let mut scene = Scene::default();
        scene.connect([LinkState {
            interface: examples::interface("eth0", 2),
            state: "up",
            why: None,
        }]);
        scene.announce("_afpovertcp._tcp", Some(Vec::new()));
        for picture in [
            examples::web_server(),
            service("Lobby printer", "_ipp._tcp"),
            service("日本語のプリンタ、とても長い名前", "_ipp._tcp"),
        ] {
            scene.see(picture, LONG, at(0));
        }
        scene.miss(
            Named {
                identity: examples::identity(b"Nowhere", "_ssh._tcp"),
                missing: vec!["srv", "address"],
                links: vec![examples::interface("eth0", 2)],
            },
            at(0),
        );
        Self {
            scene,
            state: State::default(),
            now: 30,
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
        }
    }

    fn key(&mut self, code: KeyCode) -> Effect {
        self.chord(code, KeyModifiers::NONE)
    }

    fn chord(&mut self, code: KeyCode, modifiers: KeyModifiers) -> Effect {
        let key = KeyEvent::new(code, modifiers);
        match action(&key, self.state.is_typing()) {
            Some(action) => self
                .state
                .act(action, &self.scene, Duration::from_secs(self.now)),
            None => Effect::None,
        }
    }

    fn letters(&mut self, letters: &str) -> Effect {
        let keys = letters.chars().map(KeyCode::Char);
        keys.fold(Effect::None, |_, key| self.key(key))
    }

    /// The screen, line by line, without the spaces at the ends.
    fn screen(&mut self) -> String {
        let (state, scene, now) = (&mut self.state, &self.scene, Duration::from_secs(self.now));
        let drawn = self
            .terminal
            .draw(|frame| draw(frame, state, scene, true, now))
            .unwrap();
        let buffer = drawn.buffer;
        let width = usize::from(buffer.area.width);
        let rows = buffer.content.chunks(width).map(|row| {
            let mut line = String::new();
            let mut hidden = 0;
            for cell in row {
                // What follows a wide character is covered by it.
                if hidden > 0 {
                    hidden -= 1;
                    continue;
                }
                line.push_str(cell.symbol());
                hidden = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            }
            line.trim_end().to_owned()
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    fn reversed(&mut self) -> String {
        self.screen();
        let buffer = self.terminal.backend().buffer();
        let cells = buffer.content.iter();
        cells
            .filter(|cell| cell.modifier.contains(Modifier::REVERSED))
            .map(|cell| cell.symbol())
            .collect::<String>()
            // The type stands behind the name where there is room.
            .split("   ")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    }
}

#[test]
fn three_panes_fit_into_100_columns() {
    insta::assert_snapshot!(Stage::new(100, 30).screen());
}

#[test]
fn three_panes_fit_into_60_columns_and_15_rows() {
    insta::assert_snapshot!(Stage::new(60, 15).screen());
}

#[test]
fn a_terminal_that_is_too_small_is_told_so() {
    for (width, height) in [(59, 30), (80, 14), (20, 3), (1, 1)] {
        let screen = Stage::new(width, height).screen();
        assert!(!screen.contains("Types"), "{screen}");
    }
    assert!(Stage::new(59, 30).screen().contains("59×30 is too small"));
}

#[test]
fn the_keys_move_through_panes_and_rows() {
    let mut stage = Stage::new(100, 30);
    assert_eq!(stage.reversed(), "Keith’s web server");
    stage.key(KeyCode::Down);
    assert_eq!(stage.reversed(), "Lobby printer");
    stage.letters("jjjjjjjj");
    assert!(stage.reversed().starts_with("日"));
    stage.letters("gk");
    assert_eq!(stage.reversed(), "Keith’s web server");
    stage.letters("h");
    assert!(stage.reversed().starts_with("All"), "{}", stage.reversed());
    // Apple File Sharing has none; Internet Printing has two.
    stage.letters("jj");
    assert!(stage.reversed().starts_with("Internet Printing"));
    assert!(stage.screen().contains("Services 2"));
    stage.key(KeyCode::Tab);
    assert_eq!(stage.reversed(), "Lobby printer");
    stage.key(KeyCode::Tab);
    assert_eq!(stage.state.pane, Pane::Details);
    stage.key(KeyCode::Tab);
    assert_eq!(stage.state.pane, Pane::Types);
    stage.key(KeyCode::BackTab);
    assert_eq!(stage.state.pane, Pane::Details);
}

#[test]
fn a_search_narrows_all_panes_until_escape() {
    let mut stage = Stage::new(100, 30);
    stage.letters("/printER");
    let screen = stage.screen();
    assert!(screen.contains("/printER▏"), "{screen}");
    assert!(screen.contains("1 of 4 services"), "{screen}");
    assert!(!screen.contains("Keith"), "{screen}");
    // Letters are letters while one types.
    assert_eq!(stage.letters("q"), Effect::None);
    stage.key(KeyCode::Backspace);
    stage.key(KeyCode::Enter);
    assert_eq!(stage.reversed(), "Lobby printer");
    stage.key(KeyCode::Esc);
    assert!(stage.screen().contains("Keith"));
    for _ in 0..10_000 {
        stage.letters("/x");
    }
    assert!(stage.screen().lines().count() == 30);
}

#[test]
fn details_take_the_whole_screen_and_scroll() {
    let mut stage = Stage::new(60, 15);
    stage.key(KeyCode::Enter);
    let screen = stage.screen();
    assert!(!screen.contains("Types"), "{screen}");
    assert!(screen.contains("http://tabasco.local:8080/"), "{screen}");
    stage.key(KeyCode::End);
    let screen = stage.screen();
    assert!(screen.contains("links"), "{screen}");
    stage.key(KeyCode::Esc);
    assert!(stage.screen().contains("Types"));
}

#[test]
fn what_is_copied_and_opened_is_that_which_is_picked() {
    let mut stage = Stage::new(100, 30);
    stage.screen();
    assert_eq!(stage.letters("c"), Effect::Copy("192.0.2.17".into()));
    assert!(stage.screen().contains("copied 192.0.2.17"));
    let Effect::Copy(json) = stage.letters("C") else {
        panic!("something is copied");
    };
    assert!(json.starts_with(r#"{"event":"added""#), "{json}");
    let url = "http://tabasco.local:8080/";
    assert_eq!(stage.letters("o"), Effect::Open(url.into()));
    stage.letters("jj");
    stage.screen();
    assert_eq!(stage.letters("o"), Effect::None);
    assert!(stage.screen().contains("cannot be opened"));
    stage.now += 10;
    assert!(!stage.screen().contains("cannot be opened"));
}

#[test]
fn what_is_gone_is_marked_and_then_out_of_sight() {
    let mut stage = Stage::new(100, 30);
    stage.scene.lose("Lobby printer._ipp._tcp.local", at(30));
    let screen = stage.screen();
    assert!(screen.contains("- Lobby printer"), "{screen}");
    assert!(screen.contains("3 services"), "{screen}");
    stage.letters("j");
    assert!(stage.screen().contains("gone"));
    stage.scene.fade(Duration::from_secs(40));
    stage.now = 40;
    let screen = stage.screen();
    assert!(!screen.contains("Lobby"), "{screen}");
    assert!(!stage.reversed().is_empty(), "another one is picked");
}

#[test]
fn names_are_hostile_here_too() {
    let mut stage = Stage::new(100, 30);
    stage.scene.see(examples::hostile(), LONG, at(0));
    let screen = stage.screen();
    assert!(screen.contains("\\027[31mred\\010"), "{screen}");
    for _ in 0..6 {
        stage.letters("j");
        let screen = stage.screen();
        let hostile = screen.chars().filter(|c| *c != '\n');
        assert!(
            hostile.clone().all(|c| !crate::escape::is_hostile(c)),
            "{screen}"
        );
    }
}

#[test]
fn packets_are_kept_up_to_a_bound_and_can_be_held() {
    let mut stage = Stage::new(100, 30);
    assert_eq!(stage.letters("p"), Effect::Listen(true));
    assert!(stage.screen().contains("nothing heard yet"));
    let shape = crate::monitor::Shape {
        width: Some(98),
        paint: crate::paint::Paint::OFF,
    };
    for number in 0..MOST_PACKETS + 50 {
        let line = Overheard::Failed(format!("packet {number}").into());
        stage.state.hear(&line, shape);
    }
    assert!(stage.screen().contains("packet 1049"));
    stage.letters(" ");
    stage.state.hear(&Overheard::Failed("unseen".into()), shape);
    assert!(!stage.screen().contains("unseen"));
    stage.key(KeyCode::Home);
    let screen = stage.screen();
    assert!(
        screen.contains("packet 50") && !screen.contains("packet 49 "),
        "{screen}"
    );
    stage.key(KeyCode::End);
    stage.state.miss(7);
    assert!(stage.screen().contains("7 more"), "it goes on");
    assert_eq!(stage.key(KeyCode::Esc), Effect::Listen(false));
    assert!(stage.screen().contains("Types"));
}

#[test]
fn help_lies_above_until_the_next_key() {
    let mut stage = Stage::new(60, 15);
    stage.letters("?");
    let screen = stage.screen();
    assert!(
        screen.contains("Keys") && screen.contains("Ctrl-L"),
        "{screen}"
    );
    stage.letters("j");
    assert!(!stage.screen().contains("Ctrl-L"));
    assert_eq!(
        stage.reversed(),
        "Keith’s web server",
        "that key did no more"
    );
}

#[test]
fn the_end_and_a_fresh_start_are_keys_at_any_time() {
    for search in ["", "/"] {
        let mut stage = Stage::new(60, 15);
        stage.letters(search);
        let end = stage.chord(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(end, Effect::Quit);
        let redraw = stage.chord(KeyCode::Char('l'), KeyModifiers::CONTROL);
        assert_eq!(redraw, Effect::Redraw);
    }
    assert_eq!(Stage::new(60, 15).letters("q"), Effect::Quit);
}

#[test]
fn an_empty_link_says_so_and_no_key_harms() {
    let mut stage = Stage::new(60, 15);
    stage.scene = Scene::default();
    let screen = stage.screen();
    assert!(screen.contains("nothing yet"), "{screen}");
    assert!(screen.contains("no usable link"), "{screen}");
    stage.letters("jkhlgGcCoy");
    stage.key(KeyCode::PageDown);
    stage.key(KeyCode::Enter);
    assert!(stage.screen().contains("choose a service"));
}
