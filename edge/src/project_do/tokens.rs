//! Questions about tokens.

use postern_core::api::page::Page;
use postern_core::api::token::{TokenIdentity, TokenView};
use postern_core::operation::Operation;
use postern_core::query::PageQuery;
use postern_core::time::Timestamp;
use postern_core::token::{Role, TokenDraft};
use postern_ledger::Verified;
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Done, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(CreateToken, ShowToken, ListTokens, DeleteToken);

replies! {
    TokenView => "token",
    TokenIdentity => "token_identity",
    Page<TokenView> => "tokens",
}

/// Add a token.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CreateToken {
    /// SHA-256 of it.
    pub(crate) hash: String,
    /// What its owner calls it.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// From then on it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Timestamp>,
}

impl Question for CreateToken {
    const NAME: &'static str = "create_token";
    const NEED: Need<Self> = Need::Of(Operation::CreateToken);
    const ARMS: Arms = Arms::Nothing;
    type Reply = TokenView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<TokenView, Refusal> {
        let Self { hash, name, role, expires_at } = self;
        Ok(turn.ledger.create_token(&hash, TokenDraft { name, role, expires_at }, turn.now)?)
    }
}

/// Whose token the caller shows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowToken;

impl Question for ShowToken {
    const NAME: &'static str = "show_token";
    const NEED: Need<Self> = Need::Of(Operation::GetToken);
    const ARMS: Arms = Arms::Nothing;
    type Reply = TokenIdentity;

    fn answer(self, turn: &mut Turn<'_>) -> Result<TokenIdentity, Refusal> {
        let Some(Verified { role, actor, expires_at, .. }) = turn.token.take() else {
            return Err(Refusal::Failed(String::from("the Worker knows who holds ADMIN_TOKEN")));
        };
        let project = Some(turn.project.clone());
        Ok(TokenIdentity { project, id: actor.id, name: actor.name, role, expires_at })
    }
}

/// All tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListTokens {
    /// Which.
    pub(crate) page: PageQuery,
}

impl Question for ListTokens {
    const NAME: &'static str = "list_tokens";
    const NEED: Need<Self> = Need::Of(Operation::ListTokens);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<TokenView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<TokenView>, Refusal> {
        Ok(turn.ledger.list_tokens(self.page.limit, self.page.cursor.as_deref())?)
    }
}

/// Revoke a token.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteToken {
    /// `tok_…`
    pub(crate) id: String,
}

impl Question for DeleteToken {
    const NAME: &'static str = "delete_token";
    const NEED: Need<Self> = Need::Of(Operation::DeleteToken);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        turn.ledger.delete_token(&self.id, turn.now)?;
        turn.changes.tokens = true;
        Ok(Done)
    }
}
