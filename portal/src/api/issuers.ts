// Other issuers whose tokens are accepted: key managers for administrators, provided keys for developers.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, ifMatch } from "./call";
import {
  createKeyManager,
  deleteKeyManager,
  listIssuers,
  listKeyManagers,
  listProvidedKeys,
  provideKey,
  refreshKeyManager,
  updateKeyManager,
  withdrawKey,
} from "./generated";
import type { Problem } from "./problem";
import type { Environment, KeyManager, NewKeyManager, ProvidedKey, UpdateKeyManager } from "./types";

export const keyManagersQuery = queryOptions({
  queryKey: ["key-managers"],
  queryFn: async () => (await ask(listKeyManagers())).items,
});

export const issuersQuery = queryOptions({
  queryKey: ["issuers"],
  queryFn: async () => (await ask(listIssuers())).items,
});

export const providedKeysQuery = (id: string) =>
  queryOptions({
    queryKey: ["application", id, "provided-keys"],
    queryFn: async () => (await ask(listProvidedKeys({ path: { id } }))).items,
  });

function useRefresh() {
  const queries = useQueryClient();
  return () =>
    Promise.all(
      [keyManagersQuery.queryKey, issuersQuery.queryKey].map((queryKey) =>
        queries.invalidateQueries({ queryKey }),
      ),
    );
}

export function useCreateKeyManager() {
  const refresh = useRefresh();
  return useMutation<KeyManager, Problem, NewKeyManager>({
    mutationFn: (body) => ask(createKeyManager({ body })),
    onSuccess: refresh,
  });
}

export function useUpdateKeyManager() {
  const refresh = useRefresh();
  return useMutation<KeyManager, Problem, { id: string; etag: string; body: UpdateKeyManager }>({
    mutationFn: ({ id, etag, body }) => ask(updateKeyManager({ path: { id }, body, headers: ifMatch(etag) })),
    onSuccess: refresh,
  });
}

export function useDeleteKeyManager() {
  const refresh = useRefresh();
  return useMutation<unknown, Problem, { id: string }>({
    mutationFn: ({ id }) => ask(deleteKeyManager({ path: { id } })),
    onSuccess: refresh,
  });
}

export function useRefreshKeyManager() {
  const refresh = useRefresh();
  return useMutation<KeyManager, Problem, { id: string }>({
    mutationFn: ({ id }) => ask(refreshKeyManager({ path: { id } })),
    onSuccess: refresh,
  });
}

export function useProvideKey(application: string) {
  const queries = useQueryClient();
  return useMutation<ProvidedKey, Problem, { key_manager: string; client_id: string; type: Environment }>({
    mutationFn: (body) => ask(provideKey({ path: { id: application }, body })),
    onSuccess: () => queries.invalidateQueries(providedKeysQuery(application)),
  });
}

export function useWithdrawKey(application: string) {
  const queries = useQueryClient();
  return useMutation<unknown, Problem, { key_manager: string; client_id: string }>({
    mutationFn: (key) => ask(withdrawKey({ path: { id: application, ...key } })),
    onSuccess: () => queries.invalidateQueries(providedKeysQuery(application)),
  });
}
