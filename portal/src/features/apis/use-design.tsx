// Saving a change of the working copy. It is based on what the form was filled from, so that somebody else's change
// in between is noticed; then both are shown and the person chooses.
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { apiQuery, useUpdateApi } from "../../api/apis";
import type { Problem } from "../../api/problem";
import type { Api, UpdateApi } from "../../api/types";
import { StaleNotice } from "../../ui/states";
import { conflict, designOf, isSameDesign } from "./design";

export interface DesignForm {
  /** What the form was filled from. */
  base: Api;
  busy: boolean;
  saved: boolean;
  problem: Problem | null;
  save: (
    change: Partial<UpdateApi>,
    then?: { onSaved?: () => void; onProblem?: (problem: Problem) => void },
  ) => void;
  /** Both versions and the choice between them, while there is one to make. */
  stale: ReactNode;
}

interface Clash {
  change: Partial<UpdateApi>;
  theirs: Api;
  then: Parameters<DesignForm["save"]>[1];
}

/** Who may change plans may not change the default version: it is sent only where it is asked for. */
function unasked({ is_default_version: _, ...design }: UpdateApi): UpdateApi {
  return design;
}

export function useDesign(api: Api, onTakeTheirs: (theirs: Api) => void): DesignForm {
  const queries = useQueryClient();
  const update = useUpdateApi(api.id);
  const [filledFrom, setBase] = useState(api);
  // What was deployed meanwhile is no change of somebody else.
  const base = isSameDesign(filledFrom, api) ? api : filledFrom;
  const [clash, setClash] = useState<Clash | null>(null);
  const [saved, setSaved] = useState(false);

  const send = (from: Api, change: Partial<UpdateApi>, then?: Parameters<DesignForm["save"]>[1]) => {
    setSaved(false);
    update.mutate(
      { body: { ...unasked(designOf(from)), ...change }, etag: from.etag },
      {
        onSuccess: (answer) => {
          setClash(null);
          setBase(answer);
          setSaved(true);
          // What was sent may hold secrets: it is not kept.
          update.reset();
          then?.onSaved?.();
        },
        onError: async (problem) => {
          if (problem.isStale) {
            const theirs = await queries.fetchQuery({ ...apiQuery(api.id), staleTime: 0 });
            setClash({ change, theirs, then });
          } else then?.onProblem?.(problem);
        },
      },
    );
  };

  const stale = clash && (
    <StaleNotice
      rows={conflict({ ...designOf(clash.theirs), ...clash.change }, designOf(clash.theirs))}
      busy={update.isPending}
      onKeepMine={() => send(clash.theirs, clash.change, clash.then)}
      onTakeTheirs={() => {
        setBase(clash.theirs);
        setClash(null);
        update.reset();
        onTakeTheirs(clash.theirs);
      }}
    />
  );
  return {
    base,
    busy: update.isPending,
    saved,
    problem: update.error?.isStale ? null : update.error,
    save: (change, then) => send(base, change, then),
    stale,
  };
}
