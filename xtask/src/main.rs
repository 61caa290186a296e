//! The executable. Everything else is in the library beside it: cargo compiles a library while its
//! dependencies are still being finished, where a binary has to wait for them.

fn main() -> xtask::ExitStatus {
    xtask::main()
}
