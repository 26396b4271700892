//! See the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    guildhall_soak::main()
}
