//! A short round of `bench-relay`: the relay side by side with a bare copy and other proxies.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let program = env!("CARGO_BIN_EXE_bench-relay");
    let words = ["--rounds", "3", "--seconds", "0.7", "--held", "2000", "--without", "mitmproxy"];
    match Command::new(program).args(words).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("error: {program}: {fault}");
            ExitCode::FAILURE
        }
    }
}
