// The audit log, as administrators read it.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ask } from "./call";
import { getAuditEntry, listAudit } from "./generated";

/** What the entries are to be about; empty means anything. */
export interface AuditFilter {
  by: string;
  kind: string;
  object: string;
  from: string;
  until: string;
}

export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", "list", filter],
    queryFn: ({ pageParam }) => {
      const given = Object.entries({ ...filter, cursor: pageParam }).filter(([, value]) => value !== "");
      return ask(listAudit({ query: Object.fromEntries(given) }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });

export const auditEntryQuery = (number: number) =>
  queryOptions({
    queryKey: ["audit", "one", number],
    queryFn: () => ask(getAuditEntry({ path: { number } })),
    // What happened does not change.
    staleTime: Number.POSITIVE_INFINITY,
  });
