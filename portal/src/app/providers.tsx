// What surrounds every page: the theme, and the query cache with its rules for trying again.
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { asProblem } from "../api/problem";
import { theme } from "./theme";

/** Tries of something that may pass by itself, before the page says so and offers a button. */
const TRIES = 3;
/** How often a page that shows a passing problem tries by itself. */
const AGAIN_MILLIS = 5_000;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The product may run on a machine without any network but its own.
      networkMode: "always",
      staleTime: 5_000,
      retry: (failures, error) => asProblem(error).isPassing && failures < TRIES,
      retryDelay: (failures) => Math.min(500 * 2 ** failures, AGAIN_MILLIS),
      refetchInterval: (query) =>
        query.state.status === "error" && asProblem(query.state.error).isPassing ? AGAIN_MILLIS : false,
    },
    mutations: { networkMode: "always" },
  },
});

export function Providers({ children }: { children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </MantineProvider>
  );
}
