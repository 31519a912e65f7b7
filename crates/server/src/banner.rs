//! What `serve` says when everything listens: where to go, as whom, and a line to paste.
//!
//! Passwords are shown to a terminal alone; elsewhere the banner would keep them in a log.

use std::{fmt::Write as _, io::IsTerminal as _, path::Path};

use tidegate_model::role::Role;

use crate::{
    certificate::Source, config::usual_data_folder, data_folder::DataFolder, first_start::Record,
    shape::all_in_one::Addresses,
};

/// Prints the banner.
pub(crate) fn print(
    addresses: &Addresses,
    folder: &DataFolder,
    certificate: &Source,
    record: &Record,
    demo: bool,
) {
    let binary = std::env::current_exe().map_or_else(|_| "tidegate".to_owned(), |path| quoted(&path));
    let shows_passwords = std::io::stdout().is_terminal();
    println!("{}", text(addresses, folder, certificate, record, demo, &binary, shows_passwords));
}

fn text(
    addresses: &Addresses,
    folder: &DataFolder,
    certificate: &Source,
    record: &Record,
    demo: bool,
    binary: &str,
    shows_passwords: bool,
) -> String {
    let mut out = String::new();
    let mut line = |left: &str, right: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {left:<18} {right}");
    };
    let Addresses { portal, ws, wss, echo } = addresses;
    line("Publisher portal", &format!("{portal}/publisher"));
    line("Developer portal", &format!("{portal}/devportal"));
    line("Admin portal", &format!("{portal}/admin"));
    line("Gateway", &format!("{ws}  {wss}"));
    if let Some(echo) = echo {
        line("Echo backend", echo);
    }
    line("Data", &folder.path().display().to_string());
    let hint = match certificate {
        Source::Folder { .. } => " (browsers ask once whether to trust it)",
        Source::Own(_) => "",
    };
    let [certificate, _] = certificate.files();
    line("Certificate", &format!("{}{hint}", certificate.display()));
    out.push('\n');
    out.push_str(&people(record, shows_passwords));
    let _ = writeln!(out, "  Passwords of the first start are in {}", folder.first_start().display());
    let _ = writeln!(out, "  A new one: {binary} user reset NAME{}", data_flag(folder));
    if demo {
        let _ = writeln!(out, "\n  Talk to the demo API: type a line and it comes back\n");
        let _ = writeln!(out, "    {binary} connect --demo{}", data_flag(folder));
    }
    format!("\nTidegate {} is ready.\n\n{out}", env!("CARGO_PKG_VERSION"))
}

/// Who may sign in, with what, to do what.
fn people(record: &Record, shows_passwords: bool) -> String {
    let mut out = String::from("  Sign in as\n");
    for (name, person) in &record.users {
        let password = match &person.password {
            Some(password) if shows_passwords => password,
            _ => "",
        };
        let purpose = person.roles.first().copied().map_or("", purpose);
        let _ = writeln!(out, "    {name:<10} {password:<24} {purpose}");
    }
    out
}

const fn purpose(role: Role) -> &'static str {
    match role {
        Role::Admin => "does everything: create and publish an API, subscribe to it",
        Role::Creator => "designs APIs in the publisher portal",
        Role::Publisher => "publishes and deploys them there",
        Role::Subscriber => "subscribes to them in the developer portal",
        Role::Observer => "sees everything and changes nothing",
    }
}

/// `--data DIR` where it is not the usual folder.
fn data_flag(folder: &DataFolder) -> String {
    let usual = usual_data_folder().is_some_and(|usual| usual == folder.path());
    if usual { String::new() } else { format!(" --data {}", quoted(folder.path())) }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@%:".contains(&byte);
    if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests;
