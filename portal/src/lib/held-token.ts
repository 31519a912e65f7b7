// The access token that a reader just made, kept in memory for the pages of one API, so that snippets and the
// console can use it. It is never written to the browser's storage and is gone with the page.
import { useSyncExternalStore } from "react";

const held = new Map<string, string>();
const listeners = new Set<() => void>();

export function holdToken(apiId: string, token: string): void {
  held.set(apiId, token);
  for (const listener of listeners) listener();
}

export function useHeldToken(apiId: string): string | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => held.get(apiId) ?? null,
  );
}
