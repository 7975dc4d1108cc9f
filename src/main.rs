//! The `yaopai` command: parses the command line and calls the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    yaopai::cli::main()
}
