//! Uploads from a URL. Nothing is ever fetched from anywhere: what is at a URL is what the control API has
//! put there, and a URL that it does not know fails the session, as an unreachable one does.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use url::Url;

use super::{create, forget, own};
use crate::{
    FinalStatus,
    api::{page::Offset, path::UploadPath, storage},
    app::App,
    envelope::{ApiError, Reply},
    ids::UploadId,
    params::{Form, Params, Query},
    routes::{Called, Caller},
    store::{
        accounts::{self, Workspace},
        placing,
        uploads::{self, Session, Status},
        web_sources,
    },
};

pub(super) async fn create(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(form): Form,
) -> Response {
    let named =
        form.required("profile_id").and_then(|id| app.store.read(|rows| create::named(rows, id, &form)));
    let workspace = match named {
        Ok(workspace) => workspace,
        Err(error) => return error.into_response(),
    };
    let mut response = match begin(&app, &caller, &workspace, &form).await {
        Ok(reply) => reply.into_response(),
        Err(error) => error.into_response(),
    };
    response.extensions_mut().insert(Called(workspace.id));
    response
}

async fn begin(app: &App, caller: &Caller, workspace: &Workspace, form: &Params) -> Result<Reply, ApiError> {
    app.faults.admit("web_upload.create", Some(workspace.id.as_str())).await?;
    let source = form.required("source_url")?;
    let url = Url::parse(source)
        .ok()
        .filter(|url| url.scheme() == "https" && url.has_host())
        .ok_or_else(|| ApiError::invalid("source_url", "must be an https URL", "url"))?;
    let name = form.optional("file_name").map_or_else(|| last_segment(&url), str::to_owned);
    storage::check_name(&name)?;
    let mut session = create::new(caller);
    session.folder = app.store.read(|rows| create::folder(rows, workspace, form))?;
    session.workspace = Some(workspace.id.clone());
    session.name = name;
    session.source_url = Some(source.to_owned());
    session.status = Status::Uploading;
    app.store.write(|rows| uploads::put(rows, &session))?;
    spawn(app.clone(), session.id.clone());
    Ok(Reply::new().with("id", session.id))
}

fn last_segment(url: &Url) -> String {
    let segment = url.path_segments().and_then(|mut segments| segments.next_back());
    segment.filter(|segment| !segment.is_empty()).unwrap_or("download").to_owned()
}

pub(super) fn spawn(app: App, id: UploadId) {
    tokio::spawn(async move {
        tokio::time::sleep(app.settings.upload_step).await;
        if let Err(error) = import(&app, &id) {
            tracing::error!(upload = %id, %error, "a web upload could not be stored");
        }
    });
}

fn import(app: &App, id: &UploadId) -> Result<(), ApiError> {
    app.store.write(|rows| {
        // It may have been cancelled.
        let Some(mut session) = uploads::find(rows, id)? else { return Ok(()) };
        let source = session.source_url.clone().unwrap_or_default();
        let workspace = session.workspace.as_ref().map_or("", |workspace| workspace.as_str());
        let workspace = accounts::find_profile(rows, workspace)?;
        match (web_sources::find(rows, &source)?, workspace) {
            (Some(blob), Some(workspace)) => {
                session.size = Some(blob.size);
                match placing::place(rows, &workspace, &session, &blob)? {
                    Ok(node) => {
                        app.faults.scan(rows, &workspace, &node)?;
                        session.node = Some(node);
                        session.status = final_status(app);
                    }
                    Err(why) => fail(&mut session, &why.to_string()),
                }
            }
            _ => fail(&mut session, "the source could not be fetched"),
        }
        uploads::put(rows, &session)?;
        Ok(())
    })
}

fn fail(session: &mut Session, why: &str) {
    session.status = Status::StoreFailed;
    session.message = Some(why.to_owned());
}

pub(super) fn final_status(app: &App) -> Status {
    match app.settings.upload_final {
        FinalStatus::Complete => Status::Complete,
        FinalStatus::Stored => Status::Stored,
    }
}

pub(super) async fn details(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
) -> Result<Reply, ApiError> {
    own_web(&app, &id, &caller).map(|session| Reply::new().with("web_upload", view(&session)))
}

pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let sessions = app.store.read(|rows| uploads::list(rows, Some(&caller.user)))?;
    let wanted = query.optional("status");
    let found: Vec<Value> = sessions
        .iter()
        .filter(|session| session.source_url.is_some())
        .filter(|session| wanted.is_none_or(|status| status == session.status.as_str()))
        .map(view)
        .collect();
    let (found, pagination) = Offset::read(&query)?.cut(found);
    Ok(Reply::new().with("web_uploads", found).with("pagination", pagination))
}

pub(super) async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let id = UploadId::parse(query.required("id")?).map_err(|_| ApiError::malformed_id("id"))?;
    own_web(&app, &id, &caller)?;
    forget(&app, &id).await?;
    Ok(Reply::new())
}

fn own_web(app: &App, id: &UploadId, caller: &Caller) -> Result<Session, ApiError> {
    let session = app.store.read(|rows| own(rows, id, caller))?;
    if session.source_url.is_none() {
        return Err(ApiError::not_found("web upload"));
    }
    Ok(session)
}

fn view(session: &Session) -> Value {
    json!({
        "id": session.id,
        "source_url": session.source_url,
        "file_name": session.name,
        "profile_id": session.workspace,
        "folder_id": session.folder,
        "size": session.size,
        "status": session.status.as_str(),
        "status_message": session.message,
        "new_file_id": session.node,
        "created": session.created,
        "updated": session.updated,
    })
}
