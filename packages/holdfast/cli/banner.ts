/** What a start says first. */
import type { RunningHoldfast } from '../server/start.ts'
import { VERSION } from '../version.ts'

export type BannerFacts = Pick<RunningHoldfast, 'urls' | 'firstRunLink'> & {
  readonly serverName: string
  readonly data: string
  readonly configFile: string | undefined
}

export function banner({ urls, firstRunLink, serverName, data, configFile }: BannerFacts): string {
  const lines = [
    `Holdfast ${VERSION} serves ${serverName} at ${urls.join(' and ')}`,
    `Data: ${data}${configFile === undefined ? '' : `   Settings: ${configFile}`}`,
  ]
  if (firstRunLink !== undefined) lines.push(`Create the first administrator: ${firstRunLink}`)
  return `\n${lines.map((line) => `  ${line}`).join('\n')}\n`
}
