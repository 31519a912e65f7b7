//! The portal's packages and build, done again only when what they are made from has changed.
//!
//! It knows npm and the portal's folder, nothing of what is in it.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::tools::{npm, root, step, target};

/// Installs the packages of a folder by its lock file.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let made = folder.join("node_modules/.package-lock.json");
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    once(&format!("npm-ci-{name}"), &made, &[folder.join("package-lock.json")], || {
        let mut command = Command::new("npm");
        command.current_dir(folder).args(["ci", "--no-audit", "--no-fund"]);
        step(&format!("npm ci in {name}"), &mut command)
    })
}

/// Builds `portal/dist`.
pub(crate) fn build() -> Result<()> {
    let portal = root().join("portal");
    install(&portal)?;
    let mut inputs = files(&portal.join("src"))?;
    inputs.extend(files(&portal.join("public"))?);
    let named = ["package-lock.json", "index.html", "vite.config.ts", "tsconfig.json"];
    inputs.extend(named.map(|name| portal.join(name)));
    once("portal-build", &portal.join("dist/index.html"), &inputs, || {
        step("build the portal", &mut npm(&["run", "build"]))
    })
}

/// Does `work` unless `made` exists and the inputs are the ones it was made from.
fn once(name: &str, made: &Path, inputs: &[PathBuf], work: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = target().join("xtask").join(name);
    let now = digest(inputs);
    if made.exists() && fs::read_to_string(&stamp).is_ok_and(|then| then == now) {
        return Ok(());
    }
    work()?;
    fs::create_dir_all(target().join("xtask"))?;
    fs::write(&stamp, now).with_context(|| format!("cannot write {}", stamp.display()))
}

fn digest(inputs: &[PathBuf]) -> String {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        input.hash(&mut hasher);
        fs::read(input).unwrap_or_default().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// All files under a folder, sorted; none when it does not exist.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(found) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
