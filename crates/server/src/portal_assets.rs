//! The built portal: embedded in a release, read from a folder in a debug build, so that `cargo build` never
//! needs Node and a rebuilt page shows without a rebuilt binary.

use std::{
    borrow::Cow,
    fmt::Write as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use rust_embed::RustEmbed;
use tidegate_control::{Asset, Assets};

/// What was in `portal/dist` when a release was built; nothing in a debug build.
#[derive(RustEmbed)]
#[folder = "../../portal/dist"]
#[allow_missing = true]
struct Embedded;

/// Names the folder of the built portal for a debug build.
const VARIABLE: &str = "TIDEGATE_PORTAL_DIST";

/// The files of the portal.
pub(crate) fn assets() -> Assets {
    if cfg!(debug_assertions) {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../portal/dist");
        let folder = std::env::var_os(VARIABLE).map_or(beside, PathBuf::from);
        return Arc::new(move |path| from_folder(&folder, path));
    }
    Arc::new(embedded)
}

fn embedded(path: &str) -> Option<Asset> {
    let file = Embedded::get(path)?;
    let etag = hex(&file.metadata.sha256_hash());
    Some(Asset { bytes: file.data, content_type: content_type(path).to_owned(), etag })
}

fn from_folder(folder: &Path, path: &str) -> Option<Asset> {
    let relative = Path::new(path);
    // Nothing but names: no way up, no way to the root.
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let bytes = std::fs::read(folder.join(relative)).ok()?;
    let etag = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes).as_ref());
    Some(Asset { bytes: Cow::Owned(bytes), content_type: content_type(path).to_owned(), etag })
}

/// The first 16 bytes in hexadecimal: enough to tell versions of a file apart.
fn hex(digest: &[u8]) -> String {
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The media types of what a portal is made of.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
