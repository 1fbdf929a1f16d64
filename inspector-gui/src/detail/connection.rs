//! What a connection is called where only one of many is shown.

use framescope_core::index::ConnectionSummary;
use framescope_core::present::Secrets;

use crate::widgets::format;

/// Longer paths are cut; whoever elides the name has enough of it.
const MOST: usize = 300;

/// `#3 /ticker`: its number, and the path that was asked for, else who asked.
pub fn connection_name(connection: &ConnectionSummary) -> String {
    let path = match connection.target() {
        Some(target) => Secrets::Masked.target(target).into_owned(),
        None => format!("from {}", connection.info.client),
    };
    let path: String = format::cut(&path, MOST).chars().map(format::visible).collect();
    format!("{} {path}", connection.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake_tab::handshakes;

    #[test]
    fn a_connection_is_called_by_number_and_path() {
        let name = connection_name(&handshakes::accepted());
        assert!(name.starts_with("#1 /chat?room=ops"), "{name}");
        assert!(!name.contains("hunter2"), "{name}");
    }
}
