#!/usr/bin/env node
// The command `holdfast` (`npx holdfast start`), on any Node from 20 on.
import { launch } from '../../tools/launch/launch.mjs'

launch('holdfast', process.argv.slice(2))
