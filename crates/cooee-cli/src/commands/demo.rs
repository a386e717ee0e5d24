//! `cooee demo`: two nodes on the loopback interface; one publishes, the other finds it, and sees it go.

use std::future::Future;
use std::time::Duration;

use cooee::{Families, HostPolicy, Links, Service, ServiceEvent, Zeroconf};

use crate::cell::Cell;
use crate::escape;
use crate::events::Event;
use crate::failure::{Failure, Outcome};
use crate::found::{self, Camera, Only};
use crate::interfaces;
use crate::output::Stop;
use crate::paint::Role;
use crate::picture::{Identity, Picture};
use crate::session::{self, Session};
use crate::signals;
use crate::txt;

/// What node a publishes.
const NAME: &str = "Keith’s web server on tabasco";
const TYPE: &str = "_http._tcp";
const PORT: u16 = 8080;
/// The host that node a is.
const HOST: &str = "tabasco-demo";
/// Each step may take so long; usually the slowest takes a second.
const LIMIT: Duration = Duration::from_secs(5);

/// Runs the command.
///
/// # Errors
///
/// The step that failed, and why.
pub(crate) async fn run(session: Session) -> Result<Outcome, Failure> {
    if session.common.ipv6 || session.common.over == Some(crate::args::Over::V6) {
        // Ruling 28.
        return Err(Failure::usage(
            "the demo speaks IPv4 only: the loopback interface carries no IPv6 multicast",
        ));
    }
    let mut signals = session.signals.clone();
    let mut demo = Demo {
        session,
        nodes: Vec::new(),
    };
    let outcome = tokio::select! {
        biased;
        signal = signals.asked() => Err(Trouble::Signal(signal)),
        outcome = demo.play() => outcome,
    };
    for zeroconf in &demo.nodes {
        demo.session.close(zeroconf).await;
    }
    match outcome {
        Ok(()) => Ok(Outcome::Done),
        Err(Trouble::Signal(signal)) => signals::leave(signal),
        Err(Trouble::Output(stop)) => stop.into_result().map(|()| Outcome::Done),
        Err(Trouble::Step(failure)) => Err(failure),
    }
}

/// Why the demo stopped.
enum Trouble {
    Step(Failure),
    Output(Stop),
    Signal(signals::Signal),
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        Self::Output(stop)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    A,
    B,
}

impl Node {
    fn letter(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

struct Demo {
    session: Session,
    /// For the end, whatever it is.
    nodes: Vec<Zeroconf>,
}

impl Demo {
    async fn play(&mut self) -> Result<(), Trouble> {
        let b = self.node(Node::B, HostPolicy::None).await?;
        let mut browser = b
            .browse(TYPE)
            .map_err(|error| failed("node b looks for services", &error))?;
        self.say(
            Node::B,
            &format!("looks for {TYPE} on the loopback interface, and nowhere else"),
        )?;

        let a = self.node(Node::A, HostPolicy::Named(HOST.into())).await?;
        let service = Service::new(NAME, TYPE, PORT).map(|service| service.txt("path", "/"));
        let registration = service
            .and_then(|service| a.start_publish(service))
            .map_err(|error| failed("node a publishes a service", &error))?;
        self.say(
            Node::A,
            &format!("publishes {NAME}, after asking whether the name is free"),
        )?;
        let step = "node a makes sure that the name is free";
        let name = within(step, registration.ready())
            .await?
            .map_err(|error| failed(step, &error))?;
        let identity = found::identity(&name);
        self.registered(&a, &identity)?;

        let step = "node b finds the service";
        let camera = Camera {
            only: Some(Only::V4),
            subtypes: Vec::new(),
        };
        let found = within(step, async {
            loop {
                match browser.next().await {
                    Some(ServiceEvent::Added(found) | ServiceEvent::Updated(found))
                        if *found.name() == name =>
                    {
                        return Some(found);
                    }
                    Some(_) => {}
                    None => return None,
                }
            }
        });
        let found = found.await?.ok_or_else(|| gone(step))?;
        let picture = camera.picture(&found, &found::own_addresses(&b.links()));
        if picture.port != PORT
            || !picture
                .addresses
                .iter()
                .any(|address| address.ip.is_loopback())
        {
            return Err(Trouble::Step(Failure::trouble(format!(
                "the demo failed: {step}, but not as it was published: {}:{}",
                escape::escaped_text(&picture.host),
                picture.port
            ))));
        }
        self.added(picture)?;

        let step = "node a says goodbye";
        within(step, registration.withdraw()).await?;
        self.event(
            Node::A,
            &Event::Withdrawn(identity.clone()),
            "withdraws it, and says goodbye",
        )?;

        let step = "node b sees it go";
        let removed = within(step, async {
            loop {
                match browser.next().await {
                    Some(ServiceEvent::Removed(gone)) if gone == name => return Some(()),
                    Some(_) => {}
                    None => return None,
                }
            }
        });
        removed.await?.ok_or_else(|| gone(step))?;
        self.removed(&identity)?;
        if !self.session.common.json {
            self.session
                .talk
                .hint("it works here: published, found, resolved, and gone again");
        }
        Ok(())
    }

    async fn node(&mut self, node: Node, host: HostPolicy) -> Result<Zeroconf, Trouble> {
        let step = format!("node {} opens its sockets", node.letter());
        let builder = Zeroconf::builder()
            .links(Links::loopback())
            .families(Families::V4)
            .host_name(host);
        let zeroconf = within(&step, builder.start()).await?.map_err(|error| {
            let text = session::not_started(&error).text;
            Trouble::Step(Failure::trouble(format!("the demo failed: {step}: {text}")))
        })?;
        self.nodes.push(zeroconf.clone());
        session::know_links(&zeroconf).await;
        let links = zeroconf.links();
        let loopback: Vec<&str> = links
            .iter()
            .filter(|link| link.is_loopback())
            .map(cooee::Link::name)
            .collect();
        for named in &self.session.common.interfaces {
            if !loopback.contains(&named.as_str()) {
                return Err(Trouble::Step(Failure::usage(format!(
                    "the demo uses the loopback interface only, not '{}'",
                    escape::text(named)
                ))));
            }
        }
        if let Some(trouble) = interfaces::trouble(&session::present(&zeroconf)) {
            return Err(Trouble::Step(Failure::trouble(format!(
                "the demo failed: {step}: {trouble}"
            ))));
        }
        Ok(zeroconf)
    }

    fn registered(&mut self, a: &Zeroconf, identity: &Identity) -> Result<(), Stop> {
        let host = a.host_name().map(|host| host.to_string());
        let links: Vec<cooee::Link> = a
            .links()
            .into_iter()
            .filter(cooee::Link::is_in_use)
            .collect();
        let event = Event::Registered {
            identity: identity.clone(),
            host,
            port: PORT,
            requested: NAME.as_bytes().to_vec(),
            links: found::links(&links),
        };
        let said = format!(
            "owns the name {} and has announced it",
            escape::octets(&identity.instance)
        );
        self.event(Node::A, &event, &said)
    }

    fn added(&mut self, picture: Picture) -> Result<(), Stop> {
        let paint = self.session.output.paint;
        let mut row = String::new();
        paint.put(Role::Added, "+", &mut row);
        let address = picture
            .best_address()
            .map(crate::picture::Address::text)
            .unwrap_or_default();
        let attributes = txt::attributes(&picture.txt);
        let shown: Vec<String> = attributes
            .iter()
            .map(|attribute| attribute.shown(false))
            .collect();
        for cell in [
            Cell::octets(Role::Name, &picture.identity.instance),
            Cell::escaped(Role::Host, &picture.host)
                .with_tail(Role::Host, format!(":{}", picture.port)),
            Cell::octets(Role::Plain, address.as_bytes()),
            Cell::escaped(Role::Plain, &shown.join(" ")),
        ] {
            row.push_str("  ");
            cell.write_last(usize::MAX, paint, &mut row);
        }
        let row = row.replacen("  ", " ", 1);
        self.event(Node::B, &Event::Added(picture), &row)
    }

    fn removed(&mut self, identity: &Identity) -> Result<(), Stop> {
        let mut row = String::new();
        self.session.output.paint.put(Role::Removed, "-", &mut row);
        row.push(' ');
        row.push_str(&escape::octets(&identity.instance));
        self.event(Node::B, &Event::Removed(identity.clone()), &row)
    }

    fn event(&mut self, node: Node, event: &Event, said: &str) -> Result<(), Stop> {
        if self.session.common.json {
            let line = event.json_of_node(&self.session.now(), node.letter());
            self.session.output.line(&line)
        } else {
            self.say(node, said)
        }
    }

    /// A line for people; programs get events only.
    fn say(&mut self, node: Node, said: &str) -> Result<(), Stop> {
        if self.session.common.json {
            return Ok(());
        }
        let seconds = self.session.now().since_start.as_secs_f64();
        self.session
            .output
            .line(&format!("{seconds:.3} s  {}  {said}", node.letter()))
    }
}

async fn within<T>(step: &str, work: impl Future<Output = T>) -> Result<T, Trouble> {
    tokio::time::timeout(LIMIT, work).await.map_err(|_| {
        let seconds = LIMIT.as_secs();
        Trouble::Step(Failure::trouble(format!(
            "the demo failed: {step}: not done within {seconds} s"
        )))
    })
}

fn failed(step: &str, error: &cooee::Error) -> Trouble {
    Trouble::Step(Failure::trouble(format!(
        "the demo failed: {step}: {error}"
    )))
}

fn gone(step: &str) -> Trouble {
    Trouble::Step(Failure::trouble(format!(
        "the demo failed: {step}: the network was shut down"
    )))
}
