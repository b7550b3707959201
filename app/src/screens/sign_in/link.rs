//! What is asked before a link signs in: whose token it carries, as the server says. Not signing in is the
//! safe choice: it has the focus, and Esc or a press beside the question is the same.

use leptos::prelude::*;
use postern_core::api::token::TokenIdentity;
use postern_core::webhook::ProjectName;

use super::verdict::{opens_dashboard, said, too_little};
use crate::api::{Answer, Api};
use crate::fetched::{effect, when};
use crate::nav::use_nav;
use crate::routes::Place;
use crate::session::use_session;
use crate::ui::button::{Button, Look};
use crate::ui::dialog::Dialog;
use crate::ui::toast::use_toasts;

/// The question; it is shown while a link waits for an answer. Until the server has said whose token it is,
/// and where that opens nothing, no button signs in.
#[component]
pub(crate) fn LinkQuestion() -> AnyView {
    let (session, nav) = (use_session(), use_nav());
    let identity = RwSignal::new(None::<Answer<TokenIdentity>>);
    effect(move || {
        identity.set(None);
        let Some(token) = session.offered() else { return };
        when(Api::whose(token.clone()), move |answer| {
            // Another link may have come meanwhile.
            if untrack(move || session.offered()) == Some(token) {
                identity.set(Some(answer));
            }
        });
    });
    let asks = session.is_asking();
    effect(move || {
        // Declining closes the question, which is what is heard here: without an offer there is nothing to
        // decline again.
        if !asks.get() && untrack(move || session.offered()).is_some() {
            session.decline();
        }
    });
    let toasts = use_toasts();
    let accept = move |project: Option<ProjectName>| {
        let Some(token) = untrack(move || session.offered()) else { return };
        toasts.settle_then(move || {
            session.sign_in_by_link(&token);
            // What the address names may be of another project.
            if let (Place::Project(shown, _), Some(project)) = (nav.place_now(), project)
                && project != shown
            {
                nav.go_instead(&Place::Home);
            }
        });
    };
    let told = move || match identity.get() {
        None => view! { <p role="status">"Asking the server whose token the link carries…"</p> }.into_any(),
        Some(Ok(identity)) => {
            let sentences =
                if session.is_signed_in() { question_instead(&identity) } else { question(&identity) };
            view! {
                <p><b>{sentences.whose}</b>" "{sentences.role}</p>
                <p>{sentences.warning}</p>
            }
            .into_any()
        }
        Some(Err(failure)) => view! { <p role="alert">{said(&failure)}</p> }.into_any(),
    };
    let yes = move || {
        let identity = identity.get()?.ok().filter(opens_dashboard)?;
        let label = match &identity.project {
            Some(project) => format!("Sign in to {}", project.as_str()),
            None => String::from("Sign in to every project"),
        };
        Some(view! { <Button label=label look=Look::Primary on_press=move |()| accept(identity.project.clone()) /> }.into_any())
    };
    view! {
        <Dialog open=asks title="Sign in with this link?">
            {move || told()}
            <div class="dialog-foot">
                <Button label="Do not sign in" on_press=move |()| session.decline() />
                {move || yes()}
            </div>
        </Dialog>
    }
    .into_any()
}

/// What is said of the token of a link.
struct Question {
    /// Whose token it is.
    whose: String,
    /// What it may do; empty where it opens nothing.
    role: String,
    /// What follows from signing in, or why that is not offered.
    warning: String,
}

/// What is said of a token before it is taken in the place of the one that this tab has.
fn question_instead(identity: &TokenIdentity) -> Question {
    let mut question = question(identity);
    if opens_dashboard(identity) {
        question.warning.insert_str(0, "This tab is signed in already; that ends then. ");
    }
    question
}

/// What is said of a token before it is taken: a link may come from anybody, and whoever follows it must see
/// first into whose project the tab would lead.
fn question(identity: &TokenIdentity) -> Question {
    let TokenIdentity { project, name, role, .. } = identity;
    let whose = match project {
        Some(project) => format!("The link is for the project {}, with the token {name}.", project.as_str()),
        None => format!("The link is for every project of this deployment, with {name}."),
    };
    let what = match project {
        Some(_) => role.about(),
        None => "everything everywhere",
    };
    if !opens_dashboard(identity) {
        return Question { whose, role: String::new(), warning: too_little(identity) };
    }
    Question {
        whose,
        role: format!("Its role is {}: {what}.", role.as_str()),
        warning: String::from(
            "Whatever you enter afterwards goes there. Sign in only if you trust who gave you the link.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use postern_core::token::Role;

    use super::*;

    fn identity(project: Option<&str>, role: Role) -> TokenIdentity {
        let project = project.and_then(ProjectName::parse);
        TokenIdentity { project, id: None, name: String::from("checkout"), role, expires_at: None }
    }

    #[test]
    fn the_question_names_project_token_and_role() {
        for role in Role::ALL {
            let Question { whose, role: said, warning } = question(&identity(Some("shop"), role));
            assert!(whose.contains("project shop") && whose.contains("token checkout"), "{whose}");
            let all = format!("{said} {warning}");
            assert!(all.contains(role.as_str()) && all.contains(role.about()), "{all}");
        }
        let Question { whose, role, .. } = question(&identity(None, Role::Manage));
        assert!(whose.contains("every project") && role.contains("everything everywhere"), "{whose} {role}");
        assert!(question_instead(&identity(Some("shop"), Role::Read)).warning.contains("signed in already"));
    }

    #[test]
    fn a_token_that_may_not_look_opens_no_dashboard() {
        let opens: Vec<&str> = Role::ALL
            .into_iter()
            .filter(|role| opens_dashboard(&identity(Some("shop"), *role)))
            .map(Role::as_str)
            .collect();
        assert_eq!(opens, ["manage", "read"]);
    }
}
