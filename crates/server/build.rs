//! Has a release built anew when the built portal that it embeds has changed, or has come to be. A debug build reads
//! the portal from its folder and need not care.

fn main() {
    println!("cargo:rerun-if-env-changed=PROFILE");
    if std::env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../../portal/dist");
    }
}
