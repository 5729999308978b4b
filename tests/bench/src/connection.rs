//! Deliveries over connections that are kept open, as a sender of webhooks does.
//!
//! A client of its own, because it has to cost less than what it measures: one write and one read for each request.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::delivery::Delivery;
use crate::load::Target;

/// Most headers of an answer.
const MAX_HEADERS: usize = 32;

/// Sends deliveries to one endpoint.
pub(crate) struct Sender {
    to: SocketAddr,
    delivery: Delivery,
    /// Connections that wait for a request.
    idle: Mutex<VecDeque<Connection>>,
}

impl Sender {
    pub(crate) fn new(to: SocketAddr, delivery: Delivery) -> Self {
        Self { to, delivery, idle: Mutex::default() }
    }

    fn idle(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl Target for Sender {
    async fn send(&self, number: u64) -> Result<u16, String> {
        let mut connection = match self.idle() {
            Some(connection) => connection,
            None => Connection::open(self.to).await.map_err(|error| error.to_string())?,
        };
        let request = self.delivery.request(number).map_err(|error| error.to_string())?;
        let status = connection.exchange(&request).await.map_err(|error| error.to_string())?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push_back(connection);
        Ok(status)
    }
}

/// A connection with one request at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a whole request and returns the status of its answer, whose body is read and thrown away.
    async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "no whole answer"));
            }
            if let Some(answer) = parse(&self.buffer)? {
                if self.buffer.len() == answer.end {
                    return Ok(answer.status);
                }
                if self.buffer.len() > answer.end {
                    return Err(io::Error::other("more than one answer"));
                }
            }
        }
    }
}

/// Where an answer ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) status: u16,
    end: usize,
}

/// The head of an answer, or `None` if it is not complete. Every server here says how long its answer is.
pub(crate) fn parse(bytes: &[u8]) -> io::Result<Option<Parsed>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(bytes).map_err(io::Error::other)? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Ok(None),
    };
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok())
        .ok_or_else(|| io::Error::other("an answer without Content-Length"))?;
    Ok(Some(Parsed { status: response.code.unwrap_or_default(), end: head + length }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let whole = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno";
        assert_eq!(parse(whole).unwrap(), Some(Parsed { status: 503, end: whole.len() }));
        assert_eq!(parse(&whole[..30]).unwrap(), None);
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse(b"nonsense\r\n\r\n").is_err());
    }
}
