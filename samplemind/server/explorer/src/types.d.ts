declare module "*.graphql" {
  const text: string;
  export default text;
}

declare module "*.css";

/** Set by build.js: the built file name of each Monaco worker. */
declare const WORKERS: { editor: string; graphql: string; json: string };
