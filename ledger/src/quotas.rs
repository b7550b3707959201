//! Quotas of the project: what is used of them, and whether more is allowed.
//!
//! Counting costs the hot path no query. What a table holds is counted where it is seldom asked for; open
//! deliveries and stored bytes are known as an upper bound that is counted anew when it comes to the limit;
//! what a minute may take is memory of the object, which a restart forgets.

use std::collections::BTreeMap;

use postern_core::api::operational::ProjectFullData;
use postern_core::event::Operational;
use postern_core::id::Seq;
use postern_core::quota::{Exceeded, Quota, QuotaUse, Quotas, is_full, is_still_full};
use postern_core::time::Timestamp;
use serde_json::value::RawValue;

use crate::error::LedgerError;
use crate::memory::gate::Effects;
use crate::memory::meters::{Bound, Meters, Size, take};
use crate::memory::roster::origin_of;
use crate::project::Ledger;
use crate::row::meta;
use crate::row::webhook::WebhookChange;
use crate::sql::{Sql, atomically, first};

/// Open deliveries are counted anew as often as somebody asks, where that looks at so many at most; else once
/// a second.
const RECOUNTED_ALWAYS: u64 = 20_000;
/// How long a size that was read holds: one second.
const FRESH_MS: i64 = 1_000;
/// What an event or a delivery takes beside its data, in bytes: rows, indexes, a first attempt.
const ROW_BYTES: u64 = 512;
/// Seconds after which one who met too many open deliveries may try again: some attempts have ended by then.
const OPEN_RETRY_AFTER_S: u32 = 10;
/// Seconds after which one who met a full store may try again, while what has ended is aged.
const FULL_RETRY_AFTER_S: u32 = 60;

/// What so many rows with so many bytes of data will take of the store, roughly.
pub(crate) fn bytes_of(rows: usize, data: usize) -> u64 {
    (rows as u64).saturating_mul(ROW_BYTES).saturating_add(data as u64)
}

impl<S: Sql> Ledger<S> {
    /// Sets the limits. Until then there are none.
    pub const fn set_quotas(&mut self, quotas: Quotas) {
        self.meters.quotas = quotas;
    }

    pub(crate) fn load_meters(&mut self) -> Result<(), LedgerError> {
        let row = first(self.sql.run("SELECT \"full\", aged FROM meta", &[])?);
        let row = row.ok_or(LedgerError::Corrupt { what: "the project has no row" })?;
        self.meters.full = row.flag(0)?;
        // What another version wrote in an unknown form is forgotten: it is only told.
        let given_up = row.text_or_none(1)?.and_then(|text| serde_json::from_str(text).ok());
        self.ageing.given_up = given_up.unwrap_or_default();
        Ok(())
    }

    /// Every quota with what is used of it.
    pub(crate) fn quota_uses(&self) -> Result<Vec<QuotaUse>, LedgerError> {
        let row = first(self.sql.run("SELECT count(*) FROM inbox", &[])?);
        let inboxes =
            row.ok_or(LedgerError::Corrupt { what: "a count has no row" })?.integer(0)?.unsigned_abs();
        Quota::ALL
            .into_iter()
            .map(|quota| {
                let used = match quota {
                    Quota::Webhooks => Some(self.roster.len() as u64),
                    Quota::OriginWebhooks => Some(u64::from(self.roster.most_of_one_origin())),
                    Quota::Inboxes => Some(inboxes),
                    Quota::OpenDeliveries => Some(
                        self.open_counted(self.meters.quotas.limit(quota).unwrap_or(quota.default_limit()))?,
                    ),
                    Quota::StoredBytes => Some(self.sql.database_size()?),
                    Quota::OpenRuns => Some(u64::from(self.count_open_runs(self.most_of(Quota::OpenRuns))?)),
                    Quota::InboxRequestsPerMinute
                    | Quota::RequestDeliveries
                    | Quota::EventsPerMinute
                    | Quota::LiveSockets => None,
                };
                Ok(QuotaUse { quota, limit: self.meters.quotas.limit(quota), used })
            })
            .collect()
    }

    /// Whether it was told that the project is full, and it is not clearly otherwise since.
    pub(crate) const fn is_full(&self) -> bool {
        self.meters.full
    }

    /// The limit of a quota of things that are counted: none is a limit that nothing reaches.
    fn most_of(&self, quota: Quota) -> u32 {
        self.meters.quotas.limit(quota).and_then(|limit| u32::try_from(limit).ok()).unwrap_or(u32::MAX)
    }

    /// Whether there is room for what `changes` make of the webhooks. What makes nothing more is always
    /// allowed.
    pub(crate) fn admit_webhooks<'a>(
        &self,
        changes: impl IntoIterator<Item = &'a WebhookChange>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let (mut made, mut gone, mut bytes) = (0_u64, 0_u64, 0_u64);
        let mut origins: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for change in changes {
            let (before, after) = match change {
                WebhookChange::Create(after) => (None, Some(after)),
                WebhookChange::Update { before, after } => (Some(&**before), Some(after)),
                WebhookChange::Delete(before) => (Some(before), None),
            };
            made += u64::from(before.is_none());
            gone += u64::from(after.is_none());
            bytes += if before.is_none() { 2 * ROW_BYTES } else { 0 };
            let [before, after] =
                [before, after].map(|webhook| webhook.map(|webhook| origin_of(&webhook.definition.url)));
            if before != after {
                if let Some(origin) = after {
                    origins.entry(origin).or_default().0 += 1;
                }
                if let Some(origin) = before {
                    origins.entry(origin).or_default().1 += 1;
                }
            }
        }
        let quotas = &self.meters.quotas;
        if made > gone {
            quotas.allow(Quota::Webhooks, self.roster.len() as u64, made - gone)?;
            self.admit_bytes(bytes, now)?;
        }
        for (origin, (made, gone)) in origins {
            if made > gone {
                quotas.allow(Quota::OriginWebhooks, u64::from(self.roster.of_origin(origin)), made - gone)?;
            }
        }
        Ok(())
    }

    /// Whether there is room for one more inbox.
    pub(crate) fn admit_inbox(&self, now: Timestamp) -> Result<(), LedgerError> {
        let row = first(self.sql.run("SELECT count(*) FROM inbox", &[])?);
        let inboxes =
            row.ok_or(LedgerError::Corrupt { what: "a count has no row" })?.integer(0)?.unsigned_abs();
        self.meters.quotas.allow(Quota::Inboxes, inboxes, 1)?;
        self.admit_bytes(ROW_BYTES, now)
    }

    /// Whether an inbox may take one more request: before anything else is done for it, because whoever sends
    /// it needs no token.
    ///
    /// # Errors
    /// [`LedgerError::Quota`]; the database fails.
    pub fn admit_request(&mut self, inbox: Seq, bytes: usize, now: Timestamp) -> Result<(), LedgerError> {
        let Meters { requests, quotas, .. } = &mut self.meters;
        take(requests, inbox, (quotas, Quota::InboxRequestsPerMinute), 1, now)?;
        self.admit_bytes(bytes_of(1, bytes), now)
    }

    /// Whether there is room for one more run that has not ended.
    pub(crate) fn admit_run(&self, bytes: usize, now: Timestamp) -> Result<(), LedgerError> {
        if let Some(limit) = self.meters.quotas.limit(Quota::OpenRuns) {
            let most = u32::try_from(limit).unwrap_or(u32::MAX);
            self.meters.quotas.allow(Quota::OpenRuns, u64::from(self.count_open_runs(most)?), 1)?;
        }
        self.admit_bytes(bytes_of(1, bytes), now)
    }

    /// Whether the store has room for what an executor says.
    pub(crate) fn admit_run_words(
        &self,
        log: &[Box<RawValue>],
        texts: &[Option<&str>],
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let entries: usize = log.iter().map(|entry| entry.get().len()).sum();
        match entries + texts.iter().flatten().map(|text| text.len()).sum::<usize>() {
            0 => Ok(()),
            bytes => self.admit_bytes(bytes as u64, now),
        }
    }

    /// Whether the actor may post so many more events in this minute. Postern itself may.
    pub(crate) fn admit_events(&mut self, more: usize, now: Timestamp) -> Result<(), LedgerError> {
        let actor = &self.acting.actor;
        // ADMIN_TOKEN has a name and no id.
        let whose = match (&actor.id, actor.kind) {
            (None, postern_core::api::audit::ActorKind::Postern) => return Ok(()),
            (id, _) => id.clone().unwrap_or_else(|| actor.name.clone()),
        };
        let Meters { events, quotas, .. } = &mut self.meters;
        take(events, whose, (quotas, Quota::EventsPerMinute), more as u64, now)
    }

    /// Whether one request may make so many deliveries.
    pub(crate) fn admit_deliveries(&self, wanted: usize) -> Result<(), LedgerError> {
        match self.meters.quotas.limit(Quota::RequestDeliveries) {
            Some(limit) if wanted as u64 > limit => {
                let quota = Quota::RequestDeliveries;
                Err(LedgerError::Quota(Exceeded {
                    quota,
                    limit,
                    used: wanted as u64,
                    more: 0,
                    retry_after_s: None,
                }))
            }
            _ => Ok(()),
        }
    }

    /// Whether so many more deliveries may be open.
    pub(crate) fn admit_open(&self, more: usize, now: Timestamp) -> Result<(), LedgerError> {
        let room = self.open_room(now, more as u64)?;
        match self.meters.quotas.limit(Quota::OpenDeliveries) {
            Some(limit) if room < more as u64 => Err(LedgerError::Quota(Exceeded {
                quota: Quota::OpenDeliveries,
                limit,
                used: limit.saturating_sub(room),
                more: more as u64,
                retry_after_s: Some(OPEN_RETRY_AFTER_S),
            })),
            _ => Ok(()),
        }
    }

    /// How many more deliveries may be open; at least `wanted` are looked for.
    pub(crate) fn open_room(&self, now: Timestamp, wanted: u64) -> Result<u64, LedgerError> {
        let Some(limit) = self.meters.quotas.limit(Quota::OpenDeliveries) else { return Ok(u64::MAX) };
        let room = |bound: Bound| limit.saturating_sub(bound.at_most);
        let known = self.meters.open.get();
        let may_recount = |bound: Bound| {
            limit <= RECOUNTED_ALWAYS || !(0..FRESH_MS).contains(&now.ms_since(bound.counted_at))
        };
        match known {
            Some(bound) if room(bound) >= wanted || !may_recount(bound) => Ok(room(bound)),
            _ => {
                let bound = Bound { at_most: self.open_counted(limit)?, counted_at: now };
                self.meters.open.set(Some(bound));
                Ok(room(bound))
            }
        }
    }

    fn open_counted(&self, most: u64) -> Result<u64, LedgerError> {
        Ok(u64::from(self.count_open(u32::try_from(most).unwrap_or(u32::MAX))?))
    }

    /// Whether the store may take so many more bytes.
    pub(crate) fn admit_bytes(&self, more: u64, now: Timestamp) -> Result<(), LedgerError> {
        let quotas = &self.meters.quotas;
        if quotas.limit(Quota::StoredBytes).is_none() {
            return Ok(());
        }
        if quotas.allow(Quota::StoredBytes, self.stored_bytes(now)?, more).is_err() {
            // What was estimated may be too much, or something was deleted since.
            self.meters.size.set(None);
            quotas.allow(Quota::StoredBytes, self.stored_bytes(now)?, more).map_err(|exceeded| {
                let helps = self.ageing.stage.is_some();
                Exceeded { retry_after_s: helps.then_some(FULL_RETRY_AFTER_S), ..exceeded }
            })?;
        }
        self.meters.note_bytes(more);
        Ok(())
    }

    /// Bytes that the store takes: as they were read within the last second, with what may have come since.
    pub(crate) fn stored_bytes(&self, now: Timestamp) -> Result<u64, LedgerError> {
        // A small part of what is allowed: what is estimated is never far from what is.
        let far = self.meters.quotas.limit(Quota::StoredBytes).unwrap_or(u64::MAX) / 256;
        let is_known = |size: &Size| size.since <= far && (0..FRESH_MS).contains(&now.ms_since(size.read_at));
        let size = match self.meters.size.get().filter(is_known) {
            Some(size) => size,
            None => Size { bytes: self.sql.database_size()?, since: 0, read_at: now },
        };
        self.meters.size.set(Some(size));
        Ok(size.bytes.saturating_add(size.since))
    }

    /// Tells once that the project came to 80 % of its stored bytes, and notes when it has fallen below 70 %.
    /// Starts ageing at 70 %, and tells what it gave up. Gives the deliveries of what is told. Asked with
    /// each event and every minute; costs nothing where nothing has changed.
    ///
    /// # Errors
    /// The database fails.
    pub fn watch_fullness(&mut self, now: Timestamp) -> Result<Vec<Seq>, LedgerError> {
        let limit = self.meters.quotas.limit(Quota::StoredBytes);
        let used = if limit.is_some() { self.stored_bytes(now)? } else { 0 };
        let mut changed = self.watch_full(used, limit, now)?;
        changed.extend(self.watch_ageing(used, limit, now)?);
        Ok(changed)
    }

    fn watch_full(&mut self, used: u64, limit: Option<u64>, now: Timestamp) -> Result<Vec<Seq>, LedgerError> {
        let was = self.meters.full;
        let is =
            limit.is_some_and(|limit| if was { is_still_full(used, limit) } else { is_full(used, limit) });
        if is == was {
            return Ok(Vec::new());
        }
        let effects = atomically(&self.sql, |sql| {
            let mut effects = Effects::default();
            if is {
                meta::note_full(sql)?;
                let data = ProjectFullData {
                    project: String::from(self.project().as_str()),
                    stored_bytes: used,
                    limit,
                };
                self.announce(sql, &mut effects, None, Operational::ProjectFull, &data, now)?;
            } else {
                meta::note_not_full(sql)?;
            }
            Ok(effects)
        })?;
        self.meters.full = is;
        let changed = effects.changed.clone();
        self.apply(effects, now);
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::api::audit::{Actor, ActorKind};
    use postern_core::delivery::{Outcome, State};
    use postern_core::event::{EventTypeDraft, NewEvent};
    use postern_core::replay::ReplayQuery;
    use postern_core::run::{Entry, RunDraft, RunEnd, RunMode, RunState, RunUpdate};
    use postern_core::webhook::Definition;

    use super::*;
    use crate::support::build::{
        START, attempt_due, create, event, json, keyed, lease, ledger, post, webhook,
    };
    use crate::support::native::Native;
    use crate::{Acting, ConfigStep, DeliveryFilter, InlineLimit};

    type Project = Ledger<Rc<Native>>;

    fn limited(quota: Quota, limit: u64) -> Project {
        let mut ledger = ledger();
        ledger.set_quotas(Quotas::NONE.with(quota, limit));
        ledger
    }

    #[track_caller]
    fn over<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> Exceeded {
        match result {
            Err(LedgerError::Quota(exceeded)) => exceeded,
            other => panic!("{other:?}"),
        }
    }

    fn used(ledger: &Project, quota: Quota) -> Option<u64> {
        ledger.detail().unwrap().quotas.into_iter().find(|found| found.quota == quota).unwrap().used
    }

    fn try_create(ledger: &mut Project, definition: Definition) -> Result<(), LedgerError> {
        let seq = ledger.reserve(START);
        ledger.create_webhook(seq, definition, START).map(|_view| ())
    }

    fn at(name: &str, url: &str) -> Definition {
        Definition { url: String::from(url), ..webhook(name, "*") }
    }

    fn act_as(ledger: &mut Project, token: Option<&str>) {
        let kind = if token.is_some() { ActorKind::Token } else { ActorKind::Admin };
        let actor = Actor { kind, id: token.map(String::from), name: String::from("n") };
        ledger.act_as(Acting { actor, address: None, request_id: None });
    }

    #[test]
    fn webhooks_are_limited_until_one_is_deleted() {
        let mut ledger = limited(Quota::Webhooks, 2);
        create(&mut ledger, webhook("a", "*"));
        create(&mut ledger, webhook("b", "*"));
        let exceeded = over(try_create(&mut ledger, webhook("c", "*")));
        assert_eq!(
            (exceeded.quota, exceeded.limit, exceeded.used, exceeded.retry_after_s),
            (Quota::Webhooks, 2, 2, None)
        );
        assert_eq!(used(&ledger, Quota::Webhooks), Some(2));
        ledger.update_webhook("a", webhook("renamed", "*"), None, START).unwrap();
        ledger.delete_webhook("b", None, START).unwrap();
        try_create(&mut ledger, webhook("c", "*")).unwrap();
    }

    #[test]
    fn webhooks_with_one_origin_are_limited_however_their_urls_differ_behind_it() {
        let mut ledger = limited(Quota::OriginWebhooks, 2);
        create(&mut ledger, at("a", "https://r.example/1"));
        create(&mut ledger, at("b", "https://r.example/2?x=https://other.example/"));
        let exceeded = over(try_create(&mut ledger, at("c", "https://r.example")));
        assert_eq!((exceeded.quota, exceeded.used), (Quota::OriginWebhooks, 2));
        create(&mut ledger, at("c", "https://r.example:8443/1"));
        create(&mut ledger, at("d", "http://r.example/1"));
        assert_eq!(
            over(ledger.update_webhook("d", at("d", "https://r.example/4"), None, START)).quota,
            Quota::OriginWebhooks
        );
        ledger.update_webhook("a", at("a", "https://r.example/5"), None, START).unwrap();
        ledger.update_webhook("a", at("a", "https://s.example/"), None, START).unwrap();
        ledger.update_webhook("d", at("d", "https://r.example/4"), None, START).unwrap();
        assert_eq!(used(&ledger, Quota::OriginWebhooks), Some(2));
        let reopened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert_eq!(reopened.roster.of_origin("https://r.example"), 2, "counted anew from the rows");
    }

    #[test]
    fn a_configuration_that_is_over_a_quota_is_not_applied_at_all() {
        let mut ledger = limited(Quota::Webhooks, 2);
        create(&mut ledger, webhook("old", "*"));
        let new = |ledger: &mut Project, name: &str| {
            ConfigStep::CreateWebhook(ledger.reserve(START), Box::new(webhook(name, "*")))
        };
        let steps = vec![new(&mut ledger, "a"), new(&mut ledger, "b")];
        assert_eq!(over(ledger.apply_config(steps, START)).quota, Quota::Webhooks);
        assert_eq!(ledger.stored_webhooks().unwrap().len(), 1);
        let steps = vec![
            new(&mut ledger, "a"),
            new(&mut ledger, "b"),
            ConfigStep::DeleteWebhook(String::from("old")),
        ];
        ledger.apply_config(steps, START).unwrap();
        assert_eq!(ledger.stored_webhooks().unwrap().len(), 2);
        ledger.set_quotas(Quotas::NONE.with(Quota::OriginWebhooks, 1));
        let moved = |name: &str| ConfigStep::UpdateWebhook(Box::new(at(name, "https://one.example/")));
        assert_eq!(
            over(ledger.apply_config(vec![moved("a"), moved("b")], START)).quota,
            Quota::OriginWebhooks
        );
        ledger.apply_config(vec![moved("a")], START).unwrap();
    }

    #[test]
    fn inboxes_are_limited() {
        let mut ledger = limited(Quota::Inboxes, 1);
        let inbox = ledger.create_inbox("a", "k1", "", START).unwrap();
        let exceeded = over(ledger.create_inbox("b", "k2", "", START));
        assert_eq!((exceeded.quota, exceeded.used), (Quota::Inboxes, 1));
        ledger.delete_inbox(&inbox.id, START).unwrap();
        ledger.create_inbox("b", "k2", "", START).unwrap();
    }

    #[test]
    fn an_inbox_takes_so_many_requests_a_minute_and_another_its_own() {
        let mut ledger = limited(Quota::InboxRequestsPerMinute, 2);
        let (one, other) = (Seq(1), Seq(2));
        ledger.admit_request(one, 9, START).unwrap();
        ledger.admit_request(one, 9, START).unwrap();
        let exceeded = over(ledger.admit_request(one, 9, START.plus_ms(20_000)));
        assert_eq!(
            (exceeded.quota, exceeded.limit, exceeded.retry_after_s),
            (Quota::InboxRequestsPerMinute, 2, Some(40))
        );
        ledger.admit_request(other, 9, START).unwrap();
        ledger.admit_request(one, 9, START.plus_ms(60_000)).unwrap();
    }

    #[test]
    fn open_deliveries_are_limited_and_what_ends_makes_room() {
        let mut ledger = limited(Quota::OpenDeliveries, 2);
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        post(&mut ledger, "a");
        let exceeded = over(ledger.ingest(vec![event("a"), event("a")], InlineLimit(0), START));
        assert_eq!(
            (exceeded.quota, exceeded.limit, exceeded.used, exceeded.more),
            (Quota::OpenDeliveries, 2, 1, 2)
        );
        assert!(exceeded.retry_after_s.is_some());
        assert_eq!(
            ledger.list_events(&crate::EventFilter::default(), 9, None).unwrap().items.len(),
            1,
            "nothing is half-written"
        );
        ledger.ingest(vec![event("a")], InlineLimit(1), START).unwrap();
        over(ledger.ingest(vec![event("a")], InlineLimit(1), START));
        assert_eq!(used(&ledger, Quota::OpenDeliveries), Some(2));
        attempt_due(&mut ledger, START, Outcome::Answered { status: 200 });
        post(&mut ledger, "a");
        let mut reopened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        reopened.set_quotas(Quotas::NONE.with(Quota::OpenDeliveries, 2));
        over(reopened.ingest(vec![event("a")], InlineLimit(0), START));
    }

    #[test]
    fn a_large_limit_of_open_deliveries_is_counted_at_most_once_a_second() {
        let mut ledger = limited(Quota::OpenDeliveries, RECOUNTED_ALWAYS + 1);
        create(&mut ledger, webhook("w", "*"));
        let delivery = post(&mut ledger, "a")[0];
        ledger.meters.note_open(usize::try_from(RECOUNTED_ALWAYS).unwrap());
        assert_eq!(
            over(ledger.ingest(vec![event("a")], InlineLimit(0), START)).used,
            RECOUNTED_ALWAYS + 1,
            "what may be open"
        );
        ledger.ingest(vec![event("a")], InlineLimit(0), START.plus_ms(1_000)).unwrap();
        assert_eq!(
            ledger.meters.open.get().map(|bound| bound.at_most),
            Some(2),
            "{delivery:?} and the new one"
        );
    }

    #[test]
    fn one_request_makes_so_many_deliveries_at_most() {
        let mut ledger = limited(Quota::RequestDeliveries, 5);
        for number in 0..2 {
            create(&mut ledger, webhook(&format!("w{number}"), "*"));
        }
        let batch = |events| (0..events).map(|_number| event("a")).collect::<Vec<NewEvent>>();
        let exceeded = over(ledger.ingest(batch(3), InlineLimit(100), START));
        assert_eq!((exceeded.quota, exceeded.limit, exceeded.used), (Quota::RequestDeliveries, 5, 6));
        assert_eq!(ledger.ingest(batch(2), InlineLimit(100), START).unwrap().changed.len(), 4);
    }

    #[test]
    fn a_token_posts_so_many_events_a_minute_and_another_its_own() {
        let mut ledger = limited(Quota::EventsPerMinute, 3);
        let post = |ledger: &mut Project, token, events: usize, ms| {
            act_as(ledger, token);
            let batch = (0..events).map(|number| keyed("a", &format!("{token:?} {ms} {number}"))).collect();
            ledger.ingest(batch, InlineLimit(0), START.plus_ms(ms)).map(|_taken| ())
        };
        post(&mut ledger, Some("tok_1"), 2, 0).unwrap();
        let exceeded = over(post(&mut ledger, Some("tok_1"), 2, 1_000));
        assert_eq!(
            (exceeded.quota, exceeded.used, exceeded.retry_after_s),
            (Quota::EventsPerMinute, 2, Some(59))
        );
        post(&mut ledger, Some("tok_2"), 3, 1_000).unwrap();
        post(&mut ledger, None, 3, 1_000).unwrap();
        over(post(&mut ledger, None, 1, 2_000));
        post(&mut ledger, Some("tok_1"), 3, 60_000).unwrap();
    }

    fn run_draft() -> RunDraft {
        let entry = Entry {
            origin: String::from("https://h"),
            path: String::from("/p"),
            endpoint: String::from("runs"),
        };
        RunDraft {
            chain: json("{}"),
            webhooks: None,
            labels: BTreeMap::new(),
            mode: RunMode::Work,
            entry,
            refusal: None,
        }
    }

    #[test]
    fn runs_that_have_not_ended_are_limited() {
        let mut ledger = limited(Quota::OpenRuns, 1);
        let run = |ledger: &mut Project| {
            let seq = ledger.reserve(START);
            ledger.create_run(seq, &run_draft(), START)
        };
        let id = run(&mut ledger).unwrap().run.id;
        let exceeded = over(run(&mut ledger));
        assert_eq!((exceeded.quota, exceeded.limit, exceeded.used), (Quota::OpenRuns, 1, 1));
        ledger.terminate_run(&id, START).unwrap();
        run(&mut ledger).unwrap();
        assert_eq!(used(&ledger, Quota::OpenRuns), Some(1));
    }

    fn large(kind: &str) -> NewEvent {
        NewEvent::new(String::from(kind), json(&format!("\"{}\"", "x".repeat(100_000))))
    }

    /// Posts events of 100 KB until one is refused; gives how many were taken.
    fn fill(ledger: &mut Project, now: Timestamp) -> usize {
        for number in 0..1_000 {
            match ledger.ingest(vec![large("a")], InlineLimit(0), now) {
                Ok(_) => {}
                Err(LedgerError::Quota(Exceeded { quota: Quota::StoredBytes, .. })) => return number,
                Err(other) => panic!("{other}"),
            }
        }
        panic!("nothing is refused");
    }

    fn told(ledger: &Project) -> usize {
        ledger
            .list_events(
                &crate::EventFilter {
                    kind: Some(String::from("postern.project.full")),
                    ..crate::EventFilter::default()
                },
                50,
                None,
            )
            .unwrap()
            .items
            .len()
    }

    #[test]
    fn a_full_project_takes_nothing_more_and_does_everything_else() {
        let mut ledger = limited(Quota::StoredBytes, 5_000_000);
        create(&mut ledger, webhook("w", "a"));
        let ops = create(&mut ledger, webhook("ops", "postern.*"));
        let inbox = ledger.create_inbox("i", "key", "", START).unwrap();
        let seq = ledger.ids().seq(postern_core::id::Kind::Inbox, &inbox.id).unwrap();
        let taken = fill(&mut ledger, START);
        assert!((30..60).contains(&taken), "{taken} events of 100 KB in 5 MB");
        // What makes it grow is refused, whatever it is.
        let exceeded = over(ledger.ingest(vec![large("nobody.wants")], InlineLimit(0), START));
        assert_eq!((exceeded.quota, exceeded.limit), (Quota::StoredBytes, 5_000_000));
        assert!(exceeded.used + exceeded.more > exceeded.limit && exceeded.used <= 5_200_000, "{exceeded}");
        over(ledger.admit_request(seq, 300_000, START));
        // It was told once, to whoever wants to hear of it.
        assert_eq!(told(&ledger), 1);
        assert!(ledger.detail().unwrap().full);
        assert!(used(&ledger, Quota::StoredBytes).unwrap() > 4_500_000);
        let reopened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert!(reopened.detail().unwrap().full, "a restart does not tell it again");
        // It lists, delivers, reports and deletes.
        let found = ledger
            .list_deliveries(
                &DeliveryFilter { state: Some(State::Pending), ..DeliveryFilter::default() },
                200,
                None,
            )
            .unwrap();
        assert_eq!(found.items.len(), taken + 1);
        let tickets = lease(&mut ledger, START);
        let works = ledger.claim(&tickets, START).unwrap().works;
        assert!(works.iter().any(|work| work.webhook == ops));
        let report = |work: &crate::Work| crate::Report {
            delivery: work.delivery,
            attempt: crate::support::build::attempt(1, Outcome::Answered { status: 200 }, START),
        };
        ledger.report(works.iter().map(report).collect(), START).unwrap();
        ledger.resend(&found.items[0].id, START).unwrap();
        ledger.delete_webhook("w", None, START).unwrap();
        ledger.delete_inbox(&inbox.id, START).unwrap();
        // Retention makes room, and the next time is told again.
        let later = START.plus_ms(31 * 86_400_000);
        while ledger.retention_step(later).unwrap() {}
        ledger.watch_fullness(later).unwrap();
        assert!(!ledger.detail().unwrap().full);
        assert!(fill(&mut ledger, later) > 30);
        assert_eq!(told(&ledger), 1, "the first was deleted, and the second told");
    }

    #[test]
    fn it_is_told_once_that_a_project_is_full_when_it_is_so_to_eighty_percent() {
        let mut ledger = limited(Quota::StoredBytes, 100_000_000);
        create(&mut ledger, webhook("ops", "postern.*"));
        let size = used(&ledger, Quota::StoredBytes).unwrap();
        let mut told_at = |limit| {
            ledger.set_quotas(Quotas::NONE.with(Quota::StoredBytes, limit));
            // A second later the size is read anew.
            ledger.meters.size.set(None);
            ledger.watch_fullness(START).unwrap();
            told(&ledger)
        };
        assert_eq!(told_at(size * 100 / 79), 0);
        assert_eq!(told_at(size * 100 / 81), 1);
        assert_eq!(told_at(size), 1);
    }

    #[test]
    fn a_full_project_refuses_growth_at_every_door_and_takes_what_does_not_grow() {
        let mut ledger = ledger();
        let (short, long) =
            (String::from("https://h.example/"), format!("https://h.example/{}", "x".repeat(900)));
        let at = |url: &str| Definition { url: String::from(url), ..webhook("w", "a") };
        create(&mut ledger, at(&format!("{short}x")));
        let kind = |description: &str| EventTypeDraft {
            description: String::from(description),
            ..EventTypeDraft::new(String::from("t"))
        };
        ledger.create_event_type(kind("text"), START).unwrap();
        let seq = ledger.reserve(START);
        let run = ledger.create_run(seq, &run_draft(), START).unwrap().run.id;
        let claim = ledger.claim_run(600, START).unwrap().claim.map(|claimed| claimed.claim);
        ledger.set_quotas(Quotas::NONE.with(Quota::StoredBytes, 1));

        over(ledger.update_webhook("w", at(&long), None, START));
        over(ledger.apply_config(vec![ConfigStep::UpdateWebhook(Box::new(at(&long)))], START));
        ledger.update_webhook("w", at(&short), None, START).unwrap();
        over(ledger.update_event_type("t", kind("a longer text"), None, START));
        over(ledger.apply_config(vec![ConfigStep::PutEventType(kind("a longer text"))], START));
        ledger.update_event_type("t", kind("t"), None, START).unwrap();
        let silent = RunUpdate { claim, ..RunUpdate::default() };
        over(ledger.update_run(&run, RunUpdate { log: vec![json("{}")], ..silent.clone() }, START));
        over(ledger.update_run(
            &run,
            RunUpdate { message: Some(String::from("half")), ..silent.clone() },
            START,
        ));
        ledger.update_run(&run, silent, START).unwrap();
        let end =
            |results| RunEnd { claim, outcome: RunState::Finished, message: None, results, log: Vec::new() };
        over(ledger.finish_run(&run, end(Some(json("{}"))), START));
        ledger.finish_run(&run, end(None), START).unwrap();
    }

    #[test]
    fn what_has_ended_is_sent_again_where_one_more_may_be_open() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        post(&mut ledger, "a");
        attempt_due(&mut ledger, START, Outcome::Answered { status: 500 });
        post(&mut ledger, "b");
        ledger.set_quotas(Quotas::NONE.with(Quota::OpenDeliveries, 1));
        let id_in = |ledger: &Project, state| {
            let filter = DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
            ledger.list_deliveries(&filter, 1, None).unwrap().items.remove(0).id
        };
        let (open, dead) = (id_in(&ledger, State::Pending), id_in(&ledger, State::Dead));
        let exceeded = over(ledger.resend(&dead, START));
        assert_eq!((exceeded.quota, exceeded.limit, exceeded.used), (Quota::OpenDeliveries, 1, 1));
        ledger.resend(&open, START).unwrap();
        ledger.cancel(&open, START).unwrap();
        ledger.resend(&dead, START).unwrap();
        over(ledger.resend(&open, START));
    }

    #[test]
    fn a_known_event_is_answered_as_before_when_the_project_is_full() {
        let mut ledger = limited(Quota::StoredBytes, 2_000_000);
        let accepted = ledger.ingest(vec![keyed("a", "k")], InlineLimit(0), START).unwrap().accepted;
        fill(&mut ledger, START);
        let again = ledger.ingest(vec![keyed("a", "k")], InlineLimit(0), START).unwrap().accepted;
        assert!(again[0].duplicate && again[0].id == accepted[0].id);
    }

    #[test]
    fn a_replay_waits_for_room_and_goes_on() {
        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        for _event in 0..5 {
            post(&mut ledger, "a");
            attempt_due(&mut ledger, START, Outcome::Answered { status: 500 });
        }
        ledger.set_quotas(Quotas::NONE.with(Quota::OpenDeliveries, 3));
        let query = ReplayQuery {
            webhook: None,
            since: None,
            until: None,
            states: vec![State::Dead],
            types: Vec::new(),
            missing: false,
        };
        ledger.create_replay(query, START).unwrap();
        let mut now = START;
        let mut sent = 0;
        for _round in 0..100 {
            let step = ledger.replay_step(now, 500).unwrap();
            assert!(step.changed.len() <= 3);
            sent += step.changed.len();
            if !ledger.replays.are_running() {
                break;
            }
            if step.replay.is_none() {
                assert_eq!(ledger.replays.goes_on_at(now), Some(now.plus_ms(10_000)), "it does not spin");
                now = now.plus_ms(10_000);
                let tickets = lease(&mut ledger, now);
                for work in ledger.claim(&tickets, now).unwrap().works {
                    let attempt =
                        crate::support::build::attempt(work.attempt, Outcome::Answered { status: 200 }, now);
                    ledger.report(vec![crate::Report { delivery: work.delivery, attempt }], now).unwrap();
                }
            }
        }
        assert!(!ledger.replays.are_running());
        assert_eq!(sent, 5);
    }
}
