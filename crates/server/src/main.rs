//! The binary `tidegate`. Its commands are not joined yet.

fn main() {
    eprintln!("tidegate: this build has no commands yet");
    std::process::exit(2);
}
