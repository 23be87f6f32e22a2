//! Routes that nobody has written yet.

use super::error::ApiError;

/// `POST /uploads`
pub async fn upload() -> ApiError {
    // TODO(step-08.1): a row, and a request that is signed for the client. `orders` shows how a body is read, how a handler
    // knows who asks, and how the store is asked.
    ApiError::NotYet("task 1")
}

/// `POST /uploads/{id}/complete` and `GET /files/{id}`
pub async fn complete() -> ApiError {
    // TODO(step-08.2): read the object as it comes, and hold it against what the client has said. Then, the way to it.
    ApiError::NotYet("task 2")
}

/// `GET` and `DELETE /uploads/{id}`
pub async fn resume() -> ApiError {
    // TODO(step-08.3): large files come in parts (`create_multipart_upload`, `upload_part`, `list_parts`, …).
    ApiError::NotYet("task 3")
}

/// `POST /orders/{id}/ticket` and `GET /jobs/{id}`
pub async fn job() -> ApiError {
    // TODO(step-08.4): accepted is what the database has written. `printing` prints.
    ApiError::NotYet("task 4")
}

/// `GET /sweeps`
pub async fn sweeps() -> ApiError {
    // TODO(step-08.3): what the sweeper has removed, and who it was.
    ApiError::NotYet("task 3")
}
