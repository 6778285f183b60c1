//! Connections that change, as something to record and to analyse: `[record.PROJECTION]` and `PROJECTION.w`.

use super::language::Table;
use super::record::{OF_PROJECTION, Sampled, TRACE_OF_CONNECTIONS, sampled, traces};
use super::resolver::{Resolver, suggest};
use super::selector::Units;
use super::spec::{Observable, Place, ProjectionSpec, RecordSpec};
use spikedeck_model::document::{Entry, Node};

/// Reads `[record.PROJECTION]`.
pub(super) fn record(
    resolver: &mut Resolver<'_>,
    entry: &Entry,
    place: Place,
    projection: &ProjectionSpec,
) -> Option<RecordSpec> {
    let mut f = Table::of(resolver, &entry.value, format!("`[record.{}]`", entry.key), OF_PROJECTION.keys)?;
    let Some(plasticity) = &projection.plasticity else {
        resolver.error_help(
            &entry.place,
            format!("the connections of projection `{}` never change", projection.name),
            "give it `plasticity`; weights that stay as they are come with `connections = true` in the record of the \
             source population",
        );
        return None;
    };
    let variables = plasticity.variables();
    let of = Sampled {
        what: format!("projection `{}`", projection.name),
        variable: &|name| variables.iter().find(|v| v.name == name).cloned(),
        names: variables.iter().map(|v| v.name.as_str()).collect(),
        keys: TRACE_OF_CONNECTIONS.keys,
        units: "connections",
        of: Units::uncounted(),
    };
    let traces = traces(resolver, &mut f, &entry.key, &mut |resolver, n| sampled(resolver, n, &of));
    f.finish(resolver);
    Some(RecordSpec { traces, ..RecordSpec::of(place) })
}

/// What of a projection a subject names; it has to be recorded.
pub(super) fn observable(
    resolver: &mut Resolver<'_>,
    node: &Node,
    (place, projection): (Place, &ProjectionSpec),
    what: &str,
    connections: &[u32],
    records: &[RecordSpec],
) -> Option<Observable> {
    let variables = projection.plasticity.as_ref().map(super::spec::PlasticitySpec::variables).unwrap_or_default();
    if !variables.iter().any(|v| v.name == what) {
        let message = if variables.is_empty() {
            format!("the connections of projection `{}` never change, so there is nothing to look at", projection.name)
        } else {
            format!("projection `{}` has no variable `{what}`", projection.name)
        };
        let help = suggest(what, variables.iter().map(|v| v.name.as_str()));
        resolver.error_help(
            &node.place,
            message,
            if variables.is_empty() { "give it `plasticity`".to_owned() } else { help },
        );
        return None;
    }
    let requests: Vec<_> = records
        .iter()
        .filter(|r| r.place == place)
        .flat_map(|r| &r.traces)
        .filter(|t| t.variables.iter().any(|v| v.name == what))
        .collect();
    let missing = connections.iter().find(|c| !requests.iter().any(|t| t.units.is_empty() || t.units.contains(c)));
    if requests.is_empty() {
        resolver.error_help(
            &node.place,
            format!("`{}.{what}` is not recorded", projection.name),
            format!(
                "add `[record.{}]` with `traces = [{{ variables = [\"{what}\"], interval = \"10 ms\" }}]`",
                projection.name
            ),
        );
    } else if let Some(c) = missing {
        resolver.error_help(
            &node.place,
            format!("`{}.{what}` is recorded, but not of connection {c}", projection.name),
            "add the connection to `connections` of that trace",
        );
    }
    Some(Observable::Variable(what.to_owned()))
}
