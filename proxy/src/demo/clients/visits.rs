//! Shorter visits: grace follows the ticker, ada tries the echo endpoint.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::super::closing::Closing;
use super::{Connection, Name, PATIENCE};

/// Follows the ticker for a minute or two, then closes.
pub(super) async fn watch_ticker(
    target: SocketAddr,
    name: Name,
    random: &mut fastrand::Rng,
    closing: &mut Closing,
) -> Result<(), Error> {
    let mut connection = Connection::open(target, "/ticker", name, None).await?;
    let until = sleep(Duration::from_secs(random.u64(45..120)));
    tokio::pin!(until);
    loop {
        tokio::select! {
            biased;
            () = closing.wait() => return connection.close(1001, "the demo clients stop").await,
            () = &mut until => return connection.close(1000, "seen enough").await,
            message = connection.receive() => drop(message?),
        }
    }
}

/// Sends a few different things, waits for each to come back, and asks to be closed.
pub(super) async fn try_echo(
    target: SocketAddr,
    name: Name,
    random: &mut fastrand::Rng,
    closing: &mut Closing,
) -> Result<(), Error> {
    let mut connection = Connection::open(target, "/echo", name, None).await?;
    for step in 0..random.usize(4..9) {
        match random.u8(..6) {
            0 => connection.send(Message::Ping(Bytes::from(format!("echo {step}")))).await?,
            1 => connection.send(Message::binary(octets(random, 24))).await?,
            2 => connection.send_in_parts("one message that came in several frames", 9).await?,
            // The lengths of RFC 6455 §5.2: 7, 16 and, seldom, 64 bits.
            3 if random.u8(..4) == 0 => {
                connection.send(Message::binary(octets(random, 70_000))).await?;
            }
            3 => connection.send(Message::text("all work and no play ".repeat(12))).await?,
            _ => connection.send(Message::text(format!("hello, echo {step}"))).await?,
        }
        timeout(PATIENCE, connection.receive()).await.map_err(|_| Error::ConnectionClosed)??;
        tokio::select! {
            biased;
            () = closing.wait() => return connection.close(1001, "the demo clients stop").await,
            () = sleep(Duration::from_millis(random.u64(300..1_800))) => {}
        }
    }
    let code = random.choice([1000, 1001, 3000, 4001, 4001, 4500]).unwrap_or(1000);
    connection.send(Message::text(format!("close {code} as you asked"))).await?;
    connection.drain().await;
    // Our end is closed now, not after the pause.
    drop(connection);
    tokio::select! {
        biased;
        () = closing.wait() => {}
        () = sleep(Duration::from_secs(random.u64(4..15))) => {}
    }
    Ok(())
}

fn octets(random: &mut fastrand::Rng, len: usize) -> Vec<u8> {
    let mut octets = vec![0; len];
    random.fill(&mut octets);
    octets
}
