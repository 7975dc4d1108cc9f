//! The `yaopai` command: parses the command line and calls the library.

use std::process::ExitCode;

/// Reading and comparing a directory is many small strings: the system's allocator took a third of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    yaopai::cli::main()
}
