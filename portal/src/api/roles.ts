// Roles: those that ship, and the installation's own, which administrators make.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, ifMatch } from "./call";
import type { NewRole, Role } from "./generated";
import { createRole, deleteRole, listRoles, updateRole } from "./generated";
import type { Problem } from "./problem";

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: async () => (await ask(listRoles())).items,
});

/** What every change does to what was read: also one that was refused, since somebody else may have been quicker. */
function useChanged() {
  const queries = useQueryClient();
  return () => void queries.invalidateQueries({ queryKey: rolesQuery.queryKey });
}

export function useCreateRole() {
  const onSettled = useChanged();
  return useMutation<Role, Problem, NewRole>({ mutationFn: (body) => ask(createRole({ body })), onSettled });
}

export function useUpdateRole() {
  const onSettled = useChanged();
  return useMutation<Role, Problem, { role: Role; description: string; means: string[] }>({
    mutationFn: ({ role, description, means }) =>
      ask(
        updateRole({
          path: { name: role.name },
          body: { description, means },
          headers: ifMatch(role.etag),
        }),
      ),
    onSettled,
  });
}

export function useDeleteRole() {
  const onSettled = useChanged();
  return useMutation<unknown, Problem, Role>({
    mutationFn: (role) => ask(deleteRole({ path: { name: role.name }, headers: ifMatch(role.etag) })),
    onSettled,
  });
}
