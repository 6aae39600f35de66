#!/usr/bin/env node
// The npm compiler (wasm), presented as the `solc` command: forge runs it, and so does build.py.
const path = require('node:path');
const { text } = require('node:stream/consumers');
const solc = require(path.join(__dirname, 'node_modules', 'solc'));

async function main(flags) {
  if (flags.includes('--version')) {
    const version = solc.version().replace('Emscripten.clang', 'Linux.g++');
    console.log(`solc, the solidity compiler commandline interface\nVersion: ${version}`);
  } else if (flags.includes('--standard-json')) {
    // Read as a stream: the npm package's own reader calls readFileSync(0), which fails with EAGAIN on a pipe without data yet.
    process.stdout.write(solc.compile(await text(process.stdin)));
  } else {
    console.error('solc-shim: only --version and --standard-json are understood');
    process.exitCode = 2;
  }
}

main(process.argv.slice(2));
