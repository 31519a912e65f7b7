//! The project's own commands: `cargo xtask run|test|ci|generate|tidy|schemathesis|autobahn|bench`. `.ci/run` calls
//! `ci`, the README shows `run` and `test`; nothing runs in CI that a developer cannot run.
//!
//! It knows none of our crates: it runs their binary. Read `steps.rs` for what each command does, `tools.rs` for
//! what is looked for on the machine, `tidy.rs` for the rules of the tree.

mod autobahn;
mod bench;
mod portal;
mod steps;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  run [-- args]   build everything and start `tidegate serve --demo`
  test            run every test
  ci              formatting, lints, and every test
  generate        write openapi/control.json and the portal's client anew
  tidy            print the state of the tree's rules
  schemathesis    play the whole REST document as every role and as nobody (many minutes)
  autobahn [off|pass|terminate] [case ...]
                  play the Autobahn suite and write its verdicts under bench/results
  bench [--quick] [--only NAME ...] [--reps N]
                  measure Tidegate beside its peers and write bench/results/peers.md";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.filter(|arg| arg != "--").collect();
    let outcome = match command.as_deref() {
        Some("run") => steps::run(&rest),
        Some("test") => steps::test(),
        Some("ci") => steps::ci(),
        Some("generate") => steps::generate(),
        Some("schemathesis") => steps::schemathesis(),
        Some("autobahn") => autobahn::run(&rest),
        Some("bench") => bench::run(&rest),
        Some("tidy") => tidy::print(&tools::root()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
