//! Sends a file to a peer that was found: `cargo run --example file_drop -- receive` here, `cargo run --example file_drop -- send FILE [NAME]` there.
//!
//! What is received is written to `received.bin` in the present folder.

use std::time::Duration;

use cooee::{Service, Zeroconf};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

const TYPE: &str = "_cooee-drop._tcp";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["receive"] => receive().await,
        ["send", file] => send(file, None).await,
        ["send", file, name] => send(file, Some(name)).await,
        _ => Err("usage: file_drop receive | send FILE [NAME]".into()),
    }
}

async fn receive() -> Outcome {
    let listener = TcpListener::bind("[::]:0").await?;
    let zeroconf = Zeroconf::start().await?;
    let service = Service::named_after_host(TYPE, listener.local_addr()?.port())?;
    let registration = zeroconf.publish(service).await?;
    println!("waiting as \"{}\"", registration.name().instance());

    let (mut stream, from) = listener.accept().await?;
    let mut file = File::create("received.bin").await?;
    let octets = copy(&mut stream, &mut file).await?;
    file.flush().await?;
    println!("received {octets} octets from {from}");
    zeroconf.shutdown().await;
    Ok(())
}

async fn send(path: &str, wanted: Option<&str>) -> Outcome {
    let mut file = File::open(path).await?;
    let zeroconf = Zeroconf::start().await?;
    let peer = match wanted {
        // The name is known: no need to look for others.
        Some(name) => {
            let lookup = zeroconf.resolve(format!("{name}.{TYPE}"));
            lookup.timeout(Duration::from_secs(10)).await?
        }
        None => zeroconf.browse(TYPE)?.first().await?,
    };
    // In the order given: routable addresses first, link-local ones with their interface.
    let mut stream = TcpStream::connect(peer.socket_addrs()).await?;
    let octets = copy(&mut file, &mut stream).await?;
    stream.shutdown().await?;
    println!("sent {octets} octets to \"{}\"", peer.instance());
    zeroconf.shutdown().await;
    Ok(())
}
