//! Why an analysis gives nothing.

/// Why an analysis gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The reader no longer wants it.
    #[error("cancelled")]
    Cancelled,
    /// What it needs was not recorded.
    #[error("{subject} was not recorded: {hint}")]
    NotRecorded {
        /// Subject.
        subject: String,
        /// What to write into the scenario.
        hint: String,
    },
    /// What it needs was recorded, and is not at hand.
    #[error("{subject} was recorded, but {why}")]
    Absent {
        /// Subject.
        subject: String,
        /// Why it is not here.
        why: String,
    },
    /// It cannot be computed on this.
    #[error("{0}")]
    Unsuitable(String),
}
