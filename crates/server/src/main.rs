//! The binary `tidegate`: reads the configuration, puts the rooms together, and runs commands.
//!
//! Nothing is decided here that the rooms could decide. A command that fails prints lines that say what is wrong
//! and how to mend it, and ends with a code that is not 0. Read `shape/all_in_one.rs` for how it is put together.

mod banner;
mod certificate;
mod clock;
mod command;
mod config;
mod data_folder;
mod first_start;
mod log;
mod portal_assets;
mod shape;
mod shutdown;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use command::{connect::Connect, echo::Echo, keys::Keys, openapi, serve, user::UserCommand};
use config::RawServe;

/// Turns a WebSocket backend into a managed API: portals, gateway and authorization server in one program.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything: portals, REST API and gateway, with all data in one folder
    Serve(Box<RawServe>),
    /// Run the sample backend, which sends back every message
    Echo(Echo),
    /// Open a WebSocket and talk: a line in is a message out
    Connect(Box<Connect>),
    /// Look at the keys that sign tokens, rotate them, or take one away
    Keys(Keys),
    /// Do things to users
    #[command(subcommand)]
    User(UserCommand),
    /// Print the OpenAPI document of the REST API
    Openapi,
}

fn main() -> ExitCode {
    // First of all: every TLS side in the process uses this library, and none may start before it is chosen.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return fail("the cryptography library is installed twice");
    }
    let arguments = Arguments::parse();
    log::start(!matches!(arguments.command, Command::Serve(_)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start threads: {error}")),
    };
    let outcome = runtime.block_on(async {
        match arguments.command {
            Command::Serve(raw) => serve::run(*raw).await,
            Command::Echo(echo) => echo.run().await,
            Command::Connect(connect) => connect.run().await,
            Command::Keys(keys) => keys.run().await,
            Command::User(user) => user.run().await,
            Command::Openapi => openapi::run(),
        }
    });
    // A thread that waits for the terminal must not hold up the end.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => fail(&one_line(&error)),
    }
}

/// An error with its causes, each said once.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Libraries like to repeat their cause in their own text, and so do we where a way out follows it.
        if !said(&text).contains(&said(&cause)) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// What a text says, whatever its case and without the system's numbers of errors.
fn said(text: &str) -> String {
    let mut said = text.to_lowercase();
    while let Some(number) = said.find(" (os error ") {
        let end = said[number..].find(')').map_or(said.len(), |end| number + end + 1);
        said.replace_range(number..end, "");
    }
    said
}

fn fail(text: &str) -> ExitCode {
    for line in text.lines() {
        eprintln!("tidegate: {line}");
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests;
