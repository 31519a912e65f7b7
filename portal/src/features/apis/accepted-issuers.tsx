// Whose tokens an API accepts: those of every issuer, or of some by name. Absent where there is but one.
import { Checkbox, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { issuersQuery } from "../../api/issuers";
import { asProblem } from "../../api/problem";
import { Card, Dim, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";

/** What stands alone where all are accepted. */
export const ALL = "all";
/** The product itself. */
const RESIDENT = "resident";

export function AcceptedIssuers(props: {
  accepted: string[];
  readOnly: boolean;
  error: ReactNode;
  onChange: (accepted: string[]) => void;
}) {
  const { accepted, readOnly, onChange } = props;
  const issuers = useQuery(issuersQuery);
  const isAll = accepted.length === 1 && accepted[0] === ALL;
  if (issuers.isError) return <ProblemNotice problem={asProblem(issuers.error)} />;
  const known = (issuers.data ?? []).map(({ name }) => name);
  // Nothing to choose between, and nothing chosen.
  if (known.length === 0 && isAll) return null;
  // One that was deleted or switched off is still named by the design, and can be taken out.
  const gone = accepted.filter((name) => ![ALL, RESIDENT, ...known].includes(name));
  const names = [RESIDENT, ...known, ...gone];
  return (
    <Card title="Issuers">
      <Stack>
        <Dim>Whose access tokens open this API. A token of any other issuer is refused with 401.</Dim>
        <Switch
          label="Tokens of every issuer"
          description="Of those that are there and of those that an administrator adds later."
          disabled={readOnly}
          checked={isAll}
          onChange={(event) => onChange(event.currentTarget.checked ? [ALL] : names)}
          data-path="issuers"
        />
        {!isAll && (
          <Checkbox.Group
            label="Accepted issuers"
            value={accepted}
            onChange={onChange}
            error={props.error}
            readOnly={readOnly}
          >
            <Stack>
              {names.map((name) => (
                <Checkbox
                  key={name}
                  value={name}
                  disabled={readOnly}
                  label={name === RESIDENT ? "The product itself" : name}
                  {...(gone.includes(name) && { description: "It is not there any more." })}
                />
              ))}
            </Stack>
          </Checkbox.Group>
        )}
      </Stack>
    </Card>
  );
}
