// Plans: which business plans a subscription to this API may be made under.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem, fieldErrors } from "../../api/problem";
import { useCan } from "../../api/session";
import { plansQuery } from "../../api/settings";
import { Card, Stack } from "../../ui/page";
import { PlanChoice } from "../../ui/plans";
import { Loading, ProblemNotice } from "../../ui/states";
import { useApi } from "./api-frame";
import { SaveRow } from "./save-row";
import { useDesign } from "./use-design";

export function Component() {
  const api = useApi();
  const plans = useQuery(plansQuery);
  const create = useCan("api_create");
  const publish = useCan("api_publish");
  const [chosen, setChosen] = useState(api.plans);
  const [error, setError] = useState<string | null>(null);
  const design = useDesign(api, (theirs) => setChosen(theirs.plans));
  const may = create || publish;
  const dirty = [...chosen].sort().join() !== [...design.base.plans].sort().join();
  if (plans.isPending) return <Loading />;
  if (plans.isError)
    return <ProblemNotice problem={asProblem(plans.error)} onRetry={() => plans.refetch()} />;
  const save = () =>
    design.save(
      { plans: chosen },
      {
        onSaved: () => setError(null),
        onProblem: (problem) => setError(fieldErrors(problem, { "/plans": "plans" }).fields.plans ?? null),
      },
    );
  return (
    <>
      <title>{`Plans · ${api.name}`}</title>
      <Card title="Plans">
        <Stack>
          {design.stale}
          {design.problem && <ProblemNotice problem={design.problem} />}
          <PlanChoice plans={plans.data} value={chosen} onChange={setChosen} error={error} disabled={!may} />
          {may && <SaveRow design={design} dirty={dirty} onSave={save} />}
        </Stack>
      </Card>
    </>
  );
}
