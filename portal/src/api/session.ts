// Who is signed in and what they may do. Controls and routes ask here; the control plane decides anyway.
// A session that ends while a page is open leaves the page as it is, with what was typed: `useSessionEnded` tells
// the frame to ask for the password again.
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { ask, onSessionRefused, setCsrfToken } from "./call";
import { choosePassword, getSession, signIn, signOut } from "./generated";
import { asProblem, type Problem } from "./problem";
import type { Permission, Session } from "./types";

/** Whom this page was opened by, until they sign out. */
let held: Session | null = null;
let ended = false;
const listeners = new Set<() => void>();

function tell(now: boolean): void {
  if (now === ended) return;
  ended = now;
  for (const listener of listeners) listener();
}

function take(session: Session | null): void {
  held = session;
  setCsrfToken(session?.csrf_token ?? "");
  tell(false);
}

onSessionRefused(() => tell(held !== null));

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the session that this page was opened with is over. */
export function useSessionEnded(): boolean {
  return useSyncExternalStore(listen, () => ended);
}

/** Whether somebody is signed in, so that a refusal for want of a session is over. */
export function useSessionHeld(): boolean {
  return useSyncExternalStore(listen, () => held !== null && !ended);
}

async function readSession(): Promise<Session | null> {
  try {
    const session = await ask(getSession());
    take(session);
    return session;
  } catch (error) {
    if (!asProblem(error).isUnauthenticated) throw error;
    if (held === null) take(null);
    return held;
  }
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: readSession,
  staleTime: 60_000,
});

export function useSession() {
  return useQuery(sessionQuery);
}

/** Whether the person who is signed in may do this. */
export function useCan(permission: Permission): boolean {
  const { data } = useSession();
  return data?.permissions.some((may) => may === permission) ?? false;
}

/** Whether a query holds what depends on who is signed in. The session's own is watched by every page: it stays. */
const isOfSomeone = ({ queryKey }: { queryKey: readonly unknown[] }) =>
  queryKey[0] !== sessionQuery.queryKey[0];

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation<Session, Problem, { username: string; password: string }>({
    mutationFn: (body) => ask(signIn({ body })),
    onSuccess: (session) => {
      const again = held?.user.id === session.user.id;
      take(session);
      // The same person goes on where they were; what another one saw is not theirs to see.
      if (!again) queries.removeQueries({ predicate: isOfSomeone });
      queries.setQueryData(sessionQuery.queryKey, session);
      if (again) void queries.invalidateQueries();
    },
  });
}

/** Another password in exchange for the present one; the session goes on under a new name. */
export function useChoosePassword() {
  const queries = useQueryClient();
  return useMutation<Session, Problem, { current_password: string; new_password: string }>({
    mutationFn: (body) => ask(choosePassword({ body })),
    onSuccess: (session) => {
      take(session);
      queries.setQueryData(sessionQuery.queryKey, session);
    },
  });
}

let left = false;
// A browser may keep the page that was left, and show it again on "back", to whoever sits there then.
window.addEventListener("pageshow", (shown) => {
  if (left && shown.persisted) window.location.reload();
});

/**
 * Leaves for this address as nobody, by loading it: what this page holds of the person (answers, access tokens,
 * what was typed) goes with the page, whatever was still on its way.
 */
export function leave(to: string): void {
  left = true;
  take(null);
  window.location.assign(to);
}

/** Ends the session; its caller then leaves. */
export function useSignOut() {
  return useMutation<unknown, Problem, void>({ mutationFn: () => ask(signOut()) });
}
