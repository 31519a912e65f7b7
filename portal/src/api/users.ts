// Users as administrators see them, and one's own password.
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, askTagged, ifMatch } from "./call";
import { createUser, deleteUser, getUser, listUsers, resetPassword, updateUser } from "./generated";
import type { Problem } from "./problem";
import type { User, UserWithPassword } from "./types";

const KEY = "users";

export const usersQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: [KEY, "list", q],
    queryFn: ({ pageParam }) =>
      ask(listUsers({ query: { ...(q && { q }), ...(pageParam && { cursor: pageParam }) } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });

/** Who may take something over: as many as the API gives at once. */
export const activeUsersQuery = () =>
  queryOptions({
    queryKey: [KEY, "list", "active"],
    queryFn: () => ask(listUsers({ query: { state: "active", limit: 200 } })),
  });

/** Who signed up and was not approved yet: no more can wait than the API gives at once. */
export const waitingUsersQuery = queryOptions({
  queryKey: [KEY, "list", "waiting"],
  queryFn: async () => (await ask(listUsers({ query: { state: "waiting", limit: 200 } }))).items,
});

/** A user with the number of their applications, and the tag that a change is based on. */
export const userQuery = (id: string) =>
  queryOptions({
    queryKey: [KEY, "one", id],
    queryFn: async () => {
      const { data, etag } = await askTagged(getUser({ path: { id } }));
      return { ...data, etag };
    },
  });

/** What every change of users does to what was read of them. */
function useChanged() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: [KEY] });
}

export function useCreateUser() {
  const onSuccess = useChanged();
  return useMutation<UserWithPassword, Problem, { username: string; roles: string[] }>({
    mutationFn: (body) => ask(createUser({ body })),
    onSuccess,
  });
}

export function useUpdateUser() {
  const onSuccess = useChanged();
  return useMutation<User, Problem, { id: string; etag: string; roles: string[]; state: string }>({
    mutationFn: ({ id, etag, roles, state }) =>
      ask(updateUser({ path: { id }, body: { roles, state }, headers: ifMatch(etag) })),
    onSuccess,
  });
}

/** Lets somebody in who signed up, as they stand now: whatever was decided meanwhile is said. */
export function useApproveUser() {
  const onSuccess = useChanged();
  return useMutation<User, Problem, { id: string; roles: string[] }>({
    mutationFn: async ({ id, roles }) => {
      const { etag } = await askTagged(getUser({ path: { id } }));
      return ask(updateUser({ path: { id }, body: { roles, state: "active" }, headers: ifMatch(etag) }));
    },
    onSuccess,
  });
}

/** Refuses somebody who signed up. */
export function useRefuseUser() {
  const onSuccess = useChanged();
  return useMutation<unknown, Problem, string>({
    mutationFn: (id) => ask(deleteUser({ path: { id } })),
    onSuccess,
  });
}

export function useResetPassword() {
  const onSuccess = useChanged();
  return useMutation<UserWithPassword, Problem, string>({
    mutationFn: (id) => ask(resetPassword({ path: { id } })),
    onSuccess,
  });
}

export function useDeleteUser() {
  const queries = useQueryClient();
  return useMutation<unknown, Problem, { id: string; etag: string; heir?: string }>({
    mutationFn: ({ id, etag, heir }) =>
      ask(
        deleteUser({
          path: { id },
          headers: ifMatch(etag),
          query: heir ? { applications_to: heir } : {},
        }),
      ),
    // The page of the one who is gone is left before anything of them is asked for again.
    onSuccess: () => void queries.invalidateQueries({ queryKey: [KEY, "list"] }),
  });
}
