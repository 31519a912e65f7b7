// Where one is signed in oneself: one browser can be signed out, or all others.
import { useQuery } from "@tanstack/react-query";
import { portalSessionsQuery, useEndSessions } from "../../api/portal-sessions";
import { asProblem } from "../../api/problem";
import { Card, Measure, PageHead } from "../../ui/page";
import { PortalSessionList } from "../../ui/portal-session-list";
import { Loading, ProblemNotice } from "../../ui/states";

export function Component() {
  const sessions = useQuery(portalSessionsQuery("own"));
  const end = useEndSessions("own");
  return (
    <Measure>
      <title>Portal sessions · Tidegate</title>
      <PageHead title="Portal sessions" crumbs={["Account"]} />
      <Card title="Where you are signed in">
        {sessions.isPending ? (
          <Loading lines={2} />
        ) : sessions.isError ? (
          <ProblemNotice problem={asProblem(sessions.error)} onRetry={() => sessions.refetch()} />
        ) : (
          <PortalSessionList
            sessions={sessions.data}
            onEnd={(id, done) => end.mutate(id, { onSettled: done })}
            busy={end.isPending}
            problem={end.error}
            endAll="Sign out everywhere else"
          />
        )}
      </Card>
    </Measure>
  );
}
