import { expect, test } from "vitest";

import { readFixtures } from "@/testing/fixtures";
import { ProtocolError } from "./fields";
import { type ClientMessage, decodeText, encodeMessage } from "./targets";

test.each(readFixtures("targets/client"))("a client frame is written: $name", ({ meaning }) => {
  expect(JSON.parse(encodeMessage(meaning as unknown as ClientMessage))).toEqual(meaning);
});

test.each(readFixtures("targets/server"))("a server frame is read: $name", ({ text, meaning }) => {
  expect(decodeText(text!)).toEqual(meaning);
});

test("an action that this client does not know is left out", () => {
  const [all] = readFixtures("targets/server").filter((row) => row.name === "all pods");
  const text = all!.text!.replace('"may":["exec","attach"]', '"may":["exec","teleport"]');

  const message = decodeText(text);

  expect(message).toMatchObject({ pods: [{ containers: [{ may: ["exec"] }] }, {}] });
});

test.each([
  '{"type":"pods","cluster":"demo","reset":true,"pods":[1]}',
  '{"type":"pods","cluster":"demo","reset":true,"pods":[{"uid":"1"}]}',
  '{"type":"gone","cluster":"demo","pods":[1]}',
  '{"type":"cluster","cluster":"demo","state":"lost","message":"","namespaces":[]}',
])("a broken server frame is refused: %s", (text) => {
  expect(() => decodeText(text)).toThrow(ProtocolError);
});

test("an unknown type is ignored", () => {
  expect(decodeText('{"type":"weather"}')).toBeNull();
});
