// What this installation is, and the plans and policies it ships: read once, rarely changing.
import { queryOptions } from "@tanstack/react-query";
import { ask } from "./call";
import { getSettings, listApiPolicies, listApplicationPolicies, listPlans } from "./generated";

const RARELY = 5 * 60_000;

export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: () => ask(getSettings()),
  staleTime: RARELY,
});

export const plansQuery = queryOptions({
  queryKey: ["plans"],
  queryFn: async () => (await ask(listPlans())).items,
  staleTime: RARELY,
});

export const policiesQuery = queryOptions({
  queryKey: ["application-policies"],
  queryFn: async () => (await ask(listApplicationPolicies())).items,
  staleTime: RARELY,
});

/** What APIs and topics may be held to. */
export const apiPoliciesQuery = queryOptions({
  queryKey: ["api-policies"],
  queryFn: async () => (await ask(listApiPolicies())).items,
  staleTime: RARELY,
});
