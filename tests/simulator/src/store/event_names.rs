//! What can happen, with the event names and sub-categories of the real service.

use super::accounts::ProfileKind;

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventName {
    FileAdded,
    FileUpdated,
    FileMoved,
    FileCopied,
    FileDeleted,
    FileRestored,
    FileVersionRestored,
    FolderCreated,
    /// Not in any published list; the service reports renames as `*_updated`.
    FolderUpdated,
    FolderMoved,
    FolderDeleted,
    /// Not in any published list, which knows only that of files.
    FolderRestored,
    LinkAdded,
    DownloadTokenCreated,
    ZipDownloaded,
    CommentCreated,
    CommentUpdated,
    CommentDeleted,
    CommentReplied,
    CommentMentioned,
    CommentReaction,
    MetadataUpdated,
    MetadataDeleted,
}

impl EventName {
    /// The name without the `workspace_` or `share_` that events of storage begin with.
    const fn stem(self) -> &'static str {
        match self {
            Self::FileAdded => "storage_file_added",
            Self::FileUpdated => "storage_file_updated",
            Self::FileMoved => "storage_file_moved",
            Self::FileCopied => "storage_file_copied",
            Self::FileDeleted => "storage_file_deleted",
            Self::FileRestored => "storage_file_restored",
            Self::FileVersionRestored => "storage_file_version_restored",
            Self::FolderCreated => "storage_folder_created",
            Self::FolderUpdated => "storage_folder_updated",
            Self::FolderMoved => "storage_folder_moved",
            Self::FolderDeleted => "storage_folder_deleted",
            Self::FolderRestored => "storage_folder_restored",
            Self::LinkAdded => "storage_link_added",
            Self::DownloadTokenCreated => "storage_download_token_created",
            Self::ZipDownloaded => "storage_zip_downloaded",
            Self::CommentCreated => "comment_created",
            Self::CommentUpdated => "comment_updated",
            Self::CommentDeleted => "comment_deleted",
            Self::CommentReplied => "comment_replied",
            Self::CommentMentioned => "comment_mentioned",
            Self::CommentReaction => "comment_reaction",
            Self::MetadataUpdated => "metadata_kv_update",
            Self::MetadataDeleted => "metadata_kv_delete",
        }
    }

    /// The name in the log of a workspace or share.
    pub(crate) fn in_profile(self, kind: ProfileKind) -> String {
        let stem = self.stem();
        if stem.starts_with("storage_") { format!("{}_{stem}", kind.as_str()) } else { stem.to_owned() }
    }

    pub(super) const fn sub_category(self) -> &'static str {
        match self {
            Self::FileAdded | Self::FileUpdated | Self::DownloadTokenCreated | Self::ZipDownloaded => {
                "transfer"
            }
            Self::CommentCreated
            | Self::CommentUpdated
            | Self::CommentDeleted
            | Self::CommentReplied
            | Self::CommentMentioned
            | Self::CommentReaction => "comments",
            Self::MetadataUpdated | Self::MetadataDeleted => "metadata",
            _ => "storage",
        }
    }

    /// Whether it changes what is stored, and so belongs into the change feed.
    pub(super) fn is_change(name: &str) -> bool {
        name.contains("_storage_")
            && !name.ends_with("_download_token_created")
            && !name.ends_with("_zip_downloaded")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_storage_say_where_and_reading_is_no_change() {
        let name = EventName::FileAdded.in_profile(ProfileKind::Share);
        assert_eq!(name, "share_storage_file_added");
        assert!(EventName::is_change(&name));
        let token = EventName::DownloadTokenCreated.in_profile(ProfileKind::Workspace);
        assert!(!EventName::is_change(&token));
        assert_eq!(EventName::CommentCreated.in_profile(ProfileKind::Share), "comment_created");
    }
}
