//! The decision point: loading, deciding, reloading.

mod decide;
mod load;

use std::path::Path;

/// A folder with the repository's schema and these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let schema = crate::harness::policies().join("schema.cedarschema");
    std::fs::copy(schema, folder.path().join("schema.cedarschema")).unwrap();
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}
