//! Browsing without async: `cargo run --example blocking_browse -- _http._tcp`.

use cooee::ServiceEvent;
use cooee::blocking::Zeroconf;

fn main() -> cooee::Result<()> {
    let kind = std::env::args().nth(1);
    let kind = kind.as_deref().unwrap_or("_http._tcp");

    let zeroconf = Zeroconf::start()?;
    // The iterator waits for the next event; it ends after shutdown.
    for event in zeroconf.browse(kind)? {
        match event {
            ServiceEvent::Added(service) => {
                println!("+ {} {:?}", service.instance(), service.socket_addrs());
            }
            ServiceEvent::Updated(service) => {
                println!("~ {} {:?}", service.instance(), service.socket_addrs());
            }
            ServiceEvent::Removed(name) => println!("- {}", name.instance()),
        }
    }
    Ok(())
}
