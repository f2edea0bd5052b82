//! The `keywright` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request through the SDK makes some hundred small allocations.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    keywright::cli::main()
}
