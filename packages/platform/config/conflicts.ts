/** Settings that are each right, but not together. */
import { type Config, type ConfigName, fileName } from './keys.ts'
import type { ConfigProblem } from './sources.ts'

/** @param whereOf the place of a setting that was given */
export function conflicts(config: Config, whereOf: (name: ConfigName) => string | undefined): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const complain = (name: ConfigName, message: string) => {
    problems.push({ where: whereOf(name) ?? fileName(name), message })
  }
  for (const [given, needed] of NEEDS) {
    if (config[given] !== undefined && config[needed] === undefined) {
      complain(given, `${fileName(given)} needs ${fileName(needed)}, ${WHY[needed] ?? 'which is not set'}`)
    }
  }
  const ports = new Map<string, ConfigName>()
  for (const name of ['listen', 'tlsListen', 'metricsListen'] as const) {
    for (const { host, port } of config[name] ?? []) {
      const other = ports.get(`${host} ${port}`)
      if (port !== 0 && other !== undefined) complain(name, `is the same address and port as ${fileName(other)}`)
      ports.set(`${host} ${port}`, name)
    }
  }
  return problems
}

const NEEDS: readonly (readonly [ConfigName, ConfigName])[] = [
  ['tlsListen', 'tlsCert'],
  ['tlsListen', 'tlsKey'],
  ['tlsCert', 'tlsKey'],
  ['tlsCert', 'tlsListen'],
  ['tlsKey', 'tlsCert'],
]

const WHY: Partial<Record<ConfigName, string>> = {
  tlsListen: 'or the certificate is used nowhere',
}
