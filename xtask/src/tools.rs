//! What the commands need from the machine: where it is, and one line that says how to mend what lacks.
//!
//! It installs what it may (Debian packages as root, npm and Python packages into the project) and names the rest.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

/// Oldest Node that the portal's build tools run on.
const NODE_OLDEST: (u32, u32) = (20, 19);

/// Fails unless each word NAME==VERSION is installed.
const PYTHON_CHECK: &str = "
import sys
from importlib.metadata import version
sys.exit(any(version(word.split('==')[0]) != word.split('==')[1] for word in sys.argv[1:]))
";

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The target folder that cargo uses.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Runs a step under a headline, with its output on ours.
pub(crate) fn step(title: &str, command: &mut Command) -> Result<()> {
    eprintln!("\n=== {title}");
    let began = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("“{title}” failed ({status}); it ran: {}", shown(command));
    }
    eprintln!("=== {title}: {:.1} s", began.elapsed().as_secs_f32());
    Ok(())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The path of a program, if it is on the machine.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let places = env::var_os("PATH")?;
    env::split_paths(&places)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|place| place.join(program))
        .find(|path| path.is_file())
}

/// Cargo, as the one that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// npm in the portal's folder.
pub(crate) fn npm(args: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(root().join("portal")).args(args);
    command
}

/// Node and npm are there and new enough.
pub(crate) fn need_node() -> Result<()> {
    let text =
        Command::new("node").arg("--version").output().ok().map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    let mut numbers = text.trim_start_matches('v').split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (major, minor) = NODE_OLDEST;
    if found == (0, 0) {
        bail!("Node.js is missing. Install Node.js {major}.{minor} or newer, with npm, and try again.");
    }
    if found < NODE_OLDEST {
        bail!("Node.js {text} is too old. Install {major}.{minor} or newer and try again.");
    }
    if find("npm").is_none() {
        bail!("npm is missing. Install it beside Node.js {text} and try again.");
    }
    Ok(())
}

/// A C compiler is there, for SQLite and the cryptography library.
pub(crate) fn need_compiler() -> Result<()> {
    if find("cc").or_else(|| find("gcc")).or_else(|| find("clang")).is_none() {
        bail!(
            "A C compiler is missing. Install one (Debian: apt-get install gcc; macOS: xcode-select --install)."
        );
    }
    Ok(())
}

/// The paths of programs from Debian packages, installed when they lack and we may.
///
/// # Errors
/// One line that names everything that lacks and how to install it.
pub(crate) fn debian(wanted: &[(&str, &str)]) -> Result<Vec<PathBuf>> {
    let lacking = |wanted: &[(&str, &str)]| -> Vec<String> {
        wanted
            .iter()
            .filter(|(program, _)| find(program).is_none())
            .map(|(_, package)| (*package).to_owned())
            .collect()
    };
    let packages = lacking(wanted);
    if !packages.is_empty() && find("apt-get").is_some() && is_root() {
        step("apt-get update", Command::new("apt-get").args(["update", "-qq"]))?;
        let mut install = Command::new("apt-get");
        install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(&packages);
        install.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::process::Stdio::null());
        step(&format!("apt-get install {}", packages.join(" ")), &mut install)?;
    }
    let packages = lacking(wanted);
    if !packages.is_empty() {
        bail!(
            "the tests need {}; install them (Debian: apt-get install {})",
            packages.join(", "),
            packages.join(" ")
        );
    }
    Ok(wanted.iter().filter_map(|(program, _)| find(program)).collect())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A Python with packages, each in one version, in a folder of its own.
pub(crate) fn python_with(home: &Path, packages: &[(&str, &str)]) -> Result<PathBuf> {
    let python = home.join("bin/python3");
    let packages: Vec<_> = packages.iter().map(|(name, version)| format!("{name}=={version}")).collect();
    let ready = Command::new(&python).args(["-c", PYTHON_CHECK]).args(&packages).output();
    if ready.is_ok_and(|output| output.status.success()) {
        return Ok(python);
    }
    if find("python3").is_none() {
        debian(&[("python3", "python3-venv")])?;
    }
    step("make a Python environment", Command::new("python3").args(["-m", "venv", "--clear"]).arg(home))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet"]).args(&packages);
    step(&format!("install {}", packages.join(" ")), &mut pip)?;
    Ok(python)
}
