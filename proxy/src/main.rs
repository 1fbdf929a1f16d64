//! `framescope`: the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    framescope_proxy::cli::main()
}
