// What xterm.js shows. Reads a JSON list of cases from stdin, writes a JSON list of screens.
//
// A case: {cols, rows, steps: [{write: base64} | {resize: [cols, rows]} | {look: true}]}; its result
// is the list of looks. Unicode 11 widths, as in the browser.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const frontend = new URL('../../../frontend/package.json', import.meta.url)
const require = createRequire(fileURLToPath(frontend))
const { Terminal } = require('@xterm/headless')
const { Unicode11Addon } = require('@xterm/addon-unicode11')

// xterm.js keeps whether a colour came from the 16 or from the 256; they are the same colours.
function color(mode, value) {
  if (mode === 0) return null
  return mode === 3 << 24 ? `#${value.toString(16).padStart(6, '0')}` : value
}

function look(cell) {
  const attributes = [
    cell.isBold() && 'bold',
    cell.isItalic() && 'italic',
    cell.isDim() && 'dim',
    cell.isUnderline() && 'underline',
    cell.isBlink() && 'blink',
    cell.isInverse() && 'inverse',
    cell.isInvisible() && 'invisible',
    cell.isStrikethrough() && 'strikethrough',
    cell.isOverline() && 'overline',
  ].filter(Boolean)
  const foreground = color(cell.getFgColorMode(), cell.getFgColor())
  const background = color(cell.getBgColorMode(), cell.getBgColor())
  return [foreground, background, attributes.join(' ')]
}

function lines(terminal, buffer) {
  const found = []
  for (let y = 0; y < terminal.rows; y++) {
    const line = buffer.getLine(buffer.baseY + y)
    const runs = []
    for (let x = 0; x < terminal.cols; x++) {
      const cell = line.getCell(x)
      if (cell.getWidth() === 0) continue
      const blank = cell.getChars().trim() === ''
      const [foreground, background, attributes] = look(cell)
      // Of a blank cell only what can be seen counts.
      const seen = attributes.split(' ').filter((name) => /inverse|underline|strike|overline/.test(name))
      const same = JSON.stringify(
        blank
          ? [seen.length > 0 ? foreground : null, background, seen.join(' ')]
          : [foreground, background, attributes],
      )
      const text = blank ? ' ' : cell.getChars()
      const last = runs.at(-1)
      if (last && last[1] === same) last[0] += text
      else runs.push([text, same])
    }
    found.push({ wrapped: line.isWrapped, runs })
  }
  return found
}

function screen(terminal, state) {
  const buffer = terminal.buffer.active
  return {
    cols: terminal.cols,
    rows: terminal.rows,
    alternate: buffer.type === 'alternate',
    cursor: [buffer.cursorX, buffer.cursorY],
    cursorHidden: terminal._core.coreService.isCursorHidden,
    cursorStyle: terminal._core.coreService.decPrivateModes.cursorStyle ?? null,
    cursorBlink: terminal._core.coreService.decPrivateModes.cursorBlink ?? null,
    modes: { ...terminal.modes },
    mouseEncoding: terminal._core.coreMouseService?.activeEncoding ?? null,
    title: state.title,
    replies: state.replies,
    bells: state.bells,
    active: lines(terminal, buffer),
    primary: buffer.type === 'alternate' ? lines(terminal, terminal.buffer.normal) : null,
  }
}

async function run(item) {
  const terminal = new Terminal({
    cols: item.cols,
    rows: item.rows,
    scrollback: 1000,
    allowProposedApi: true,
  })
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  const state = { title: '', replies: '', bells: 0 }
  terminal.onTitleChange((title) => (state.title = title))
  terminal.onData((data) => (state.replies += data))
  terminal.onBell(() => state.bells++)
  const looks = []
  for (const step of item.steps) {
    if (step.resize) terminal.resize(...step.resize)
    else if (step.look) looks.push(screen(terminal, state))
    else {
      const data = Buffer.from(step.write, 'base64')
      await new Promise((done) => terminal.write(data, done))
    }
  }
  terminal.dispose()
  return looks
}

const input = []
for await (const chunk of process.stdin) input.push(chunk)
const results = []
for (const item of JSON.parse(Buffer.concat(input).toString())) results.push(await run(item))
process.stdout.write(JSON.stringify(results))
