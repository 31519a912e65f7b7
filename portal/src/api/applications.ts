// Applications, their keys and subscriptions, as their owner reads and changes them.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, askTagged, ifMatch } from "./call";
import {
  addCertificate,
  createApiKey,
  createApplication,
  createKey,
  createSubscription,
  deleteApiKey,
  deleteApplication,
  deleteCertificate,
  deleteKey,
  deleteSubscription,
  getApplication,
  getApplicationTraffic,
  getApplicationUsage,
  issueToken,
  listApiKeys,
  listApplications,
  listCertificates,
  listKeys,
  listSubscriptions,
  renewApiKey,
  renewSecret,
  revokeTokens,
  updateApplication,
  updateKey,
} from "./generated";
import type { Problem } from "./problem";
import type {
  AccessToken,
  ApiKeyWithSecret,
  Application,
  Certificate,
  Environment,
  Key,
  KeyChange,
  KeyWithSecret,
  NewApiKey,
  NewCertificate,
  Subscription,
} from "./types";

const LIVE_MILLIS = 2_000;
/** The most that one page of a list carries: lists of one person's own things are read whole up to it. */
const OWN_MAX = 200;

export const applicationsQuery = queryOptions({
  queryKey: ["applications"],
  queryFn: async () => (await ask(listApplications({ query: { limit: OWN_MAX } }))).items,
});

export const applicationQuery = (id: string) =>
  queryOptions({
    queryKey: ["application", id],
    queryFn: async () => {
      const { data, etag } = await askTagged(getApplication({ path: { id } }));
      return { ...data, etag };
    },
  });

export const keysQuery = (id: string) =>
  queryOptions({
    queryKey: ["application", id, "keys"],
    queryFn: async () => (await ask(listKeys({ path: { id } }))).items,
    enabled: id !== "",
  });

export const subscriptionsQuery = (of: { application?: string; api?: string }) =>
  queryOptions({
    queryKey: ["subscriptions", of],
    queryFn: async () => {
      const query = {
        ...(of.application && { application_id: of.application }),
        ...(of.api && { api_id: of.api }),
        limit: OWN_MAX,
      };
      return (await ask(listSubscriptions({ query }))).items;
    },
  });

export const applicationTrafficQuery = (id: string) =>
  queryOptions({
    queryKey: ["application", id, "traffic"],
    queryFn: () => ask(getApplicationTraffic({ path: { id }, query: { minutes: 60 } })),
    refetchInterval: LIVE_MILLIS,
  });

/** What an application is subscribed to, with what is used of it, again and again. */
export const liveSubscriptionsQuery = (of: { application: string }) => ({
  ...subscriptionsQuery(of),
  refetchInterval: LIVE_MILLIS,
});

export const applicationUsageQuery = (id: string) =>
  queryOptions({
    queryKey: ["application", id, "usage"],
    queryFn: () => ask(getApplicationUsage({ path: { id } })),
    refetchInterval: LIVE_MILLIS,
  });

function useRefresh() {
  const queries = useQueryClient();
  return (...keys: unknown[][]) =>
    Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })));
}

export function useCreateApplication() {
  const refresh = useRefresh();
  return useMutation<Application, Problem, { name: string; description?: string; policy?: string }>({
    mutationFn: (body) => ask(createApplication({ body })),
    onSuccess: () => refresh(["applications"]),
  });
}

export function useUpdateApplication(id: string) {
  const refresh = useRefresh();
  return useMutation<
    Application,
    Problem,
    { etag: string; name: string; description: string; policy: string }
  >({
    mutationFn: ({ etag, ...body }) => ask(updateApplication({ path: { id }, body, headers: ifMatch(etag) })),
    onSuccess: () => refresh(["applications"], ["application", id]),
  });
}

export function useDeleteApplication(id: string) {
  const refresh = useRefresh();
  return useMutation<unknown, Problem, void>({
    mutationFn: () => ask(deleteApplication({ path: { id } })),
    onSuccess: () => refresh(["applications"], ["subscriptions"]),
  });
}

export function useCreateKey() {
  const refresh = useRefresh();
  return useMutation<KeyWithSecret, Problem, { application: string; type: Environment }>({
    mutationFn: ({ application, type }) =>
      ask(createKey({ path: { id: application }, body: { type, grants: ["client_credentials"] } })),
    onSuccess: (_, { application }) => refresh(["application", application, "keys"]),
  });
}

export function useUpdateKey() {
  const refresh = useRefresh();
  return useMutation<Key, Problem, { application: string; client: string; body: KeyChange }>({
    mutationFn: ({ application, client, body }) =>
      ask(updateKey({ path: { id: application, client_id: client }, body })),
    onSuccess: (_, { application }) => refresh(["application", application, "keys"]),
  });
}

export function useRenewSecret() {
  return useMutation<KeyWithSecret, Problem, { application: string; client: string }>({
    mutationFn: ({ application, client }) =>
      ask(renewSecret({ path: { id: application, client_id: client } })),
  });
}

/** Ends all tokens of a key that were issued until now; a token that a page holds of it is worth nothing any more. */
export function useRevokeTokens() {
  const refresh = useRefresh();
  return useMutation<unknown, Problem, { application: string; client: string }>({
    mutationFn: ({ application, client }) =>
      ask(revokeTokens({ path: { id: application, client_id: client } })),
    onSuccess: (_, { application }) => refresh(["application", application, "traffic"]),
  });
}

export function useDeleteKey() {
  const refresh = useRefresh();
  return useMutation<unknown, Problem, { application: string; client: string }>({
    mutationFn: ({ application, client }) => ask(deleteKey({ path: { id: application, client_id: client } })),
    onSuccess: (_, { application }) => refresh(["application", application, "keys"]),
  });
}

export const apiKeysQuery = (id: string) =>
  queryOptions({
    queryKey: ["application", id, "api-keys"],
    queryFn: async () => (await ask(listApiKeys({ path: { id } }))).items,
  });

export function useCreateApiKey(application: string) {
  const refresh = useRefresh();
  return useMutation<ApiKeyWithSecret, Problem, NewApiKey>({
    mutationFn: (body) => ask(createApiKey({ path: { id: application }, body })),
    onSuccess: () => refresh(["application", application, "api-keys"]),
  });
}

export function useRenewApiKey(application: string) {
  const refresh = useRefresh();
  return useMutation<ApiKeyWithSecret, Problem, { id: string }>({
    mutationFn: ({ id }) => ask(renewApiKey({ path: { id: application, key_id: id } })),
    onSuccess: () => refresh(["application", application, "api-keys"]),
  });
}

export function useDeleteApiKey(application: string) {
  const refresh = useRefresh();
  return useMutation<unknown, Problem, { id: string }>({
    mutationFn: ({ id }) => ask(deleteApiKey({ path: { id: application, key_id: id } })),
    onSuccess: () => refresh(["application", application, "api-keys"]),
  });
}

export const certificatesQuery = (id: string) =>
  queryOptions({
    queryKey: ["application", id, "certificates"],
    queryFn: async () => (await ask(listCertificates({ path: { id } }))).items,
  });

export function useAddCertificate(application: string) {
  const refresh = useRefresh();
  return useMutation<Certificate, Problem, NewCertificate>({
    mutationFn: (body) => ask(addCertificate({ path: { id: application }, body })),
    onSuccess: () => refresh(["application", application, "certificates"]),
  });
}

export function useDeleteCertificate(application: string) {
  const refresh = useRefresh();
  return useMutation<unknown, Problem, { id: string }>({
    mutationFn: ({ id }) => ask(deleteCertificate({ path: { id: application, certificate_id: id } })),
    onSuccess: () => refresh(["application", application, "certificates"]),
  });
}

export function useIssueToken() {
  return useMutation<AccessToken, Problem, { application: string; client: string }>({
    mutationFn: ({ application, client }) =>
      ask(issueToken({ path: { id: application, client_id: client } })),
  });
}

export function useSubscribe() {
  const refresh = useRefresh();
  return useMutation<Subscription, Problem, { application: string; api: string; plan: string }>({
    mutationFn: ({ application, api, plan }) =>
      ask(createSubscription({ body: { application_id: application, api_id: api, plan } })),
    onSuccess: () => refresh(["subscriptions"]),
  });
}

export function useUnsubscribe() {
  const refresh = useRefresh();
  return useMutation<unknown, Problem, { id: string }>({
    mutationFn: ({ id }) => ask(deleteSubscription({ path: { id } })),
    onSuccess: () => refresh(["subscriptions"]),
  });
}
