//! What the dispatcher asks of a project.

use postern_core::webhook::ProjectName;
use postern_engine::{Fault, Parcel, Queued};
use postern_ledger::{GivenBack, LeaseTicket, Report, WorkSet};

use super::dispatcher::Dispatcher;
use crate::log;
use crate::project_do::attempts::{ClaimAttempts, ReportAttempts, UnclaimAttempts};
use crate::project_do::call::{self, CallError};
use crate::project_do::question::Question;

impl Dispatcher {
    /// Reports, and claims in the same call. Each call has a stub of its own, so one that follows on a
    /// failure does too.
    pub(super) async fn claim(
        &self,
        project: &ProjectName,
        reports: Vec<Parcel>,
        tickets: &[Queued],
    ) -> Result<WorkSet, Fault> {
        let tickets: Vec<LeaseTicket> = tickets.iter().map(|queued| queued.ticket).collect();
        let reports = reports.into_iter().map(|parcel| parcel.report).collect();
        self.ask_project(project, ClaimAttempts { reports, tickets }).await
    }

    /// Reports.
    pub(super) async fn report_now(&self, project: &ProjectName, reports: Vec<Report>) -> Result<(), Fault> {
        self.ask_project(project, ReportAttempts { reports }).await.map(|_done| ())
    }

    /// Gives back what was claimed and has not started. If it fails, the lease ends by itself.
    pub(super) async fn unclaim(&self, project: &ProjectName, claims: Vec<GivenBack>) {
        // It is told once: it was noted already.
        let _left_to_its_lease = self.ask_project(project, UnclaimAttempts { claims }).await;
    }

    async fn ask_project<Q: Question>(&self, project: &ProjectName, question: Q) -> Result<Q::Reply, Fault> {
        let asked = call::ask_as_postern(&self.env, &self.id, project, question).await;
        asked.map_err(|error| self.note(project, &error))
    }

    /// Tells the log, and says whether it is worth another try.
    fn note(&self, project: &ProjectName, error: &CallError) -> Fault {
        let fields: [(&str, &dyn std::fmt::Display); 2] = [("project", &project.as_str()), ("error", error)];
        log::warn(&self.id, "a project could not be asked on behalf of its deliveries", &fields);
        match error {
            CallError::Unreachable(_) | CallError::Failed(_) => Fault::Passing,
            CallError::Refused(_) | CallError::Unexpected(_) => Fault::Lasting,
        }
    }
}
