// Custom rules: for administrators.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, ifMatch } from "./call";
import type { CustomRule, CustomRuleInput, CustomRuleTest, CustomRuleTested } from "./generated";
import {
  createCustomRule,
  deleteCustomRule,
  listCustomRules,
  testCustomRule,
  updateCustomRule,
} from "./generated";
import type { Problem } from "./problem";

export const customRulesQuery = queryOptions({
  queryKey: ["custom-rules"],
  queryFn: async () => (await ask(listCustomRules())).items,
});

/** What every change does to what was read: also one that was refused, since somebody else may have been quicker. */
function useChanged() {
  const queries = useQueryClient();
  return () => void queries.invalidateQueries({ queryKey: customRulesQuery.queryKey });
}

/** Makes a rule where there was none, else changes the one that there was. */
export function useSaveCustomRule() {
  const onSettled = useChanged();
  return useMutation<CustomRule, Problem, { was: CustomRule | null; to: CustomRuleInput }>({
    mutationFn: ({ was, to }) =>
      was
        ? ask(updateCustomRule({ path: { id: was.id }, body: to, headers: ifMatch(String(was.etag)) }))
        : ask(createCustomRule({ body: to })),
    onSettled,
  });
}

export function useDeleteCustomRule() {
  const onSettled = useChanged();
  return useMutation<unknown, Problem, CustomRule>({
    mutationFn: (rule) =>
      ask(deleteCustomRule({ path: { id: rule.id }, headers: ifMatch(String(rule.etag)) })),
    onSettled,
  });
}

/** Tries an expression against a sample; nothing is kept. */
export function useTestCustomRule() {
  return useMutation<CustomRuleTested, Problem, CustomRuleTest>({
    mutationFn: (body) => ask(testCustomRule({ body })),
  });
}
