//! A chat in which every peer is server and client: `cargo run --example peer_chat -- alice`, and again with another name, here or on another machine.
//!
//! What is typed goes to all peers in sight. With two of one name on the link the second is called `alice (2)`, and knows it.

use std::collections::BTreeMap;

use cooee::{Browse, FoundService, Service, ServiceEvent, ServiceName, Zeroconf};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin};
use tokio::net::{TcpListener, TcpStream};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const TYPE: &str = "_cs6452._tcp";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let user = std::env::args().nth(1).unwrap_or_else(|| "peer".into());

    // Bind first, so that the port is known and two peers on one machine have different ones.
    let listener = TcpListener::bind("[::]:0").await?;
    let zeroconf = Zeroconf::start().await?;
    let me = zeroconf
        .publish(Service::new(user, TYPE, listener.local_addr()?.port())?)
        .await?;
    println!("* you are {}", me.name().instance());

    let mut peers = zeroconf.browse(Browse::new(TYPE)?.without_own())?;
    let mut present: BTreeMap<ServiceName, FoundService> = BTreeMap::new();
    let mut typed = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            event = peers.next() => match event {
                Some(ServiceEvent::Added(peer)) => {
                    println!("* {} is here", peer.instance());
                    present.insert(peer.name().clone(), peer);
                }
                Some(ServiceEvent::Updated(peer)) => {
                    present.insert(peer.name().clone(), peer);
                }
                Some(ServiceEvent::Removed(name)) => {
                    println!("* {} has left", name.instance());
                    present.remove(&name);
                }
                None => break,
            },
            connection = listener.accept() => {
                tokio::spawn(hear(connection?.0));
            }
            line = typed.next_line() => match line? {
                Some(line) => {
                    // The name may have changed since: the registration knows the present one.
                    let said = format!("{}: {line}\n", me.name().instance());
                    for peer in present.values() {
                        if let Err(error) = say(peer, &said).await {
                            println!("* {} cannot be reached: {error}", peer.instance());
                            zeroconf.reconfirm(peer);
                        }
                    }
                }
                None => break,
            },
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    // Says goodbye, so that the others need not wait for a time-out.
    zeroconf.shutdown().await;
    Ok(())
}

async fn say(peer: &FoundService, text: &str) -> Outcome {
    let mut stream = TcpStream::connect(peer.socket_addrs()).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}

async fn hear(stream: TcpStream) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        println!("{line}");
    }
}
