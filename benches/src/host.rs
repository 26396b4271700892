//! The machine itself.

/// Processor, cores, kernel.
pub(crate) fn hardware() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name", ':');
    format!(
        "{}, {cores} cores shared by client and servers; Linux {}",
        processor.unwrap_or_else(|| "unknown processor".to_owned()),
        read("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
    )
}

/// The version of rustc.
pub(crate) fn compiler() -> String {
    rustc().unwrap_or_else(|| "rustc unknown".to_owned())
}

/// The version of the server.
pub(crate) async fn redis(url: &str) -> String {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await.unwrap();
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    version.unwrap_or("unknown").trim().to_owned()
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

fn field(file: &str, name: &str, separator: char) -> Option<String> {
    let text = read(file)?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(separator)?.1.trim().to_owned())
}

fn rustc() -> Option<String> {
    let output = std::process::Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
