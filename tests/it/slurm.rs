//! Sweeps carried by engines that exist: Slurm on the loopback, GNU parallel. Each is skipped, with a word, where the
//! engine is not installed; `.ci/run` installs them.

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
fn skipped(why: &str) {
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
        for task in cancel {
            let told = self.command("scancel").arg(format!("{job}_{task}")).output().unwrap();
            assert!(told.status.success(), "{}", said(&told));
        }
        wait_for("the job", || {
            let left = self.command("squeue").args(["-h", "-j", &job]).output().unwrap();
            left.stdout.is_empty()
        });
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
