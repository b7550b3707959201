//! Projects: what the bodies that create and change one may hold.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::project::{ProjectSettings, RETENTION_DAYS_MAX};
use crate::fault::{Faults, Fields, InputFault, Sent, parse_json};
use crate::webhook::{ProjectName, field};

/// Parses the body of `POST projects`: `{"name"}`.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn create(body: &str) -> Result<ProjectName, InputFault> {
    let draft = parse_json(body)?;
    let mut fields = Fields::from_value(&draft, "")?;
    let name = fields.text("name");
    let name = fields.required("name", name).and_then(|text| {
        let name = ProjectName::parse(text);
        if name.is_none() {
            let max = ProjectName::CHARS_MAX;
            fields.fault(
                "name",
                format!("must be 1 to {max} of a-z, 0-9, - and _, and start with a letter or digit"),
            );
        }
        name
    });
    let faults = fields.finish();
    match name {
        Some(name) if faults.is_empty() => Ok(name),
        _ => Err(faults.into()),
    }
}

/// A change of a project's settings; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsPatch {
    /// The schedule of webhooks without their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleChange>,
    /// Days that things are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// Locations that actinia's clients see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actinia_locations: Option<Vec<String>>,
}

/// Locations that a project names at most.
pub const ACTINIA_LOCATIONS_MAX: usize = 100;
/// Characters of a location's name at most.
pub const ACTINIA_LOCATION_CHARS_MAX: usize = 128;

/// What becomes of a project's schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleChange {
    /// Postern's default holds again.
    Default,
    /// Seconds before attempt 2, 3, …
    Waits(Vec<u32>),
}

impl SettingsPatch {
    /// `current` with the changes.
    #[must_use]
    pub fn apply(self, current: ProjectSettings) -> ProjectSettings {
        ProjectSettings {
            retry_schedule_s: match self.schedule {
                None => current.retry_schedule_s,
                Some(ScheduleChange::Default) => None,
                Some(ScheduleChange::Waits(waits)) => Some(waits),
            },
            retention_days: self.retention_days.unwrap_or(current.retention_days),
            actinia_locations: self.actinia_locations.unwrap_or(current.actinia_locations),
        }
    }
}

/// Parses the body of `PATCH projects/{project}`: `{"retry_schedule_s"?, "retention_days"?,
/// "actinia_locations"?}`. `null` restores a default.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn update(body: &str) -> Result<SettingsPatch, InputFault> {
    let patch = parse_json(body)?;
    let fields = Fields::from_value(&patch, "")?;
    settings(fields).map_err(InputFault::from)
}

/// The same for an object that stands at `pointer` of the input.
///
/// # Errors
/// Every bad field.
pub fn settings_at(map: &Map<String, Value>, pointer: &str) -> Result<SettingsPatch, Faults> {
    settings(Fields::new(map, pointer))
}

fn settings(mut fields: Fields<'_>) -> Result<SettingsPatch, Faults> {
    let schedule = match fields.list("retry_schedule_s") {
        Sent::Null => Some(ScheduleChange::Default),
        Sent::Value(items) => {
            Some(ScheduleChange::Waits(field::schedule_s(&mut fields, "retry_schedule_s", items)))
        }
        Sent::Missing | Sent::Wrong => None,
    };
    let retention_days = match fields.integer("retention_days") {
        Sent::Null => Some(ProjectSettings::default().retention_days),
        Sent::Value(days) => {
            let days = u32::try_from(days).ok().filter(|days| (1..=RETENTION_DAYS_MAX).contains(days));
            if days.is_none() {
                fields.fault("retention_days", format!("must be 1 to {RETENTION_DAYS_MAX} days"));
            }
            days
        }
        Sent::Missing | Sent::Wrong => None,
    };
    let actinia_locations = match fields.list("actinia_locations") {
        Sent::Null => Some(Vec::new()),
        Sent::Value(items) => Some(locations(&mut fields, items)),
        Sent::Missing | Sent::Wrong => None,
    };
    let faults = fields.finish();
    if faults.is_empty() {
        Ok(SettingsPatch { schedule, retention_days, actinia_locations })
    } else {
        Err(faults)
    }
}

/// Names as they stand in actinia's paths.
fn locations(fields: &mut Fields<'_>, items: &[Value]) -> Vec<String> {
    const KEY: &str = "actinia_locations";
    if items.len() > ACTINIA_LOCATIONS_MAX {
        fields.fault(
            KEY,
            format!("must hold at most {ACTINIA_LOCATIONS_MAX} locations, this holds {}", items.len()),
        );
        return Vec::new();
    }
    let mut names: Vec<String> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let at = format!("{KEY}/{index}");
        let fits = |name: &str| {
            name.len() <= ACTINIA_LOCATION_CHARS_MAX
                && name.bytes().any(|byte| byte != b'.')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        };
        match item.as_str().filter(|name| fits(name)) {
            None => {
                fields
                    .fault_below(&at, format!("must be 1 to {ACTINIA_LOCATION_CHARS_MAX} letters, digits, _, - and ., such as nc_spm_08"));
            }
            Some(name) if names.iter().any(|known| known == name) => {
                fields.fault_below(&at, "is named twice");
            }
            Some(name) => names.push(String::from(name)),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_of_settings_changes_only_what_it_names() -> Result<(), InputFault> {
        let current = || ProjectSettings {
            retry_schedule_s: Some(vec![1, 2]),
            retention_days: 7,
            actinia_locations: vec![String::from("nc")],
        };
        let patched = |body: &str| Ok::<_, InputFault>(update(body)?.apply(current()));
        assert_eq!(patched("{}")?, current());
        assert_eq!(
            patched(r#"{"retry_schedule_s":[]}"#)?,
            ProjectSettings { retry_schedule_s: Some(vec![]), ..current() }
        );
        assert_eq!(
            patched(r#"{"retry_schedule_s":null,"retention_days":null,"actinia_locations":null}"#)?,
            ProjectSettings::default()
        );
        assert_eq!(
            patched(r#"{"retention_days":365}"#)?,
            ProjectSettings { retention_days: 365, ..current() }
        );
        let named = ProjectSettings {
            actinia_locations: vec![String::from("nc_spm_08"), String::from("l.2-x")],
            ..current()
        };
        assert_eq!(patched(r#"{"actinia_locations":["nc_spm_08","l.2-x"]}"#)?, named);
        assert_eq!(
            serde_json::from_str::<ProjectSettings>("{}").ok(),
            Some(ProjectSettings::default()),
            "what an older version stored"
        );
        Ok(())
    }

    #[test]
    fn settings_out_of_range_are_named() {
        for (body, pointer) in [
            (r#"{"retry_schedule_s":[5,0]}"#, "/retry_schedule_s/1"),
            (r#"{"retry_schedule_s":5}"#, "/retry_schedule_s"),
            (r#"{"retention_days":0}"#, "/retention_days"),
            (r#"{"retention_days":366}"#, "/retention_days"),
            (r#"{"actinia_locations":"nc"}"#, "/actinia_locations"),
            (r#"{"actinia_locations":["a/b"]}"#, "/actinia_locations/0"),
            (r#"{"actinia_locations":["a",".."]}"#, "/actinia_locations/1"),
            (r#"{"actinia_locations":["a","a"]}"#, "/actinia_locations/1"),
            (r#"{"actinia_locations":[1]}"#, "/actinia_locations/0"),
            (r#"{"name":"x"}"#, "/name"),
        ] {
            assert!(
                matches!(update(body), Err(InputFault::Invalid(faults)) if faults.len() == 1 && faults[0].pointer == pointer),
                "{body}"
            );
        }
    }

    #[test]
    fn only_a_name_is_taken() {
        assert!(create(r#"{"name":"p1"}"#).is_ok_and(|name| name.as_str() == "p1"));
        for body in ["{}", r#"{"name":"P1"}"#, r#"{"name":1}"#, r#"{"name":"p1","x":1}"#, "[]"] {
            assert!(matches!(create(body), Err(InputFault::Invalid(faults)) if faults.len() == 1), "{body}");
        }
        assert!(matches!(create("p1"), Err(InputFault::Malformed(_))));
    }
}
