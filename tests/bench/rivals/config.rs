//! How the other proxies are configured: as each one's manual has a WebSocket proxy, with two threads.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::Site;
use crate::process::THREADS;

/// One frontend for plain clients, one for TLS clients.
pub fn haproxy(plain: SocketAddr, tls: SocketAddr, site: &Site) -> String {
    let Site { echo, certificate, .. } = site;
    let both = certificate.both.display();
    format!(
        "global\n  nbthread {THREADS}\n\
         defaults\n  mode http\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n  \
         timeout tunnel 1h\n  option http-server-close\n\
         frontend f\n  bind {plain}\n  bind {tls} ssl crt {both}\n  default_backend b\n\
         backend b\n  server s {echo}\n"
    )
}

/// One server for both; each worker may have all the connections that its open files allow.
pub fn nginx(plain: SocketAddr, tls: SocketAddr, site: &Site, folder: &Path) -> String {
    let Site { echo, certificate, .. } = site;
    let (chain, key) = (certificate.chain.display(), certificate.key.display());
    let folder = folder.display();
    format!(
        "daemon off;\nworker_processes {THREADS};\npid {folder}/nginx.pid;\n\
         error_log {folder}/nginx.log crit;\nevents {{ worker_connections 19900; }}\n\
         http {{\n access_log off;\n client_body_temp_path {folder}/nginx-body;\n \
         proxy_temp_path {folder}/nginx-proxy;\n fastcgi_temp_path {folder}/nginx-fastcgi;\n \
         uwsgi_temp_path {folder}/nginx-uwsgi;\n scgi_temp_path {folder}/nginx-scgi;\n \
         server {{\n  listen {plain};\n  listen {tls} ssl;\n  ssl_protocols TLSv1.2 TLSv1.3;\n  \
         ssl_certificate {chain};\n  ssl_certificate_key {key};\n  \
         location / {{\n   proxy_pass http://{echo};\n   \
         proxy_http_version 1.1;\n   proxy_set_header Upgrade $http_upgrade;\n   \
         proxy_set_header Connection upgrade;\n   proxy_read_timeout 1h;\n  }}\n }}\n}}\n"
    )
}

/// Takes plain and TLS clients on one port.
pub fn mitmproxy(listen: SocketAddr, site: &Site, folder: &Path) -> Command {
    let Site { echo, certificate, .. } = site;
    let mut command = Command::new("mitmdump");
    command.args(["--quiet", "--mode", &format!("reverse:http://{echo}")]);
    command.args(["--listen-host", "127.0.0.1", "--listen-port", &listen.port().to_string()]);
    command.args(["--set", &format!("confdir={}", folder.display())]);
    command.args(["--certs", &format!("*={}", certificate.both.display())]);
    command.args(["-w", &folder.join("mitm.flow").to_string_lossy()]);
    command
}
