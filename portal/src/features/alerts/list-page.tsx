// Alerts about all applications of whoever looks.
import { PageHead } from "../../ui/page";
import { AlertCard } from "./alert-card";

export function Component() {
  return (
    <>
      <title>Alerts · Tidegate developer portal</title>
      <PageHead title="Alerts" />
      <AlertCard
        filter={{}}
        about="An alert stands here when one of your applications has used most of a plan or of its own policy."
      />
    </>
  );
}
