#!/usr/bin/env node
/** The entry: `holdfast <command>`. */
import { runCommand } from './cli/run.ts'
import { processTerminal } from './cli/terminal.ts'

using terminal = processTerminal()
process.exitCode = await runCommand(terminal, process.argv.slice(2))
