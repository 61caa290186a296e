//! The executable. All of it stands in the library beside it, which cargo compiles while the crates
//! that it uses are still being finished; a binary would have to wait for them.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
