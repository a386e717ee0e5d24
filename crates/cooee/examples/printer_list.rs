//! All printers in earshot, with what they say of themselves: `cargo run --example printer_list`.

use cooee::{Browse, Zeroconf};

#[tokio::main(flavor = "current_thread")]
async fn main() -> cooee::Result<()> {
    let zeroconf = Zeroconf::start().await?;
    let types = ["_ipp._tcp", "_ipps._tcp", "_printer._tcp"];
    // Ends when nobody new has answered for a while, after five seconds at the latest.
    for printer in zeroconf.list(Browse::types(types)?).await? {
        let txt = printer.txt();
        println!("{} ({})", printer.instance(), printer.service_type());
        println!("  model   {}", txt.get_str("ty").unwrap_or("unknown"));
        println!("  queue   {}", txt.get_str("rp").unwrap_or("none"));
        for address in printer.socket_addrs() {
            println!("  at      {address}");
        }
    }
    zeroconf.shutdown().await;
    Ok(())
}
