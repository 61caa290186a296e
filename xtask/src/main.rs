//! `cargo xtask`: releases the Python distributions of the monorepo it lives in.
fn main() {
    println!("cargo xtask");
}
