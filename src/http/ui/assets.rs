//! Style sheet and images: their names carry a digest of their content, so that browsers may keep them for ever.

use std::path::{Path, PathBuf};

use super::UiError;
use crate::crypto::sha256_hex;
use crate::http::paths;

/// Every embedded asset: (name, media type, bytes).
const EMBEDDED: &[(&str, &str, &[u8])] = &[
    ("style.css", "text/css; charset=utf-8", include_bytes!("assets/style.css")),
    ("mark.svg", "image/svg+xml", include_bytes!("assets/mark.svg")),
    ("tablet.svg", "image/svg+xml", include_bytes!("assets/tablet.svg")),
];

/// One file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asset {
    name: &'static str,
    /// `style-0123456789abcdef.css`: the last part of its path.
    pub file: String,
    /// Media type.
    pub media_type: &'static str,
    /// Content.
    pub content: Vec<u8>,
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assets {
    files: Vec<Asset>,
    unreadable: Option<(PathBuf, String)>,
}

impl Assets {
    /// The embedded files, each replaced by the one of the same name in the operator's `folder`.
    #[must_use]
    pub fn new(folder: Option<&Path>) -> Self {
        let mut unreadable = None;
        let files = EMBEDDED.iter().map(|(name, media_type, embedded)| {
            let own = folder.map(|folder| folder.join(name)).filter(|path| path.exists());
            let content = match own.map(|path| (std::fs::read(&path), path)) {
                Some((Ok(content), _)) => content,
                Some((Err(error), path)) => {
                    unreadable = Some((path, error.to_string()));
                    embedded.to_vec()
                }
                None => embedded.to_vec(),
            };
            let digest = sha256_hex(&content);
            let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
            let file = format!("{stem}-{}.{ending}", digest.get(..16).unwrap_or_default());
            Asset { name, file, media_type, content }
        });
        let files = files.collect();
        Self { files, unreadable }
    }

    /// The path under which an asset is served, by its plain name.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<String> {
        let asset = self.files.iter().find(|asset| asset.name == name)?;
        Some(paths::ASSETS.replace("{file}", &asset.file))
    }

    /// The asset with this file name.
    #[must_use]
    pub fn find(&self, file: &str) -> Option<&Asset> {
        self.files.iter().find(|asset| asset.file == file)
    }

    pub(super) fn check(&self) -> Result<(), UiError> {
        match &self.unreadable {
            Some((path, cause)) => {
                Err(UiError::Read { path: path.clone(), cause: std::io::Error::other(cause.clone()) })
            }
            None => Ok(()),
        }
    }
}
