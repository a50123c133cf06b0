import { readFileSync } from "node:fs";

import { afterEach, describe, expect, test } from "vitest";

import { seededRandom, utf8 } from "@/testing/fixtures";
import {
  createHeadless,
  describeScreen,
  feed,
  type Headless,
  rowText,
  scrollbackText,
} from "@/testing/headless";
import { plainText, Screen } from "./screen";

const CSI = "\x1b[";
const OSC = "\x1b]";
const ST = "\x1b\\";

/** What real programs write to open themselves, recorded at 80 × 24. */
const RECORDINGS = ["vim-open", "less-open", "tmux", "bash"];

function recording(name: string): Uint8Array {
  return readFileSync(new URL(`../../../tests/fixtures/screens/${name}.bin`, import.meta.url));
}

const screens: Screen[] = [];

afterEach(() => {
  for (const screen of screens.splice(0)) screen.dispose();
});

function start(terminal: Headless) {
  const screen = new Screen(terminal);
  screens.push(screen);
  const sent: string[] = [];
  screen.onInput((data) => sent.push(data));
  screen.onBinary((data) => sent.push(data));
  const write = (data: string | Uint8Array, isReplay = false) =>
    new Promise<void>((resolve) => {
      screen.write(typeof data === "string" ? utf8(data) : data, isReplay, resolve);
    });
  const resync = (data: string | Uint8Array, cols = 80, rows = 24, mark = "") =>
    new Promise<void>((resolve) => {
      const bytes = typeof data === "string" ? utf8(data) : data;
      screen.resync(bytes, { cols, rows }, mark, resolve);
    });
  return { screen, sent, write, resync };
}

/** What the emulator answers when nobody stops it: the golden table. */
const ANSWERS: readonly [name: string, query: string, answer: string][] = [
  ["DA1", `${CSI}c`, `${CSI}?1;2c`],
  ["DA2", `${CSI}>c`, `${CSI}>0;276;0c`],
  ["DSR", `${CSI}5n`, `${CSI}0n`],
  ["CPR", `${CSI}6n`, `${CSI}1;1R`],
  ["DECXCPR", `${CSI}?6n`, `${CSI}?1;1R`],
  ["DECRQM, bracketed paste", `${CSI}?2004$p`, `${CSI}?2004;2$y`],
  ["DECRQM, synchronized output", `${CSI}?2026$p`, `${CSI}?2026;2$y`],
  ["DECRQM, unknown", `${CSI}?4242$p`, `${CSI}?4242;0$y`],
  ["DECRQM, ANSI insert", `${CSI}4$p`, `${CSI}4;2$y`],
  ["DECRQSS, attributes", `\x1bP$qm${ST}`, `\x1bP1$r0m${ST}`],
  ["DECRQSS, scroll region", `\x1bP$qr${ST}`, `\x1bP1$r1;24r${ST}`],
  ["DECRQSS, unknown", `\x1bP$qz${ST}`, `\x1bP0$r${ST}`],
];

/** What it never answers, because an answer could type or tell what the person has not typed. */
const SILENT: readonly [name: string, query: string][] = [
  ["DA3", `${CSI}=c`],
  ["title report", `${OSC}2;rm -rf /${ST}${CSI}21t`],
  ["icon name report", `${OSC}1;x${ST}${CSI}20t`],
  ["window size in characters", `${CSI}18t`],
  ["window size in pixels", `${CSI}14t`],
  ["cell size", `${CSI}16t`],
  ["window position", `${CSI}13t`],
  ["XTGETTCAP", `\x1bP+q544e${ST}`],
  ["clipboard read, OSC 52", `${OSC}52;c;?${ST}`],
  ["clipboard write, OSC 52", `${OSC}52;c;cm0gLXJmIC8=${ST}`],
  ["answerback, ENQ", "\x05"],
  ["XTVERSION", `${CSI}>q`],
  ["DECREQTPARM", `${CSI}x`],
  ["checksum of an area", `${CSI}1;1;1;1;2;2*y`],
  ["font, OSC 50", `${OSC}50;?${ST}`],
];

/** Answered in a browser only, where there are colours. */
const COLOUR_QUERIES = [10, 11, 12].map((code) => `${OSC}${code};?${ST}`).join("");

describe("live output", () => {
  test.each(ANSWERS)("is answered as programs expect: %s", async (_name, query, answer) => {
    const { sent, write } = start(createHeadless());

    await write(query);

    expect(sent).toEqual([answer]);
  });

  test.each(SILENT)("is never answered: %s", async (_name, query) => {
    const { sent, write } = start(createHeadless());

    await write(query);

    expect(sent).toEqual([]);
  });
});

describe("a replay", () => {
  const everything = [...ANSWERS, ...SILENT].map(([, query]) => query).join("text");

  test("is answered by nothing", async () => {
    const { sent, write } = start(createHeadless());

    await write(everything + COLOUR_QUERIES + `${CSI}?1004h`, true);

    expect(sent).toEqual([]);
  });

  test("is answered by nothing when it comes byte by byte, and live output still is", async () => {
    const { sent, write } = start(createHeadless());
    const bytes = utf8(everything);

    await Promise.all(Array.from(bytes, (_, at) => write(bytes.subarray(at, at + 1), true)));
    await write(`${CSI}5n`);

    expect(sent).toEqual([`${CSI}0n`]);
  });

  test("ends exactly where live output begins", async () => {
    const { sent, write } = start(createHeadless());

    const written = [
      write(`${CSI}5n`),
      write(`${CSI}6n`, true),
      write(`${CSI}?6n`),
      write(`${CSI}c`, true),
    ];
    await Promise.all(written);

    expect(sent).toEqual([`${CSI}0n`, `${CSI}?1;1R`]);
  });

  test("draws what the same bytes draw live", async () => {
    const replayed = createHeadless();
    const live = createHeadless();

    for (const name of RECORDINGS) {
      await start(replayed).write(recording(name), true);
      await feed(live, recording(name));
    }

    expect(describeScreen(replayed)).toEqual(describeScreen(live));
  });

  test("loses nothing that the person types meanwhile", async () => {
    const terminal = createHeadless();
    const { sent, write } = start(terminal);

    const written = write(`${CSI}6n${CSI}?1000h${CSI}?1006h`, true);
    const isReplaying = new Promise<void>((resolve) => {
      terminal.write("", () => {
        for (const typed of ["l", "\x1b[A", "\x1bOR", "\x1b[Z", "\r"]) terminal.input(typed);
        terminal.input(`${CSI}I`);
        terminal.input(`${CSI}<0;3;4M`);
        resolve();
      });
    });
    await Promise.all([written, isReplaying]);

    expect(sent).toEqual(["l", "\x1b[A", "\x1bOR", "\x1b[Z", "\r"]);
  });
});

describe("a resync", () => {
  /** States that a terminal may be in when the exact screen arrives. */
  const BEFORE: readonly [name: string, bytes: string][] = [
    ["a fresh terminal", ""],
    ["text and scrollback", "line\r\n".repeat(60)],
    ["the alternate screen", `shell\r\n${CSI}?1049h${CSI}5;5Hvim`],
    ["the alternate screen, entered as 47", `x${CSI}?47h${CSI}4;4H\x1b7${CSI}3;10r${CSI}?6h`],
    ["colours and attributes", `${CSI}1;3;4;7;31;44mred${CSI}2K`],
    ["a scroll region and origin mode", `${CSI}5;10r${CSI}?6h`],
    ["insert mode, no wrap, reverse wrap", `${CSI}4h${CSI}?7l${CSI}?45h`],
    ["application keys and bracketed paste", `${CSI}?1h\x1b=${CSI}?2004h`],
    ["mouse and focus reports", `${CSI}?1003h${CSI}?1006h${CSI}?1004h`],
    ["mouse reports in pixels", `${CSI}?1002h${CSI}?1016h`],
    ["synchronized output", `${CSI}?2026h half a frame`],
    ["line drawing characters", "\x1b(0\x1b)0\x0eqqq"],
    ["an invisible cursor of another form", `${CSI}?25l${CSI}5 q`],
    ["a saved cursor", `${CSI}31m${CSI}10;10H\x1b7${CSI}m`],
    ["tab stops of its own", `${CSI}3g${CSI}5G\x1bH${CSI}11G\x1bH`],
    ["newline mode", `${CSI}20h`],
    ["an open hyperlink", `${OSC}8;;https://example.org${ST}link`],
    ["protected characters", `${CSI}1"qsafe`],
    ["a pending wrap", "x".repeat(80)],
    ["wrapped lines", "y".repeat(500)],
    ["half of a control sequence", `text${CSI}38;5`],
    ["half of a title", `${OSC}2;half`],
    ["half of a device control string", "\x1bP$q"],
    ["an escape alone", "text\x1b"],
    ["half of a character", "\xe6"],
    ["changed colours", `${OSC}4;1;#123456${ST}${OSC}11;#ffffff${ST}`],
  ];

  /** Screens to draw, and probes of what cannot be seen: tabs, saved cursor, modes, charsets. */
  const AFTER: readonly [name: string, bytes: string | Uint8Array][] = [
    ["a prompt", "$ "],
    ["nothing", ""],
    ["an alternate screen", `${CSI}?1049h${CSI}2J${CSI}H~${CSI}24;1Hstatus`],
    // Without bash, which begins with CSI 3 J: it trims the scrollback under xterm.js's saved cursor.
    ...RECORDINGS.filter((name) => name !== "bash").map(
      (name) => [name, recording(name)] as [string, Uint8Array],
    ),
  ];
  const PROBES = [
    `\ta\tb\tc`,
    `\r\nqqq\x0eqqq\x0f`,
    `\x1b8restored`,
    `${CSI}10;70Hwrap me around the end`,
    `${CSI}?1049h${CSI}3;3H\ta\x1b8alternate${CSI}?1049l`,
    `${CSI}99;99Hlast\n\nx`,
    `${CSI}?1049lback`,
  ];

  const raw = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const cases = BEFORE.flatMap(([before, bytes]) =>
    AFTER.map(([after, drawn]) => [before, after, bytes, drawn] as const),
  );

  test.each(cases)("makes %s the same as a fresh terminal: %s", async (_b, _a, bytes, drawn) => {
    const used = createHeadless();
    const fresh = createHeadless();
    const { sent, write, resync } = start(used);

    const titles: string[] = [];
    used.onTitleChange((title) => titles.push(title));

    const written = write(raw(bytes));
    await resync(drawn, 80, 24, "— 12.0 MB skipped —");
    await written;
    await feed(fresh, drawn);
    expect(describeScreen(used)).toEqual(describeScreen(fresh));
    expect(titles).not.toContain("half");

    for (const probe of PROBES) {
      await write(probe);
      await feed(fresh, probe);
      expect(describeScreen(used)).toEqual(describeScreen(fresh));
    }
    expect(sent).toEqual([]);
  });

  test("takes the size of the session, then draws", async () => {
    const used = createHeadless(80, 24);
    const fresh = createHeadless(132, 50);
    const { write, resync } = start(used);
    const drawn = `${CSI}50;120Hfar away${CSI}H\t\t\t\t\t\t\t\t\t\t\t\t\t\t\tx`;

    await write("some text\r\n".repeat(30));
    await resync(drawn, 132, 50);
    await feed(fresh, drawn);

    expect([used.cols, used.rows]).toEqual([132, 50]);
    expect(describeScreen(used)).toEqual(describeScreen(fresh));
  });

  test("keeps what was visible in the scrollback, above one line that says what is missing", async () => {
    const used = createHeadless(40, 10);
    const { write, resync } = start(used);

    await write("one\r\ntwo\r\n\r\nthree\r\n$ ");
    await resync("$ vim", 40, 10, "— 12.0 MB skipped —");

    expect(scrollbackText(used)).toEqual(["one", "two", "", "three", "$ ", "— 12.0 MB skipped —"]);
    expect(rowText(used, 0)).toBe("$ vim");
  });

  test("leaves the alternate screen, and keeps the shell's lines from before it", async () => {
    const used = createHeadless(40, 10);
    const { write, resync } = start(used);

    await write(`$ vim\r\n${CSI}?1049h${CSI}Hcontents of a file`);
    await resync("$ ", 40, 10, "— skipped —");

    expect(scrollbackText(used)).toEqual(["$ vim", "— skipped —"]);
    expect(rowText(used, 0)).toBe("$ ");
  });

  test("adds nothing to the scrollback of a terminal that has shown nothing", async () => {
    const used = createHeadless(40, 10);

    await start(used).resync("$ ", 40, 10);

    expect(scrollbackText(used)).toEqual([]);
  });

  test("keeps a mark from steering the terminal", async () => {
    const used = createHeadless(40, 10);

    await start(used).resync("", 40, 10, `skipped ${CSI}31m\x9b2J${OSC}2;x\x07\r\nmore`);

    expect(scrollbackText(used)).toEqual(["skipped [31m2J]2;xmore"]);
  });

  test("answers nothing, and what follows is answered again", async () => {
    const { sent, write, resync } = start(createHeadless());

    const drawn = resync(`${CSI}5n${CSI}6n$ `);
    const live = write(`${CSI}5n`);
    await Promise.all([drawn, live]);

    expect(sent).toEqual([`${CSI}0n`]);
  });
});

describe("the order", () => {
  test("of writes, sizes and screens is that of the calls", async () => {
    const used = createHeadless(20, 5);
    const { screen, write, resync } = start(used);

    const before = write("x".repeat(30));
    screen.resize({ cols: 30, rows: 5 });
    const drawn = resync("first", 25, 5);
    screen.resize({ cols: 10, rows: 5 });
    const after = write("\r\n" + "y".repeat(15));
    await Promise.all([before, drawn, after]);

    expect([0, 1, 2].map((row) => rowText(used, row))).toEqual(["first", "yyyyyyyyyy", "yyyyy"]);
    expect(used.cols).toBe(10);
  });

  test.each([1, 2, 3])("holds for any cutting of the output (seed %i)", async (seed) => {
    const random = seededRandom(seed);
    const bytes = utf8("日本語 \x1b[31mred\x1b[m 🎉\r\n".repeat(40));
    const cut = createHeadless();
    const whole = createHeadless();
    const { write } = start(cut);

    const written: Promise<void>[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + Math.floor(random() * 7);
      written.push(write(bytes.subarray(at, end), random() < 0.5));
      at = end;
    }
    await Promise.all(written);
    await feed(whole, bytes);

    expect(describeScreen(cut)).toEqual(describeScreen(whole));
  });

  test("ends with the screen: nothing is written after it is disposed", async () => {
    const used = createHeadless();
    const { screen, resync } = start(used);

    void resync("late");
    screen.dispose();
    screen.write(utf8("later"), false, () => undefined);
    await feed(used, "");
    await feed(used, "");

    expect(rowText(used, 0)).toBe("");
  });
});

test("plain text has no control characters", () => {
  expect(plainText("a\x1b[31mb\x07\x9bc\r\nd 容器")).toBe("a[31mbcd 容器");
});
