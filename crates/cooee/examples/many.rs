//! How long many services take from `publish` to found: `cargo run --example many -- publish 1000` on one host, `-- find 1000` on another.
//!
//! The one that publishes ends with its input. `cargo xtask found` runs both in a network of its own and makes a table.

use std::time::Instant;

use cooee::{Result, Service, ServiceEvent, Zeroconf};
use tokio::io::AsyncReadExt;

const TYPE: &str = "_cooee-many._tcp";

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["publish", services] => publish(services.parse()?).await?,
        ["find", services] => find(services.parse()?).await?,
        _ => return Err("usage: many publish NUMBER | find NUMBER".into()),
    }
    Ok(())
}

async fn publish(services: usize) -> Result<()> {
    let zeroconf = Zeroconf::start().await?;
    let begun = Instant::now();
    let mut registrations = Vec::new();
    for number in 0..services {
        let service = Service::new(format!("Service {number}"), TYPE, 8080)?.txt("path", "/");
        registrations.push(zeroconf.start_publish(service)?);
    }
    for registration in &registrations {
        registration.ready().await?;
    }
    println!("ready in {} ms", begun.elapsed().as_millis());
    // The end of the input, or none that can be read, is the end.
    let _ = tokio::io::stdin().read_u8().await;
    zeroconf.shutdown().await;
    Ok(())
}

async fn find(services: usize) -> Result<()> {
    let zeroconf = Zeroconf::start().await?;
    let begun = Instant::now();
    let mut browser = zeroconf.browse(TYPE)?;
    let mut found = 0;
    while found < services {
        match browser.next().await {
            Some(ServiceEvent::Added(_)) => found += 1,
            Some(ServiceEvent::Updated(_)) => {}
            Some(ServiceEvent::Removed(_)) => found -= 1,
            None => return Ok(()),
        }
    }
    println!("found in {} ms", begun.elapsed().as_millis());
    let _ = tokio::io::stdin().read_u8().await;
    zeroconf.shutdown().await;
    Ok(())
}
