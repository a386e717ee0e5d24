//! `cooee publish` with files, a command, a file of names, and a service manager; live, on loopback in a namespace.

mod namespace;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use namespace::{Running, command, cooee, in_namespace, text};

/// A folder of its own for a test, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("cooee-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).expect("temporary files can be made");
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.0.join(name);
        fs::write(&file, text).expect("temporary files can be written");
        file.display().to_string()
    }

    fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const TOML: &str = "\
host = \"pepper\"
[[service]]
name = \"Web on {host}\"
type = \"_http._tcp\"
port = 8080
ttl = 60
txt = { path = \"/\", flag = true, icon = { base64 = \"AP8=\" } }
";

const AVAHI: &str = "\
<!DOCTYPE service-group SYSTEM \"avahi-service.dtd\">
<service-group>
  <name>Shell</name>
  <service><type>_ssh._tcp</type><port>22</port></service>
</service-group>
";

const SYSTEMD: &str = "[Service]\nName=Files\nType=_sftp-ssh._tcp\nPort=22\nTxtText=u=keith\n";

/// The names that are registered or withdrawn next, sorted.
fn names(running: &mut Running, event: &str, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    while names.len() < count {
        let told = running.event();
        assert_eq!(told["event"], event, "{told}");
        names.push(told["name"].as_str().expect("a name").to_owned());
    }
    names.sort();
    names
}

#[test]
fn files_of_three_kinds_are_published_and_read_again() {
    if !in_namespace("files_of_three_kinds_are_published_and_read_again") {
        return;
    }
    let folder = Folder::new("files");
    folder.write("web.toml", TOML);
    folder.write("shell.service", AVAHI);
    folder.write("files.dnssd", SYSTEMD);
    let mut child = command(&["publish", "-i", "lo", "-j", "-f", &folder.path()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut talk = BufReader::new(child.stderr.take().expect("it was asked for")).lines();
    let mut publish = Running::of(child);
    assert_eq!(
        names(&mut publish, "registered", 3),
        ["Files", "Shell", "Web on pepper"]
    );

    let found = cooee(&["resolve", "-i", "lo", "-4", "-j", "Web on pepper", "http"]);
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(found["host"], "pepper.local");
    assert_eq!(found["ttl"]["srv"], 60);
    let txt = r#"[{"key":"flag"},{"key":"icon","raw":"aWNvbj0A/w=="},{"key":"path","value":"/"}]"#;
    assert_eq!(found["txt"].to_string(), txt);

    // What is as before stays, the rest goes or comes.
    folder.write("web.toml", &TOML.replace("8080", "8081"));
    fs::remove_file(folder.0.join("files.dnssd")).expect("it is there");
    publish.signal("-HUP");
    assert_eq!(
        names(&mut publish, "withdrawn", 2),
        ["Files", "Web on pepper"]
    );
    assert_eq!(names(&mut publish, "registered", 1), ["Web on pepper"]);

    // With a fault in them, all stays.
    let fault = "[[service]]\nname = 7\ntype = \"http\"\nport = 80\n";
    folder.write("web.toml", fault);
    publish.signal("-HUP");
    let fault = talk.next().expect("a line").expect("UTF-8");
    assert!(fault.contains("web.toml:2: 'name' must be text"), "{fault}");
    while !talk
        .next()
        .expect("another line")
        .expect("UTF-8")
        .contains("what was published stays")
    {}
    publish.signal("-TERM");
    assert_eq!(
        names(&mut publish, "withdrawn", 2),
        ["Shell", "Web on pepper"]
    );
    assert_eq!(publish.code(), Some(0));
}

#[test]
fn other_machines_are_published_together_and_the_files_read_again_meanwhile() {
    if !in_namespace("other_machines_are_published_together_and_the_files_read_again_meanwhile") {
        return;
    }
    let folder = Folder::new("proxies");
    let proxy = |last: u8| {
        format!(
            "[[service]]\nname = \"Printer {last}\"\ntype = \"_ipp._tcp\"\nport = 631\n\
             host = \"printer{last}\"\naddresses = [\"192.0.2.{last}\"]\n"
        )
    };
    let file = folder.write("printers.toml", &(1..=3).map(proxy).collect::<String>());
    // Without a link nothing can be probed.
    let lo = |state: &str| {
        let ip = Command::new("ip")
            .args(["link", "set", "lo", state])
            .status();
        assert!(ip.expect("ip is there").success());
    };
    lo("down");
    let mut child = command(&["publish", "-i", "lo", "-j", "-f", &file])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let talk = BufReader::new(child.stderr.take().expect("it was asked for"));
    let mut talk = talk.lines().map_while(Result::ok);
    let mut publish = Running::of(child);
    let mut next = || talk.next().expect("another line");
    let waiting = next();
    assert!(waiting.ends_with("waiting for one"), "{waiting}");
    let fault = "[[service]]\nname = 7\ntype = \"http\"\nport = 80\n";
    folder.write("printers.toml", fault);
    publish.signal("-HUP");
    let fault = next();
    assert!(
        fault.contains("printers.toml:2: 'name' must be text"),
        "{fault}"
    );
    while !next().ends_with("what was published stays") {}

    lo("up");
    assert_eq!(
        names(&mut publish, "registered", 3),
        ["Printer 1", "Printer 2", "Printer 3"]
    );
    publish.signal("-INT");
    assert_eq!(
        names(&mut publish, "withdrawn", 3),
        ["Printer 1", "Printer 2", "Printer 3"]
    );
    assert_eq!(publish.code(), Some(0));
}

#[test]
fn files_with_faults_are_refused_with_every_line_and_nothing_is_sent() {
    let folder = Folder::new("faults");
    folder.write(
        "a.toml",
        "[[service]]\nnam = \"x\"\ntype = \"http\"\nport = 0\n",
    );
    folder.write(
        "b.service",
        "<service-group>\n<name>x</name>\n<servise/>\n</service-group>",
    );
    folder.write("c.dnssd", "[Service]\nNmae=x\n");
    let refused = cooee(&["publish", "-f", &folder.path()]);
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    for line in [
        "a.toml:1: 'name' is missing",
        "a.toml:2: 'nam' is not a key of a service; did you mean 'name'?",
        "a.toml:4: port 0",
        "b.service:3: <servise> does not belong here; did you mean <service>?",
        "c.dnssd:2: 'Nmae' is not a key of [Service]; did you mean 'Name'?",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    assert!(
        said.lines().all(|line| line.starts_with("cooee: ")),
        "{said}"
    );
    let none = cooee(&["publish", "-f", &format!("{}/none", folder.path())]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("no such file"));
}

#[test]
fn a_service_lives_as_long_as_its_command_and_ends_with_its_code() {
    if !in_namespace("a_service_lives_as_long_as_its_command_and_ends_with_its_code") {
        return;
    }
    let service = |script: &'static str| {
        let words = ["publish", "-i", "lo", "-j", "Web", "http", "8080"];
        [&words[..], &["--", "sh", "-c", script]].concat()
    };
    // It sees what it is called, and its end is the end.
    let folder = Folder::new("command");
    let script = "echo \"$COOEE_NAME $COOEE_PORT $COOEE_HOST\" >\"$FOLDER/told\"\n\
                  until [ -e \"$FOLDER/end\" ]; do sleep 0.1; done; exit 7";
    let child = command(&service(script))
        .env("FOLDER", &folder.0)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut ends = Running::of(child);
    assert_eq!(names(&mut ends, "registered", 1), ["Web"]);
    let told = fs::read_to_string(folder.0.join("told")).expect("it began before");
    assert!(
        told.starts_with("Web 8080 ") && told.contains("-cooee.local"),
        "{told}"
    );
    folder.write("end", "");
    assert_eq!(names(&mut ends, "withdrawn", 1), ["Web"]);
    assert_eq!(ends.code(), Some(7));

    // A signal is handed on, and waited for.
    let script = "trap 'sleep 3; exit 5' TERM; while :; do sleep 0.1; done";
    let mut stays = Running::start(&service(script));
    assert_eq!(names(&mut stays, "registered", 1), ["Web"]);
    stays.signal("-TERM");
    assert_eq!(names(&mut stays, "withdrawn", 1), ["Web"]);
    assert_eq!(stays.code(), Some(5));

    let killed = cooee(&service("kill -KILL $$"));
    assert_eq!(killed.status.code(), Some(128 + 9));
    let none = cooee(&[
        "publish",
        "-i",
        "lo",
        "Web",
        "http",
        "80",
        "--",
        "no-such-program",
    ]);
    assert_eq!(none.status.code(), Some(127));
    assert!(text(&none.stderr).contains("'no-such-program' cannot be started"));
    let file = folder.write("file", "not to be run");
    let refused = cooee(&["publish", "-i", "lo", "Web", "http", "80", "--", &file]);
    assert_eq!(refused.status.code(), Some(126));
}

#[test]
fn a_command_that_ends_ends_the_wait_for_a_link_too() {
    if !in_namespace("a_command_that_ends_ends_the_wait_for_a_link_too") {
        return;
    }
    // Without -i, loopback is no link: the other machine cannot be published.
    let words = ["publish", "Web", "http", "80", "--host", "printer"];
    let behind = ["--address", "192.0.2.77", "--", "sh", "-c", "exit 7"];
    let output = Command::new("timeout")
        .args(["60", env!("CARGO_BIN_EXE_cooee")])
        .args(words)
        .args(behind)
        .env_remove("COOEE_INTERFACE")
        .output()
        .expect("timeout is there");
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
}

#[test]
fn a_chosen_name_outlives_the_program() {
    if !in_namespace("a_chosen_name_outlives_the_program") {
        return;
    }
    let folder = Folder::new("state");
    let state = folder.0.join("names.toml").display().to_string();
    let publish = |port| {
        Running::start(&[
            "publish", "-i", "lo", "-j", "--state", &state, "Web", "http", port,
        ])
    };
    let mut first = Running::start(&["publish", "-i", "lo", "-j", "Web", "http", "8080"]);
    assert_eq!(names(&mut first, "registered", 1), ["Web"]);
    let mut second = publish("8081");
    let renamed = second.event();
    assert_eq!(renamed["event"], "renamed", "{renamed}");
    assert_eq!(names(&mut second, "registered", 1), ["Web (2)"]);
    for running in [second, first] {
        running.signal("-INT");
        assert_eq!(running.code(), Some(0));
    }
    let kept = fs::read_to_string(&state).expect("it was written");
    assert!(
        kept.contains("\"Web._http._tcp.local\" = \"Web (2)._http._tcp.local\""),
        "{kept}"
    );

    // Nobody has the name now, and still it is the other one that is taken.
    let mut again = publish("8081");
    let told = again.event();
    assert_eq!(
        (&told["event"], &told["name"]),
        (&"registered".into(), &"Web (2)".into())
    );
    assert_eq!(told["requested"], "Web");
    again.signal("-INT");
    assert_eq!(again.code(), Some(0));

    let nowhere = cooee(&[
        "publish",
        "--state",
        "no/such/folder/names",
        "Web",
        "http",
        "80",
    ]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(text(&nowhere.stderr).contains("no such folder"));
}

#[test]
fn a_service_manager_is_told_when_it_is_ready_and_when_it_ends() {
    if !in_namespace("a_service_manager_is_told_when_it_is_ready_and_when_it_ends") {
        return;
    }
    let folder = Folder::new("notify");
    let socket = folder.0.join("socket");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    manager
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time-out");
    let hear = || {
        let mut message = [0; 512];
        let length = manager.recv(&mut message).expect("a message");
        text(&message[..length])
    };
    let child = command(&["publish", "-i", "lo", "-j", "Web", "http", "8080"])
        .env("NOTIFY_SOCKET", &socket)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut publish = Running::of(child);
    assert_eq!(names(&mut publish, "registered", 1), ["Web"]);
    let ready = hear();
    assert!(
        ready.contains("READY=1") && ready.contains("STATUS=1 of 1"),
        "{ready}"
    );
    publish.signal("-TERM");
    assert!(hear().contains("STOPPING=1"));
    assert_eq!(publish.code(), Some(0));
}

#[test]
fn an_attribute_may_come_from_a_file() {
    if !in_namespace("an_attribute_may_come_from_a_file") {
        return;
    }
    let folder = Folder::new("txt");
    let file = folder.write("icon", "@ not \u{e9} magic");
    let word = format!("icon={file}");
    let mut publish = Running::start(&[
        "publish",
        "-i",
        "lo",
        "-j",
        "Web",
        "http",
        "8080",
        "a=1",
        "--txt-file",
        &word,
        "--ttl",
        "30s",
    ]);
    assert_eq!(names(&mut publish, "registered", 1), ["Web"]);
    let found = cooee(&["resolve", "-i", "lo", "-4", "-j", "Web", "http"]);
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(found["txt"][1]["value"], "@ not é magic", "{found}");
    assert_eq!(found["ttl"]["txt"], 30);
    publish.signal("-INT");
    assert_eq!(publish.code(), Some(0));
    for (word, part) in [("icon", "KEY=PATH"), ("icon=/no/such/file", "no such file")] {
        let refused = cooee(&["publish", "Web", "http", "80", "--txt-file", word]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(
            text(&refused.stderr).contains(part),
            "{}",
            text(&refused.stderr)
        );
    }
}
