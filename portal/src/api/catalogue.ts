// The catalogue of the developer portal: what anyone may see.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ask } from "./call";
import { getCatalogueApi, listCatalogue } from "./generated";

export const catalogueQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["catalogue", { q }],
    queryFn: ({ pageParam }) =>
      ask(listCatalogue({ query: { ...(q && { q }), ...(pageParam && { cursor: pageParam }) } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: (before) => before,
  });

export const catalogueApiQuery = (id: string) =>
  queryOptions({ queryKey: ["catalogue", "api", id], queryFn: () => ask(getCatalogueApi({ path: { id } })) });
