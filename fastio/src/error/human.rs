//! The meaning of 401, 402 and 403 in words.

use super::Refusal;

/// Why somebody has to act before a call can work. `Display` gives the reason and the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HumanReason {
    /// There is no API key, or it is not a possible one.
    #[error("there is no usable API key: put one into the Secret")]
    KeyUnusable,
    /// 401, codes 10011 and 1650.
    #[error("the API key is not accepted: it was revoked, has expired or is mistyped; create a new one")]
    KeyRejected,
    /// Code 10770.
    #[error("the API key is read-only: give it the mode rw for this workspace")]
    KeyReadOnly,
    /// Code 10767.
    #[error("the API key lacks the mode rwa (administration) that this call needs")]
    AdminScopeMissing,
    /// Code 10769.
    #[error("the API key lacks the scope userdetails:*:rw that this call needs")]
    AccountScopeMissing,
    /// Code 10768.
    #[error("the API key may not hand out more than it has itself")]
    ScopeTooWide,
    /// Code 10545.
    #[error("the API key has no scope for, or its user is no member of, this workspace or organisation")]
    NotAMember,
    /// Code 135626.
    #[error("the API key's user can read nothing in this organisation: add the user to a workspace")]
    NothingReadable,
    /// Code 10587.
    #[error("the e-mail address of the key's user is not verified")]
    EmailUnverified,
    /// Code 10175.
    #[error("the key's user must complete two-factor authentication")]
    SecondFactorMissing,
    /// 402 with reason `credits_exhausted`.
    #[error("the organisation has used up its credits: wait for the next period or upgrade the plan")]
    CreditsExhausted,
    /// 402, codes 1688 and 1696, reason `subscription_required`.
    #[error("the organisation needs a paid plan (or has no credits left)")]
    SubscriptionRequired,
    /// 402 with reason `trial_conversion_pending`.
    #[error("the organisation's trial has ended and its conversion to a plan is pending")]
    TrialEnded,
    /// Codes 1685 and 1695.
    #[error("the organisation's plan does not include this: upgrade the plan")]
    UpgradeRequired,
    /// Code 1697, reason `geo_restricted`.
    #[error("the service is not offered at the place where this cluster's traffic comes from")]
    GeoRestricted,
    /// Reasons `credential_policy_*`.
    #[error("a credential policy of the organisation does not allow this API key")]
    CredentialPolicy,
    /// Reasons `cloud_sync_*`.
    #[error("the folder belongs to a cloud sync, which does not allow this")]
    CloudSync,
    /// Every other 403, codes 1670 and 1680.
    #[error("the API key's user may not do this here")]
    Forbidden,
}

impl HumanReason {
    /// The reason for a 401, 402 or 403: the code or reason where it says more than the status.
    pub(super) fn of(refusal: &Refusal) -> Self {
        Self::specific(refusal).unwrap_or(match refusal.status {
            401 => Self::KeyRejected,
            402 => Self::SubscriptionRequired,
            _ => Self::Forbidden,
        })
    }

    /// What code and reason say by themselves (agent guide v1.41 and v2.92, `error.rs` of the official CLI 0.2.13).
    pub(super) fn specific(refusal: &Refusal) -> Option<Self> {
        if let Some(reason) = refusal.reason.as_deref() {
            let known = match reason {
                "credits_exhausted" => Some(Self::CreditsExhausted),
                "subscription_required" => Some(Self::SubscriptionRequired),
                "trial_conversion_pending" => Some(Self::TrialEnded),
                "geo_restricted" => Some(Self::GeoRestricted),
                _ if reason.starts_with("credential_policy_") => Some(Self::CredentialPolicy),
                _ if reason.starts_with("cloud_sync_") => Some(Self::CloudSync),
                _ => None,
            };
            if known.is_some() {
                return known;
            }
        }
        // A refused download token says 401 or 403 with a general code: that is about the token, not about a key.
        match refusal.code? {
            10_767 => Some(Self::AdminScopeMissing),
            10_768 => Some(Self::ScopeTooWide),
            10_769 => Some(Self::AccountScopeMissing),
            10_770 => Some(Self::KeyReadOnly),
            10_545 => Some(Self::NotAMember),
            135_626 => Some(Self::NothingReadable),
            10_587 => Some(Self::EmailUnverified),
            10_175 => Some(Self::SecondFactorMissing),
            1_685 | 1_695 => Some(Self::UpgradeRequired),
            1_688 | 1_696 => Some(Self::SubscriptionRequired),
            1_697 => Some(Self::GeoRestricted),
            10_011 | 1_650 if !refusal.by_token => Some(Self::KeyRejected),
            1_670 | 1_680 if !refusal.by_token => Some(Self::Forbidden),
            _ => None,
        }
    }

    /// One CamelCase word for conditions and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeyUnusable => "KeyUnusable",
            Self::KeyRejected => "KeyRejected",
            Self::KeyReadOnly => "KeyReadOnly",
            Self::AdminScopeMissing => "AdminScopeMissing",
            Self::AccountScopeMissing => "AccountScopeMissing",
            Self::ScopeTooWide => "ScopeTooWide",
            Self::NotAMember => "NotAMember",
            Self::NothingReadable => "NothingReadable",
            Self::EmailUnverified => "EmailUnverified",
            Self::SecondFactorMissing => "SecondFactorMissing",
            Self::CreditsExhausted => "CreditsExhausted",
            Self::SubscriptionRequired => "SubscriptionRequired",
            Self::TrialEnded => "TrialEnded",
            Self::UpgradeRequired => "UpgradeRequired",
            Self::GeoRestricted => "GeoRestricted",
            Self::CredentialPolicy => "CredentialPolicy",
            Self::CloudSync => "CloudSync",
            Self::Forbidden => "Forbidden",
        }
    }
}
