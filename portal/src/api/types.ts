// The nouns of the REST API under the names that the portal uses.
export type {
  AccessToken,
  Api,
  ApiSubscription,
  ApiSummary,
  Application,
  CatalogueApi,
  Change,
  Counts,
  Difference,
  Endpoint,
  EndpointBounds,
  Endpoints,
  HistoryEntry,
  Key,
  KeyWithSecret,
  Lifecycle,
  Minute,
  Missing,
  Move,
  NewApi,
  Plan,
  ProbeReport,
  ProbeRequest,
  ProbeStep,
  Revision,
  Session,
  Settings,
  Subscription,
  Token,
  Traffic,
  UpdateApi,
} from "./generated";

export type Environment = "production" | "sandbox";
export const ENVIRONMENTS: Environment[] = ["production", "sandbox"];
export type Permission = "api_view" | "api_create" | "api_publish" | "app_manage" | "administer";
