import js from "@eslint/js";
import prettier from "eslint-config-prettier";
import vue from "eslint-plugin-vue";
import { defineConfig } from "eslint/config";
import globals from "globals";
import ts from "typescript-eslint";

export default defineConfig(
  { ignores: ["node_modules/", "coverage/"] },
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  vue.configs["flat/recommended"],
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: [".vue"],
      },
    },
    rules: {
      // A number or a boolean in a template string is what the reader expects.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      // `() => list.push(x)` as a callback is clear enough.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // Named exports only.
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Export by name." },
      ],
      eqeqeq: "error",
    },
  },
  {
    files: ["**/*.vue"],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      "no-restricted-syntax": "off",
      "vue/no-v-html": "error",
      "vue/block-lang": ["error", { script: { lang: "ts" } }],
      "vue/component-api-style": ["error", ["script-setup"]],
    },
  },
  {
    // The codec and the small tools under it know neither a browser nor a framework.
    files: ["src/protocol/**/*.ts", "src/lib/**/*.ts"],
    ignores: ["**/*.test.ts"],
    languageOptions: { globals: {} },
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["vue*", "@xterm/*", "@/ui/*", "@/terminal/*", "@/transport/*"] },
      ],
    },
  },
  {
    files: ["src/transport/**/*.ts", "src/terminal/**/*.ts", "src/targets/**/*.ts", "src/api.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["vue", "vue-*", "element-plus*", "@element-plus/*", "@/ui/*"] },
      ],
    },
  },
  {
    // One file opens sockets; everything else is given one.
    files: ["src/**"],
    ignores: ["src/transport/socket.ts"],
    rules: { "no-restricted-globals": ["error", "WebSocket"] },
  },
  {
    files: ["**/*.test.ts"],
    rules: { "@typescript-eslint/no-non-null-assertion": "off" },
  },
  {
    files: ["eslint.config.js", "vite.config.ts"],
    languageOptions: { globals: globals.node },
    rules: { "no-restricted-syntax": "off" },
  },
  prettier,
);
