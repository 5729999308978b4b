//! The calls of the API, one file per area, all below `/current`.

mod activity;
mod auth;
mod comments;
mod download;
mod events;
mod metadata;
mod orgs;
mod page;
mod path;
mod storage;
mod subscriptions;
pub(crate) use storage::{check_name, mimetype};

pub(crate) mod upload;
mod webhooks;
mod zip;

use crate::{WebhookDialect, app::App, routes::Routes};

/// Every route that the settings ask for.
pub(crate) fn routes(app: App) -> Routes {
    let dialect = app.settings.webhooks;
    let mut routes = Routes::new(app);
    for area in [
        auth::routes,
        orgs::routes,
        storage::routes,
        download::routes,
        zip::routes,
        upload::routes,
        comments::routes,
        metadata::routes,
        events::routes,
        activity::routes,
    ] {
        routes = area(routes);
    }
    match dialect {
        Some(WebhookDialect::Guide) => webhooks::routes(routes),
        Some(WebhookDialect::Subscriptions) => subscriptions::routes(routes),
        None => routes,
    }
}
