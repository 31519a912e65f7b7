// A page whose form needs what the installation says of itself (bounds, addresses): until it is known, or cannot be.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { asProblem } from "../../api/problem";
import { settingsQuery } from "../../api/settings";
import type { Settings } from "../../api/types";
import { Loading, ProblemNotice } from "../../ui/states";

export function WithSettings({ children }: { children: (settings: Settings) => ReactNode }) {
  const settings = useQuery(settingsQuery);
  if (settings.isError)
    return <ProblemNotice problem={asProblem(settings.error)} onRetry={() => settings.refetch()} />;
  return settings.data ? children(settings.data) : <Loading />;
}
