// On to where somebody was going when something (signing in, another password) came first.
import { useEffect } from "react";
import { Navigate } from "react-router";
import { isAuthorization } from "../../lib/paths";
import { Loading } from "../../ui/states";

/** `to` is what `safeReturn` answered. */
export function GoOn({ to }: { to: string }) {
  return isAuthorization(to) ? <Leave to={to} /> : <Navigate to={to} replace />;
}

/** Back to the page of the authorization server, which is none of the portal's. */
function Leave({ to }: { to: string }) {
  useEffect(() => window.location.replace(to), [to]);
  return <Loading label="Going back to the application" />;
}
