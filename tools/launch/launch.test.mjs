import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { missingPackages } from './install.mjs'
import { chooseNode, explainFailure, majorOf } from './node-binary.mjs'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-launch-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A checkout with a lock file, and with what is said to be installed. */
function checkout(name, locked, installed) {
  const root = join(folder, name)
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...locked } }))
  writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }))
  for (const path of Object.keys(installed)) {
    mkdirSync(join(root, path), { recursive: true })
    writeFileSync(join(root, path, 'package.json'), '{}')
  }
  return root
}

describe('what has to be installed', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' }
  const locked = {
    'node_modules/a': a,
    'node_modules/dev': { ...a, dev: true },
    'node_modules/other': { ...a, optional: true },
  }

  test('nothing, when the lock file and node_modules agree', () => {
    const root = checkout('same', locked, { 'node_modules/a': a, 'node_modules/dev': { ...a, dev: true } })
    assert.deepEqual(missingPackages(root, 'all'), [])
  })

  test('development dependencies only where they are needed', () => {
    const root = checkout('production', locked, { 'node_modules/a': a })
    assert.deepEqual(missingPackages(root, 'production'), [])
    assert.deepEqual(missingPackages(root, 'all'), ['node_modules/dev'])
  })

  test('a package of another version, or whose folder is gone', () => {
    const root = checkout('stale', locked, { 'node_modules/a': { ...a, version: '0.9.0' } })
    assert.deepEqual(missingPackages(root, 'production'), ['node_modules/a'])
    const gone = checkout('gone', locked, { 'node_modules/a': a })
    rmSync(join(gone, 'node_modules/a'), { recursive: true })
    assert.deepEqual(missingPackages(gone, 'production'), ['node_modules/a'])
  })

  test('a workspace that is not linked', () => {
    const root = checkout('link', { 'node_modules/@x/y': { link: true, resolved: 'packages/y' } }, {})
    assert.deepEqual(missingPackages(root, 'production'), ['node_modules/@x/y'])
  })

  test('everything, in a fresh clone', () => {
    const root = checkout('fresh', locked, {})
    rmSync(join(root, 'node_modules'), { recursive: true })
    assert.deepEqual(missingPackages(root, 'all'), ['node_modules/a', 'node_modules/dev'])
  })
})

describe('which Node runs the program', () => {
  const old = { version: 'v20.1.0', execPath: '/old', platform: 'linux', arch: 'x64' }

  function packagedNode(name, script) {
    const root = join(folder, name)
    mkdirSync(join(root, 'node_modules/node/bin'), { recursive: true })
    writeFileSync(join(root, 'node_modules/node/bin/node'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(root, 'node_modules/node/bin/node'), 0o755)
    return root
  }

  test('the system’s, if it is new enough', () => {
    assert.equal(chooseNode('/nowhere', { ...old, version: 'v26.0.0', execPath: '/new' }), '/new')
    assert.equal(majorOf('v26.10.0'), 26)
  })

  test('otherwise the packaged one', () => {
    const root = packagedNode('works', 'echo v26.10.0')
    assert.equal(chooseNode(root, old), join(root, 'node_modules/node/bin/node'))
  })

  test('a missing library is named, with the command that brings it', () => {
    const loader =
      'node: error while loading shared libraries: libatomic.so.1: cannot open shared object file: No such file'
    const root = packagedNode('no-library', `echo "${loader}" >&2; exit 127`)
    assert.throws(
      () => chooseNode(root, old),
      /libatomic\.so\.1[^]*apt-get install libatomic1[^]*dnf install libatomic/,
    )
    const other = explainFailure('/node', { stderr: loader.replace('libatomic.so.1', 'libstdc++.so.6') })
    assert.match(other, /needs the library libstdc\+\+\.so\.6/)
  })

  test('a binary that cannot run at all, as on Alpine, is explained', () => {
    const error = Object.assign(new Error('spawn ENOENT'), { code: 'ENOENT' })
    assert.match(explainFailure('/node', { error }), /built for glibc[^]*Alpine/)
    assert.throws(() => chooseNode(join(folder, 'nothing'), old), /needs Node 26[^]*ignore-scripts/)
  })
})

describe('handing over', () => {
  // A checkout of its own, in which `holdfast start` is a small program.
  const root = join(folder, 'checkout')
  cpSync(join(import.meta.dirname, '..'), join(root, 'tools'), { recursive: true })
  mkdirSync(join(root, 'packages/holdfast'), { recursive: true })
  writeFileSync(join(root, 'package-lock.json'), '{}')
  const program = (source) => writeFileSync(join(root, 'packages/holdfast/main.ts'), source)
  const command = (...args) => [join(root, 'tools/run.mjs'), ...args]

  test('arguments go in, the exit code comes out', () => {
    program('console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7')
    const { stdout, status } = spawnSync(process.execPath, command('start', '--a', 'b c'), { encoding: 'utf8' })
    assert.deepEqual([JSON.parse(stdout), status], [['start', '--a', 'b c'], 7])
  })

  test('a signal is passed on, once', async () => {
    program(`process.on('SIGTERM', () => console.log('stop')); setTimeout(() => {}, 800); console.log('ready')`)
    const child = spawn(process.execPath, command('holdfast'), { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk) => {
      if (said === '') for (const signal of ['SIGTERM', 'SIGTERM']) child.kill(signal)
      said += chunk
    })
    const [status] = await once(child, 'close')
    assert.deepEqual([said, status], ['ready\nstop\n', 0])
  })

  test('death by a signal is an exit code over 128', () => {
    program(`process.kill(process.pid, 'SIGKILL')`)
    assert.equal(spawnSync(process.execPath, command('start')).status, 137)
  })

  test('what does not exist is said in one line', () => {
    for (const [name, message] of [
      ['nonsense', /Unknown command "nonsense"/],
      ['simulate', /"simulate" is not built yet/],
    ]) {
      const { stderr, status } = spawnSync(process.execPath, command(name), { encoding: 'utf8' })
      assert.equal(status, 1)
      assert.match(stderr, message)
      assert.equal(stderr.trim().split('\n').length, 1)
    }
  })
})
