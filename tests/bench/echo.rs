//! The upstream of every rival: answers each masked frame with one of the same length, unmasked.

use anyhow::Result;
use framescope_core::frame::{FrameDecoder, FramePart};
use framescope_core::handshake::AcceptDerivation;
use framescope_core::http::{Head, HeadReader};
use framescope_core::{FrameHeader, Opcode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves until the process is ended; says its address on standard output.
pub fn serve() -> Result<()> {
    super::process::runtime()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                // A client that goes away is no fault of the echo.
                let _ = echo(stream).await;
            });
        }
    })
}

async fn echo(mut stream: TcpStream) -> Result<()> {
    let mut buffer = vec![0; 256 << 10];
    let mut reader = HeadReader::default();
    let (head, rest) = loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        let mut input = &buffer[..len];
        if let Some(raw) = reader.take(&mut input, 64 << 10)? {
            break (Head::parse_request(raw, 0)?, input.to_vec());
        }
    };
    let key = head.value("Sec-WebSocket-Key").unwrap_or_default().into_owned();
    let accept = AcceptDerivation::new(&key).accept;
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    let mut decoder = FrameDecoder::new(0);
    let mut out = Vec::with_capacity(256 << 10);
    answer_frames(&mut decoder, &rest, &mut out);
    loop {
        if !out.is_empty() {
            stream.write_all(&out).await?;
            out.clear();
        }
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        answer_frames(&mut decoder, &buffer[..len], &mut out);
    }
}

/// Answers with the payload as it came, still masked: as octets they are as good as any.
fn answer_frames(decoder: &mut FrameDecoder, mut input: &[u8], out: &mut Vec<u8>) {
    while let Some(part) = decoder.next_part(&mut input) {
        match part {
            FramePart::Header { header, .. } => {
                let opcode =
                    if header.opcode == Opcode::Text { Opcode::Binary } else { header.opcode };
                FrameHeader { masking_key: None, opcode, ..header }.encode(out);
            }
            FramePart::Payload { octets, .. } => out.extend_from_slice(octets),
            FramePart::End | FramePart::Lost => {}
        }
    }
}
