//! What the system knows of the process, under the names that Prometheus has for it. Where there is no `/proc`, nothing.

use std::fs;

use prometheus::Registry;

use super::{gauge, whole};

pub(super) fn gather(registry: &Registry) {
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // Looking opens one itself.
        let open = open.count().saturating_sub(1);
        gauge(registry, "process_open_fds", "Open files, connections among them.").set(whole(open));
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(most) = number(&limits, "Max open files") {
        gauge(registry, "process_max_fds", "How many files may be open.").set(most);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kibibytes) = number(&status, "VmRSS:") {
        let bytes = kibibytes.saturating_mul(1024);
        gauge(registry, "process_resident_memory_bytes", "Memory that is in use.").set(bytes);
    }
    if let Some(threads) = number(&status, "Threads:") {
        gauge(registry, "process_threads", "Threads of the process.").set(threads);
    }
}

/// The first number of the line that begins so.
fn number(text: &str, beginning: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix(beginning))?;
    line.split_whitespace().next()?.parse().ok()
}
