// `node node.mjs PACKAGE [ROUNDS]`: the measurements in Node, of what wasm-bindgen made for the web.

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { figures } from "./driver.js";

const [folder, rounds = "9"] = process.argv.slice(2);
const program = await import(pathToFileURL(`${folder}/ferry_portable.js`));
program.initSync({ module: await readFile(`${folder}/ferry_portable_bg.wasm`) });
console.log(await figures(program, Number(rounds)));
