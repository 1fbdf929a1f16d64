//! Who is measured: always direct, copy and framescope; other proxies where they are installed.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;

use crate::process::{Server, THREADS};

/// One way from the load to the echo.
#[derive(Debug)]
pub struct Rival {
    /// For the table.
    pub name: &'static str,
    /// Where the load connects.
    pub addr: SocketAddr,
    server: Option<Server>,
}

impl Rival {
    /// CPU time it has used; none for the direct way.
    pub fn cpu(&self) -> Duration {
        self.server.as_ref().map(Server::cpu).unwrap_or_default()
    }

    /// Resident memory, in octets; `None` for the direct way.
    pub fn resident(&self) -> Option<u64> {
        self.server.as_ref().map(Server::resident)
    }
}

/// Starts all that are installed and not named in `without`. Their files go into `folder`.
pub fn start(echo: SocketAddr, folder: &Path, without: &[String]) -> Result<Vec<Rival>> {
    let wanted = |name: &str| !without.iter().any(|left_out| left_out == name);
    let upstream = echo.to_string();
    let mut rivals = Vec::new();
    let mut add = |name, server: Server| {
        rivals.push(Rival { name, addr: server.addr(), server: Some(server) });
    };
    if wanted("copy") {
        add("copy", Server::start_self(&["serve-copy", &upstream])?);
    }
    if wanted("framescope") {
        let words = ["serve-framescope", &upstream, &folder.to_string_lossy()];
        add("framescope", Server::start_self(&words)?);
    }
    if wanted("haproxy") && is_installed("haproxy", "-v") {
        let addr = free_port()?;
        let path = folder.join("haproxy.cfg");
        fs::write(&path, haproxy_config(addr, echo))?;
        add(
            "haproxy",
            Server::start(Command::new("haproxy").arg("-db").arg("-f").arg(path), addr)?,
        );
    }
    if wanted("nginx") && is_installed("nginx", "-v") {
        let addr = free_port()?;
        let path = folder.join("nginx.conf");
        fs::write(&path, nginx_config(addr, echo, folder))?;
        add("nginx", Server::start(Command::new("nginx").arg("-c").arg(path), addr)?);
    }
    if wanted("mitmproxy") && is_installed("mitmdump", "--version") {
        let addr = free_port()?;
        let mut command = Command::new("mitmdump");
        command.args(["--quiet", "--mode", &format!("reverse:http://{echo}")]);
        command.args(["--listen-host", "127.0.0.1", "--listen-port", &addr.port().to_string()]);
        command.args(["--set", &format!("confdir={}", folder.display())]);
        command.args(["-w", &folder.join("mitm.flow").to_string_lossy()]);
        add("mitmproxy", Server::start(&mut command, addr)?);
    }
    if wanted("direct") {
        rivals.insert(0, Rival { name: "direct", addr: echo, server: None });
    }
    Ok(rivals)
}

fn is_installed(program: &str, word: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(word).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A port that was free just now: those programs cannot say which one they took.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn haproxy_config(listen: SocketAddr, echo: SocketAddr) -> String {
    format!(
        "global\n  nbthread {THREADS}\n\
         defaults\n  mode http\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n  \
         timeout tunnel 1h\n  option http-server-close\n\
         frontend f\n  bind {listen}\n  default_backend b\n\
         backend b\n  server s {echo}\n"
    )
}

fn nginx_config(listen: SocketAddr, echo: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "daemon off;\nworker_processes {THREADS};\npid {folder}/nginx.pid;\n\
         error_log {folder}/nginx.log crit;\nevents {{ worker_connections 9000; }}\n\
         http {{\n access_log off;\n client_body_temp_path {folder}/nginx-body;\n \
         proxy_temp_path {folder}/nginx-proxy;\n fastcgi_temp_path {folder}/nginx-fastcgi;\n \
         uwsgi_temp_path {folder}/nginx-uwsgi;\n scgi_temp_path {folder}/nginx-scgi;\n \
         server {{\n  listen {listen};\n  location / {{\n   proxy_pass http://{echo};\n   \
         proxy_http_version 1.1;\n   proxy_set_header Upgrade $http_upgrade;\n   \
         proxy_set_header Connection upgrade;\n   proxy_read_timeout 1h;\n  }}\n }}\n}}\n"
    )
}
