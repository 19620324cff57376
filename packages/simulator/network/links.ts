/** How bad the way from one server to another is now, in one direction. */
import type { Random } from '@holdfast/platform/random/random'

export type LinkFaults = {
  /** In thousandths. */
  readonly loss: number
  readonly doubled: number
  readonly delayMsMin: number
  readonly delayMsMax: number
}

export type Link = {
  /** Connections are refused at once. */
  readonly isRefused: boolean
  isLost(): boolean
  isDoubled(): boolean
  delayMs(): number
}

export type Links = {
  between(from: string, to: string): Link
  /** `silent`: everything on this way gets lost; `refused`: connections fail at once; `open`: as usual. */
  cut(from: string, to: string, how: 'silent' | 'refused' | 'open'): void
  /** From now on things go wrong as given. Before, nothing does. */
  sicken(): void
  /** From now on nothing goes wrong. */
  heal(): void
}

const PERFECT: LinkFaults = { loss: 0, doubled: 0, delayMsMin: 5, delayMsMax: 6 }

export function createLinks(random: Random, given: LinkFaults): Links {
  let faults = PERFECT
  const cuts = new Map<string, 'silent' | 'refused'>()
  const chance = (thousandths: number): boolean => thousandths > 0 && random.integer(1000) < thousandths
  return {
    between: (from, to) => {
      const cut = cuts.get(`${from} ${to}`)
      return {
        isRefused: cut === 'refused',
        isLost: () => cut === 'silent' || chance(faults.loss),
        isDoubled: () => chance(faults.doubled),
        delayMs: () => faults.delayMsMin + random.integer(faults.delayMsMax - faults.delayMsMin),
      }
    },
    cut: (from, to, how) => {
      if (how === 'open') cuts.delete(`${from} ${to}`)
      else cuts.set(`${from} ${to}`, how)
    },
    sicken: () => {
      faults = given
    },
    heal: () => {
      faults = PERFECT
      cuts.clear()
    },
  }
}
