//! Sweeps carried by engines that exist: Slurm on the loopback, HyperQueue, GNU parallel. Each is skipped, with a word,
//! where the engine is not installed; `.ci/run` installs them.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::sweep::{SCENARIO, assert_same_tables, folder, said, spikedeck};

/// Whether a program is installed. Slurm's own answer nothing where they are not configured.
fn is_there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    found.is_ok_and(|o| o.status.success())
}

#[expect(clippy::print_stderr, reason = "that nothing was tested is not kept from who reads the tests' output")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Waits until `done` holds, a minute at most.
fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_mins(1), "{what} took a minute");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Slurm's two daemons on this machine, ended with the test.
struct Slurm {
    configuration: String,
    daemons: Vec<Child>,
}

impl Slurm {
    fn start(at: &Path) -> Option<Self> {
        for program in ["sbatch", "slurmctld", "slurmd"] {
            if !is_there(program) {
                skipped(&format!("{program} is not installed"));
                return None;
            }
        }
        if !rustix::process::geteuid().is_root() {
            skipped("Slurm's daemons are started as root");
            return None;
        }
        for sub in ["state", "spool", "log"] {
            fs::create_dir_all(at.join(sub)).unwrap();
        }
        let host = String::from_utf8(Command::new("hostname").arg("-s").output().unwrap().stdout).unwrap();
        let (host, d) = (host.trim(), at.display());
        let port = 20_000 + std::process::id() % 20_000;
        let text = format!(
            "ClusterName=local\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={port}\nSlurmdPort={}\nSlurmUser=root\n\
             SlurmdUser=root\nAuthType=auth/none\nCredType=cred/none\nStateSaveLocation={d}/state\n\
             SlurmdSpoolDir={d}/spool\nSlurmctldPidFile={d}/slurmctld.pid\nSlurmdPidFile={d}/slurmd.pid\n\
             SlurmctldLogFile={d}/log/slurmctld.log\nSlurmdLogFile={d}/log/slurmd.log\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             AccountingStorageType=accounting_storage/none\nSwitchType=switch/none\nMpiDefault=none\n\
             ReturnToService=2\n\
             SchedulerType=sched/builtin\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1024 State=UNKNOWN\n\
             PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP\n",
            port + 1
        );
        let file = at.join("slurm.conf");
        fs::write(&file, text).unwrap();
        let configuration = file.display().to_string();
        let start = |program: &str, args: &[&str]| {
            let mut command = Command::new(program);
            command.args(args).env("SLURM_CONF", &configuration).stdin(Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let daemons = vec![start("slurmctld", &["-D", "-i"]), start("slurmd", &["-D", "-N", host])];
        let slurm = Self { configuration, daemons };
        wait_for("Slurm", || {
            let told = slurm.command("sinfo").args(["-h", "-o", "%T"]).output().unwrap();
            String::from_utf8_lossy(&told.stdout).contains("idle")
        });
        Some(slurm)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", &self.configuration);
        command
    }

    /// Submits a file, and waits until none of its jobs is left; `cancel` ends these tasks before that.
    fn submit(&self, file: &Path, cancel: &[u32]) {
        let told = self.command("sbatch").arg("--parsable").arg(file).current_dir(file.parent().unwrap()).output();
        let told = told.unwrap();
        assert!(told.status.success(), "{}", said(&told));
        let job = String::from_utf8(told.stdout).unwrap().trim().to_owned();
        self.cancel(&job, cancel);
        self.wait_for(&job);
    }

    fn cancel(&self, job: &str, tasks: &[u32]) {
        for task in tasks {
            let told = self.command("scancel").arg(format!("{job}_{task}")).output().unwrap();
            assert!(told.status.success(), "{}", said(&told));
        }
    }

    fn wait_for(&self, job: &str) {
        wait_for("the job", || {
            let left = self.command("squeue").args(["-h", "-j", job]).output().unwrap();
            left.stdout.is_empty()
        });
    }

    /// What `spikedeck cluster` says, and its status.
    fn cluster(&self, at: &Path, args: &[&str]) -> (String, i32) {
        let mut command = self.command(env!("CARGO_BIN_EXE_spikedeck"));
        let told = command.arg("cluster").args(args).current_dir(at).stdin(Stdio::null()).output().unwrap();
        (said(&told), told.status.code().unwrap())
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            // Both end on TERM within two seconds, and are dead in any case.
            let _ =
                rustix::process::kill_process(rustix::process::Pid::from_child(daemon), rustix::process::Signal::TERM);
            std::thread::sleep(Duration::from_millis(500));
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// A job array makes the tables of one process, to the byte; also where three of its ten tasks were cancelled and the
/// array was submitted once more.
#[test]
fn a_slurm_array_gathers_to_the_bytes_of_one_process() {
    // A task takes some time, so that it can be cancelled.
    let folder = folder(&SCENARIO.replace("\"200 ms\"", "\"10 s\""));
    let at = folder.path();
    let Some(slurm) = Slurm::start(&at.join("slurm")) else { return };
    spikedeck(at, &["sweep", "s.toml", "--out", "whole"]);
    let planned = spikedeck(at, &["sweep", "s.toml", "--out", "array", "--plan", "slurm", "--shards", "10"]);
    assert_eq!(planned.status.code(), Some(0), "{}", said(&planned));
    let file = at.join("array.slurm");
    slurm.submit(&file, &[2, 5, 9]);
    assert!(!at.join("array/metrics.parquet").exists(), "points of cancelled tasks are missing");
    slurm.submit(&file, &[]);
    assert_same_tables(&at.join("whole"), &at.join("array"));
}

/// `cluster` submits, tells, submits what is missing as an array of its own, and gathers.
#[test]
fn a_cluster_is_given_what_is_missing() {
    let folder = folder(&SCENARIO.replace("\"200 ms\"", "\"10 s\""));
    let at = folder.path();
    let Some(slurm) = Slurm::start(&at.join("slurm")) else { return };
    spikedeck(at, &["sweep", "s.toml", "--out", "whole"]);
    let submit = ["submit", "s.toml", "--out", "array", "--threads", "1", "--shards", "6", "--", "--comment=mine"];
    let job = |text: &str| text.strip_prefix("job ").unwrap().split(':').next().unwrap().to_owned();
    let (told, status) = slurm.cluster(at, &submit);
    assert!(status == 0 && told.contains("6 shards of 6"), "{told}");
    let first = job(&told);
    let (told, status) = slurm.cluster(at, &submit);
    assert!(status == 1 && told.contains("is still in the queue"), "{told}");
    slurm.cancel(&first, &[2, 5]);
    slurm.wait_for(&first);
    let (told, status) = slurm.cluster(at, &["status", "array"]);
    assert!(status == 0 && told.contains("(6 shards): 6 ended") && told.contains("no job is left"), "{told}");
    let (told, status) = slurm.cluster(at, &["collect", "array"]);
    assert!(status == 1 && told.contains("missing"), "{told}");
    // The same shards, without saying how many.
    let (told, status) = slurm.cluster(at, &["submit", "s.toml", "--out", "array", "--threads", "1"]);
    assert!(status == 0 && told.contains("2 shards of 6"), "{told}");
    let second = job(&told);
    let (told, _) = slurm.cluster(at, &["status", "array"]);
    assert!(told.contains(&format!("job {second} (2 shards): ")), "{told}");
    slurm.wait_for(&second);
    assert_same_tables(&at.join("whole"), &at.join("array"));
    let (told, status) = slurm.cluster(at, &["status", "array"]);
    assert!(status == 0 && told.contains("15 of 15 points") && told.contains("the tables are written"), "{told}");
    // The tables are what the ledgers say, whenever they are made.
    fs::remove_file(at.join("array/metrics.parquet")).unwrap();
    let (told, status) = slurm.cluster(at, &["collect", "array"]);
    assert!(status == 1 && told.contains("check `"), "one expectation is not met: {told}");
    assert_same_tables(&at.join("whole"), &at.join("array"));
    let (told, status) = slurm.cluster(at, &["submit", "s.toml", "--out", "array", "--threads", "1"]);
    assert!(status == 0 && told.contains("all points are there"), "{told}");
    let (told, status) = slurm.cluster(at, &["submit", "s.toml", "--out", "array", "--threads", "2"]);
    assert!(status == 1 && told.contains("other settings"), "{told}");
}

/// Without Slurm, and of folders that are no sweep: what is there, and what is not.
#[test]
fn a_cluster_that_is_not_there_is_told() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    let cluster = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
        command.env("PATH", at).arg("cluster").args(args).current_dir(at).stdin(Stdio::null()).output().unwrap()
    };
    let told = cluster(&["script", "s.toml", "--out", "array", "--shards", "3"]);
    assert!(told.status.success() && at.join("array.slurm").exists(), "{}", said(&told));
    let told = cluster(&["submit", "s.toml", "--out", "array", "--shards", "3"]);
    assert!(told.status.code() == Some(1) && said(&told).contains("sbatch is not here"), "{}", said(&told));
    assert!(!at.join("array.jobs").exists(), "nothing was submitted");
    for what in ["status", "collect"] {
        let told = cluster(&[what, "."]);
        assert!(told.status.code() == Some(2) && said(&told).contains("is no folder of a sweep"), "{}", said(&told));
    }
    spikedeck(at, &["sweep", "s.toml", "--out", "part", "--shard", "1/2"]);
    let told = cluster(&["status", "part"]);
    assert!(told.status.success() && said(&told).contains("8 of 15 points"), "{}", said(&told));
    fs::write(at.join("part.jobs"), "{}\n").unwrap();
    assert!(said(&cluster(&["status", "part"])).contains("not what `cluster submit` wrote"));
}

/// Starts a server and a worker of HyperQueue, submits a file, and keeps them until its standard input ends.
const HYPERQUEUE: &str = r#"
import os, subprocess, sys
from hyperqueue import LocalCluster
from hyperqueue.cluster import WorkerConfig
server, plan = sys.argv[1:]
with LocalCluster(server, WorkerConfig(cores=2)):
    # By the package, wherever `hq` may be.
    told = subprocess.run(["/bin/sh", plan], env={**os.environ, "PATH": "/usr/bin:/bin", "HQ_SERVER_DIR": server})
    print("status", told.returncode, flush=True)
    sys.stdin.read()
"#;

/// Ten shards by the server and a worker that the Python package brings: the bytes of one process, though each shard
/// has an expectation that is not met. What is missing is made by submitting once more.
#[test]
fn hyperqueue_makes_every_shard() {
    let python = std::env::var("SPIKEDECK_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
    let has = Command::new(&python).args(["-c", "import hyperqueue"]).output();
    if !has.is_ok_and(|o| o.status.success()) {
        skipped(&format!("the package hyperqueue is not installed for {python}"));
        return;
    }
    let folder = folder(SCENARIO);
    let at = folder.path();
    spikedeck(at, &["sweep", "s.toml", "--out", "whole"]);
    let planned = spikedeck(at, &["sweep", "s.toml", "--out", "queue", "--plan", "hyperqueue", "--shards", "10"]);
    assert_eq!(planned.status.code(), Some(0), "{}", said(&planned));
    for round in ["first", "again"] {
        let mut queue = Command::new(&python)
            .args(["-c", HYPERQUEUE])
            .args([at.join(round), at.join("queue.hq.sh")])
            .current_dir(at)
            .env("PYTHON", &python)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let made = || at.join("queue/metrics.parquet").exists();
        while !made() && queue.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_mins(2) {
            std::thread::sleep(Duration::from_millis(100));
        }
        drop(queue.stdin.take());
        let told = said(&queue.wait_with_output().unwrap());
        assert!(made() && told.contains("status 0"), "{told}");
        assert_same_tables(&at.join("whole"), &at.join("queue"));
        if round == "first" {
            // The tables and three shards are lost.
            fs::remove_file(at.join("queue/metrics.parquet")).unwrap();
            for shard in [2, 5, 9] {
                fs::remove_file(at.join(format!("queue/points/{shard}-of-10.jsonl"))).unwrap();
            }
        }
    }
}

#[test]
fn parallel_makes_every_shard() {
    if !is_there("parallel") {
        skipped("GNU parallel is not installed");
        return;
    }
    let folder = folder(SCENARIO);
    let at = folder.path();
    spikedeck(at, &["sweep", "s.toml", "--out", "whole"]);
    spikedeck(at, &["sweep", "s.toml", "--out", "shards", "--plan", "parallel", "--shards", "4"]);
    let ran = Command::new("sh").arg(at.join("shards.parallel.sh")).current_dir("/").output().unwrap();
    assert!(at.join("shards/metrics.parquet").exists(), "{}", said(&ran));
    assert_same_tables(&at.join("whole"), &at.join("shards"));
}
