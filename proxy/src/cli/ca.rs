//! `framescope ca`: the local certificate authority, and how to trust it.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use framescope_certs::{Authority, Platform, trust};

use super::file::{Readers, write_new};
use super::{Outcome, put};
use crate::clock::Clock;
use crate::engine::{StartError, authority_dir, data_dir};
use crate::view::terminal::tell;

/// The local certificate authority: where it is, what it is, how to trust it
///
/// It is made on first use, for this user on this machine. TLS clients of the proxy get certificates
/// that it signed, so they must trust it.
#[derive(Debug, clap::Args)]
pub struct CaArgs {
    #[command(subcommand)]
    command: CaCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CaCommand {
    /// Print the path of its certificate, such as for curl --cacert "$(framescope ca path)"
    Path,
    /// Tell what it is, how to trust it and how to remove it
    Show {
        #[command(flatten)]
        platform: PlatformArg,
    },
    /// Write its certificate (PEM) to a file or to stdout, and tell how to trust it
    Export {
        /// The file to write; it must not exist. Without it, or with -, stdout
        file: Option<PathBuf>,
        #[command(flatten)]
        platform: PlatformArg,
    },
}

#[derive(Debug, clap::Args)]
struct PlatformArg {
    /// How to trust it on one platform only: linux, macos, windows, firefox, chromium, node, python,
    /// java, android or ios
    #[arg(long)]
    platform: Option<Platform>,
}

/// Runs one of its commands.
pub fn run(args: &CaArgs, out: &mut impl Write) -> Outcome {
    let folder = authority_dir(&data_dir(None)?);
    let authority = Authority::load_or_create(&folder, now()).map_err(StartError::from)?;
    if authority.was_created() {
        tell("a new certificate authority was made; its key never leaves this machine\n");
    }
    match &args.command {
        CaCommand::Path => put(out, &format!("{}\n", authority.paths().certificate.display())),
        CaCommand::Show { platform } => {
            let (summary, steps) =
                (trust::summary(&authority), trust::instructions(&authority, platform.platform));
            put(out, &format!("{summary}\n{steps}"))
        }
        CaCommand::Export { file, platform } => {
            let file = file.as_deref().filter(|file| file.as_os_str() != "-");
            match file {
                Some(file) => write_new(file, Readers::Usual, authority.ca_pem().as_bytes())?,
                None => put(out, authority.ca_pem())?,
            }
            if let Some(platform) = platform.platform {
                tell(&format!("\n{}", trust::instructions(&authority, Some(platform))));
            } else if let Some(file) = file {
                tell(&format!(
                    "wrote {}; `framescope ca show` tells how to trust it\n",
                    file.display()
                ));
            }
            Ok(())
        }
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(Clock::start().now().as_nanos())
}
