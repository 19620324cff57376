#!/usr/bin/env node
// What `npm start`, `npm test` and the other scripts call: `node tools/run.mjs COMMAND ...ARGUMENTS`.
import { launch } from './launch/launch.mjs'

launch(process.argv[2], process.argv.slice(3))
