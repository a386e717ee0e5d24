//! The stacks under test: how each is prepared, and the command line of its adapter.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{self, Outcome, find_program};

/// A stack and its adapter.
pub(super) struct Subject {
    /// What it is called, on the command line and in reports.
    pub(super) name: &'static str,
    /// Makes everything that its adapter needs, and gives the adapter's command line.
    prepare: fn(&Workshop) -> Outcome<String>,
}

/// All of them, ours first.
pub(super) const ALL: &[Subject] = &[
    Subject {
        name: "cooee",
        prepare: cooee,
    },
    Subject {
        name: "avahi",
        prepare: avahi,
    },
    Subject {
        name: "systemd-resolved",
        prepare: resolved,
    },
    Subject {
        name: "python-zeroconf",
        prepare: |workshop| workshop.python("pyzeroconf.py", &[]),
    },
    Subject {
        name: "jmdns",
        prepare: jmdns,
    },
    Subject {
        name: "ciao",
        prepare: |workshop| workshop.node("ciao.js"),
    },
    Subject {
        name: "bonjour-service",
        prepare: |workshop| workshop.node("bonjour.js"),
    },
    Subject {
        name: "mdns-sd",
        prepare: |workshop| workshop.peer("mdns-sd"),
    },
    Subject {
        name: "libmdns",
        prepare: |workshop| workshop.peer("libmdns"),
    },
    Subject {
        name: "hick",
        prepare: |workshop| workshop.peer("hick"),
    },
    Subject {
        name: "mdnsd",
        prepare: |workshop| {
            needs(&["mdnsd", "mquery", "stdbuf"])?;
            workshop.python("mdnsd.py", &[])
        },
    },
];

impl Subject {
    /// The command line of the adapter; an error says why there is none here.
    pub(super) fn prepare(&self, workshop: &Workshop) -> Outcome<String> {
        (self.prepare)(workshop)
    }
}

/// Where the adapters are, and where what they need is made.
pub(super) struct Workshop {
    adapters: PathBuf,
    made: PathBuf,
}

impl Workshop {
    pub(super) fn new() -> Outcome<Self> {
        let root = workspace::root();
        let made = root.join("target/conformance");
        std::fs::create_dir_all(&made).map_err(|error| format!("{}: {error}", made.display()))?;
        Ok(Self {
            adapters: root.join("xtask/subjects"),
            made,
        })
    }

    /// A command line that runs on a machine of its own.
    fn start(&self, words: &[&str]) -> String {
        let start = self.adapters.join("start").display().to_string();
        let words = std::iter::once(start.as_str()).chain(words.iter().copied());
        words.map(quoted).collect::<Vec<_>>().join(" ")
    }

    fn python(&self, adapter: &str, words: &[&str]) -> Outcome<String> {
        needs(&["python3"])?;
        let folder = self.made.join("python");
        let program = folder.join("bin/python");
        let wanted = self.adapters.join("python/requirements.txt");
        self.unless_done(&folder, &wanted, || {
            workspace::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
            let install = ["-m", "pip", "install", "--quiet", "--no-deps", "-r"];
            workspace::run(Command::new(&program).args(install).arg(&wanted))
        })?;
        let program = program.display().to_string();
        let adapter = self.adapters.join("python").join(adapter);
        let adapter = adapter.display().to_string();
        // No folder of compiled files beside the adapters.
        let head = ["env", "PYTHONDONTWRITEBYTECODE=1", &program, &adapter];
        Ok(self.start(&[&head, words].concat()))
    }

    fn node(&self, adapter: &str) -> Outcome<String> {
        needs(&["node", "npm"])?;
        let folder = self.made.join("node");
        let wanted = self.adapters.join("node/package-lock.json");
        self.unless_done(&folder, &wanted, || {
            for file in ["package.json", "package-lock.json"] {
                let (from, to) = (self.adapters.join("node").join(file), folder.join(file));
                std::fs::copy(&from, &to).map_err(|error| format!("{}: {error}", to.display()))?;
            }
            let install = ["ci", "--silent", "--no-audit", "--no-fund", "--prefix"];
            workspace::run(Command::new("npm").args(install).arg(&folder))
        })?;
        let modules = format!("NODE_PATH={}", folder.join("node_modules").display());
        let adapter = self.adapters.join("node").join(adapter);
        Ok(self.start(&["env", &modules, "node", &adapter.display().to_string()]))
    }

    /// A program of the workspace that builds peers.
    fn peer(&self, program: &str) -> Outcome<String> {
        let target = self.made.join("rust");
        let manifest = self.adapters.join("rust/Cargo.toml");
        let mut cargo = workspace::cargo();
        cargo.args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--bin",
            program,
        ]);
        cargo.arg("--manifest-path").arg(manifest);
        workspace::run(cargo.arg("--target-dir").arg(&target))?;
        let program = target.join("release").join(program);
        Ok(self.start(&[&program.display().to_string()]))
    }

    /// Makes a folder, unless it was made for the very file that says what is wanted.
    fn unless_done(&self, folder: &Path, wanted: &Path, make: impl FnOnce() -> Outcome) -> Outcome {
        let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
        let wanted =
            std::fs::read(wanted).map_err(|error| format!("{}: {error}", wanted.display()))?;
        let mark = folder.join("made-for");
        if std::fs::read(&mark).is_ok_and(|made| made == wanted) {
            return Ok(());
        }
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(fault)?;
        }
        std::fs::create_dir_all(folder).map_err(fault)?;
        make()?;
        std::fs::write(mark, wanted).map_err(fault)
    }
}

fn cooee(workshop: &Workshop) -> Outcome<String> {
    let program = workspace::build_release(&["--package", "cooee-subject"])?;
    Ok(workshop.start(&[&program.display().to_string()]))
}

fn avahi(workshop: &Workshop) -> Outcome<String> {
    needs(&["avahi-daemon", "dbus-daemon"])?;
    workshop.python("avahi.py", &[])
}

/// From Debian's packages, unpacked: their installation would rewrite how this machine finds names.
fn resolved(workshop: &Workshop) -> Outcome<String> {
    needs(&["apt-get", "dpkg", "dbus-daemon"])?;
    let folder = workshop.made.join("systemd");
    let packages = ["systemd-resolved", "libsystemd-shared", "systemd"];
    let wanted = workshop.adapters.join("python/resolved.py");
    workshop.unless_done(&folder, &wanted, || {
        // Downloads go to where the command runs.
        let script = "cd \"$0\" && apt-get download --quiet \"$@\" && for file in *.deb; do dpkg -x \"$file\" .; done";
        let mut command = Command::new("sh");
        workspace::run(command.args(["-c", script]).arg(&folder).args(packages))
    })?;
    let archives =
        std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // systemd-resolved_252.39-1~deb12u2_amd64.deb
    let version = archives
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find_map(|file| {
            Some(
                file.strip_prefix("systemd-resolved_")?
                    .split('_')
                    .next()?
                    .to_owned(),
            )
        })
        .ok_or("systemd-resolved was not downloaded")?;
    let program = folder.join("lib/systemd/systemd-resolved");
    let libraries = folder.join("usr/lib/x86_64-linux-gnu/systemd");
    let words = [
        program.display().to_string(),
        libraries.display().to_string(),
        version,
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    workshop.python("resolved.py", &words)
}

fn jmdns(workshop: &Workshop) -> Outcome<String> {
    const JARS: &str =
        "/usr/share/java/jmdns.jar:/usr/share/java/slf4j-api.jar:/usr/share/java/slf4j-nop.jar";
    needs(&["java", "javac"])?;
    if let Some(missing) = JARS.split(':').find(|jar| !Path::new(jar).exists()) {
        return Err(format!(
            "{missing} is missing (Debian: libjmdns-java, libslf4j-java)"
        ));
    }
    let folder = workshop.made.join("java");
    let source = workshop.adapters.join("java/Adapter.java");
    workshop.unless_done(&folder, &source, || {
        let mut javac = Command::new("javac");
        workspace::run(javac.args(["-cp", JARS, "-d"]).arg(&folder).arg(&source))
    })?;
    let classes = format!("{JARS}:{}", folder.display());
    // It lives for a minute: compiling it well is not worth the time.
    Ok(workshop.start(&[
        "java",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "-cp",
        &classes,
        "Adapter",
    ]))
}

fn needs(programs: &[&str]) -> Outcome {
    match programs
        .iter()
        .find(|program| find_program(program).is_none())
    {
        Some(missing) => Err(format!("{missing} is not installed")),
        None => Ok(()),
    }
}

/// A word as the shell reads it back.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_quotes_survives_the_shell() {
        let word = "it's a $HOME \"word\"";
        let mut shell = Command::new("sh");
        let said = workspace::output(shell.arg("-c").arg(format!("printf %s {}", quoted(word))));
        assert_eq!(said.as_deref(), Ok(word));
    }
}
