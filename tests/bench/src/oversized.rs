//! A body that no honest sender would send, by somebody without the secret.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::connection::parse;

const PIECE: usize = 64 * 1024;

/// Longest time for it all.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the endpoint did with it.
#[derive(Debug, Serialize)]
pub(crate) struct Oversized {
    /// The status of the answer, if there was one before the connection was gone.
    status: Option<u16>,
    /// Bytes of the body that could be sent: the endpoint read them, or they were in the kernel's buffers.
    sent: u64,
}

/// Sends a body of `bytes` bytes, whatever the endpoint answers, until all is sent or the connection is closed.
///
/// A forged one comes in chunks and has a signature that does not fit: some endpoints look at the body only then.
pub(crate) async fn send(to: SocketAddr, path: &str, bytes: u64, forged: bool) -> io::Result<Oversized> {
    let framing = if forged {
        format!("Fastio-Signature: sha256={}\r\nTransfer-Encoding: chunked", "0".repeat(64))
    } else {
        format!("Content-Length: {bytes}")
    };
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/json\r\n{framing}\r\n\r\n");
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(head.as_bytes()).await?;
    let (reader, writer) = stream.split();
    let (status, sent) = (Cell::new(None), Cell::new(0));
    let both = async { tokio::join!(answer(reader, &status), body(writer, bytes, forged, &sent)) };
    // Somebody who neither takes the rest nor closes has been given long enough.
    let _ = tokio::time::timeout(PATIENCE, both).await;
    Ok(Oversized { status: status.get(), sent: sent.get() })
}

async fn body(mut to: impl AsyncWrite + Unpin, bytes: u64, chunked: bool, sent: &Cell<u64>) {
    let piece = vec![b' '; PIECE];
    while sent.get() < bytes {
        // Bytes beyond a length that was announced would be another request.
        let size = usize::try_from(bytes - sent.get()).map_or(PIECE, |rest| rest.min(PIECE));
        let data = piece.get(..size).unwrap_or(&piece);
        let framed = if chunked {
            [format!("{size:x}\r\n").as_bytes(), data, b"\r\n"].concat()
        } else {
            data.to_vec()
        };
        if to.write_all(&framed).await.is_err() {
            return;
        }
        sent.set(sent.get() + size as u64);
    }
    if chunked {
        // An endpoint that closes now has had everything.
        let _ = to.write_all(b"0\r\n\r\n").await;
    }
}

async fn answer(mut from: impl AsyncRead + Unpin, status: &Cell<Option<u16>>) {
    let mut bytes = Vec::new();
    while let Ok(1..) = from.read_buf(&mut bytes).await {
        if status.get().is_none()
            && let Ok(Some(answer)) = parse(&bytes)
        {
            status.set(Some(answer.status));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_answer_before_the_end_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let endpoint = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut some = [0; 1000];
            stream.read_exact(&mut some).await.unwrap();
            stream.write_all(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            stream.shutdown().await.unwrap();
            // Reads on for a while, or the answer would be destroyed.
            let mut rest = vec![0; 1_000_000];
            stream.read_exact(&mut rest).await.unwrap();
        };
        let (outcome, ()) = tokio::join!(send(to, "/p", 100_000_000, true), endpoint);
        let outcome = outcome.unwrap();
        assert_eq!(outcome.status, Some(413));
        assert!(outcome.sent < 100_000_000, "{outcome:?}");
    }
}
