use std::borrow::Cow;

use crate::dialect::Dialect;
use crate::error::SpecError;
use crate::field::{Field, Role, Shape};

/// Which field gives what, best sources first.
#[derive(Debug, Clone)]
pub(crate) struct Uses {
    pub(crate) status: usize,
    pub(crate) request: Option<usize>,
    pub(crate) uri: Option<usize>,
    pub(crate) method: Option<usize>,
    pub(crate) path: Option<usize>,
    pub(crate) query: Option<usize>,
    pub(crate) hosts: Vec<usize>,
    pub(crate) port: Option<usize>,
    pub(crate) schemes: Vec<usize>,
    pub(crate) times: Vec<usize>,
    /// Whether they may say their offset from UTC.
    pub(crate) has_zone: bool,
    pub(crate) bytes: Option<usize>,
    pub(crate) duration: Option<usize>,
    pub(crate) client: Option<usize>,
    pub(crate) user_agent: Option<usize>,
    pub(crate) request_id: Option<usize>,
    /// What a target made of `path` and `query` has lost.
    pub(crate) path_lossy: Vec<Cow<'static, str>>,
    /// What each request line has lost.
    pub(crate) request_lossy: Vec<Cow<'static, str>>,
    /// What a person should know about the format.
    pub(crate) notes: Vec<String>,
}

impl Uses {
    pub(crate) fn of(fields: &[Field], dialect: Dialect) -> Result<Self, SpecError> {
        let first = |wanted: fn(Role) -> bool| fields.iter().position(|field| wanted(field.role));
        let all = |wanted: fn(Role) -> bool| -> Vec<usize> {
            (0..fields.len()).filter(|&index| wanted(fields[index].role)).collect()
        };
        let best = |rank: fn(Role) -> Option<u8>| {
            let ranked =
                fields.iter().enumerate().filter_map(|(index, field)| Some((rank(field.role)?, index)));
            ranked.min().map(|(_, index)| index)
        };
        let status = best(|role| match role {
            Role::Status { last } => Some(u8::from(!last)),
            _ => None,
        });
        let (add_status, add_request) = dialect.needed();
        let status = status.ok_or(SpecError::NoStatus { add: add_status })?;
        let mut hosts = all(|role| matches!(role, Role::Host(_)));
        hosts.sort_by_key(|&index| match fields[index].role {
            Role::Host(from) => Some(from),
            _ => None,
        });
        let mut schemes = all(|role| matches!(role, Role::Scheme(_)));
        schemes.sort_by_key(|&index| match fields[index].role {
            Role::Scheme(rank) => rank,
            _ => u8::MAX,
        });
        let query = first(|role| matches!(role, Role::Args | Role::Query));
        let path = first(|role| matches!(role, Role::Path | Role::PathRaw));
        let mut path_lossy = Vec::new();
        if path.is_some_and(|index| fields[index].role == Role::Path) {
            path_lossy.push(Cow::Borrowed("path"));
        }
        if query.is_none() {
            path_lossy.push(Cow::Borrowed("query"));
        }
        let mut notes = Vec::new();
        if fields[status].role == (Role::Status { last: false }) {
            notes.push(format!(
                "`{}` is the status before an internal redirect, so an ErrorDocument can hide a 5xx; log `%>s`",
                fields[status].name
            ));
        }
        let mut zones = fields.iter().filter_map(|field| match &field.shape {
            Shape::Time(form) => Some(!form.has_no_offset()),
            Shape::AnyTime(_) => Some(true),
            _ => None,
        });
        // One of several fields may be the zone.
        let has_zone = zones.next().is_none_or(|first| first || zones.any(|zone| zone));
        if !has_zone {
            notes.push("its times have no zone, so UTC is assumed".to_owned());
        }
        let uses = Self {
            status,
            request: first(|role| role == Role::Request),
            uri: first(|role| matches!(role, Role::Uri | Role::Url)),
            method: first(|role| role == Role::Method),
            path,
            query,
            hosts,
            port: first(|role| role == Role::Port),
            schemes,
            times: all(|role| role == Role::Time),
            has_zone,
            bytes: best(|role| match role {
                Role::Bytes { rank, .. } => Some(rank),
                _ => None,
            }),
            duration: best(|role| match role {
                Role::Duration(unit) => Some(unit as u8),
                _ => None,
            }),
            client: first(|role| role == Role::Client),
            user_agent: first(|role| role == Role::UserAgent),
            request_id: first(|role| role == Role::RequestId),
            path_lossy,
            request_lossy: Vec::new(),
            notes,
        };
        match uses.request.or(uses.uri).or(uses.path) {
            Some(_) => Ok(uses),
            None => Err(SpecError::NoUrl { add: add_request }),
        }
    }

    /// What every target of the format has lost.
    pub(crate) fn lossy(&self) -> &[Cow<'static, str>] {
        if self.request.or(self.uri).is_some() { &self.request_lossy } else { &self.path_lossy }
    }
}
