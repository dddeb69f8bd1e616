#!/usr/bin/env node
import '../polyfill.ts'
import { run } from './run.ts'
import { processTerminal } from './terminal.ts'

const code = await run(process.argv.slice(2), processTerminal())
// Pipes are written to asynchronously: what was answered leaves before the process does.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
