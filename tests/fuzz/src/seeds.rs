//! How a target begins: with small inputs made by code, which libFuzzer's corpus or a smoke run begins from.

use std::path::Path;

use crate::smoke;

/// The folder that the seeds are written to before libFuzzer reads it; set by `./run`.
pub const FOLDER: &str = "FUZZ_SEEDS";
/// The folder that keeps an input which breaks something; set by `./run`.
pub const ARTIFACTS: &str = "FUZZ_ARTIFACTS";

/// Does what the environment asks for before libFuzzer begins: a smoke run, which ends the process, or
/// writing each seed as a file of its own.
pub fn begin(seeds: impl IntoIterator<Item = Vec<u8>>, check: fn(&[u8])) {
    if let Some(count) = std::env::var_os(smoke::COUNT) {
        let count = count.to_str().and_then(|count| count.parse().ok()).expect("a number");
        let artifacts = std::env::var_os(ARTIFACTS).unwrap_or_else(|| ".".into());
        smoke::run(seeds.into_iter().collect(), count, Path::new(&artifacts), check);
    }
    if let Some(folder) = std::env::var_os(FOLDER) {
        plant(Path::new(&folder), seeds);
    }
}

fn plant(folder: &Path, seeds: impl IntoIterator<Item = Vec<u8>>) {
    std::fs::create_dir_all(folder).expect("the corpus folder can be made");
    for (number, input) in seeds.into_iter().enumerate() {
        let path = folder.join(format!("seed-{number:02}"));
        std::fs::write(path, input).expect("the corpus folder can be written to");
    }
}
