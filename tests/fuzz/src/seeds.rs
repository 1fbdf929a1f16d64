//! The first corpus of a target: small inputs made by code, written before libFuzzer reads the folder.

use std::path::Path;

/// Where [`plant`] writes; set by `./run`.
pub const FOLDER: &str = "FUZZ_SEEDS";

/// Writes each input as a file of its own, where the environment names a folder.
pub fn plant(inputs: impl IntoIterator<Item = Vec<u8>>) {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).expect("the corpus folder can be made");
    for (number, input) in inputs.into_iter().enumerate() {
        let path = folder.join(format!("seed-{number:02}"));
        std::fs::write(path, input).expect("the corpus folder can be written to");
    }
}
