// Where the REST client comes from. The document is generated from the Rust code; the client is committed, and
// `npm run check:generated` refuses one that does not match.
import { defineConfig } from "@hey-api/openapi-ts";

export default defineConfig({
  input: process.env.OPENAPI_DOCUMENT ?? "../openapi/control.json",
  output: { path: process.env.GENERATED_PATH ?? "src/api/generated" },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
});
