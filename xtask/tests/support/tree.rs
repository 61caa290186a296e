//! What lies in a folder, to be compared with what lies there later.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file below `root` by its path, except below the top folders named in `without`.
pub(crate) fn snapshot(root: &Path, without: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    collect(root, "", without, &mut files);
    files
}

fn collect(dir: &Path, prefix: &str, without: &[&str], files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if without.contains(&path.as_str()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{path}/"), without, files);
        } else {
            files.insert(path, fs::read(entry.path()).unwrap_or_default());
        }
    }
}

/// In lower-case hexadecimal, as ledgers and indexes write it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hmac_sha256::Hash::hash(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
