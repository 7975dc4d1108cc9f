//! Folders of servers that live as long as the test process.
//!
//! Such a server sits in a static, which is never dropped, so its folder stays behind. Its name carries the process id,
//! and whoever makes the next folder removes those of processes that are no more.

use std::path::Path;

use tempfile::TempDir;

/// A folder for a server of this process; leftovers of earlier ones are removed.
pub fn folder(server: &str) -> TempDir {
    let prefix = format!("yaopai-{server}-");
    clear(&std::env::temp_dir(), &prefix);
    tempfile::Builder::new().prefix(&format!("{prefix}{}-", std::process::id())).tempdir().unwrap()
}

/// Removes from `place` the folders `<prefix><process id>-…` whose process is gone. What cannot be removed stays:
/// another run may be removing it at this moment, or it is another account's.
fn clear(place: &Path, prefix: &str) {
    for entry in std::fs::read_dir(place).unwrap().filter_map(Result::ok) {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(prefix)?.split_once('-')?.0.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[test]
fn folders_of_dead_processes_are_removed_and_no_others() {
    let place = tempfile::tempdir().unwrap();
    let mut ended = std::process::Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let own = format!("yaopai-x-{}-a", std::process::id());
    let dead = format!("yaopai-x-{}-b", ended.id());
    let names = [own.as_str(), &dead, "yaopai-x-c", "yaopai-x-1c-d", "other-1-e"];
    for name in names {
        std::fs::create_dir_all(place.path().join(name).join("data")).unwrap();
    }
    clear(place.path(), "yaopai-x-");
    let left: Vec<&str> = names.into_iter().filter(|name| place.path().join(name).exists()).collect();
    assert_eq!(left, [own.as_str(), "yaopai-x-c", "yaopai-x-1c-d", "other-1-e"]);
}
