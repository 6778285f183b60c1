//! Trials that lie in a recording without breaks: which table says when they were.

use std::sync::Arc;

use super::{Finished, NotRead, free_memory};
use spikedeck_signal::TrialTimes;
use spikedeck_signal::data::{Refused, TRIALS, TrialKeys, TrialTable, trials};
use spikedeck_store as store;

/// The table of a file that is taken where nothing is said.
const USUAL: &str = "trials";

/// Takes the trials of the table that is called so, if the file has one. That they cannot be taken is said when
/// somebody asks for them.
pub(super) fn usual(opened: &mut Finished) {
    let Some(table) = opened.facts.trial_tables.iter().find(|t| t.name == USUAL).cloned() else { return };
    if let Err(why) = put(opened, &table, &TrialKeys::default()) {
        let populations = spiking(opened);
        let none = TrialTimes { name: table.name, populations, notes: vec![why.to_string()], ..TrialTimes::default() };
        Arc::make_mut(&mut opened.recording).trial_times = vec![none];
    }
}

/// The populations whose units spike.
fn spiking(opened: &Finished) -> Vec<String> {
    let events = &opened.facts.event_populations;
    opened.recording.spikes.iter().map(|s| s.population.clone()).filter(|p| !events.contains(p)).collect()
}

/// Takes the trials that `keys` mean: of a table of the file, else of a file of their own.
///
/// # Errors
/// When there is neither, or no trials can be taken from it: what is there.
pub fn take_trials(opened: &mut Finished, keys: &TrialKeys) -> Result<(), NotRead> {
    if let Some(table) = opened.facts.trial_tables.iter().find(|t| t.name == keys.table).cloned() {
        return put(opened, &table, keys).map_err(NotRead::Beside);
    }
    let path = keys.path.as_path();
    if !path.exists() {
        let own: Vec<String> = opened.facts.trial_tables.iter().map(|t| format!("`{}`", t.name)).collect();
        let what = format!("there is no table and no file of trials `{}`", keys.table);
        let help = match own.len() {
            0 => "the recording has no table of them; name a file with a column `start_s`".to_owned(),
            _ => format!("the recording has {}", own.join(", ")),
        };
        return Err(NotRead::Beside(Refused::new(what, help)));
    }
    let located = |why: Refused| match store::located(path, &why) {
        Some(wrong) => NotRead::InText(wrong),
        None => NotRead::Beside(why),
    };
    let table = store::file_table(path, &TRIALS, free_memory() / 4 * 3)?;
    let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let read = trials(&table, &name, keys, opened.recording.time_base).map_err(located)?;
    put(opened, &read, keys).map_err(located)
}

fn put(opened: &mut Finished, table: &TrialTable, keys: &TrialKeys) -> Result<(), Refused> {
    let times = table.times(keys, opened.recording.time_base, spiking(opened))?;
    Arc::make_mut(&mut opened.recording).trial_times = vec![times];
    Ok(())
}
