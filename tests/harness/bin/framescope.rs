//! The command line, built with the tests: for those that need a process to limit and to kill.

use std::process::ExitCode;

fn main() -> ExitCode {
    framescope_proxy::cli::main()
}
