//! `framescope show`: the view of a running proxy, from a capture.

use std::io::{self, BufWriter};
use std::path::PathBuf;

use framescope_core::capture::{CaptureFault, CaptureItem};
use framescope_core::export::Depth;

use super::file::reason;
use super::look::Look;
use super::{Exit, Failure, Outcome, view_failure};
use crate::follow::{Follower, Input};
use crate::view::terminal::{drain_to_end, tell};
use crate::view::{Feed, Palette, Role, Tally, ViewError, escape};

/// Show what a capture holds, one line a frame
///
/// Reads captures of Framescope, and what Wireshark, tcpdump and others recorded in the clear
/// (pcapng and pcap). The first file of a set that `framescope proxy --rotate-size` wrote stands for the
/// whole set, a later one for itself. Nothing is written but the view.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  framescope show chat.pcapng
  framescope show chat.pcapng --detail
  framescope show quotes.pcapng --descriptor-set market.binpb --message-type market.Quote
  framescope show chat.pcapng --json | jq -r 'select(.message).message.text'
  tcpdump -i lo -U -w - port 8080 | framescope show -")]
pub struct ShowArgs {
    /// The capture; - reads it from stdin, and shows what comes as it comes
    file: PathBuf,
    #[command(flatten)]
    look: Look,
}

/// Shows the capture.
pub fn run(args: &ShowArgs, palette: Palette, told: Palette) -> Outcome {
    let depth = args.look.depth()?;
    let tally = if args.file.as_os_str() == "-" {
        show(Follower::new(io::stdin().lock()), args, depth, palette, "stdin")
    } else {
        let name = escape::whole(&args.file.display().to_string());
        let follower = Follower::open(&args.file).map_err(|error| cannot_read(&name, &error))?;
        show(follower, args, depth, palette, &name)
    }?;
    match tally {
        Some(tally) if tally.records > 0 => {
            tell(&format!("{}\n", told.paint(Role::Weak, tally)));
        }
        Some(_) => tell(&format!(
            "{} no TCP connection is in this capture\n",
            told.paint(Role::Warning, "warning:")
        )),
        None => {}
    }
    Ok(())
}

/// Shows what the follower gives; `None` where nobody reads stdout any more.
fn show<R: Input>(
    mut follower: Follower<R>,
    args: &ShowArgs,
    depth: Depth,
    palette: Palette,
    name: &str,
) -> Result<Option<Tally>, Failure> {
    // Nothing is written before it is known that this is a capture.
    let first = first_item(&mut follower).map_err(|error| cannot_read(name, &error))?;
    if let Some(CaptureItem::Fault(CaptureFault::NotACapture { looks_like })) = first {
        return Err(Failure::new(
            Exit::File,
            format!("{name} is not a capture: it looks like {looks_like}"),
        )
        .help("give a .pcapng or .pcap file; `framescope proxy UPSTREAM -w FILE` makes one"));
    }
    let out = BufWriter::new(io::stdout().lock());
    let (format, secrets) = (args.look.format(), args.look.secrets());
    let shown = Feed::with(format, palette, secrets, depth, out)
        .map_err(ViewError::Output)
        .and_then(|mut feed| {
            if let Some(item) = first {
                feed.receive(item).map_err(ViewError::Output)?;
            }
            drain_to_end(&mut follower, &mut feed)?;
            Ok(feed.tally())
        });
    match shown {
        Ok(tally) => Ok(Some(tally)),
        Err(ViewError::Capture(error)) => Err(cannot_read(name, &error)),
        Err(error) => view_failure(error).map(|()| None),
    }
}

/// Reads until there is something to say, or to the end.
fn first_item<R: Input>(follower: &mut Follower<R>) -> io::Result<Option<CaptureItem>> {
    loop {
        if let Some(item) = follower.poll() {
            return Ok(Some(item));
        }
        if !follower.read_more()? {
            follower.finish();
            return Ok(follower.poll());
        }
    }
}

fn cannot_read(name: &str, error: &io::Error) -> Failure {
    let failure = Failure::new(Exit::File, format!("cannot read {name}: {}", reason(error)));
    match error.kind() {
        io::ErrorKind::NotFound => failure.help("check the path; - reads from stdin"),
        io::ErrorKind::PermissionDenied => failure.help("check who may read it with ls -l"),
        io::ErrorKind::IsADirectory => failure.help("give the .pcapng file in it"),
        _ => failure,
    }
}
