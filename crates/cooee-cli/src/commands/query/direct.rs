//! A question straight to one host, by unicast from a port of its own, as any resolver asks. RFC 6762 §5.5, §6.7.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cooee::wire::{
    Class, Compression, Flags, Message, MessageBuilder, NameBuf, Question, RecordBuf, RecordType,
};
use tokio::net::UdpSocket;

/// A query is longer by far if its name is of full length.
const LONGEST_QUERY: usize = 512;

/// The largest answer. RFC 6762 §17.
const LONGEST_ANSWER: usize = 9_000;

/// Asks, and again after a second, and gives the answers; nothing if none came in time.
///
/// # Errors
///
/// What the system says about sending there.
pub(super) async fn ask(
    server: &SocketAddr,
    name: &NameBuf,
    kind: RecordType,
    timeout: Duration,
) -> std::io::Result<Option<Vec<RecordBuf>>> {
    let any: IpAddr = match server.ip() {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(*server).await?;
    // The port is a secret among those on the link; so is this, by its last bits.
    let id = socket.local_addr()?.port().rotate_left(7) ^ 0x5353;
    let mut buffer = [0; LONGEST_QUERY];
    let Some(query) = query(&mut buffer, id, name, kind) else {
        return Ok(None);
    };
    let asking = async {
        loop {
            socket.send(query).await?;
            if let Ok(answer) = tokio::time::timeout(AGAIN, answer(&socket, id)).await {
                return answer;
            }
        }
    };
    match tokio::time::timeout(timeout, asking).await {
        Ok(answer) => answer.map(Some),
        Err(_) => Ok(None),
    }
}

/// After so long without an answer the question is asked again.
const AGAIN: Duration = Duration::from_secs(1);

fn query<'b>(buffer: &'b mut [u8], id: u16, name: &NameBuf, kind: RecordType) -> Option<&'b [u8]> {
    let compression = Compression::Multicast;
    let mut builder = MessageBuilder::new(buffer, id, Flags::QUERY, compression).ok()?;
    let question = Question {
        name: name.as_name(),
        kind,
        class: Class::IN,
        unicast_response: false,
    };
    builder.question(question).ok()?;
    let length = builder.finish();
    buffer.get(..length)
}

/// The answer to this question; anything else that comes is passed over.
async fn answer(socket: &UdpSocket, id: u16) -> std::io::Result<Vec<RecordBuf>> {
    let mut buffer = vec![0; LONGEST_ANSWER];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let octets = buffer.get(..length).unwrap_or_default();
        let Ok(message) = Message::parse(octets) else {
            continue;
        };
        let header = message.header();
        if header.id == id && header.flags.is_response() {
            let records = message.answers().filter_map(Result::ok);
            return Ok(records.filter_map(|one| one.to_owned().ok()).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_an_ordinary_one() {
        let mut buffer = [0; LONGEST_QUERY];
        let name: NameBuf = "tabasco.local".parse().unwrap();
        let octets = query(&mut buffer, 7, &name, RecordType::A).unwrap();
        let message = Message::parse(octets).unwrap();
        assert_eq!(message.header().id, 7);
        assert!(!message.header().flags.is_response());
        let question = message.questions().next().unwrap().unwrap();
        assert_eq!(question.to_string(), "tabasco.local A");
    }
}
