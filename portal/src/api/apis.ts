// APIs as the publisher portal reads and changes them. Every query and mutation of the noun is defined here, once.
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, ifMatch } from "./call";
import {
  changeLifecycle,
  createApi,
  createVersion,
  deleteApi,
  deployApi,
  getApi,
  getApiTraffic,
  getEndpointsHealth,
  getLifecycle,
  listApiSubscriptions,
  listApis,
  listChanges,
  listRevisions,
  testApiEndpoint,
  testEndpoint,
  updateApi,
} from "./generated";
import type { Problem } from "./problem";
import type { Api, NewApi, ProbeReport, ProbeRequest, Revision, UpdateApi } from "./types";

/** How often figures that move are read again. */
const LIVE_MILLIS = 2_000;

export type Event = "publish" | "demote" | "prototype" | "block" | "republish" | "deprecate" | "retire";

export const apisQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["apis", { q }],
    queryFn: ({ pageParam }) =>
      ask(listApis({ query: { ...(q && { q }), ...(pageParam && { cursor: pageParam }) } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: (before) => before,
  });

export const apiQuery = (id: string) =>
  queryOptions({ queryKey: ["api", id], queryFn: () => ask(getApi({ path: { id } })) });

export const trafficQuery = (id: string) =>
  queryOptions({
    queryKey: ["api", id, "traffic"],
    queryFn: () => ask(getApiTraffic({ path: { id }, query: { minutes: 60 } })),
    refetchInterval: LIVE_MILLIS,
  });

export const endpointsHealthQuery = (id: string) =>
  queryOptions({
    queryKey: ["api", id, "health"],
    queryFn: () => ask(getEndpointsHealth({ path: { id } })),
    refetchInterval: LIVE_MILLIS,
  });

export const changesQuery = (id: string) =>
  queryOptions({
    queryKey: ["api", id, "changes"],
    queryFn: async () => (await ask(listChanges({ path: { id }, query: { limit: 10 } }))).items,
  });

export const lifecycleQuery = (id: string) =>
  queryOptions({ queryKey: ["api", id, "lifecycle"], queryFn: () => ask(getLifecycle({ path: { id } })) });

export const revisionsQuery = (id: string) =>
  queryOptions({
    queryKey: ["api", id, "revisions"],
    queryFn: async () => (await ask(listRevisions({ path: { id } }))).items,
  });

export const apiSubscriptionsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["api", id, "subscriptions"],
    queryFn: ({ pageParam }) =>
      ask(listApiSubscriptions({ path: { id }, query: pageParam ? { cursor: pageParam } : {} })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: LIVE_MILLIS,
  });

/** Puts a changed API where every page reads it, and marks what follows from it as old. */
function useTakeUp() {
  const queries = useQueryClient();
  return async (api: Api) => {
    queries.setQueryData(apiQuery(api.id).queryKey, api);
    await Promise.all([
      queries.invalidateQueries({ queryKey: ["apis"] }),
      queries.invalidateQueries({ queryKey: ["catalogue"] }),
      queries.invalidateQueries({
        queryKey: ["api", api.id],
        predicate: (query) => query.queryKey.length > 2 && query.queryKey[2] !== "traffic",
      }),
    ]);
  };
}

export function useCreateApi() {
  const takeUp = useTakeUp();
  return useMutation<Api, Problem, NewApi>({
    mutationFn: (body) => ask(createApi({ body })),
    onSuccess: takeUp,
  });
}

export function useUpdateApi(id: string) {
  const takeUp = useTakeUp();
  return useMutation<Api, Problem, { body: UpdateApi; etag: string }>({
    mutationFn: ({ body, etag }) => ask(updateApi({ path: { id }, body, headers: ifMatch(etag) })),
    onSuccess: takeUp,
    // A body may hold secrets.
    gcTime: 0,
  });
}

export function useDeleteApi(id: string) {
  const queries = useQueryClient();
  return useMutation<unknown, Problem, { etag: string }>({
    mutationFn: ({ etag }) => ask(deleteApi({ path: { id }, headers: ifMatch(etag) })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["apis"] }),
  });
}

export function useMoveApi(id: string) {
  const takeUp = useTakeUp();
  return useMutation<
    Api,
    Problem,
    { event: Event; deprecate_old_versions?: boolean; require_resubscription?: boolean }
  >({
    mutationFn: (body) => ask(changeLifecycle({ path: { id }, body })),
    onSuccess: takeUp,
  });
}

export function useDeployApi(id: string) {
  const queries = useQueryClient();
  return useMutation<Revision, Problem, { etag: string }>({
    mutationFn: ({ etag }) => ask(deployApi({ path: { id }, headers: ifMatch(etag) })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["api", id] }),
  });
}

export function useCreateVersion(id: string) {
  const takeUp = useTakeUp();
  return useMutation<Api, Problem, { version: string; default?: boolean }>({
    mutationFn: (body) => ask(createVersion({ path: { id }, body })),
    onSuccess: takeUp,
  });
}

/** *Test endpoint*: of an API when there is one, else of an address alone. */
export function useProbe(id?: string) {
  return useMutation<ProbeReport, Problem, ProbeRequest>({
    mutationFn: (body) => (id ? ask(testApiEndpoint({ path: { id }, body })) : ask(testEndpoint({ body }))),
  });
}
