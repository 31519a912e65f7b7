// Every address of the portals, built in one place, so that a link cannot be misspelt. See `app/router.tsx`.

/** Pages inside one API of the publisher portal, in the order of the left list. */
export const API_PAGES = [
  "overview",
  "basics",
  "endpoints",
  "headers",
  "topics",
  "security",
  "protocol",
  "plans",
  "subscriptions",
  "alerts",
  "deployments",
  "lifecycle",
  "new-version",
  "delete",
] as const;
export type ApiPage = (typeof API_PAGES)[number];

/** Pages inside one application. */
export type ApplicationPage =
  | "overview"
  | "keys"
  | "api-keys"
  | "certificates"
  | "subscriptions"
  | "alerts"
  | "settings";

const part = encodeURIComponent;

export const paths = {
  door: () => "/",
  signIn: (to?: string) => (to ? `/sign-in?to=${part(to)}` : "/sign-in"),
  /** The way to a sign-in provider; a page of the control plane's, not of the router's. */
  signInWith: (id: string, to: string) => `/sign-in/with/${part(id)}?to=${part(to)}`,
  signUp: () => "/sign-up",
  tokens: () => "/account/tokens",
  portalSessions: () => "/account/sessions",
  authorizations: () => "/account/authorizations",
  password: (to?: string) => (to ? `/account/password?to=${part(to)}` : "/account/password"),
  admin: () => "/admin",
  signingKeys: () => "/admin/signing-keys",
  signInProviders: () => "/admin/sign-in-providers",
  customRules: () => "/admin/custom-rules",
  gateways: () => "/admin/gateways",
  denyRules: () => "/admin/deny-rules",
  registrationTokens: () => "/admin/registration-tokens",
  limits: () => "/admin/limits",
  audit: (about?: { by?: string; object?: string }) => {
    const query = new URLSearchParams({ ...about }).toString();
    return query ? `/admin/audit?${query}` : "/admin/audit";
  },
  alertsOfAll: () => "/admin/alerts",
  users: () => "/admin/users",
  roles: () => "/admin/roles",
  user: (id: string) => `/admin/users/${part(id)}`,
  keyManagers: () => "/admin/key-managers",
  apis: (query?: { q?: string }) => (query?.q ? `/publisher?q=${part(query.q)}` : "/publisher"),
  newWebSocketApi: () => "/publisher/apis/new/websocket",
  api: (id: string, page: ApiPage = "overview") =>
    page === "overview" ? `/publisher/apis/${part(id)}` : `/publisher/apis/${part(id)}/${page}`,
  catalogue: (query?: { q?: string }) => (query?.q ? `/devportal?q=${part(query.q)}` : "/devportal"),
  catalogueApi: (id: string) => `/devportal/apis/${part(id)}`,
  keyWizard: (id: string, application?: string) =>
    `/devportal/apis/${part(id)}/keys${application ? `?application=${part(application)}` : ""}`,
  console: (id: string, application?: string) =>
    `/devportal/apis/${part(id)}/console${application ? `?application=${part(application)}` : ""}`,
  alerts: () => "/devportal/alerts",
  applications: () => "/devportal/applications",
  application: (id: string, page: ApplicationPage = "overview") =>
    page === "overview"
      ? `/devportal/applications/${part(id)}`
      : `/devportal/applications/${part(id)}/${page}`,
};

/** Where to go after signing in: only a page of this application, never another site. */
export function safeReturn(to: string | null): string {
  if (!to?.startsWith("/") || to.startsWith("//") || to.includes("\\")) return paths.door();
  return to;
}

/** Whether a page that `safeReturn` answered is the authorization server's, which the router does not know. */
export function isAuthorization(to: string): boolean {
  return to.startsWith("/oauth2/authorize?") || to === "/device" || to.startsWith("/device?");
}
