//! How many questions a second a responder answers, and what an answer costs.
//!
//! `cargo run --release -p cooee-mdns --example load` publishes 10, 1000 and 10,000 services in a process of its own and asks for their SRV records
//! by legacy unicast queries (RFC 6762 §6.7) at rising rates. All of it goes over loopback, so that no network is troubled and nobody has
//! to be root; the price is that the kernel does the asker's share of receiving within the responder's `sendmsg`, and
//! counts it there. Run it on a quiet machine with two processors at least.
//!
//! `-- serve N [INTERFACE]`, `-- ask RATE N SECONDS [ADDRESS]` and, for multicast questions, `-- ask-all RATE N SECONDS ADDRESS` with an
//! address of ours are the halves alone; `cargo xtask load` uses them to measure others as well.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant as StdInstant};

use cooee_mdns::net::{Builder, Driven, Links};
use cooee_mdns::{Config, Engine, Event, Instant, LinkSet, Node, RecordSet};
use cooee_wire::{
    Class, Compression, Flags, Message, MessageBuilder, Name, NameBuf, QuestionBuf, RdataBuf,
    RecordBuf, RecordType,
};
use tokio::sync::mpsc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const SERVICES: [usize; 3] = [10, 1000, 10_000];
const RATES: [u64; 4] = [1000, 5000, 20_000, 80_000];
const SECONDS: u64 = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => table(),
        ["serve", services] => parse(services).and_then(|n| serve(n, Links::loopback())),
        ["serve", services, interface] => {
            parse(services).and_then(|n| serve(n, Links::from(interface)))
        }
        ["ask", rate, services, seconds] => ask_alone(rate, services, seconds, Ipv4Addr::LOCALHOST),
        ["ask", rate, services, seconds, address] => {
            parse(address).and_then(|address| ask_alone(rate, services, seconds, address))
        }
        ["ask-all", rate, services, seconds, ours] => {
            parse(ours).and_then(|ours| ask_all(rate, services, seconds, ours))
        }
        _ => Err(
            "usage: load [serve SERVICES [INTERFACE] | ask RATE SERVICES SECONDS [ADDRESS] | \
                  ask-all RATE SERVICES SECONDS ADDRESS]"
                .into(),
        ),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Every number of services at every rate.
fn table() -> Outcome<()> {
    println!("| services | asked/s | answered | p50 | p99 | CPU per answer | memory |");
    println!("|---|---|---|---|---|---|---|");
    for services in SERVICES {
        let mut responder = Responder::start(services)?;
        for rate in RATES {
            let cpu_before = responder.cpu()?;
            let heard = ask(
                rate,
                services,
                Duration::from_secs(SECONDS),
                Ipv4Addr::LOCALHOST,
            )?;
            let cpu = responder.cpu()?.saturating_sub(cpu_before);
            let micros = cpu.as_secs_f64() * 1e6 / heard.answered.max(1) as f64;
            println!(
                "| {services} | {} | {:.1} % | {} µs | {} µs | {micros:.1} µs | {:.1} MB |",
                heard.asked / SECONDS,
                100.0 * heard.answered as f64 / heard.asked.max(1) as f64,
                heard.percentile(50),
                heard.percentile(99),
                responder.memory()? as f64 / 1024.0,
            );
        }
        responder.end()?;
    }
    Ok(())
}

fn parse<T: std::str::FromStr>(text: &str) -> Outcome<T>
where
    T::Err: Error + Send + Sync + 'static,
{
    Ok(text.parse()?)
}

/// A responder in a process of its own, so that its cost can be told from the asker's.
struct Responder {
    child: Child,
}

impl Responder {
    fn start(services: usize) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", &services.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut said)?;
        }
        if said.trim() != "ready" {
            return Err("the responder did not start".into());
        }
        Ok(Self { child })
    }

    /// Processor time so far; Linux counts it in hundredths of a second.
    fn cpu(&self) -> Outcome<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // After the name, which stands in parentheses, user and system time are the 12th and 13th field.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks = ticks.filter_map(|field| field.parse::<u64>().ok());
        Ok(Duration::from_millis(10 * ticks.sum::<u64>()))
    }

    /// Resident memory in kilobytes.
    fn memory(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kilobytes.unwrap_or("0").parse()?)
    }

    fn end(&mut self) -> Outcome<()> {
        // The end of its input tells it to go.
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Publishes the services, says "ready", and serves until its input ends.
fn serve(services: usize, links: Links) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (ready, mut all_ready) = mpsc::unbounded_channel();
        let handle = Builder::new().links(links).start(|now, seed| Publisher {
            engine: Engine::new(Config::default(), seed, now),
            ready,
        })?;
        let records: Vec<RecordSet> = (0..services).map(records).collect::<Outcome<_>>()?;
        handle.call(move |node, now| {
            for set in records {
                if let Err(error) = node.engine.publish(now, set, LinkSet::All) {
                    eprintln!("load: {error}");
                }
            }
        })?;
        for _ in 0..services {
            all_ready.recv().await;
        }
        // The second announcement shall not disturb the measurement.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        println!("ready");
        std::io::stdout().flush()?;
        let (ended, end) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_line(&mut String::new());
            let _ = ended.send(());
        });
        let _ = end.await;
        handle.shutdown().await;
        Ok(())
    })
}

/// PTR and SRV of a service.
fn records(number: usize) -> Outcome<RecordSet> {
    let kind: NameBuf = "_load._tcp.local".parse()?;
    let host: NameBuf = "tabasco.local".parse()?;
    let name = service(number)?;
    let srv = RdataBuf::srv(0, 0, 8080, host.as_name());
    let ptr = RdataBuf::ptr(name.as_name());
    Ok(RecordSet::new()
        .shared(RecordBuf::new(kind, 4500, ptr))
        .unique(RecordBuf::new(name, 120, srv)))
}

fn service(number: usize) -> Outcome<NameBuf> {
    Ok(format!("service-{number}._load._tcp.local").parse()?)
}

/// A node that tells when each group is ready.
struct Publisher {
    engine: Engine,
    ready: mpsc::UnboundedSender<()>,
}

impl Node for Publisher {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, _: Instant) {
        while let Some(event) = self.engine.poll_event() {
            if let Event::Ready { .. } = event {
                // Nobody waits once all are ready.
                let _ = self.ready.send(());
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

impl Driven for Publisher {}

fn ask_alone(rate: &str, services: &str, seconds: &str, address: Ipv4Addr) -> Outcome<()> {
    let seconds = Duration::from_secs(parse(seconds)?);
    tell(&ask(parse(rate)?, parse(services)?, seconds, address)?);
    Ok(())
}

fn tell(heard: &Heard) {
    let (p50, p99) = (heard.percentile(50), heard.percentile(99));
    println!(
        "{} asked, {} answered, p50 {p50} µs, p99 {p99} µs",
        heard.asked, heard.answered
    );
}

/// Asks everybody, as a browser does: from port 5353, with the message number 0. Each record may be answered with once a second, so the rate
/// has to be lower than the number of services.
fn ask_all(rate: &str, services: &str, seconds: &str, ours: Ipv4Addr) -> Outcome<()> {
    let group = Ipv4Addr::new(224, 0, 0, 251);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 5353))?;
    socket.join_multicast_v4(&group, &ours)?;
    socket.set_multicast_ttl_v4(255)?;
    socket.set_multicast_loop_v4(false)?;
    // One packet can answer several questions.
    let of = |answer: &[u8], numbers: &mut Vec<usize>| {
        let Ok(message) = Message::parse(answer) else {
            return;
        };
        if message.header().flags.is_response() {
            let records = message.answers().filter_map(Result::ok);
            numbers.extend(records.filter_map(|record| {
                let name = record.name.to_string();
                let number = name.strip_prefix("service-")?.split_once('.')?.0;
                number.parse::<usize>().ok()
            }));
        }
    };
    let seconds = Duration::from_secs(parse(seconds)?);
    let plan = Plan {
        rate: parse(rate)?,
        services: parse(services)?,
        time: seconds,
        destination: (group, 5353).into(),
        is_numbered: false,
    };
    tell(&exchange(socket, plan, of)?);
    Ok(())
}

/// What became of the questions.
struct Heard {
    asked: u64,
    answered: u64,
    /// Microseconds, sorted.
    latencies: Vec<u64>,
}

impl Heard {
    fn percentile(&self, percent: usize) -> u64 {
        let place = self.latencies.len() * percent / 100;
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(place.min(last)).copied().unwrap_or(0)
    }
}

/// Asks for SRV records, one after another in a circle, at an even rate.
fn ask(rate: u64, services: usize, time: Duration, address: Ipv4Addr) -> Outcome<Heard> {
    let of = |answer: &[u8], numbers: &mut Vec<usize>| {
        let number = answer.first_chunk().filter(|_| answer.len() >= 12);
        numbers.extend(number.map(|number| usize::from(u16::from_be_bytes(*number))));
    };
    let plan = Plan {
        rate,
        services,
        time,
        destination: (address, 5353).into(),
        is_numbered: true,
    };
    exchange(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?, plan, of)
}

/// What to ask, and how fast.
struct Plan {
    rate: u64,
    services: usize,
    time: Duration,
    destination: SocketAddr,
    /// Every question has a message number of its own; otherwise it goes by the number of the service.
    is_numbered: bool,
}

/// Asks, and notes when answers come; `of` tells of which questions.
fn exchange(
    socket: UdpSocket,
    plan: Plan,
    of: impl Fn(&[u8], &mut Vec<usize>) + Send + 'static,
) -> Outcome<Heard> {
    let Plan {
        rate,
        services,
        time,
        destination,
        is_numbered,
    } = plan;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let questions: Vec<Vec<u8>> = (0..services)
        .map(|number| question(service(number)?.as_name()))
        .collect::<Outcome<_>>()?;

    let start = StdInstant::now();
    // When each message number was last asked, in microseconds since the start.
    let asked_at: Arc<Vec<AtomicU64>> =
        Arc::new((0..=u16::MAX).map(|_| AtomicU64::new(0)).collect());
    let is_over = Arc::new(AtomicBool::new(false));
    let listener = std::thread::spawn({
        let (socket, asked_at, is_over) = (socket.try_clone()?, asked_at.clone(), is_over.clone());
        move || listen(&socket, start, &asked_at, &is_over, of)
    });

    let mut asked = 0;
    let mut message = Vec::new();
    for question in questions.iter().cycle() {
        let elapsed = start.elapsed();
        if elapsed >= time {
            break;
        }
        let due = Duration::from_micros(asked * 1_000_000 / rate);
        if due > elapsed {
            std::thread::sleep(due - elapsed);
        }
        let number = match is_numbered {
            true => (asked & 0xffff) as u16,
            false => (asked % services as u64) as u16,
        };
        message.clear();
        message.extend(if is_numbered { number } else { 0 }.to_be_bytes());
        message.extend(question.iter().skip(2));
        if let Some(at) = asked_at.get(usize::from(number)) {
            at.store(start.elapsed().as_micros() as u64, Ordering::Relaxed);
        }
        socket.send_to(&message, destination)?;
        asked += 1;
    }
    // What is on its way may arrive.
    std::thread::sleep(Duration::from_millis(300));
    is_over.store(true, Ordering::Relaxed);
    let mut latencies = listener.join().map_err(|_| "the listener has failed")?;
    latencies.sort_unstable();
    Ok(Heard {
        asked,
        answered: latencies.len() as u64,
        latencies,
    })
}

fn listen(
    socket: &UdpSocket,
    start: StdInstant,
    asked_at: &[AtomicU64],
    is_over: &AtomicBool,
    of: impl Fn(&[u8], &mut Vec<usize>),
) -> Vec<u64> {
    let (mut latencies, mut numbers) = (Vec::new(), Vec::new());
    let mut answer = [0; 9000];
    while !is_over.load(Ordering::Relaxed) {
        let Ok(length) = socket.recv(&mut answer) else {
            continue;
        };
        numbers.clear();
        of(answer.get(..length).unwrap_or_default(), &mut numbers);
        let now = start.elapsed().as_micros() as u64;
        for &number in &numbers {
            // A question is answered once.
            let at = asked_at
                .get(number)
                .map_or(0, |at| at.swap(0, Ordering::Relaxed));
            if at > 0 {
                latencies.push(now.saturating_sub(at));
            }
        }
    }
    latencies
}

fn question(name: Name<'_>) -> Outcome<Vec<u8>> {
    let mut buffer = [0; 512];
    let mut message = MessageBuilder::new(&mut buffer, 0, Flags::QUERY, Compression::Legacy)?;
    let question = QuestionBuf {
        name: name.to_owned()?,
        kind: RecordType::SRV,
        class: Class::IN,
        unicast_response: false,
    };
    message.question(question.as_question())?;
    let length = message.finish();
    Ok(buffer.get(..length).unwrap_or_default().to_vec())
}
