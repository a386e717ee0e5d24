//! libmdns behind the line protocol. It answers; it neither probes nor browses.

use std::collections::HashMap;

use libmdns::{Responder, Service};
use subject_protocol::{Kind, Reply, addresses, host, serve};

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    // It makes its sockets where it is called.
    let _context = runtime.enter();
    let responder =
        Responder::spawn_with_ip_list_and_hostname(runtime.handle(), addresses(), host())?;
    let mut services: HashMap<(String, String), Service> = HashMap::new();
    serve("libmdns 0.10.1", |command, words| match (command, words) {
        ("publish", [name, kind, port, txt @ ..]) => {
            let Kind { kind, subtypes } = Kind::read(kind);
            let Ok(port) = port.parse() else {
                return Reply::Error(format!("no port: {port}"));
            };
            if !subtypes.is_empty() {
                return Reply::Unsupported;
            }
            let service = responder.register(&kind, name, port, txt);
            services.insert(((*name).to_owned(), kind), service);
            Reply::Said("untold".into())
        }
        ("withdraw", [name, kind]) => {
            services.remove(&((*name).to_owned(), (*kind).to_owned()));
            Reply::Ok
        }
        ("host", []) => Reply::Said(format!("{}.local", host())),
        ("quit", []) => {
            services.clear();
            // The goodbyes are sent by the task, which has no sign of having done so.
            std::thread::sleep(std::time::Duration::from_millis(200));
            Reply::Ok
        }
        _ => Reply::Unsupported,
    });
    Ok(())
}
