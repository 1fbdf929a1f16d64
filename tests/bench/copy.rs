//! A bare octet copier: the limit of what a proxy in user space can do.

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};

/// Copies octets between clients and `upstream` with 64 KiB buffers until the process is ended.
pub fn serve(upstream: &str) -> Result<()> {
    let upstream: std::net::SocketAddr = upstream.parse()?;
    super::process::runtime()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (mut client, _) = listener.accept().await?;
            client.set_nodelay(true)?;
            tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect(upstream).await else { return };
                let _ = server.set_nodelay(true);
                let size = 64 << 10;
                // How a connection ends is no matter here.
                let _ =
                    tokio::io::copy_bidirectional_with_sizes(&mut client, &mut server, size, size)
                        .await;
            });
        }
    })
}
