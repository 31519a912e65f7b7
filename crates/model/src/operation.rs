//! The one table that says who may call which operation of REST.
//!
//! REST asks it before a handler runs, and refuses what is not in it; a test walks the OpenAPI document and fails on an
//! operation without a rule. What belongs to whom (an application, a token) is decided where it is loaded.

use std::collections::BTreeSet;

use crate::role::Permission;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody, without signing in.
    Everyone,
    /// Who is signed in, also with a password for one time.
    Arrived,
    /// Who is signed in.
    SignedIn,
    /// Who is signed in and holds one of these permissions, the one to ask an administrator for first.
    Holds(&'static [Permission]),
}

impl Who {
    /// The permission that is lacking, if one is.
    pub fn lacks(self, held: &BTreeSet<Permission>) -> Option<Permission> {
        match self {
            Self::Everyone | Self::Arrived | Self::SignedIn => None,
            Self::Holds(any) if any.iter().any(|permission| held.contains(permission)) => None,
            Self::Holds(any) => any.first().copied(),
        }
    }
}

/// The rule of an operation by its id in the OpenAPI document; without one nobody may call it.
pub fn who(operation: &str) -> Option<Who> {
    TABLE.iter().find(|(id, _)| *id == operation).map(|(_, who)| *who)
}

/// The scope that a personal access token needs for an operation: the resource is the first part of the path, and it
/// is read or written. So every operation has one, whatever is added. `path` begins with `/` and has no prefix.
pub fn scope(path: &str, reads: bool) -> String {
    let resource = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    format!("{resource}:{}", if reads { "read" } else { "write" })
}

const VIEW: Who = Who::Holds(&[Permission::ApiView]);
const CREATE: Who = Who::Holds(&[Permission::ApiCreate]);
const PUBLISH: Who = Who::Holds(&[Permission::ApiPublish]);
const EITHER: Who = Who::Holds(&[Permission::ApiCreate, Permission::ApiPublish]);
const DEVELOP: Who = Who::Holds(&[Permission::AppManage]);
const ADMINISTER: Who = Who::Holds(&[Permission::Administer]);

/// Every operation and its rule, by resource.
pub const TABLE: &[(&str, Who)] = &[
    // Signing in, and oneself.
    ("signIn", Who::Everyone),
    ("listSignInChoices", Who::Everyone),
    ("getSignUp", Who::Everyone),
    ("signUp", Who::Everyone),
    ("updateSignUp", ADMINISTER),
    ("getSession", Who::Arrived),
    ("signOut", Who::Arrived),
    ("choosePassword", Who::Arrived),
    ("listOwnSessions", Who::SignedIn),
    ("endOtherSessions", Who::SignedIn),
    ("endOwnSession", Who::SignedIn),
    ("listOwnAuthorizations", Who::SignedIn),
    ("withdrawAuthorization", Who::SignedIn),
    ("createToken", Who::SignedIn),
    ("listTokens", Who::SignedIn),
    ("deleteToken", Who::SignedIn),
    ("listTokenScopes", Who::SignedIn),
    // What everybody may know.
    ("getSettings", Who::Everyone),
    ("listPlans", Who::Everyone),
    ("getPlan", Who::Everyone),
    ("listApplicationPolicies", Who::Everyone),
    ("getApplicationPolicy", Who::Everyone),
    ("listApiPolicies", VIEW),
    ("getApiPolicy", VIEW),
    ("listCatalogue", Who::Everyone),
    ("getCatalogueApi", Who::Everyone),
    // APIs.
    ("createApi", CREATE),
    ("listApis", VIEW),
    ("getApi", VIEW),
    ("updateApi", EITHER),
    ("deleteApi", CREATE),
    ("listChanges", VIEW),
    ("getApiTraffic", VIEW),
    ("listApiSubscriptions", VIEW),
    ("getLifecycle", VIEW),
    ("changeLifecycle", PUBLISH),
    ("deployApi", EITHER),
    ("listRevisions", VIEW),
    ("createVersion", CREATE),
    ("getEndpointsHealth", VIEW),
    ("testApiEndpoint", EITHER),
    ("testEndpoint", CREATE),
    // Applications.
    ("createApplication", DEVELOP),
    ("listApplications", DEVELOP),
    ("getApplication", DEVELOP),
    ("updateApplication", DEVELOP),
    ("deleteApplication", DEVELOP),
    ("getApplicationTraffic", DEVELOP),
    ("getApplicationUsage", DEVELOP),
    ("createKey", DEVELOP),
    ("listKeys", DEVELOP),
    ("deleteKey", DEVELOP),
    ("updateKey", DEVELOP),
    ("renewSecret", DEVELOP),
    ("issueToken", DEVELOP),
    ("revokeTokens", DEVELOP),
    ("revokeToken", DEVELOP),
    ("createApiKey", DEVELOP),
    ("listApiKeys", DEVELOP),
    ("renewApiKey", DEVELOP),
    ("deleteApiKey", DEVELOP),
    ("addCertificate", DEVELOP),
    ("listCertificates", DEVELOP),
    ("deleteCertificate", DEVELOP),
    ("provideKey", DEVELOP),
    ("listProvidedKeys", DEVELOP),
    ("withdrawKey", DEVELOP),
    ("createSubscription", DEVELOP),
    ("listSubscriptions", DEVELOP),
    ("deleteSubscription", DEVELOP),
    ("createTicket", DEVELOP),
    // Business plans, application policies and API policies.
    ("createPlan", ADMINISTER),
    ("updatePlan", ADMINISTER),
    ("deletePlan", ADMINISTER),
    ("createApplicationPolicy", ADMINISTER),
    ("updateApplicationPolicy", ADMINISTER),
    ("deleteApplicationPolicy", ADMINISTER),
    ("createApiPolicy", ADMINISTER),
    ("updateApiPolicy", ADMINISTER),
    ("deleteApiPolicy", ADMINISTER),
    ("exportPolicies", ADMINISTER),
    ("importPolicies", ADMINISTER),
    // Users and roles. Names of roles are asked for where scopes are defined, too.
    ("listRoles", Who::SignedIn),
    ("getRole", Who::SignedIn),
    ("createRole", ADMINISTER),
    ("updateRole", ADMINISTER),
    ("deleteRole", ADMINISTER),
    ("createUser", ADMINISTER),
    ("listUsers", ADMINISTER),
    ("getUser", ADMINISTER),
    ("updateUser", ADMINISTER),
    ("resetPassword", ADMINISTER),
    ("deleteUser", ADMINISTER),
    ("listSessionsOfUser", ADMINISTER),
    ("endSessionsOfUser", ADMINISTER),
    ("endSessionOfUser", ADMINISTER),
    // Other issuers.
    ("listIssuers", Who::SignedIn),
    ("createKeyManager", ADMINISTER),
    ("listKeyManagers", ADMINISTER),
    ("getKeyManager", ADMINISTER),
    ("updateKeyManager", ADMINISTER),
    ("deleteKeyManager", ADMINISTER),
    ("refreshKeyManager", ADMINISTER),
    // Other issuers by which people sign in.
    ("createSignInProvider", ADMINISTER),
    ("listSignInProviders", ADMINISTER),
    ("getSignInProvider", ADMINISTER),
    ("updateSignInProvider", ADMINISTER),
    ("deleteSignInProvider", ADMINISTER),
    ("checkSignInProvider", ADMINISTER),
    // Tokens by which clients register themselves.
    ("createRegistrationToken", ADMINISTER),
    ("listRegistrationTokens", ADMINISTER),
    ("deleteRegistrationToken", ADMINISTER),
    // Alerts: who sees which is decided where they are listed.
    ("listAlerts", Who::Holds(&[Permission::AppManage, Permission::ApiView])),
    ("createAlertChannel", Who::Holds(&[Permission::AppManage, Permission::ApiPublish])),
    ("listAlertChannels", Who::Holds(&[Permission::AppManage, Permission::ApiPublish])),
    ("deleteAlertChannel", Who::Holds(&[Permission::AppManage, Permission::ApiPublish])),
    ("listDeliveries", Who::Holds(&[Permission::AppManage, Permission::ApiPublish])),
    ("testAlertChannel", Who::Holds(&[Permission::AppManage, Permission::ApiPublish])),
    ("getMail", ADMINISTER),
    ("updateMail", ADMINISTER),
    ("testMail", ADMINISTER),
    ("getAlertSettings", ADMINISTER),
    ("updateAlertSettings", ADMINISTER),
    // The audit log.
    ("listAudit", ADMINISTER),
    ("getAuditEntry", ADMINISTER),
    // Keys that sign.
    ("listSigningKeys", ADMINISTER),
    ("rotateSigningKey", ADMINISTER),
    ("removeSigningKey", ADMINISTER),
    // What carries connections.
    ("listGateways", ADMINISTER),
    ("getMetrics", ADMINISTER),
    // Who is kept out.
    ("createDenyRule", ADMINISTER),
    ("listDenyRules", ADMINISTER),
    ("getDenyRule", ADMINISTER),
    ("updateDenyRule", ADMINISTER),
    ("deleteDenyRule", ADMINISTER),
    // What is held to limits by an expression.
    ("createCustomRule", ADMINISTER),
    ("listCustomRules", ADMINISTER),
    ("getCustomRule", ADMINISTER),
    ("updateCustomRule", ADMINISTER),
    ("deleteCustomRule", ADMINISTER),
    ("testCustomRule", ADMINISTER),
];

#[cfg(test)]
mod tests;
