//! The server over loopback, asked by hand: what a browser would not send is what matters here.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;
use crate::clock::Clock;
use crate::monitor::{Inspector, Packet};
use crate::picture::{Picture, examples};
use crate::scene::overheard::Overheard;
use crate::ui::connections;

const LONG: Duration = Duration::from_secs(60);

struct Running {
    port: u16,
    token: String,
    shared: Shared,
    ear: Ear,
    tell: watch::Sender<u64>,
    end: watch::Sender<bool>,
    serving: JoinHandle<io::Result<()>>,
}

impl Running {
    async fn start() -> Self {
        let (shared, tell) = Shared::new(Clock::start());
        let server = Server::bind(0).await.unwrap();
        let url = server.url();
        let (port, token) = url
            .strip_prefix("http://127.0.0.1:")
            .and_then(|rest| rest.split_once("/?token="))
            .unwrap();
        let (end, ends) = watch::channel(false);
        let ear = Ear::new();
        Self {
            port: port.parse().unwrap(),
            token: token.to_owned(),
            serving: tokio::spawn(server.run(shared.clone(), ear.clone(), ends)),
            shared,
            ear,
            tell,
            end,
        }
    }

    /// Changes the scene, and says so.
    fn change(&self, change: impl FnOnce(&mut crate::scene::Scene, crate::clock::Moment)) {
        change(&mut self.shared.scene(), self.shared.clock.now());
        self.tell.send_modify(|count| *count += 1);
    }

    fn see(&self, picture: &Picture) {
        self.change(|scene, now| {
            scene.see(picture.clone(), LONG, now);
        });
    }

    async fn connect(&self, request: &str, headers: &[&str]) -> TcpStream {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .await
            .unwrap();
        let mut text = format!("{request} HTTP/1.1\r\n");
        for header in headers {
            text.push_str(header);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// One whole answer: head and body.
    async fn ask(&self, request: &str, headers: &[&str]) -> (String, String) {
        let headers = [headers, &["Connection: close"]].concat();
        let mut stream = self.connect(request, &headers).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), body.to_owned())
    }

    fn host(&self) -> String {
        format!("Host: 127.0.0.1:{}", self.port)
    }

    fn cookie(&self) -> String {
        format!("Cookie: cooee-{}={}", self.port, self.token)
    }

    async fn get(&self, path: &str) -> (String, String) {
        self.ask(&format!("GET {path}"), &[&self.host(), &self.cookie()])
            .await
    }

    async fn events(&self) -> Page {
        self.stream("/events").await
    }

    async fn stream(&self, path: &str) -> Page {
        let stream = self
            .connect(&format!("GET {path}"), &[&self.host(), &self.cookie()])
            .await;
        let mut page = Page {
            lines: BufReader::new(stream).lines(),
        };
        assert_eq!(page.line().await, "HTTP/1.1 200 OK");
        page
    }
}

/// A page that reads its events.
struct Page {
    lines: tokio::io::Lines<BufReader<TcpStream>>,
}

impl Page {
    async fn line(&mut self) -> String {
        let line = self.lines.next_line();
        line.await.unwrap().expect("it goes on")
    }

    /// The next event: its name, number and object.
    async fn event(&mut self) -> (String, u64, serde_json::Value) {
        let event = tokio::time::timeout(LONG, self.read_event());
        event.await.expect("in time")
    }

    async fn read_event(&mut self) -> (String, u64, serde_json::Value) {
        let name = loop {
            // Heads, chunk sizes and comments lie between.
            if let Some(name) = self.line().await.strip_prefix("event: ") {
                break name.to_owned();
            }
        };
        let id = self.line().await;
        let data = self.line().await;
        let data = data.strip_prefix("data: ").expect("data come last");
        let object: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(object["event"], name.as_str());
        let id = id.strip_prefix("id: ").expect("the number comes second");
        (name, id.parse().unwrap(), object)
    }

    async fn named(&mut self) -> String {
        self.event().await.0
    }
}

#[tokio::test]
async fn the_token_buys_a_cookie_and_leaves_the_address() {
    let running = Running::start().await;
    let (head, body) = running
        .ask(
            &format!("GET /?token={}", running.token),
            &[&running.host()],
        )
        .await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let cookie = format!(
        "set-cookie: cooee-{}={}; path=/; httponly; samesite=strict",
        running.port, running.token
    );
    assert!(head.contains(&cookie), "{head}");
    assert!(body.contains("content=\"0; url=/\""), "{body}");

    let (head, body) = running.get("/").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/html"));
    assert!(body.contains("<title>"));
}

#[tokio::test]
async fn who_may_not_gets_one_sentence() {
    let running = Running::start().await;
    let (host, cookie) = (running.host(), running.cookie());
    let rebound = format!("Host: rebound.example:{}", running.port);
    for (request, headers, status) in [
        ("GET /", vec![host.as_str()], 403),
        ("GET /?token=0", vec![&host], 403),
        ("GET /events", vec![&host], 403),
        ("GET /app.js", vec![&host], 403),
        ("GET /no-such", vec![&host], 403),
        ("GET /", vec![&rebound, &cookie], 421),
        (
            "GET /",
            vec![&host, &cookie, "Origin: http://a.example"],
            403,
        ),
        (
            "POST /events",
            vec![&host, &cookie, "Content-Length: 0"],
            405,
        ),
        ("HEAD /", vec![&host, &cookie], 405),
        ("DELETE /", vec![&host, &cookie], 405),
        ("GET /no-such", vec![&host, &cookie], 404),
        ("GET /../Cargo.toml", vec![&host, &cookie], 404),
    ] {
        let (head, body) = running.ask(request, &headers).await;
        assert!(
            head.starts_with(&format!("http/1.1 {status}")),
            "{request}: {head}"
        );
        if !request.starts_with("HEAD") {
            assert_eq!(body.lines().count(), 1, "{request}: {body}");
        }
        assert!(!head.contains("set-cookie"), "{request}: {head}");
        assert_eq!(head.contains("allow: get"), status == 405, "{head}");
    }
}

#[tokio::test]
async fn every_answer_forbids_what_is_not_ours() {
    let running = Running::start().await;
    for path in FILES
        .iter()
        .map(|(path, _, _)| *path)
        .chain(["/no-such", "/?token=0"])
    {
        let (head, _) = running.get(path).await;
        for line in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self';",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(head.contains(line), "{path}: {head}");
        }
        assert!(!head.contains("unsafe"), "{head}");
    }
}

#[test]
fn the_page_is_whole_and_asks_for_nothing_from_elsewhere() {
    for (path, kind, content) in FILES {
        for scheme in ["http://", "https://", "ws://", "//cdn"] {
            let foreign = content
                .match_indices(scheme)
                .filter(|(at, _)| !content[*at..].starts_with("http://www.w3.org/"))
                .count();
            assert_eq!(foreign, 0, "{path} names {scheme}");
        }
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            " style=\"",
            "onclick=",
        ] {
            assert!(!content.contains(forbidden), "{path} has {forbidden}");
        }
        // What a script or a sheet asks for is in the table.
        let named = content.split(['"', '\'']).filter_map(|word| {
            let own = word.strip_prefix("./").unwrap_or(word);
            let file = own.trim_start_matches('/');
            let known = [".js", ".css", ".svg"];
            let is_file = known.iter().any(|end| file.ends_with(end)) && !file.contains(' ');
            is_file.then_some(file)
        });
        for file in named.filter(|_| *kind != PICTURE) {
            let there = FILES
                .iter()
                .any(|(path, _, _)| path.trim_start_matches('/') == file);
            assert!(there, "{path} asks for {file}");
        }
    }
}

#[tokio::test]
async fn a_page_is_told_all_and_then_each_change_in_order() {
    let running = Running::start().await;
    let web = examples::web_server();
    running.see(&web);
    let mut page = running.events().await;
    let (name, id, object) = page.event().await;
    assert_eq!((name.as_str(), id), ("snapshot", 1));
    assert_eq!(object["services"][0]["name"], "Keith’s web server");
    assert_eq!(object["services"][0]["expires_in"], 59);
    assert_eq!(object["hosts"][0]["host"], "tabasco.local");
    assert_eq!(object["beyond"], 0);

    running.see(&examples::hostile());
    let (name, id, object) = page.event().await;
    assert_eq!((name.as_str(), id), ("host", 2));
    assert_eq!(object["addresses"][0]["scope"], "link");
    let (name, id, object) = page.event().await;
    assert_eq!((name.as_str(), id), ("added", 3));
    assert_eq!(object["port"], 63100);

    running.see(&Picture {
        port: 81,
        ..web.clone()
    });
    let (name, _, object) = page.event().await;
    assert_eq!(name, "updated");
    assert_eq!(object["changed"], serde_json::json!(["port"]));

    running.change(|scene, now| {
        scene.lose(&web.identity.service, now);
        scene.announce("_ipp._tcp", Some(Vec::new()));
    });
    assert_eq!(page.named().await, "type");
    let (name, _, object) = page.event().await;
    assert_eq!(
        (name.as_str(), &object["addresses"]),
        ("host", &serde_json::json!([]))
    );
    let (name, _, object) = page.event().await;
    assert_eq!(name, "removed");
    assert_eq!(object["service"], web.identity.service.as_str());

    // Another page, or the same after a break, begins anew.
    let mut another = running.events().await;
    let (name, id, object) = another.event().await;
    assert_eq!((name.as_str(), id), ("snapshot", 1));
    assert_eq!(object["services"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_page_that_does_not_read_gets_the_outcome() {
    let running = Running::start().await;
    let mut page = running.events().await;
    assert_eq!(page.named().await, "snapshot");
    // More than any buffer between us holds, if each change were told.
    let web = examples::web_server();
    let large = |round: u16| Picture {
        port: round,
        txt: vec![vec![b'x'; 200]; 100],
        ..web.clone()
    };
    for round in 1..=5_000 {
        running.see(&large(round));
        tokio::task::yield_now().await;
    }
    let mut told = 0;
    loop {
        let (name, _, object) = page.event().await;
        told += usize::from(name == "updated" || name == "added");
        if object["port"] == 5_000 {
            break;
        }
    }
    assert!(told < 500, "{told} states of 5000 were told");
}

#[tokio::test]
async fn packets_are_for_pages_that_ask_for_them() {
    let running = Running::start().await;
    let mut plain = running.events().await;
    assert_eq!(plain.named().await, "snapshot");
    let mut page = running.stream("/events?packets=1").await;
    assert_eq!(page.named().await, "snapshot");
    // What is wrong with it follows it; here nothing is looked for.
    let mut inspector = Inspector::new(false);
    let mut payload = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    payload.extend(b"\x05_http\x04_tcp\x05local\0\0\x0c\0\x01");
    let seen = inspector.inspect(Packet {
        moment: running.shared.clock.now(),
        interface: Some(examples::interface("eth0", 2)),
        source: "192.0.2.17:5353".parse().unwrap(),
        destination: "224.0.0.251:5353".parse().unwrap(),
        hop_limit: Some(255),
        fragmented: None,
        payload,
    });
    running.ear.tell(Overheard::Packet(Arc::new(seen)));
    let (name, _, object) = page.event().await;
    assert_eq!(name, "packet");
    assert_eq!(object["questions"][0]["name"], "_http._tcp.local");
    running.ear.tell(Overheard::Failed("no".into()));
    assert_eq!(page.named().await, "trouble");

    running.see(&examples::web_server());
    assert_eq!(plain.named().await, "host", "nothing of packets");
}

#[tokio::test]
async fn at_the_end_each_page_hears_of_it_and_the_server_stops() {
    let running = Running::start().await;
    let mut page = running.events().await;
    assert_eq!(page.named().await, "snapshot");
    running.end.send(true).unwrap();
    assert_eq!(page.named().await, "end");
    let served = tokio::time::timeout(LONG, running.serving).await;
    served.expect("it stops").unwrap().unwrap();
}

#[tokio::test]
async fn there_is_a_most_of_pages_and_of_connections() {
    let running = Running::start().await;
    let mut pages = Vec::new();
    for _ in 0..MOST_PAGES {
        pages.push(running.events().await);
    }
    let (head, body) = running.get("/events").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert_eq!(body, "Too many pages are open; close one.\n");
    // Whoever closes a page makes room.
    pages.pop();
    let room = async {
        loop {
            let stream = running
                .connect("GET /events", &[&running.host(), &running.cookie()])
                .await;
            let first = BufReader::new(stream).lines().next_line().await;
            if first.unwrap().as_deref() == Some("HTTP/1.1 200 OK") {
                break;
            }
        }
    };
    tokio::time::timeout(LONG, room)
        .await
        .expect("there is room");

    // One more than there may be waits until another goes.
    let mut silent = Vec::new();
    for _ in pages.len()..connections::MOST + 4 {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, running.port)).await;
        silent.push(stream.unwrap());
    }
    let waits = tokio::time::timeout(Duration::from_millis(200), running.get("/")).await;
    assert!(waits.is_err(), "too many connections are served");
    drop(silent);
    let served = tokio::time::timeout(LONG, running.get("/")).await;
    assert!(served.is_ok_and(|(head, _)| head.starts_with("http/1.1 200")));
}
