//! Ports: binding one, and when it is taken, by whom, and which is free.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::StartError;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// How many ports after a taken one are tried.
const NEARBY: u16 = 100;

/// A process that holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its name, as the system knows it.
    pub name: String,
}

/// Listens on `address`.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    try_bind(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => {
            StartError::PortInUse { address, holder: holder(address.port()), free: free(address) }
        }
        _ => StartError::Listen { address, source },
    })
}

fn try_bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Unix: a port whose last connections are still fading may be had again. Elsewhere the option
    // means something else.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn free(taken: SocketAddr) -> Option<u16> {
    (1..=NEARBY)
        .filter_map(|step| taken.port().checked_add(step))
        .find(|port| try_bind(SocketAddr::new(taken.ip(), *port)).is_ok())
}

/// Who listens on `port`, as far as /proc tells this user.
#[cfg(target_os = "linux")]
fn holder(port: u16) -> Option<Holder> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter_map(|process| Some((process.file_name().to_str()?.parse().ok()?, process.path())))
        .find(|(_, path)| {
            let open = std::fs::read_dir(path.join("fd")).into_iter().flatten().flatten();
            open.filter_map(|file| std::fs::read_link(file.path()).ok())
                .any(|file| inodes.iter().any(|inode| file.as_os_str() == inode.as_str()))
        })
        .map(|(pid, path)| {
            let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
            Holder { pid, name: name.trim().to_owned() }
        })
}

#[cfg(not(target_os = "linux"))]
fn holder(_port: u16) -> Option<Holder> {
    None
}

/// The inodes of the sockets that listen on `port`, out of a table such as `/proc/net/tcp`.
#[cfg(target_os = "linux")]
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let local_port = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_ascii_whitespace().collect();
            let listens = columns.get(1)?.ends_with(&local_port) && *columns.get(3)? == LISTEN;
            listens.then(|| columns.get(9).map(|inode| (*inode).to_owned()))?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_reported_with_its_holder_and_a_free_one() {
        let taken = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(address).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        let line = error.to_string();
        assert!(line.contains("already uses that port"), "{line}");
        let StartError::PortInUse { holder, free, .. } = error else { panic!("{line}") };
        assert!(free.is_none_or(|port| port > address.port()));
        if cfg!(target_os = "linux") {
            assert_eq!(holder.map(|holder| holder.pid), Some(std::process::id()));
        }
    }

    #[test]
    fn an_address_of_another_machine_is_refused_with_the_mend() {
        let error = bind(SocketAddr::from(([192, 0, 2, 1], 0))).unwrap_err();
        assert!(error.to_string().contains("does not have that address"), "{error}");
    }
}
