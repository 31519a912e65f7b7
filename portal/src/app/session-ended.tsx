// Asked over the page when its session is over: who signs in again finds everything typed still there.
import { Button, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { leave, useSession, useSessionEnded } from "../api/session";
import { signInChoicesQuery } from "../api/sign-in-providers";
import { paths } from "../lib/paths";
import { Stack } from "../ui/page";
import { Loading } from "../ui/states";

const SignInForm = lazy(() =>
  import("../features/session/sign-in-form").then((module) => ({ default: module.SignInForm })),
);

export function SessionEnded() {
  const ended = useSessionEnded();
  const session = useSession();
  if (!ended || !session.data) return null;
  return (
    <Modal
      opened
      onClose={() => {}}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Your session ended"
    >
      <Stack>
        <p>Sign in again to go on.{session.data.user.has_password && " What you typed stays here."}</p>
        {session.data.user.has_password ? (
          <Suspense fallback={<Loading lines={2} />}>
            <SignInForm username={session.data.user.username} onSignedIn={() => {}} />
          </Suspense>
        ) : (
          <Elsewhere />
        )}
        <div>
          <Button variant="subtle" onClick={() => leave(paths.door())}>
            Leave without signing in
          </Button>
        </div>
      </Stack>
    </Modal>
  );
}

/** Who has no password here signs in where they did, and comes back to this page. */
function Elsewhere() {
  const choices = useQuery(signInChoicesQuery);
  const here = window.location.pathname + window.location.search;
  return choices.data?.map(({ id, name }) => (
    <Button key={id} component="a" href={paths.signInWith(id, here)}>
      Sign in with {name}
    </Button>
  ));
}
