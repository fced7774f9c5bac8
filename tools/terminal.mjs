// Replays what a terminal was sent in xterm.js: the title and the clipboard must stay as they are, and the screen
// must be the one that tmux shows. node tools/terminal.mjs MODULES TYPED TMUX_SCREEN COLUMNS ROWS
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, typed, screen, columns, rows] = process.argv.slice(2);
const { Terminal } = createRequire(modules + "/")("@xterm/headless");
const terminal = new Terminal({ cols: +columns, rows: +rows, allowProposedApi: true, convertEol: true });
const stolen = [];
terminal.onTitleChange((title) => stolen.push("title: " + title));
terminal.onBell(() => stolen.push("bell"));
for (const code of [0, 1, 2, 4, 8, 10, 11, 12, 52, 104, 777, 1337]) {
  terminal.parser.registerOscHandler(code, (data) => (stolen.push(`OSC ${code}: ${data}`), true));
}
for (const final of ["q", "p", "|", "{"]) {
  terminal.parser.registerDcsHandler({ intermediates: "$", final }, (data) => (stolen.push("DCS " + data), true));
}

const lines = (text) => text.replace(/\s+$/, "").split("\n").map((line) => line.replace(/\s+$/, ""));

terminal.write(readFileSync(typed), () => {
  const shown = [];
  for (let row = 0; row < +rows; row++) {
    shown.push(terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row).translateToString(true));
  }
  const ours = lines(shown.join("\n")), theirs = lines(readFileSync(screen, "utf8"));
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    if (ours[i] !== theirs[i]) stolen.push(`line ${i + 1}: xterm.js '${ours[i]}', tmux '${theirs[i]}'`);
  }
  stolen.forEach((what) => console.log(what));
  process.exit(stolen.length ? 1 : 0);
});
