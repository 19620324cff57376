/** Every endpoint of the Client-Server API that is built, by the specification's file names. */
import type { Endpoint } from './route.ts'

type Handlers = Readonly<Record<string, Endpoint>>

/** One line for each handler file, in alphabetical order. */
const FILES: readonly Handlers[] = []

export const ENDPOINTS: readonly Endpoint[] = FILES.flatMap((file) => Object.values(file))
