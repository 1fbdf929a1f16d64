//! A bare octet copier: the limit of what a proxy in user space can do.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use framescope_certs::{load_pem_chain, load_pem_key};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What it reads at once, in octets.
const BUFFER: usize = 64 << 10;

/// Copies octets between clients and `upstream` until the process is ended.
pub fn serve(upstream: &str) -> Result<()> {
    accept(upstream, copy)
}

/// The same between TLS clients, by tokio-rustls, and `upstream`, which stays plain.
pub fn serve_tls(upstream: &str, chain: &str, key: &str) -> Result<()> {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(load_pem_chain(Path::new(chain))?, load_pem_key(Path::new(key))?)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    accept(upstream, move |client, upstream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(client) = acceptor.accept(client).await {
                copy(client, upstream).await;
            }
        }
    })
}

fn accept<F>(upstream: &str, serve: impl Fn(TcpStream, SocketAddr) -> F) -> Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let upstream: SocketAddr = upstream.parse()?;
    super::process::runtime()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (client, _) = listener.accept().await?;
            client.set_nodelay(true)?;
            tokio::spawn(serve(client, upstream));
        }
    })
}

async fn copy(mut client: impl AsyncRead + AsyncWrite + Unpin, upstream: SocketAddr) {
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    let _ = server.set_nodelay(true);
    // How a connection ends is no matter here.
    let _ =
        tokio::io::copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await;
}
