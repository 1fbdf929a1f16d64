//! hudsucker as a rival: a forward proxy that parses every WebSocket message and sends it on.
//!
//! It records nothing. It says its address on the first line it prints and serves until it is ended;
//! clients send it the absolute form of the request target.

use anyhow::Result;
use hudsucker::Proxy;
use hudsucker::certificate_authority::RcgenAuthority;
use hudsucker::rcgen::{CertificateParams, Issuer, KeyPair};
use hudsucker::rustls::crypto::aws_lc_rs;
use tokio::net::TcpListener;

/// As every other rival has.
const THREADS: usize = 2;

fn main() -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        // Plain connections need no authority, but the builder does.
        let issuer = Issuer::new(CertificateParams::default(), KeyPair::generate()?);
        let proxy = Proxy::builder()
            .with_listener(listener)
            .with_ca(RcgenAuthority::new(issuer, 1_000, aws_lc_rs::default_provider()))
            .with_rustls_connector(aws_lc_rs::default_provider())
            .build()?;
        proxy.start().await?;
        Ok(())
    })
}
