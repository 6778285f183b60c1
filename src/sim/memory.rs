//! How much memory there is for a run: of the machine, of the job, of the process.
//!
//! A job of a cluster or a container is ended by the system when it takes more than its own bound, however much the
//! machine has: the least of all bounds counts.

/// Reads a file of the system.
type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Bytes of memory that are free for this process: what the kernel estimates, within the bounds of its control groups
/// and its own; `None` where the system says nothing.
pub fn free_memory() -> Option<u64> {
    free(&|path| std::fs::read_to_string(path).ok())
}

fn free(read: Read<'_>) -> Option<u64> {
    [machine(read), unified_groups(read), groups_of_old(read), process(read)].into_iter().flatten().min()
}

/// What the kernel estimates (`MemAvailable`).
fn machine(read: Read<'_>) -> Option<u64> {
    kilobytes(&read("/proc/meminfo")?, "MemAvailable:")
}

fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// A group and those that it is in.
fn and_above(group: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(group.trim_end_matches('/')), |path| path.rsplit_once('/').map(|(above, _)| above))
}

/// Control groups in one tree (version 2).
fn unified_groups(read: Read<'_>) -> Option<u64> {
    let list = read("/proc/self/cgroup")?;
    let own = list.lines().find_map(|l| l.strip_prefix("0::"))?;
    let bound = |group: &str| {
        let folder = format!("/sys/fs/cgroup{group}");
        let number = |file: &str| read(&format!("{folder}/{file}"))?.trim().parse::<u64>().ok();
        // `max`, which is no number, is no bound.
        let most = number("memory.max")?;
        Some(left(most, number("memory.current")?, read(&format!("{folder}/memory.stat")), "inactive_file "))
    };
    and_above(own).filter_map(bound).min()
}

/// Control groups in a tree for memory (version 1).
fn groups_of_old(read: Read<'_>) -> Option<u64> {
    let list = read("/proc/self/cgroup")?;
    let own = list.lines().find_map(|l| {
        let (controllers, path) = l.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|c| c == "memory").then_some(path)
    })?;
    let bound = |group: &str| {
        let folder = format!("/sys/fs/cgroup/memory{group}");
        let number = |file: &str| read(&format!("{folder}/{file}"))?.trim().parse::<u64>().ok();
        let (most, used) = (number("memory.limit_in_bytes")?, number("memory.usage_in_bytes")?);
        // Without a bound this is the greatest number of pages there can be.
        (most < 1 << 60).then(|| left(most, used, read(&format!("{folder}/memory.stat")), "total_inactive_file "))
    };
    and_above(own).filter_map(bound).min()
}

/// What is left of a bound: files that were read and are not needed now give way.
fn left(most: u64, used: u64, stat: Option<String>, files: &str) -> u64 {
    let gives_way = stat
        .and_then(|text| text.lines().find_map(|l| l.strip_prefix(files)).and_then(|n| n.trim().parse::<u64>().ok()))
        .unwrap_or(0);
    most.saturating_sub(used.saturating_sub(gives_way))
}

/// Bounds of the process itself (`ulimit -v`, `ulimit -d`).
fn process(read: Read<'_>) -> Option<u64> {
    let (limits, status) = (read("/proc/self/limits")?, read("/proc/self/status")?);
    let bound = |what: &str, used: &str| {
        let most = limits.lines().find_map(|l| l.strip_prefix(what))?.split_whitespace().next()?.parse::<u64>().ok()?;
        Some(most.saturating_sub(kilobytes(&status, used)?))
    };
    [bound("Max address space", "VmSize:"), bound("Max data size", "VmData:")].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn with(files: &[(&str, &str)]) -> Option<u64> {
        let meminfo = ("/proc/meminfo", "MemTotal: 16000000 kB\nMemAvailable:    8388608 kB\n");
        let all: Vec<_> = files.iter().copied().chain([meminfo]).collect();
        free(&|path| all.iter().find(|f| f.0 == path).map(|f| f.1.to_owned()))
    }

    #[test]
    fn the_least_bound_counts() {
        assert_eq!(with(&[]), Some(8192 * MIB));
        let unified = [
            ("/proc/self/cgroup", "0::/slurm/job_7/step_0\n"),
            ("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n"),
            ("/sys/fs/cgroup/slurm/job_7/memory.max", "629145600\n"),
            ("/sys/fs/cgroup/slurm/job_7/memory.current", "104857600\n"),
            ("/sys/fs/cgroup/slurm/job_7/memory.stat", "anon 1\ninactive_file 52428800\n"),
        ];
        assert_eq!(with(&unified), Some(550 * MIB));
        let old = [
            ("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/slurm/job_7\n0::/\n"),
            ("/sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes", "629145600\n"),
            ("/sys/fs/cgroup/memory/slurm/job_7/memory.usage_in_bytes", "104857600\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n"),
        ];
        assert_eq!(with(&old), Some(500 * MIB));
        // In a container the group that is named is not where it is named; the root is the container's own.
        let contained = [
            ("/proc/self/cgroup", "0::/docker/abc\n"),
            ("/sys/fs/cgroup/memory.max", "104857600\n"),
            ("/sys/fs/cgroup/memory.current", "209715200\n"),
        ];
        assert_eq!(with(&contained), Some(0));
        let limits = [
            (
                "/proc/self/limits",
                "Max data size             unlimited            unlimited            bytes     \nMax address \
                 space         1073741824           unlimited            bytes     \n",
            ),
            ("/proc/self/status", "VmSize:\t  524288 kB\nVmData:\t    1024 kB\n"),
        ];
        assert_eq!(with(&limits), Some(512 * MIB));
    }

    #[test]
    fn this_process_has_some() {
        assert!(free_memory().is_none_or(|free| free < 1 << 50));
    }
}
