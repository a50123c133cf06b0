// For ESLint, whose type checker does not read .vue files; vue-tsc finds the real ones first.
declare module "*.vue" {
  import type { Component } from "vue";

  const component: Component;
  export { component as default };
}
