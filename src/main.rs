//! `portplan`: finds two things that want one host port.

fn main() -> std::process::ExitCode {
    portplan::cli::main()
}
